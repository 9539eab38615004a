"""Kafka's wire protocol in Python for tests: every API and version of schema/, dictionaries in and out.

An implementation of its own (only the parser of the schema text is the generator's), so that it does not repeat the
mistakes of the C codec. Fields that are not given are encoded as zero, empty or the schema's default; tagged fields
only when they are given.

    with Client(("127.0.0.1", 9092)) as c:
        c.ask("Metadata", 12, topics=None)["brokers"]
"""
import glob
import os
import re
import socket
import struct
import sys
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "tools"))
import gen_wire  # noqa: E402  pylint: disable=wrong-import-position

FIXED = {"bool": ">?", "int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q",
         "float64": ">d"}
ZERO_UUID = bytes(16)


def load():
    apis = {}
    for path in glob.glob(os.path.join(TOP, "schema", "*.txt")):
        if os.path.basename(path) != "errors.txt":
            f = gen_wire.File(path)
            apis[f.name] = f
    return apis


def load_errors():
    codes = {}
    with open(os.path.join(TOP, "schema", "errors.txt"), encoding="utf-8") as f:
        for line in f:
            m = re.match(r"(-?\d+)\s+([A-Z][A-Z_0-9]+)", line) or re.match(r"([A-Z][A-Z_0-9]+)\s+(-?\d+)", line)
            if m:
                number, name = (m[1], m[2]) if m[1].lstrip("-").isdigit() else (m[2], m[1])
                codes[name] = int(number)
    return codes


APIS = load()
ERRORS = load_errors()


def uvarint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def default(f):
    if f.default_null:
        return None
    if f.array:
        return []
    if f.default:
        m = re.search(r"INT64_C\((-?\d+)\)|= (-?[\d.]+)", f.default)
        return int(m[1] or m[2]) if m else -2 ** 63
    if f.struct:
        return {}
    return {"string": "", "bytes": b"", "records": b"", "uuid": ZERO_UUID, "bool": False}.get(f.type, 0)


def length(n, flexible, wide):
    """n None: null."""
    if flexible:
        return uvarint(0 if n is None else n + 1)
    return struct.pack(">i" if wide else ">h", -1 if n is None else n)


def encode_value(f, v, version, flexible):
    if f.struct:
        return (b"\1" if f.pointer else b"") + encode(f.struct, v, version, flexible)
    if f.type == "uuid":
        return v
    if f.type in FIXED:
        return struct.pack(FIXED[f.type], v)
    data = v.encode() if isinstance(v, str) else v
    return length(None if data is None else len(data), flexible, f.type != "string") + (data or b"")


def encode_field(f, v, version, flexible):
    if f.array:
        return length(None if v is None else len(v), flexible, True) + b"".join(
            encode_value(f, i, version, flexible) for i in v or [])
    if f.pointer and v is None:
        return b"\xff"
    return encode_value(f, v, version, flexible)


def present(f, version):
    return f.versions[0] <= version <= f.versions[1]


def encode(s, values, version, flexible):
    names = {f.name for f in s.fields}
    unknown = set(values) - names
    assert not unknown, "no such fields: %s" % unknown
    out = b"".join(encode_field(f, values.get(f.name, default(f)), version, flexible)
                   for f in s.fields if f.tag is None and present(f, version))
    if not flexible:
        return out
    tagged = sorted((f.tag, f) for f in s.fields
                    if f.tag is not None and f.name in values and present(f, version))
    out += uvarint(len(tagged))
    for tag, f in tagged:
        data = encode_field(f, values[f.name], version, True)
        out += uvarint(tag) + uvarint(len(data)) + data
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert 0 <= n <= len(self.data) - self.at, "the answer is too short"
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, fmt):
        return struct.unpack(fmt, self.take(struct.calcsize(fmt)))[0]

    def uvarint(self):
        n = shift = 0
        while True:
            b = self.take(1)[0]
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    def length(self, flexible, wide):
        n = self.uvarint() - 1 if flexible else self.number(">i" if wide else ">h")
        return None if n < 0 else n

    def value(self, f, version, flexible):
        if f.struct:
            return self.struct(f.struct, version, flexible)
        if f.type == "uuid":
            return self.take(16)
        if f.type in FIXED:
            return self.number(FIXED[f.type])
        n = self.length(flexible, f.type != "string")
        if n is None:
            return None
        return self.take(n).decode() if f.type == "string" else self.take(n)

    def field(self, f, version, flexible):
        if f.array:
            n = self.length(flexible, True)
            return None if n is None else [self.value(f, version, flexible) for _ in range(n)]
        if f.pointer and self.number(">b") < 0:
            return None
        return self.value(f, version, flexible)

    def struct(self, s, version, flexible):
        out = {f.name: default(f) for f in s.fields}
        for f in s.fields:
            if f.tag is None and present(f, version):
                out[f.name] = self.field(f, version, flexible)
        if flexible:
            tags = {f.tag: f for f in s.fields if f.tag is not None}
            for _ in range(self.uvarint()):
                tag, size = self.uvarint(), self.uvarint()
                end = self.at + size
                if tag in tags:
                    out[tags[tag].name] = self.field(tags[tag], version, True)
                    assert self.at == end, "tagged field %d has a wrong size" % tag
                self.at = end
        return out


