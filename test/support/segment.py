"""Writes a log directory with everything that record batch v2 knows, byte by byte, without Rollway's own code.

    segment.py DIR [FILE...]     FILE: segments whose batches (other codecs) are appended with new offsets

Kinds: null and empty keys, values and header values; header keys that are no text; timestamps of 0 and -1;
idempotent, transactional and control batches (commit, abort); LogAppendTime; a delete horizon; a batch that
compaction has emptied; gaps between batches and between segments; several leader epochs; gzip.
"""
import gzip
import os
import struct
import sys

TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = c >> 8 ^ TABLE[(c ^ b) & 0xFF]
    return c ^ 0xFFFFFFFF


def varint(v):
    v = (v << 1) ^ (v >> 63)
    out = b""
    while v & ~0x7F:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def blob(p):
    return varint(-1) if p is None else varint(len(p)) + p


def record(delta, key, value, headers=(), time=0):
    body = b"\0" + varint(time) + varint(delta) + blob(key) + blob(value) + varint(len(headers))
    for k, v in headers:
        body += varint(len(k)) + k + blob(v)
    return varint(len(body)) + body


def batch(base, records, last=None, attributes=0, time=1700000000000, max_time=None, epoch=0, pid=-1, pepoch=-1, seq=-1):
    n = len(records)
    body = b"".join(records)
    if attributes & 7 == 1:
        body = gzip.compress(body)
    rest = struct.pack(">hiqqqhii", attributes, n - 1 if last is None else last, time, time if max_time is None else max_time,
                       pid, pepoch, seq, n) + body
    return struct.pack(">qiibI", base, len(rest) + 9, epoch, 2, crc32c(rest)) + rest


def control(base, kind, pid, pepoch, epoch=0):
    r = record(0, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 5))
    return batch(base, [r], attributes=0x30, epoch=epoch, pid=pid, pepoch=pepoch)


def first(others):
    odd = [(b"h", b"x"), (b"h", None), (b"", b""), (b"\xff\x00\xfe", b"\x80")]
    plain = [record(0, None, None), record(1, b"", b"", odd), record(2, b"k" * 300, b"v" * 9000, time=1234)]
    out = batch(0, plain, max_time=1700000001234)
    out += batch(5, [record(0, b"a", b"1"), record(1, b"a", b"2")], pid=7, pepoch=1, seq=0)
    out += batch(7, [record(0, b"\xc3\x28", b"no UTF-8")], time=0)
    out += batch(8, [record(0, None, b"no time")], time=-1)
    out += batch(10, [record(0, b"t", b"kept"), record(1, b"t", b"kept")], attributes=0x10, pid=9, pepoch=0, seq=0)
    out += control(12, 1, 9, 0)
    out += batch(13, [record(0, b"t", b"aborted")], attributes=0x10, pid=9, pepoch=0, seq=2)
    out += control(14, 0, 9, 0)
    out += batch(20, [], last=4, pid=11, pepoch=2, seq=40)
    out += batch(25, [record(0, b"x", b"log append time")], attributes=0x08, epoch=2)
    out += batch(30, [record(0, b"gone", None)], attributes=0x40, time=1700000009000, epoch=2)
    out += batch(31, [record(i, b"g", b"z" * 500) for i in range(20)], attributes=0x01, epoch=2)
    at = 60
    for data in others:
        (size,) = struct.unpack(">i", data[8:12])
        (last,) = struct.unpack(">i", data[23:27])
        out += struct.pack(">q", at) + data[8:12] + struct.pack(">i", 2) + data[16:12 + size]
        at += last + 1
    return out


def main():
    where = sys.argv[1]
    others = [open(name, "rb").read() for name in sys.argv[2:]]
    os.mkdir(where)
    with open(where + "/%020d.log" % 0, "wb") as f:
        f.write(first(others))
    with open(where + "/%020d.log" % 1000, "wb") as f:
        f.write(batch(1000, [record(0, b"k", b"after a gap")], epoch=3))
        f.write(batch(1005, [record(0, b"k", b"the last one")], epoch=3, pid=7, pepoch=1, seq=2))
    with open(where + "/leader-epoch-checkpoint", "w") as f:
        f.write("0\n3\n0 0\n2 25\n3 1000\n")


main()
