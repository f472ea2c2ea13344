#!/usr/bin/env python3
"""What `linger run` promises, for every scenario in assets/: the same run twice has the same hash, in every build;
another seed has another one; the hash can be computed again from the exported events; JSON parses; exit codes.

usage: run_test.py LINGER TREE PART [--other LINGER]

PART is one of: hashes, reports, commands, bad-input, schema. --other is the program of another build, whose hashes
must be the same.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(linger, *arguments, limit_s=120):
    done = subprocess.run([linger, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=limit_s)
    return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")


def summary(linger, *arguments):
    code, out, err = run(linger, "run", "--json", *arguments)
    check(code == 0, f"{arguments}: exit code {code}: {err}")
    return json.loads(out)


def scenarios(tree):
    found = sorted((tree / "assets/scenarios").glob("*.json"))
    check(len(found) >= 10, f"{len(found)} scenarios in {tree}/assets/scenarios")
    return found


def test_hashes(linger, tree, other, folder):
    for scenario in scenarios(tree):
        events = folder / "events.jsonl"
        first = summary(linger, scenario, "--check", "--events", events)
        again = summary(linger, scenario)
        check(first == again, f"{scenario.name}: two runs differ: {first['hash']}, {again['hash']}")
        if other:
            elsewhere = summary(other, scenario)
            check(first == elsewhere, f"{scenario.name}: another build gives {elsewhere['hash']}, not {first['hash']}")
        seeded = summary(linger, scenario, "--seed", first["seed"] + 1)
        check(seeded["hash"] != first["hash"], f"{scenario.name}: another seed has the same hash")
        check(seeded["seed"] == first["seed"] + 1, f"{scenario.name}: --seed was not taken")
        computed = subprocess.run([sys.executable, tree / "tests/scenario/event_hash.py", events],
                                  stdout=subprocess.PIPE, check=False)
        check(computed.returncode == 0 and computed.stdout.decode().strip() == first["hash"],
              f"{scenario.name}: event_hash.py computes {computed.stdout}, not {first['hash']}")


# What each scenario is there to show: keys of the summary (a.b: b of a), and the values that they may have.
PROMISES = {
    "default": {"ledger.delivered": 600, "retries": range(1, 99), "blocked_sends": range(1, 999),
                "left.LINGER": range(1, 999), "left.NO_ROOM": range(1, 999), "left.PIGGYBACK": range(1, 999),
                "ledger.duplicate": 0, "ledger.reordered": 0},
    "orders-file": {"sent": 2400, "ledger.delivered": 2400, "ledger.copies": 2400, "ledger.unknown": 0},
    "shrink-does-not-answer": {"sent": 3, "ledger.delivered": 3, "ledger.duplicate": 0, "retries": 1},
    "orders-jsonl": {"sent": 120, "ledger.delivered": 120, "ledger.copies": 120, "ledger.unknown": 0},
    "kill-a-broker": {"ledger.delivered": 360, "retries": range(1, 999), "disconnects": range(1, 999)},
    "linger-and-batch": {"ledger.delivered": 200, "left.LINGER": range(1, 999), "left.PIGGYBACK": range(1, 999)},
    "acks-0-1-all": {"sent": 300, "ledger.lost after ack": range(1, 50), "ledger.duplicate": 0},
    "buffer-full": {"failed": range(1, 999), "blocked_sends": range(10, 999), "buffer_used_max_bytes": [16384],
                    "left.MEMORY_WAITER": range(1, 999)},
    "retries-reorder": {"ledger.reordered": range(1, 99), "ledger.duplicate": range(1, 99)},
    "idempotent": {"ledger.delivered": 200, "retries": range(1, 99), "ledger.reordered": 0, "ledger.duplicate": 0},
    "slow-network": {"ledger.delivered": 400, "ledger.reordered": 0},
    "compression": {"sent": 7200, "ledger.delivered": 7200, "ledger.reordered": 0, "splits": range(1, 9)},
    "lost-after-ack": {"ledger.lost after ack": range(1, 50), "ledger.duplicate": 0, "ledger.reordered": 0},
    "duplicated": {"ledger.duplicate": range(1, 50), "ledger.lost after ack": 0, "ledger.reordered": 0},
    "reordered": {"ledger.delivered": 120, "ledger.reordered": range(1, 50)},
    "crash-after-append": {"sent": 120, "ledger.lost after ack": range(3, 12), "ledger.duplicate": 0,
                           "ledger.reordered": 0, "ledger.failed": 0},
    "response-cut": {"sent": 100, "failed": 0, "ledger.duplicate": range(1, 8), "ledger.lost after ack": 0,
                     "disconnects": 2},
    "transactions": {"sent": 400, "ledger.delivered": 320, "ledger.aborted": 80, "ledger.copies": range(350, 400),
                     "failed": range(1, 50), "left.TXN_COMPLETING": range(1, 99)},
    "acked-is-not-readable": {"sent": 300, "ledger.delivered": 300, "ledger.lost after ack": 0},
    "consumer-group": {"sent": 800, "ledger.delivered": 800, "ledger.copies": 800},
    "read-committed": {"sent": 128, "ledger.delivered": 68, "ledger.aborted": 60, "ledger.copies": range(108, 128)},
    "quota": {"sent": 1600, "ledger.delivered": 1600, "retries": 0, "disconnects": 0, "end_us": range(9000000, 12000000)},
    "read-then-lost": {"sent": 300, "ledger.lost after ack": range(20, 100), "ledger.duplicate": 0},
    "false-failure": {"ledger.false failure": range(1, 50), "ledger.lost after ack": 0, "ledger.duplicate": 0},
}


def test_reports(linger, tree, _, folder):
    for scenario in scenarios(tree):
        said = summary(linger, scenario)
        check(scenario.stem in PROMISES, f"{scenario.name}: nothing is said here about what it shows")
        for path, allowed in PROMISES.get(scenario.stem, {}).items():
            value = said
            for key in path.split("."):
                value = value[key]
            allowed = [allowed] if isinstance(allowed, int) else allowed
            check(value in allowed, f"{scenario.name}: {path} is {value}, not in {allowed}")
        verdicts = sum(count for name, count in said["ledger"].items() if name not in ("reordered", "copies", "unknown"))
        check(verdicts == said["sent"], f"{scenario.name}: {verdicts} verdicts for {said['sent']} records")
        code, out, err = run(linger, "run", scenario, "--no-color")
        check(code == 0 and err == "", f"{scenario.name}: exit code {code}, stderr {err!r}")
        check(said["hash"] in out and "\033" not in out, f"{scenario.name}: the text lacks the hash, or has colors")
    check_events_of_orders(linger, tree, folder)
    check_quota(linger, tree, folder)


def check_quota(linger, tree, folder):
    """Whoever is over its quota is not read from for the time that the answer says, and only they are."""
    path = folder / "quota.jsonl"
    summary(linger, tree / "assets/scenarios/quota.json", "--events", path)
    muted, answered = {}, set()
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            event = json.loads(line)
            name, connection = event.get("ev"), event.get("connection")
            if name == "quota_exceeded":
                muted.setdefault(connection, []).append((event["t_us"], event["throttle_ms"], event["request"]))
            elif name == "response_sent" and connection in muted:
                answered.add((connection, event["request"], event["t_us"]))
            elif name == "request_arrived" and connection in muted:
                since, throttle_ms, _ = muted[connection][-1]
                check(event["t_us"] >= since + 1000 * throttle_ms,
                      f"quota: a request is read at {event['t_us']} us, {throttle_ms} ms after {since} us are not over")
    check(len(muted) == 1, f"quota: {len(muted)} connections are muted, not that of one producer")
    for connection, times in muted.items():
        check(len(times) > 10, f"quota: connection {connection} is muted {len(times)} times")
        check(all((connection, request, t_us) in answered for t_us, _, request in times),
              "quota: not every answer leaves at once")


def check_events_of_orders(linger, tree, folder):
    """Every row of the CSV file is created once, in its order, with its key, and acknowledged."""
    with open(tree / "assets/data/orders.csv", encoding="utf-8", newline="") as file:
        customers = [row["customer"] for row in csv.DictReader(file)]
    events = folder / "orders.jsonl"
    summary(linger, tree / "assets/scenarios/orders-file.json", "--events", events)
    keys = {}
    acked = {}
    with open(events, encoding="utf-8") as file:
        next(file)
        for line in file:
            event = json.loads(line)
            if event.get("ev") == "record_created":
                keys[event["record"]] = bytes.fromhex(event["key"]), event["key_bytes"]
            elif event.get("ev") == "record_completed":
                acked.setdefault(event["partition"], []).append((event["offset"], event["record"], event["error"]))
    check(len(keys) == len(customers), f"{len(keys)} records for {len(customers)} rows")
    for number, customer in enumerate(customers):
        text, length_bytes = keys.get(number, (b"", -1))
        whole = customer.encode()
        check(length_bytes == len(whole) and whole.startswith(text.rstrip(b"\0")[:8]),
              f"row {number}: key {text!r} of {length_bytes} bytes for {customer!r}")
    for partition, done in acked.items():
        check([offset for offset, _, _ in sorted(done)] == list(range(len(done))),
              f"partition {partition}: the offsets have gaps")
        check(all(error == 0 for _, _, error in done), f"partition {partition}: errors")
        records = [record for _, record, _ in sorted(done)]
        check(records == sorted(records), f"partition {partition}: another order than the file's")
    check(sum(map(len, acked.values())) == len(customers), "not every row was acknowledged")


def test_commands(linger, tree, _, folder):
    default = tree / "assets/scenarios/default.json"
    code, out, err = run(linger, "--help")
    check(code == 0 and err == "" and "usage: linger" in out, "linger --help")
    commands = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and len(line.split()) > 1]
    check("run" in commands and "config" in commands, f"the commands are {commands}")
    for command in commands:
        code, out, err = run(linger, command, "--help")
        check(code == 0 and err == "" and out.startswith(f"usage: linger {command}"), f"{command} --help: {err}")
        check("Examples:" in out and "--help" in out, f"{command} --help has no examples")
    code, out, _ = run(linger, "--version")
    check(code == 0 and "3.0.0" in out, "linger --version")
    code, out, err = run(linger, "config", "linger.ms", "min.insync.replicas")
    check(code == 0 and "linger.ms (producer)" in out and "min.insync.replicas (topic)" in out, f"config: {err}")
    code, out, err = run(linger, "config", "linger.mss")
    check(code == 2 and out == "" and "linger.ms" in err, f"config linger.mss: {code} {err}")
    plain = summary(linger, default)
    changed = summary(linger, default, "--set", "shop.linger.ms=20")
    check(plain["hash"] != changed["hash"], "--set has no effect")
    check(changed["batches"] < plain["batches"], "linger.ms=20 does not make fewer batches")
    properties = folder / "producer.properties"
    properties.write_text("# mine\nlinger.ms=20\nbootstrap.servers=example.org:9092\n")
    code, out, err = run(linger, "run", default, "--json", "--producer-config", properties)
    check(code == 0 and json.loads(out)["batches"] == changed["batches"], f"--producer-config: {code} {err}")
    check("bootstrap.servers" in err and "no effect" in err, f"--producer-config is silent about bootstrap.servers: {err}")
    code, out, err = run(linger, "run", default, "--events", "-")
    check(code == 0 and json.loads(out.splitlines()[-1])["hash"] == plain["hash"] and plain["hash"] in err,
          "--events - does not write events to stdout and the summary to stderr")
    # Threads without a record are done at once; the others of their producer are not, and the run ends.
    for empty in ([0], [1], [0, 1]):
        idle = json.loads(default.read_text())
        for index in empty:
            idle["producers"][0]["threads"][index]["records"]["count"] = 0
        (folder / "idle.json").write_text(json.dumps(idle))
        said = summary(linger, folder / "idle.json")
        sent = sum(thread["records"]["count"] for thread in idle["producers"][0]["threads"])
        check(said["ledger"]["delivered"] == sent, f"threads {empty} are empty: {said['ledger']}, not {sent} delivered")
        check(said["end_us"] < 500000, f"threads {empty} are empty: the run goes on until {said['end_us']} us")
    # Whatever the name of the scenario holds, the JSON and the events stay JSON.
    odd = json.loads(default.read_text())
    odd["name"] = "\"quotes\" \\ \t 茶" + "長" * 80
    (folder / "odd.json").write_text(json.dumps(odd, ensure_ascii=False), encoding="utf-8")
    said = summary(linger, folder / "odd.json", "--events", folder / "odd.jsonl")
    check(odd["name"].startswith(said["scenario"]), f"the name becomes {said['scenario']!r}")


def bad_inputs(tree, folder):
    """Arguments, and words that the message must have."""
    default = tree / "assets/scenarios/default.json"

    def scenario(name, content):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def changed(name, change):
        data = json.loads(default.read_text())
        change(data)
        return scenario(name, json.dumps(data))

    def reads_file(name, content, **how):
        (folder / name).write_bytes(content)
        return changed(name + ".json",
                       lambda data: data["producers"][0]["threads"][0].update(
                           records={"topic": "orders", "file": {"path": name, **how}}))

    big = folder / "big.json"
    with open(big, "wb") as file:
        file.write(b"{")
        file.truncate(100 << 20)
    yield [], ["which scenario"]
    yield [default, default], ["one scenario"]
    yield ["--frobnicate", default], ["--frobnicate"]
    yield ["--evnts", "x", default], ["--evnts"]
    yield ["--jsn", default], ["--json"]
    yield [default, "--seed"], ["--seed", "value"]
    yield [default, "--seed", "x"], ["--seed", "whole number"]
    yield [default, "--seed", "-4"], ["--seed", "whole number"]
    yield [default, "--seed", "99999999999999999999"], ["--seed"]
    yield [default, "--seed", "9223372036854775807"], ["seed", "9007199254740992"]
    yield [default, "--json=yes"], ["--json", "no value"]
    yield [changed("no-id.json", lambda data: data["producers"][0]["threads"][0].update(
        transactions={"records": 5}))], ["transactions", "transactional.id"]
    yield [changed("no-records.json", lambda data: data["producers"][0]["threads"][0].update(
        transactions={"abort_every": 5}))], ["transactions", "records"]
    yield [default, "--set", "linger.ms"], ["NAME=VALUE"]
    yield [default, "--set", "=5"], ["NAME=VALUE"]
    yield [default, "--set", "linger.ms=soon"], ["linger.ms"]
    yield [default, "--set", "linger.mss=5"], ["did you mean", "linger.ms"]
    yield [default, "--set", "shop.linger.mss=5"], ["did you mean", "linger.ms"]
    yield [default, "--set", "store.linger.ms=5"], ["store.linger.ms"]
    yield [default, "--set", "orders.min.insync.replicas=-1"], ["min.insync.replicas"]
    yield [default, "--producer-config", folder / "none.properties"], ["none.properties"]
    yield [default, "--producer-config", folder], [str(folder)]
    yield [default, "--producer-config", scenario("a.properties", "linger.mss=5\n")], ["line 1", "linger.ms"]
    yield [default, "--producer-config", scenario("b.properties", "acks=2\n")], ["acks"]
    yield [default, "--events", folder / "no" / "such" / "folder.jsonl"], ["folder.jsonl"]
    yield [folder / "missing.json"], ["missing.json", "No such file"]
    yield [folder], ["directory"]
    yield [scenario("empty.json", "")], ["empty"]
    yield [scenario("spaces.json", " \n ")], ["empty"]
    yield [scenario("zeros.json", b"\0" * 1000)], ["zero bytes"]
    yield [scenario("rubbish.json", bytes(range(256)) * 50)], ["rubbish.json"]
    yield [scenario("noise.json", os.urandom(5000).replace(b"\0", b"x"))], ["noise.json"]
    yield [scenario("text.json", "hello")], ["line 1", "column 1"]
    yield [scenario("list.json", "[]")], ["$", "a list"]
    yield [scenario("deep.json", "[" * 200000 + "]" * 200000)], ["deep.json", "nested"]
    yield [scenario("deeper.json", '{"a":' * 200000)], ["deeper.json", "nested"]
    yield [scenario("open.json", default.read_bytes()[:-20])], ["open.json: line"]
    yield [big], ["big.json", "larger than 16 MB"]
    yield [scenario("none.json", "{}")], ["$.cluster", "$.producers"]
    yield [changed("broker.json", lambda data: data["timeline"][0].update(broker=7))], ["$.timeline[0].broker", "7"]
    yield [changed("topic.json", lambda data: data["producers"][0]["threads"][0]["records"].update(topic="orderz"))], \
        ["orderz", "no such topic"]
    yield [changed("rf.json", lambda data: data["cluster"]["topics"][0].update({"replication.factor": 4}))], \
        ["replication.factor", "4"]
    yield [reads_file("missing-column.csv", b"a,b\n1,2\n", key="c")], ["no column \"c\"", "a, b"]
    yield [reads_file("quotes.csv", b"a,b\n1,\"2\n")], ["quotes.csv: line 2", "quotes"]
    yield [reads_file("fields.csv", b"a,b\n1\n")], ["fields.csv: line 2", "1 fields"]
    yield [reads_file("nothing.csv", b"")], ["nothing.csv", "no records"]
    yield [reads_file("lines.jsonl", b"{}\n{\n")], ["lines.jsonl: line 2"]
    yield [reads_file("time.csv", b"t\n1\nx\n", time="t")], ["time.csv: line 3"]


def test_bad_input(linger, tree, _, folder):
    for arguments, words in bad_inputs(tree, folder):
        shown = " ".join(str(argument) for argument in arguments)
        code, out, err = run(linger, "run", *arguments)
        check(code == 2, f"{shown}: exit code {code}: {err}")
        # The events cannot be written only after the run: its summary is not lost for it.
        check(out == "" or "--events" in shown, f"{shown}: stdout {out[:200]!r}")
        check(all(word in err for word in words), f"{shown}: {words} not in {err!r}")
        check("mistake in the program" not in err and "Sanitizer" not in err and len(err) < 4000, f"{shown}: {err[:4000]!r}")
    code, out, err = run(linger, "runn")
    check(code == 2 and out == "" and "runn" in err, f"linger runn: {code} {err!r}")


def test_schema(_, tree, __, ___):
    sys.path.insert(0, str(tree / "tests/scenario"))
    import schema_check
    schema = json.loads((tree / "assets/scenario.schema.json").read_text(encoding="utf-8"))
    for complaint in schema_check.check_schema(schema):
        check(False, f"scenario.schema.json: {complaint}")
    for scenario in scenarios(tree):
        data = json.loads(scenario.read_text(encoding="utf-8"))
        for complaint in schema_check.validate(data, schema):
            check(False, f"{scenario.name}: {complaint}")
    for name, data in schema_check.mistakes():
        check(schema_check.validate(data, schema), f"the schema lets this through: {name}")
    try:
        import jsonschema
        validator = jsonschema.Draft202012Validator(schema)
    except (ImportError, AttributeError):
        return
    validator.check_schema(schema)
    for scenario in scenarios(tree):
        for error in validator.iter_errors(json.loads(scenario.read_text(encoding="utf-8"))):
            check(False, f"{scenario.name}: {error.message}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("linger")
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("part", choices=["hashes", "reports", "commands", "bad-input", "schema"])
    parser.add_argument("--other")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linger-test-") as folder:
        part = globals()["test_" + arguments.part.replace("-", "_")]
        part(arguments.linger, arguments.tree.resolve(), arguments.other, pathlib.Path(folder))
    print(f"{arguments.part}: {len(failures)} failures" if failures else f"{arguments.part}: all well")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