class Client:
    def __init__(self, address, timeout=15):
        self.s = socket.create_connection(address, timeout)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, name, version, **fields):
        api = APIS[name]
        flexible = version >= api.flexible
        self.correlation += 1
        head = struct.pack(">hhih", api.key, version, self.correlation, 5) + b"kwire" + (b"\0" if flexible else b"")
        frame = head + encode(api.messages["request"].top, fields, version, flexible)
        self.s.sendall(struct.pack(">i", len(frame)) + frame)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            got = self.s.recv(min(n - len(data), 1 << 20))
            if not got:
                raise ConnectionError("closed by the broker")
            data += got
        return data

    def receive(self, name, version):
        api = APIS[name]
        r = Reader(self.exactly(struct.unpack(">i", self.exactly(4))[0]))
        correlation = r.number(">i")
        assert correlation == self.correlation, "correlation id %d, not %d" % (correlation, self.correlation)
        flexible = version >= api.flexible
        if flexible and name != "ApiVersions":
            assert r.take(1) == b"\0"
        out = r.struct(api.messages["response"].top, version, flexible)
        assert r.at == len(r.data), "%d bytes too many" % (len(r.data) - r.at)
        return out

    def ask(self, name, version, **fields):
        self.send(name, version, **fields)
        return self.receive(name, version)


# ---- record batches ----

def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ b) & 255]
    return crc ^ 0xFFFFFFFF


def _make_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


_TABLE = _make_table()


def varint(n):
    return uvarint((n << 1) ^ (n >> 63))


def _record(i, value, key, delta):
    body = (b"\0" + varint(delta) + varint(i) + (varint(-1) if key is None else varint(len(key)) + key)
            + (varint(-1) if value is None else varint(len(value)) + value) + varint(0))
    return varint(len(body)) + body


def batch(values=(b"v",), key=None, timestamps=None, pid=-1, epoch=-1, sequence=-1, attributes=0, base_offset=0):
    now = int(time.time() * 1000)
    times = timestamps or [now] * len(values)
    body = b"".join(_record(i, v, key, times[i] - times[0]) for i, v in enumerate(values))
    tail = struct.pack(">hiqqqhii", attributes, len(values) - 1, times[0], max(times), pid, epoch, sequence,
                       len(values)) + body
    head = struct.pack(">ibI", -1, 2, crc32c(tail))
    return struct.pack(">qi", base_offset, len(head) + len(tail)) + head + tail


def batches(data):
    """(base offset, last offset, leader epoch, max timestamp, count) of each whole batch."""
    out, at = [], 0
    while len(data) - at >= 61:
        base, size, epoch = struct.unpack_from(">qii", data, at)
        if len(data) - at < size + 12:
            break
        last, _, latest, count = (struct.unpack_from(">i", data, at + 23)[0], 0,
                                  struct.unpack_from(">q", data, at + 35)[0],
                                  struct.unpack_from(">i", data, at + 57)[0])
        assert crc32c(data[at + 21:at + 12 + size]) == struct.unpack_from(">I", data, at + 17)[0], "bad CRC"
        out.append((base, base + last, epoch, latest, count))
        at += size + 12
    return out
