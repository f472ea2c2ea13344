#!/usr/bin/env python3
"""Reads the compressed batches that the producer writes, with decompressors that share nothing with it.

usage: compressed_batches.py PROGRAM

PROGRAM writes the batches (compressed_batches.c). gzip needs nothing but Python; snappy, lz4 and zstd the modules
snappy, lz4.frame and zstandard, which are skipped with a message where they are missing; and where there is
kafka-python, its reader of batches takes them all as well.
"""
import gzip
import importlib
import json
import struct
import subprocess
import sys

HEADER = struct.Struct(">qiibIhiqqqhii")
XERIAL = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)


def module(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def unsnappy(snappy, data):
    assert data.startswith(XERIAL), data[:16]
    at, out = len(XERIAL), b""
    while at < len(data):
        length = struct.unpack_from(">i", data, at)[0]
        out += snappy.uncompress(data[at + 4:at + 4 + length])
        at += 4 + length
    assert at == len(data)
    return out


def decompressors():
    found = {"none": lambda data: data, "gzip": gzip.decompress}
    snappy, lz4, zstd = module("snappy"), module("lz4.frame"), module("zstandard")
    if snappy:
        found["snappy"] = lambda data: unsnappy(snappy, data)
    if lz4:
        found["lz4"] = lz4.decompress
    if zstd:
        found["zstd"] = lambda data: zstd.ZstdDecompressor().decompress(data, max_output_size=1 << 24)
    return found


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def field(data, at):
    length, at = varint(data, at)
    return (None, at) if length < 0 else (data[at:at + length], at + length)


def read_records(data, count):
    at = 0
    for _ in range(count):
        length, at = varint(data, at)
        end = at + length
        attributes = data[at]
        time, at = varint(data, at + 1)
        offset, at = varint(data, at)
        key, at = field(data, at)
        value, at = field(data, at)
        headers = []
        header_count, at = varint(data, at)
        for _ in range(header_count):
            name, at = field(data, at)
            content, at = field(data, at)
            headers.append((name, content))
        assert at == end and attributes == 0
        yield offset, time, key, value, headers
    assert at == len(data), "bytes are left over"


def expected(record, value_bytes):
    def byte(i):
        mixed = (record * 31 + i) * 2654435761 & 0xFFFFFFFF
        return mixed >> 24 if record % 3 == 0 else ord("a") + (record + i // 16) % 26
    value = bytes(byte(i) for i in range(value_bytes + record % 7))
    return (record, record, value[:2] if record % 2 == 0 else None, value,
            [(b"h", value[:3])] if record % 5 == 0 else [])


def check(row, decompress):
    batch = bytes.fromhex(row["batch_hex"])
    (base, length, _, magic, _, attributes, last, first_time, last_time, producer, epoch, sequence,
     count) = HEADER.unpack_from(batch)
    names = ["none", "gzip", "snappy", "lz4", "zstd"]
    assert (base, length, magic, names[attributes & 7]) == (100, len(batch) - 12, 2, row["compression"])
    assert (producer, epoch, sequence, count, last) == (9, 2, 7, row["records"], row["records"] - 1)
    assert (first_time, last_time) == (1600000000000, 1600000000000 + last)
    records = list(read_records(decompress(batch[HEADER.size:]), count))
    assert records == [expected(i, row["value_bytes"]) for i in range(count)], "other records"


def check_with_kafka_python(row, default_records):
    batch = default_records.DefaultRecordBatch(bytes.fromhex(row["batch_hex"]))
    assert batch.validate_crc()
    records = [(r.offset - 100, r.timestamp - 1600000000000, r.key, r.value,
                [(name.encode(), value) for name, value in r.headers]) for r in batch]
    assert records == [expected(i, row["value_bytes"]) for i in range(row["records"])], "other records"


def main():
    written = subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = [json.loads(line) for line in written.splitlines()]
    assert len(rows) == 15
    found = decompressors()
    default_records = module("kafka.record.default_records")
    skipped = {row["compression"] for row in rows} - set(found)
    for name in sorted(skipped):
        print(f"{name}: skipped, this Python has no module for it")
    if not default_records:
        print("kafka-python: skipped, it is not installed")
    for row in rows:
        what = f"{row['compression']}, {row['records']} records: {len(row['batch_hex']) // 2} bytes"
        if row["compression"] in found:
            check(row, found[row["compression"]])
            print(f"{what}: read")
        # Its zstd came with 2.1.
        if default_records and row["compression"] in found and \
                (row["compression"] != "zstd" or hasattr(default_records.DefaultRecordBase, "CODEC_ZSTD")):
            check_with_kafka_python(row, default_records)
            print(f"{what}: read by kafka-python")


main()
