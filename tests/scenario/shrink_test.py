#!/usr/bin/env python3
"""shrink-does-not-answer.json: in Kafka 3.0.0 a smaller ISR completes no waiting request (Partition.handleAlterIsrResponse).

usage: shrink_test.py LINGER TREE
"""
import json
import pathlib
import subprocess
import sys
import tempfile

linger, tree = sys.argv[1], pathlib.Path(sys.argv[2])
PRODUCE, REQUEST_TIMED_OUT = 0, 7
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


with tempfile.TemporaryDirectory(prefix="linger-test-") as folder:
    path = pathlib.Path(folder) / "events.jsonl"
    scenario = tree / "assets/scenarios/shrink-does-not-answer.json"
    done = subprocess.run([linger, "run", scenario, "--check", "--json", "--events", path], stdout=subprocess.PIPE)
    check(done.returncode == 0, f"exit code {done.returncode}")
    ledger = json.loads(done.stdout)["ledger"]
    events = [json.loads(line) for line in path.read_text().splitlines()[1:]]


def of(kind, **fields):
    return [e for e in events if e.get("ev") == kind and all(e.get(key) == value for key, value in fields.items())]


check(ledger["delivered"] == 3 and ledger["duplicate"] == 0, f"the ledger says {ledger}")
for topic in ("quiet", "lively"):
    parked = of("produce_parked", topic=topic)[0]
    shrunk = of("isr_shrunk", topic=topic, broker=3)[0]
    moved = [e for e in of("hw_advanced", topic=topic, is_leader=1) if e["t_us"] >= shrunk["t_us"]][0]
    answers = of("response_sent", api=PRODUCE, connection=parked["connection"], request=parked["request"])
    check(shrunk["isr_count"] == 2 and shrunk["t_us"] < 160_000, f"{topic}: the ISR shrinks: {shrunk}")
    check(moved["t_us"] > shrunk["t_us"] + 40_000, f"{topic}: the high watermark moves with the ISR: {moved}")
    if topic == "lively":
        others = [e for e in of("leader_appended", topic=topic) if e["connection"] != parked["connection"]]
        check(answers[0]["error"] == 0 and answers[0]["t_us"] == moved["t_us"] == others[0]["t_us"],
              f"{topic}: the next append answers: {answers[0]}")
    else:
        check(answers[0]["error"] == REQUEST_TIMED_OUT and answers[0]["t_us"] == parked["t_us"] + 300_000,
              f"{topic}: its time is over: {answers[0]}")
        check(of("batch_reenqueued", topic=topic, error=REQUEST_TIMED_OUT), f"{topic}: the producer sees 7")
        duplicate = of("append_duplicate", topic=topic)[0]
        check(moved["t_us"] == duplicate["t_us"], f"{topic}: the retry moves the high watermark: {moved}")
sys.exit(1 if failures else 0)
