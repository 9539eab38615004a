#!/usr/bin/env python3
"""Rollway against bytes that no client sends: raw.py HOST:PORT

Requests made by hand: versions that do not exist, lengths that lie, damaged batches, sequences out of order. Each
test that must be survived ends with a look whether the broker still answers. Only the standard library.
"""
import gzip
import os
import random
import socket
import struct
import sys
import time

from tap import main, same, test

HOST, PORT = sys.argv[1].rsplit(":", 1)
PREFIX = "it-raw-%d-%d" % (time.time(), os.getpid())
# Apache Kafka answers UNKNOWN_SERVER_ERROR to what it can not decompress; we do not want to.
LENIENT = (-1,) if os.environ.get("ROLLWAY_INTEROP_LENIENT") else ()
PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS, INIT_PRODUCER_ID = 0, 1, 2, 3, 18, 19, 22


def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


CRC = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = (crc >> 8) ^ CRC[(crc ^ b) & 255]
    return crc ^ 0xFFFFFFFF


def string(s):
    if s is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(s)) + s.encode()


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def varint(n):
    n = (n << 1) ^ (n >> 63)
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def record(i, value):
    body = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
    return varint(len(body)) + body


def batch(values=(b"v",), pid=-1, epoch=-1, sequence=-1, codec=0, count=None, body=None, crc=None, length=None,
          magic=2, last_delta=None):
    """A record batch; the arguments from `count` on lie about it."""
    if body is None:
        body = b"".join(record(i, v) for i, v in enumerate(values))
        body = gzip.compress(body) if codec == 1 else body
    now = int(time.time() * 1000)
    n = len(values) if count is None else count
    delta = len(values) - 1 if last_delta is None else last_delta
    tail = struct.pack(">hiqqqhii", codec, delta, now, now, pid, epoch, sequence, n) + body
    head = struct.pack(">ibI", -1, magic, crc32c(tail) if crc is None else crc)
    size = len(head) + len(tail) if length is None else length
    return struct.pack(">qi", 0, size) + head + tail


class Conn:
    def __init__(self, timeout=10):
        self.s = socket.create_connection((HOST, int(PORT)), timeout)
        self.correlation = random.randrange(1 << 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, key, version, body):
        self.correlation += 1
        frame = struct.pack(">hhi", key, version, self.correlation) + string("raw") + body
        self.s.sendall(struct.pack(">i", len(frame)) + frame)
        return self.correlation

    def exactly(self, n):
        data = b""
        while len(data) < n:
            got = self.s.recv(n - len(data))
            if not got:
                raise ConnectionError("closed by the broker")
            data += got
        return data

    def receive(self, correlation):
        data = self.exactly(struct.unpack(">i", self.exactly(4))[0])
        same(correlation, struct.unpack(">i", data[:4])[0], "correlation id")
        return data[4:]

    def ask(self, key, version, body):
        return self.receive(self.send(key, version, body))

    def is_closed(self):
        """Waits for the broker to close the connection; anything it answers first is dropped."""
        try:
            while self.s.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    # Answers of one topic with one partition.

    def produce(self, topic, records, acks=-1, version=7):
        """-> (error, base offset)"""
        body = string(None) + struct.pack(">hi", acks, 10000) + array(
            [string(topic) + array([struct.pack(">ii", 0, len(records)) + records])])
        if acks == 0:
            return self.send(PRODUCE, version, body)
        r = self.ask(PRODUCE, version, body)
        at = 4 + 2 + len(topic) + 4
        _, error, offset = struct.unpack_from(">ihq", r, at)
        return error, offset

    def fetch(self, topic, offset, wait_ms=0, min_bytes=1, max_bytes=1 << 20):
        """-> (error, high watermark, record bytes)"""
        body = struct.pack(">iiiibii", -1, wait_ms, min_bytes, 1 << 25, 0, 0, -1) + array(
            [string(topic) + array([struct.pack(">iiqqi", 0, -1, offset, -1, max_bytes)])]) + array([]) + string("")
        r = self.ask(FETCH, 11, body)
        at = 4 + 2 + 4 + 4 + 2 + len(topic) + 4
        _, error, high, _, _ = struct.unpack_from(">ihqqq", r, at)
        at += 30
        aborted = struct.unpack_from(">i", r, at)[0]
        at += 4 + max(aborted, 0) * 16 + 4
        n = struct.unpack_from(">i", r, at)[0]
        return error, high, r[at + 4:at + 4 + max(n, 0)]

    def end_offset(self, topic):
        body = struct.pack(">ib", -1, 0) + array([string(topic) + array([struct.pack(">iq", 0, -1)])])
        r = self.ask(LIST_OFFSETS, 2, body)
        at = 4 + 4 + 2 + len(topic) + 4
        _, error, _, offset = struct.unpack_from(">ihqq", r, at)
        same(0, error, "ListOffsets")
        return offset


