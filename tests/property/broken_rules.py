#!/usr/bin/env python3
"""Proof that `linger simulate` bites: each rule below is broken in a copy of the tree, and the seeds are counted until
a run fails.

usage: broken_rules.py TREE FOLDER [--seeds N] [--only NAME]

FOLDER gets the copy and its build. A rule is found when a run breaks an invariant or ends with an assertion. Exit
code 1 when one is not found within N seeds (default 3000).
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

# name, file, what stands there (once), what is put in its place
RULES = [
    ("ack before replication", "mockbroker/partition.c",
     "if (partition->log.high_watermark < required_offset) {", "if (partition->log.end_offset < required_offset) {"),
    ("high watermark ignores the ISR", "mockbroker/partition.c",
     "             mb_partition_is_in_maximal_isr(partition, remote->broker))) {", "             false)) {"),
    ("high watermark ignores all followers", "mockbroker/partition.c",
     "if (remote->log_end_offset < high_watermark &&", "if (remote->log_end_offset < 0 &&"),
    ("min.insync.replicas not looked at before the append", "mockbroker/partition.c",
     "if (acks == -1 && partition->isr_count <", "if (acks == -2 && partition->isr_count <"),
    ("a pending shrink of the ISR counts at once", "mockbroker/partition_isr.c",
     "    if (kept < partition->isr_count) {",
     "    if (kept < partition->isr_count) {\n"
     "        memcpy(partition->isr, partition->proposed_isr, kept * sizeof(int32_t));\n"
     "        partition->isr_count = kept;"),
    ("a follower joins the ISR wherever its log ends", "mockbroker/partition_isr.c",
     "    if (remote->log_end_offset < partition->log.high_watermark ||\n"
     "        remote->log_end_offset < partition->epoch_start_offset) {", "    if (remote->log_end_offset < 0) {"),
    ("election outside the ISR", "mockbroker/controller_election.c",
     "if (old->isr_count > 0 && !mb_is_member(old->isr, old->isr_count, online[i])) {", "if (old->isr_count > 100) {"),
    ("unclean election though it is off", "mockbroker/controller_election.c",
     "tp->topic->settings.values[MB_SETTING_TOPIC_UNCLEAN_LEADER_ELECTION_ENABLE]) {", "why != KB_ELECTION_WHY_CREATED) {"),
    ("the leader epoch is not bumped", "mockbroker/controller_election.c",
     "cluster->allocator, leader, old->leader_epoch + 1,", "cluster->allocator, leader, old->leader_epoch,"),
    ("followers do not truncate", "mockbroker/replica_fetcher_append.c",
     "    if (data->diverging_epoch.epoch >= 0) {", "    if (data->diverging_epoch.epoch >= 1000) {"),
    ("followers truncate too far", "mockbroker/replica_fetcher_append.c",
     "mb_log_truncate_to(&partition->log, offset,", "mb_log_truncate_to(&partition->log, offset > 2 ? offset - 2 : 0,"),
    ("duplicates are appended", "mockbroker/producer_state.c",
     "    if (kw_record_batch_producer_epoch(batch) != entry->producer_epoch) {\n        return NULL;",
     "    if (kw_record_batch_producer_epoch(batch) >= 0) {\n        return NULL;"),
    ("sequences are not checked", "mockbroker/producer_state.c",
     "return in_sequence ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;",
     "return in_sequence ? KW_ERROR_NONE : KW_ERROR_NONE;"),
    ("duplicates and sequences not looked at", "mockbroker/producer_state.c",
     "    if (producer_id <= KW_NO_PRODUCER_ID) {\n        return KW_ERROR_NONE;",
     "    if (producer_id >= KW_NO_PRODUCER_ID) {\n        return KW_ERROR_NONE;"),
    ("the pool loses what is not pooled", "producer/core/buffer_pool.c",
     "        pool->unallocated_bytes += size_bytes;\n        kp_buffer_release(buffer);",
     "        pool->unallocated_bytes += size_bytes / 2;\n        kp_buffer_release(buffer);"),
    ("one request too many in flight", "producer/core/in_flight_requests.c",
     "queue->newest->is_sent && queue->count < max_count", "queue->newest->is_sent && queue->count <= max_count"),
    ("partitions are not muted", "producer/core/record_accumulator.c",
     "    queue->is_muted = true;", "    queue->is_muted = false;"),
]


def build(folder):
    done = subprocess.run(["cmake", "--build", folder / "build", "--target", "linger", "-j2"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode()[-2000:]


def seeds_until_found(folder, limit):
    """(seed, what was said), or None. Chunks that grow, since a run goes on after a failure."""
    first, size = 1, 25
    while first <= limit:
        last = min(first + size - 1, limit)
        done = subprocess.run([folder / "build/bin/linger", "simulate", "--seeds", f"{first}..{last}", "--shrink", "0",
                               "--failures", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        said = done.stderr.decode()
        found = re.search(r"seed (\d+) fails:\n(.*)", said)
        if found:
            return int(found.group(1)), found.group(2)
        if done.returncode not in (0, 1):
            return last, "a program error: " + said.strip().replace("\n", " ")
        first, size = last + 1, size * 2
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--only")
    options = parser.parse_args()
    copy = options.folder / "tree"
    shutil.copytree(options.tree, copy, ignore=shutil.ignore_patterns(".git", "build"), dirs_exist_ok=True,
                    copy_function=shutil.copy)  # new times: what an earlier run left behind is built again
    subprocess.run(["cmake", "-S", copy, "-B", options.folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DLINGER_VIEW=OFF"], check=True, stdout=subprocess.DEVNULL)
    missed = 0
    for name, path, there, instead in RULES:
        if options.only and options.only not in name:
            continue
        text = (copy / path).read_text(encoding="utf-8")
        if text.count(there) != 1:
            print(f"{name}: {path} has {text.count(there)} places to break", flush=True)
            missed += 1
            continue
        (copy / path).write_text(text.replace(there, instead), encoding="utf-8")
        built, said = build(options.folder)
        found = seeds_until_found(options.folder, options.seeds) if built else None
        (copy / path).write_text(text, encoding="utf-8")
        if not built:
            print(f"{name}: does not build\n{said}", flush=True)
        elif found:
            print(f"{name}: seed {found[0]}: {found[1][:150]}", flush=True)
        else:
            print(f"{name}: not found in {options.seeds} seeds", flush=True)
        missed += not found
    return 1 if missed else 0


sys.exit(main())
