#!/usr/bin/env python3
"""The failure matrix comes out as docs/failure-matrix.md says, and the scenarios of the ledger's verdicts show them.

usage: matrix_test.py LINGER TREE PART

PART is one of: matrix, verdicts.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(linger, *arguments):
    done = subprocess.run([linger, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=500)
    check(done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


# Which of L(ost), D(uplicate), R(eordered) must happen in some run; all others but those in brackets must not.
# One entry for all min.insync.replicas, or one for each.
MATRIX = {
    "leader-crash":     {"A0": "L", "A1": "LR", "AN": "(D)R", "AI": ""},
    "ack-lost":         {"A0": "L", "A1": "DR", "AN": "DR", "AI": ""},
    "follower-slow":    {"A0": "", "A1": "", "AN": "DR", "AI": ""},
    "followers-down":   {"A0": "", "A1": "", "AN": ["", "DR", "D(R)"], "AI": ""},
    "unclean-election": {"A0": "L", "A1": "LR", "AN": ["L(DR)", "L(DR)", "(DR)"], "AI": ["L", "L", ""]},
    "producer-cut":     {"A0": "L", "A1": "D(R)", "AN": "D(R)", "AI": ""},
    "leader-isolated":  {"A0": "L", "A1": "L", "AN": "(D)R", "AI": ""},
    "leader-restart":   {"A0": "L", "A1": "L(R)", "AN": "D(R)", "AI": ""},
}
LETTERS = {"L": "lost", "D": "duplicate", "R": "reordered"}
# Answers to Produce that must be seen, and those that must not.
ANSWERS = {
    ("followers-down", "AN", 1): ("", "19 20"), ("followers-down", "AI", 1): ("", "19 20"),
    ("followers-down", "AN", 2): ("19 20", "7"), ("followers-down", "AI", 3): ("19 20", "7"),
    ("leader-crash", "AI", 3): ("19", "45"), ("leader-crash", "AI", 2): ("", "19 45"),
    ("leader-restart", "AN", 2): ("6", "19"), ("leader-restart", "AI", 3): ("19", "45"),
    ("unclean-election", "AI", 1): ("45", "19 20"), ("leader-isolated", "AI", 2): ("", "19 20 45"),
}


def test_matrix(linger, _):
    cells = json.loads(run(linger, "matrix", "--seeds", 8, "--json"))["cells"]
    check(len(cells) == 8 * 4 * 3, f"{len(cells)} cells")
    for cell in cells:
        fault, producer, least = cell["fault"], cell["producer"], cell["min.insync.replicas"]
        name = f"{fault} {producer} m{least}"
        outcome = MATRIX[fault][producer]
        outcome = outcome if isinstance(outcome, str) else outcome[least - 1]
        in_brackets = "".join(part.split(")")[0] for part in outcome.split("(")[1:])
        for letter, word in LETTERS.items():
            count = cell["runs_with"][word]
            if letter in outcome and letter not in in_brackets:
                check(count > 0, f"{name}: no run has {word} records")
            elif letter not in outcome:
                check(count == 0, f"{name}: {count} runs have {word} records")
        check(cell["unknown"] == 0 and cell["pending"] == 0, f"{name}: unknown or pending records")
        told = sum(cell[verdict] for verdict in ("delivered", "lost after ack", "duplicate", "failed", "false failure"))
        check(told == cell["sent"] == 300 * cell["runs"], f"{name}: {told} verdicts, {cell['sent']} sent")
        wanted, unwanted = ANSWERS.get((fault, producer, least), ("", ""))
        for code in wanted.split():
            check(cell["answers"].get(code, 0) > 0, f"{name}: no answer has error {code}")
        for code in unwanted.split():
            check(cell["answers"].get(code, 0) == 0, f"{name}: answers have error {code}")
    check_saved(linger, cells)


def check_saved(linger, cells):
    """A saved cell is the very run that was counted."""
    with tempfile.TemporaryDirectory(prefix="linger-test-") as folder:
        path = pathlib.Path(folder) / "cell.json"
        sums = {"lost after ack": 0, "reordered": 0}
        for seed in range(1, 9):
            run(linger, "matrix", "--save-cell", "A1/2/leader-crash", "--seed", seed, "--to", path)
            ledger = json.loads(run(linger, "run", path, "--json"))["ledger"]
            sums = {key: count + ledger[key] for key, count in sums.items()}
        cell = next(c for c in cells if (c["fault"], c["producer"], c["min.insync.replicas"]) == ("leader-crash", "A1", 2))
        for key, count in sums.items():
            check(cell[key] == count, f"saved cells have {count} {key}, the matrix {cell[key]}")


# What each scenario shows: keys of the ledger, at least so many; the others of BAD must be 0.
VERDICTS = {
    "lost-after-ack": {"lost after ack": 1},
    "duplicated": {"duplicate": 1},
    "reordered": {"reordered": 1},
    "false-failure": {"false failure": 1},
    "crash-after-append": {"lost after ack": 3},
    "response-cut": {"duplicate": 1},
}
# The same with one setting changed, which makes the loss or the copies go away, or come back.
VARIANTS = [
    ("crash-after-append", "quick.acks=all", {}),
    ("crash-after-append", "safe.enable.idempotence=false", {"lost after ack": 3, "duplicate": 0}),
    ("response-cut", "plain.enable.idempotence=true", {}),
    ("response-cut", "exact.enable.idempotence=false", {"duplicate": 4}),
]
BAD = ("lost after ack", "duplicate", "reordered", "false failure", "unknown", "pending")


def test_verdicts(linger, tree):
    for name, shown in VERDICTS.items():
        said = json.loads(run(linger, "run", "--check", "--json", tree / f"assets/scenarios/{name}.json"))
        for verdict in BAD:
            count = said["ledger"][verdict]
            if verdict in shown:
                check(count >= shown[verdict], f"{name}: {count} records are {verdict}")
            else:
                check(count == 0, f"{name}: {count} records are {verdict}, which it is not about")
        check(said["end_us"] <= 1_000_000, f"{name}: takes {said['end_us']} us of virtual time")
    for name, setting, shown in VARIANTS:
        path = tree / f"assets/scenarios/{name}.json"
        for seed in range(1, 6):
            ledger = json.loads(run(linger, "run", "--json", path, "--set", setting, "--seed", seed))["ledger"]
            for verdict in BAD:
                least = shown.get(verdict, 0)
                check(ledger[verdict] >= least and (verdict in shown or ledger[verdict] == 0),
                      f"{name} with {setting}, seed {seed}: {ledger[verdict]} records are {verdict}")


linger, tree, part = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
{"matrix": test_matrix, "verdicts": test_verdicts}[part](linger, tree)
sys.exit(1 if failures else 0)
