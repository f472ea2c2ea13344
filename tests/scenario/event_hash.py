#!/usr/bin/env python3
"""Compute the hash of an event log again from what `linger run --events FILE` wrote.

usage: event_hash.py FILE     prints the hash; exits 1 when the file says another one
"""
import json
import sys

MASK = (1 << 64) - 1
START = 0x6C696E6765723031
FACTOR = 0x9E3779B97F4A7C15


def fold(h, word):
    h = ((h ^ (word & MASK)) * FACTOR) & MASK
    return h ^ (h >> 32)


def fold_bytes(h, data):
    h = fold(h, len(data))
    for i in range(0, len(data), 8):
        h = fold(h, int.from_bytes(data[i:i + 8], "little"))
    return h


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        header = json.loads(next(lines))
        kinds = {kind["name"]: (number, kind["fields"]) for number, kind in enumerate(header["kinds"])}
        events = []
        for line in lines:
            row = json.loads(line)
            if "hash" in row:
                last = row
                break
            events.append(row)
    if last["events"] != len(events):
        sys.exit(f"the file says {last['events']} events and has {len(events)}")
    numbers = {"": 0}
    for number, name in enumerate(last["names"], 1):
        numbers[name] = number

    h = START
    for row in events:
        number, fields = kinds[row["ev"]]
        back = row["seq"] - row["cause"] if "cause" in row else 0
        source = 0xFFFF if row["source"] < 0 else row["source"]
        h = fold(h, row["t_us"])
        h = fold(h, back | number << 32 | source << 48)
        for name, kind in fields:
            value = row[name]
            if kind == "text16":
                data = bytes.fromhex(value)
                h = fold(h, int.from_bytes(data[:8], "little"))
                h = fold(h, int.from_bytes(data[8:], "little"))
            else:
                h = fold(h, numbers[value] if kind == "name" else value)
    h = fold(h, int(header["input_hash"], 16))
    h = fold(h, int(header["seed"]))
    for name in last["names"]:
        h = fold_bytes(h, name.encode("utf-8"))
    print(f"{h:016x}")
    sys.exit(0 if f"{h:016x}" == last["hash"] else 1)


if __name__ == "__main__":
    main()
