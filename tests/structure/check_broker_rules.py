#!/usr/bin/env python3
"""Every file, function and test that docs/broker-rules.md names exists, and every rule has a row.

usage: check_broker_rules.py SOURCE_ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems, rules = [], set()


def defines(text, function):
    # A definition begins in the first column and has a body.
    return re.search(rf"^\w[^\n;]*\b{function}\((?:[^;{{]*?)\)\n\{{", text, re.M)


def check_places(rule, cell, folder, has_name):
    """`file: name, name`; `file: name`"""
    places = re.findall(r"`(\w+(?:\.c)?): ([^`]+)`", cell)
    if not places:
        problems.append(f"rule {rule}: nothing is named in: {cell}")
    for file, names in places:
        path = root / folder / (file if file.endswith(".c") else file + ".c")
        if not path.is_file():
            problems.append(f"rule {rule}: there is no {path.relative_to(root)}")
            continue
        text = path.read_text()
        for name in has_name(text, names):
            problems.append(f"rule {rule}: {path.relative_to(root)} does not have {name}")


def missing_functions(text, names):
    return [name for name in names.split(", ") if not defines(text, name)]


def missing_test(text, name):
    return [] if f'{{"{name}",' in re.sub(r'"\s*\n\s*"', "", text) else [f'the test "{name}"']


for line in (root / "docs/broker-rules.md").read_text().splitlines():
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not re.match(r"\d|APIs", cells[0]):
        continue
    if len(cells) != 5:
        problems.append(f"not five columns: {line}")
        continue
    rule, _, where, kafka, test = cells
    rules.add(re.match(r"\d+|APIs", rule).group())
    check_places(rule, where, "mockbroker", missing_functions)
    check_places(rule, test, "tests/unit/mockbroker", missing_test)
    if not re.fullmatch(r"`[\w.]+`(, `[\w.]+`)*", kafka):
        problems.append(f"rule {rule}: no Kafka method in: {kafka}")
missing = [rule for rule in [*map(str, range(1, 27)), "APIs"] if rule not in rules]
if missing:
    problems.append(f"no row for the rules {missing}")
print("\n".join(problems))
sys.exit(bool(problems))