def alive():
    with Conn() as c:
        same(0, struct.unpack_from(">h", c.ask(API_VERSIONS, 0, b""))[0])


def create(suffix):
    topic = "%s-%s" % (PREFIX, suffix)
    with Conn() as c:
        one = string(topic) + struct.pack(">ih", 1, 1) + array([]) + array([])
        r = c.ask(CREATE_TOPICS, 2, array([one]) + struct.pack(">ib", 10000, 0))
        same(0, struct.unpack_from(">h", r, 4 + 4 + 2 + len(topic))[0], "CreateTopics")
        for _ in range(100):  # Apache Kafka answers before the leader is ready
            if c.produce(topic, batch([b"first"]))[0] == 0:
                return topic
            time.sleep(0.05)
    raise AssertionError("no leader")


@test("ApiVersions in a version that does not exist: error 35, as version 0, and the connection stays")
def api_versions():
    with Conn() as c:
        r = c.ask(API_VERSIONS, 99, b"\0\x04raw\x041.0\0")
        error, n = struct.unpack_from(">hi", r)
        same(35, error)
        keys = {struct.unpack_from(">hhh", r, 6 + 6 * i) for i in range(n)}
        assert API_VERSIONS in {k for k, _, _ in keys}, keys
        same(0, struct.unpack_from(">h", c.ask(API_VERSIONS, 0, b""))[0])
        # Version 3 is flexible, its answer's header is not.
        r = c.ask(API_VERSIONS, 3, b"\0" + b"\x04raw\x041.0\0")
        same(0, struct.unpack_from(">h", r)[0])


@test("Produce is advertised from version 0, without which old librdkafka does not compress")
def produce_range():
    with Conn() as c:
        r = c.ask(API_VERSIONS, 0, b"")
        n = struct.unpack_from(">i", r, 2)[0]
        ranges = {k: (a, b) for k, a, b in (struct.unpack_from(">hhh", r, 6 + 6 * i) for i in range(n))}
        same(0, ranges[PRODUCE][0])
        assert ranges[PRODUCE][1] >= 7 and ranges[FETCH][1] >= 10, ranges


@test("an unknown API closes the connection")
def unknown_api():
    with Conn() as c:
        c.send(9999, 0, b"")
        assert c.is_closed()
    alive()


@test("frames of negative, zero and too large size close the connection")
def sizes():
    for size in (-1, 0, 1 << 30, (1 << 31) - 1):
        with Conn() as c:
            c.s.sendall(struct.pack(">i", size) + b"x" * 100)
            assert c.is_closed(), size
    alive()


@test("counts and lengths inside a request that lie close the connection")
def lies():
    for key, version, body in (
            (METADATA, 1, struct.pack(">i", (1 << 31) - 1)),
            (METADATA, 1, struct.pack(">ih", 1, 32767) + b"short"),
            (PRODUCE, 7, string(None) + struct.pack(">hi", 1, 1000) + struct.pack(">i", 1 << 28)),
            (FETCH, 11, b""),
            (API_VERSIONS, 3, b"\0\xff\xff\xff\xff\x0f")):
        with Conn() as c:
            c.send(key, version, body)
            assert c.is_closed(), (key, version)
    alive()


