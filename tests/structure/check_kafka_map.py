#!/usr/bin/env python3
"""Everything that docs/kafka-map.md names exists.

usage: check_kafka_map.py SOURCE_ROOT
"""
import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
core = root / "producer/core"
events = set(re.findall(r"^EVENT\((\w+)", (root / "producer/base/trace_events.def").read_text(), re.M))
tests = "".join(path.read_text() for path in (root / "tests/unit").rglob("tests.cmake"))
cases = {}
for path in (root / "tests/golden/data").glob("*.jsonl"):
    with path.open() as lines:
        cases[path.name] = {json.loads(line).get("name") for line in lines}
problems, count = [], 0


def quoted(cell):
    return re.findall(r"`([^`]*)`", cell)


def check_cases(kafka, cell):
    """ "a, b_*; `file`: c": names of producer_trace.jsonl, then of the files that are named."""
    file = "producer_trace.jsonl"
    for word in re.findall(r"`[^`]+`|\(unit\.\w+\)|[\w*]+", cell):
        if word.startswith("`"):
            file = word.strip("`")
            if file not in cases:
                problems.append(f"{kafka}: there is no {file}")
        elif word.startswith("("):
            if f"linger_unit_test({word[6:-1]} " not in tests:
                problems.append(f"{kafka}: there is no test {word}")
        elif word not in ("every", "case", "all"):
            pattern = re.compile(re.escape(word).replace(r"\*", ".*") + "$")
            if not any(name and pattern.match(name) for name in cases.get(file, ())):
                problems.append(f"{kafka}: {file} has no case {word}")


for line in (root / "docs/kafka-map.md").read_text().splitlines():
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) != 5 or not cells[1].startswith("`"):
        continue
    count += 1
    kafka, file = cells[0], core / quoted(cells[1])[0]
    if not file.is_file():
        problems.append(f"{kafka}: there is no {file}")
        continue
    text = file.read_text()
    for function in quoted(cells[2]):
        # A definition begins in the first column and has a body.
        if not re.search(rf"^\w[^\n;]*\b{function}\((?:[^;{{]*?)\)\n\{{", text, re.M):
            problems.append(f"{kafka}: {file.name} does not define {function}")
    for event in quoted(cells[3]):
        if event not in events:
            problems.append(f"{kafka}: there is no event {event}")
    check_cases(kafka, cells[4])
if count < 60:
    problems.append(f"only {count} rows could be read")
print("\n".join(problems))
sys.exit(bool(problems))