@test("half a frame, then the end")
def half():
    for _ in range(20):
        with Conn() as c:
            c.s.sendall(struct.pack(">i", 1000) + b"x" * random.randrange(999))
    alive()


@test("noise on 100 connections")
def noise():
    for _ in range(100):
        with Conn() as c:
            try:
                c.s.sendall(os.urandom(random.randrange(1, 2000)))
            except ConnectionError:
                pass
    alive()


@test("a request byte by byte")
def bytewise():
    with Conn() as c:
        c.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        frame = struct.pack(">hhi", API_VERSIONS, 0, 77) + string("raw")
        for b in struct.pack(">i", len(frame)) + frame:
            c.s.sendall(bytes([b]))
        c.receive(77)


@test("200 requests at once are answered in their order")
def pipelined():
    topic = create("order")
    with Conn() as c:
        sent = []
        for i in range(200):
            if i % 3 == 0:
                body = string(None) + struct.pack(">hi", -1, 10000) + array(
                    [string(topic) + array([struct.pack(">ii", 0, len(B)) + B for B in [batch([b"%d" % i])]])])
                sent.append(c.send(PRODUCE, 7, body))
            else:
                sent.append(c.send(API_VERSIONS, 0, b"") if i % 3 == 1 else c.send(METADATA, 1, array([string(topic)])))
        for correlation in sent:
            c.receive(correlation)


@test("acks=0 is not answered")
def acks_0():
    topic = create("acks0")
    with Conn() as c:
        for i in range(10):
            c.produce(topic, batch([b"%d" % i]), acks=0)
        same(0, struct.unpack_from(">h", c.ask(API_VERSIONS, 0, b""))[0])
        for _ in range(100):
            if c.end_offset(topic) == 11:
                return
            time.sleep(0.05)
        same(11, c.end_offset(topic))


@test("damaged batches are refused and nothing of them is stored")
def damaged():
    topic = create("damaged")
    good = batch([b"a", b"b"])
    bad = {
        "crc": batch([b"a"], crc=12345),
        "a flipped bit": good[:70] + bytes([good[70] ^ 1]) + good[71:],
        "too short": good[:-3],
        "length too large": batch([b"a"], length=10000),
        "length negative": batch([b"a"], length=-5),
        "more records announced than there": batch([b"a"], count=7, last_delta=6),
        "fewer records announced": batch([b"a", b"b", b"c"], count=1, last_delta=0),
        "count and last offset differ": batch([b"a", b"b"], count=2, last_delta=5),
        "count negative": batch([b"a"], count=-1),
        "a record longer than the batch": batch([b"a"], body=varint(1 << 20) + b"x" * 50),
        "not gzip": batch([b"a"], codec=1, body=b"this is not gzip at all"),
        "unknown codec": batch([b"a"], codec=6),
        "control batch": batch([b"a"], codec=0x20),
        "magic 0": batch([b"a"], magic=0),
        "magic 3": batch([b"a"], magic=3),
        "two batches": batch([b"a"]) + batch([b"b"]),
    }
    for name, records in bad.items():
        with Conn() as c:
            try:
                error, _ = c.produce(topic, records)
                assert error in (2, 42, 43, 76, 87) + LENIENT, "%s: error %d" % (name, error)
            except ConnectionError:
                pass  # Apache Kafka closes on some of them
        with Conn() as c:
            same(1, c.end_offset(topic), name)


@test("a small batch that decompresses to very much")
def bomb():
    topic = create("bomb")
    body = gzip.compress(varint(1 << 30) + b"\0" * (1 << 28))
    with Conn(60) as c:
        try:
            error, _ = c.produce(topic, batch([b"a"], codec=1, body=body))
            assert error != 0
        except ConnectionError:
            pass
    alive()
    with Conn() as c:
        same(1, c.end_offset(topic))


@test("idempotence: duplicates, gaps, old epochs")
def idempotence():
    topic = create("idem")
    with Conn() as c:
        r = c.ask(INIT_PRODUCER_ID, 1, string(None) + struct.pack(">i", 60000))
        error, pid, epoch = struct.unpack_from(">hqh", r, 4)
        same(0, error)
        offsets = []
        for i in range(6):
            error, offset = c.produce(topic, batch([b"x", b"y"], pid, epoch, 2 * i))
            same(0, error, "sequence %d" % (2 * i))
            offsets.append(offset)
        # The last five batches again: success, with the offsets they have.
        for i in range(1, 6):
            same((0, offsets[i]), c.produce(topic, batch([b"x", b"y"], pid, epoch, 2 * i)), "duplicate %d" % i)
        end = c.end_offset(topic)
        error, _ = c.produce(topic, batch([b"x"], pid, epoch, 100))
        same(45, error, "a gap")
        error, _ = c.produce(topic, batch([b"x"], pid, epoch + 1, 0))
        same(0, error, "a new epoch begins at 0")
        error, _ = c.produce(topic, batch([b"x"], pid, epoch, 12))
        same(47, error, "the old epoch")
        same(end + 1, c.end_offset(topic))


@test("a fetch waits as long as it said, and ends when something arrives")
def long_poll():
    topic = create("poll")
    with Conn() as c, Conn() as p:
        began = time.time()
        same((0, 1, b""), c.fetch(topic, 1, wait_ms=400))
        waited = time.time() - began
        assert 0.3 < waited < 3, waited
        body = struct.pack(">iiiibii", -1, 8000, 1, 1 << 25, 0, 0, -1) + array(
            [string(topic) + array([struct.pack(">iiqqi", 0, -1, 1, -1, 1 << 20)])]) + array([]) + string("")
        began = time.time()
        correlation = c.send(FETCH, 11, body)
        time.sleep(0.2)
        same(0, p.produce(topic, batch([b"wake up"]))[0])
        assert b"wake up" in c.receive(correlation)
        assert time.time() - began < 3, time.time() - began


@test("a fetch returns the batch that contains the offset, whole, however small its limit")
def whole_batch():
    topic = create("whole")
    with Conn() as c:
        records = batch([b"%d" % i * 100 for i in range(50)])
        same(0, c.produce(topic, records)[0])
        error, high, got = c.fetch(topic, 30, max_bytes=10)
        same((0, 51), (error, high))
        same(len(records), len(got))
        same(1, struct.unpack_from(">q", got)[0], "base offset")
        same(records[21:], got[21:], "the bytes after the CRC field")
        same(records[17:21], got[17:21], "the CRC")


@test("offsets outside the log: OFFSET_OUT_OF_RANGE; unknown topics: UNKNOWN_TOPIC_OR_PARTITION")
def ranges():
    topic = create("range")
    with Conn() as c:
        same(1, c.fetch(topic, 2)[0])
        same(1, c.fetch(topic, -5)[0])
        same((0, 1, b""), c.fetch(topic, 1))
        same(3, c.fetch(PREFIX + "-nowhere", 0)[0])
        same(3, c.produce(PREFIX + "-nowhere", batch())[0])


@test("a reader that does not read does not stop the others")
def slow_reader():
    topic = create("slow")
    big = batch([b"x" * 900000])
    with Conn() as c:
        for _ in range(8):
            same(0, c.produce(topic, big)[0])
    stuck = []
    try:
        for _ in range(5):
            c = Conn()
            stuck.append(c)
            body = struct.pack(">iiiibii", -1, 0, 1, 1 << 25, 0, 0, -1) + array(
                [string(topic) + array([struct.pack(">iiqqi", 0, -1, 1, -1, 1 << 24)])]) + array([]) + string("")
            for _ in range(20):
                c.send(FETCH, 11, body)
        began = time.time()
        with Conn() as c:
            for _ in range(20):
                same(0, c.produce(topic, batch())[0])
        assert time.time() - began < 5, time.time() - began
    finally:
        for c in stuck:
            c.s.close()
    alive()


main()
