#!/usr/bin/env python3
"""What hostile and broken peers do, done to a broker: attack.py ROLLWAY [ONLY]

Each test starts a broker of its own, throws something at it, and then wants three things: an ordinary client is
served, the memory did not grow without bound, and SIGTERM ends the broker with status 0. Speaks TAP. Run it with a
binary built with sanitizers to find more; their reports are exit statuses other than 0. ONLY: a part of a test's name.
"""
import concurrent.futures
import contextlib
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]
from kwire import APIS, ERRORS, Client, batch, encode, uvarint  # noqa: E402
from ports import free_port  # noqa: E402
import tap  # noqa: E402
from tap import same  # noqa: E402

ROLLWAY = sys.argv[1]
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
MIB = 1 << 20
with open(ROLLWAY, "rb") as binary:
    CODE = binary.read()
SANITIZED = b"__asan_init" in CODE or b"__tsan_init" in CODE
# Sanitizers and a busy machine make everything slow: limits are there to end a test, not to judge it.
PATIENCE = 6 if SANITIZED else 2
SLOWER = 6 if SANITIZED else 1  # memory and time that instrumented code takes


def test(name):
    return tap.test(name) if ONLY in name else lambda function: function


class Broker:
    """With a data directory of its own; as a context it ends by SIGTERM and checks the status."""

    def __init__(self, *settings, files=None, http=False, env=None):
        self.dir = tempfile.mkdtemp(prefix="rollway-attack-")
        self.port, self.http = free_port(), free_port() if http else None
        self.log_path = os.path.join(self.dir, "log")
        command = [ROLLWAY, "dev", "--data", os.path.join(self.dir, "data")]
        for s in ("listeners=PLAINTEXT://127.0.0.1:%d" % self.port, "rollway.shards=3", "num.partitions=3",
                  "rollway.http.listen=" + ("127.0.0.1:%d" % self.http if http else "off")) + settings:
            command += ["--set", s]
        if files:
            command = ["prlimit", "--nofile=%d" % files, "--"] + command
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=dict(os.environ, **(env or {})))
        for _ in range(200 * PATIENCE):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError("the broker does not start: " + self.log())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.works()
                self.stop()
            elif self.__class__ is Broker:
                print("# its log: " + self.log()[-9000:].replace("\n", "\n# "))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.dir)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, within=15):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(within * PATIENCE)
        if code:
            raise AssertionError("status %d: %s" % (code, self.log()[-9000:]))

    def rss(self):
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * 4096

    def metric(self, name):
        """A sample without labels."""
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.http, timeout=10) as got:
            return int([line.split()[1] for line in got.read().decode().splitlines() if line.startswith(name + " ")][0])

    def parked(self, n):
        until = time.time() + 20 * PATIENCE
        while self.metric("rollway_kafka_parked_requests") < n:
            assert time.time() < until, "%d requests do not wait" % n
            time.sleep(0.05)

    def raw(self, timeout=10):
        s = socket.create_connection(("127.0.0.1", self.port), timeout)
        return s

    def client(self, timeout=10):
        return Client(("127.0.0.1", self.port), timeout)

    def works(self):
        """An ordinary client comes through."""
        with self.client(10 * PATIENCE) as c:
            same(0, c.ask("ApiVersions", 3, client_software_name="t", client_software_version="1")["error_code"])
            same(1, len(c.ask("Metadata", 9, topics=None)["brokers"]))

    def topic(self, name, partitions=3, **configs):
        with self.client() as c:
            got = c.ask("CreateTopics", 5, timeout_ms=5000, topics=[
                {"name": name, "num_partitions": partitions, "replication_factor": 1,
                 "configs": [{"name": k.replace("_", "."), "value": v} for k, v in configs.items()]}])
            same(0, got["topics"][0]["error_code"])
            for _ in range(100):
                got = c.ask("ListOffsets", 5, replica_id=-1, topics=[
                    {"name": name, "partitions": [{"partition_index": i, "timestamp": -1} for i in range(partitions)]}])
                if not any(p["error_code"] for p in got["topics"][0]["partitions"]):
                    return name
                time.sleep(0.02)
        raise RuntimeError("the topic does not open")


def frame(name, version, correlation=1, **fields):
    api = APIS[name]
    flexible = version >= api.flexible
    head = struct.pack(">hhih", api.key, version, correlation, 6) + b"attack" + (b"\0" if flexible else b"")
    body = head + encode(api.messages["request"].top, fields, version, flexible)
    return struct.pack(">i", len(body)) + body


def produce_frame(topic, records, index=0, acks=1, correlation=1):
    return frame("Produce", 7, correlation, transactional_id=None, acks=acks, timeout_ms=5000, topic_data=[
        {"name": topic, "partition_data": [{"index": index, "records": records}]}])


def produce(c, records, index=0):
    """Into the topic t; wants it to succeed."""
    c.s.sendall(produce_frame("t", records, index))
    c.correlation = 1
    same(0, c.receive("Produce", 7)["responses"][0]["partition_responses"][0]["error_code"])


def fetch_frame(topic, offset=0, wait=0, min_bytes=1, max_bytes=0x7fffffff, partition_max=0x7fffffff, index=0):
    return frame("Fetch", 11, 1, replica_id=-1, max_wait_ms=wait, min_bytes=min_bytes, max_bytes=max_bytes,
                 session_id=0, session_epoch=-1, rack_id="", forgotten_topics_data=[], topics=[
                     {"topic": topic, "partitions": [{"partition": index, "fetch_offset": offset,
                                                      "current_leader_epoch": -1, "log_start_offset": -1,
                                                      "partition_max_bytes": partition_max}]}])


def closed(s, within):
    """True when the broker ends the connection in time; what it sends before is thrown away."""
    s.settimeout(within)
    try:
        while s.recv(MIB):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def flood(s, data, seconds):
    """Sends data again and again without reading, until the broker takes no more for half a second."""
    s.settimeout(0.5)
    end, sent = time.time() + seconds, 0
    try:
        while time.time() < end:
            sent += s.send(data)
    except OSError:
        pass
    return sent


def bounded(before, now, mib):
    grown = (now - before) // MIB
    print("# resident memory grew by %d MiB" % grown)
    # Sanitizers keep freed memory and shadow bytes; what is without bound shows there too, only later.
    limit = mib * SLOWER
    if grown > limit:
        raise AssertionError("memory grew by %d MiB, more than %d" % (grown, limit))


# How a frame of 100 MiB begins.
HUGE_FRAME = struct.pack(">i", 100 * MIB) + frame("Metadata", 9, topics=None)[4:14]


@contextlib.contextmanager
def peers(b, says):
    """As many connections, each of which says what it is given; closed in the end."""
    socks = []
    try:
        for what in says:
            s = b.raw()
            socks.append(s)
            s.send(what)
        yield socks
    finally:
        for s in socks:
            s.close()


@test("two thousand half frames that stall")
def _():
    with Broker() as b:
        whole, before = frame("Metadata", 9, topics=None), b.rss()
        with peers(b, (whole[:1 + i % (len(whole) - 1)] for i in range(2000))):
            b.works()
            bounded(before, b.rss(), 100)


@test("frames of 100 MiB that are announced and dripped do not lock others out")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB)) as b:
        b.topic("t")
        before = b.rss()
        with peers(b, [HUGE_FRAME] * 60) as socks:
            time.sleep(0.5)
            for s in socks:
                s.send(b"\0" * 1000)
            for _ in range(5):
                b.works()
                with b.client() as c:
                    c.s.sendall(produce_frame("t", batch([b"x" * 100000] * 10)))
                    c.correlation = 1
                    same(0, c.receive("Produce", 7)["responses"][0]["partition_responses"][0]["error_code"])
            bounded(before, b.rss(), 100)


@test("frames of 100 MiB that are sent for real stay within the memory of requests")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB)) as b:
        before = b.rss()
        with peers(b, [HUGE_FRAME] * 12) as socks:
            threads = [threading.Thread(target=flood, args=(s, b"\0" * MIB, 2)) for s in socks]
            for t in threads:
                t.start()
            most = 0
            while any(t.is_alive() for t in threads):
                most = max(most, b.rss())
                time.sleep(0.05)
            # Three shards, each with its share and one largest request, whose chunk is a quarter step of a power
            # of two.
            bounded(before, most, 64 + 3 * 112 + 40)
        time.sleep(0.2)


@test("array counts that no frame can hold")
def _():
    with Broker() as b:
        for name, api in sorted(APIS.items()):
            if name in ("Produce", "ApiVersions"):
                continue
            for version in (0, api.flexible):
                for count in (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xfe", b"\xfe\xff\xff\xff\x07",
                              b"\xff\xff\xff\xff\x0f"):
                    head = struct.pack(">hhih", api.key, version, 1, 0) + (b"\0" if version >= api.flexible else b"")
                    for pad in range(0, 12, 3):
                        body = head + b"\0" * pad + count * 3
                        s = b.raw()
                        s.sendall(struct.pack(">i", len(body)) + body)
                        s.shutdown(socket.SHUT_WR)
                        if not closed(s, 10):
                            raise AssertionError("%s v%d: neither answered nor closed" % (name, version))
                        s.close()


@test("metadata of 100000 topic names, pipelined and unread")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB), "auto.create.topics.enable=false") as b:
        names = [{"name": "n%d" % i} for i in range(100000)]
        request = frame("Metadata", 8, topics=names, allow_auto_topic_creation=False)
        with b.client(60) as c:
            c.correlation = 1
            c.s.sendall(request)
            same(100000, len(c.receive("Metadata", 8)["topics"]))
        before, socks = b.rss(), [b.raw() for _ in range(20)]
        threads = [threading.Thread(target=flood, args=(s, request, 3)) for s in socks]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        bounded(before, b.rss(), 400)
        for s in socks:
            s.close()
        time.sleep(0.5)


@test("floods of requests whose answers nobody reads")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB)) as b:
        b.topic("t")
        with b.client() as c:
            for _ in range(50):
                produce(c, batch([b"x" * 50000] * 10))
        kinds = [frame("Metadata", 9, topics=None) * 50, produce_frame("t", batch([b"y" * 1000] * 10)) * 10,
                 fetch_frame("t") * 20, fetch_frame("t", wait=60000, offset=500, min_bytes=1 << 30) * 20]
        before, socks = b.rss(), [b.raw() for _ in range(200)]
        threads = [threading.Thread(target=flood, args=(s, kinds[i % 4], 2)) for i, s in enumerate(socks)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        bounded(before, b.rss(), 500)
        for s in socks:
            s.close()
        time.sleep(0.5)


def cool(directory):
    """Writes the logs back and gives their pages up: what is read next comes from the disk."""
    os.sync()
    for where, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(where, name), "rb") as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@test("two hundred consumers that ask for 50 MiB of cold data and stop reading")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB), "log.segment.bytes=%d" % (64 * MIB), http=True) as b:
        b.topic("t")
        data = batch([b"x" * 1000000])
        with b.client() as c:
            for i in range(180):
                c.s.sendall(produce_frame("t", data, index=i % 3))
                c.correlation = 1
                same(0, c.receive("Produce", 7)["responses"][0]["partition_responses"][0]["error_code"])
        cool(b.dir)
        before, most = b.rss(), 0
        ask, socks = 50 * MIB, []
        for i in range(200):
            s = b.raw()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            s.sendall(fetch_frame("t", max_bytes=ask, partition_max=ask, index=i % 3) * 3)
            socks.append(s)
        worst = 0.0
        for _ in range(100):
            most = max(most, b.rss())
            began = time.time()
            b.works()
            worst = max(worst, time.time() - began)
            time.sleep(0.02)
        bounded(before, most, 48)
        print("# others waited %.3f s at most" % worst)
        if worst > 5:
            raise AssertionError("an ordinary client waited %.1f s" % worst)
        # One that goes on gets everything, byte by byte what was stored.
        s = socks[0]
        s.settimeout(30)
        need = struct.unpack(">i", s.recv(4, socket.MSG_WAITALL))[0]
        got = b""
        while len(got) < need:
            part = s.recv(min(need - len(got), MIB))
            assert part, "closed"
            got += part
        assert need > 45 * MIB, need
        same(need // len(data), got.count(data[61:200]))
        for s in socks:
            s.close()


@test("batches that grow a thousandfold in another codec, from many connections")
def _():
    with Broker("queued.max.request.bytes=%d" % (64 * MIB)) as b:
        b.topic("t", compression_type="uncompressed", max_message_bytes=str(4 * MIB))
        with b.client() as c:
            c.s.sendall(produce_frame(b.topic("z", compression_type="gzip", max_message_bytes=str(4 * MIB)),
                                      batch([b"\0" * (2 * MIB)])))
            c.correlation = 1
            same(0, c.receive("Produce", 7)["responses"][0]["partition_responses"][0]["error_code"])
            small = c.ask("Fetch", 11, max_wait_ms=0, min_bytes=1, max_bytes=4 * MIB, topics=[
                {"topic": "z", "partitions": [{"partition": 0, "partition_max_bytes": 4 * MIB}]}]
            )["responses"][0]["partitions"][0]["records"]
        assert len(small) < 10000
        one = produce_frame("t", small)
        before, most = b.rss(), 0
        socks = [b.raw() for _ in range(60)]
        threads = [threading.Thread(target=flood, args=(s, one * 20, 2)) for s in socks]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            most = max(most, b.rss())
            time.sleep(0.02)
        # The limit, and what the workers have in hand: a batch as it was, as it becomes, and the copy of it.
        bounded(before, most, 64 + 64 + 100)
        for s in socks:
            s.close()


@test("connections that die at every point")
def _():
    with Broker() as b:
        b.topic("t")
        big = produce_frame("t", batch([os.urandom(100000)] * 20))
        rng = random.Random(1)
        for i in range(1500):
            s = b.raw()
            kind = i % 6
            if kind == 0:
                s.send(big[:rng.randrange(len(big))])
            elif kind == 1:
                s.sendall(produce_frame("t", batch([b"x"]), acks=-1, index=i % 3))
            elif kind == 2:
                s.sendall(fetch_frame("t", offset=i, wait=30000, index=i % 3))
            elif kind == 3:
                s.sendall(fetch_frame("t") * 3)
                s.recv(rng.randrange(1, 5000))
            elif kind == 4:
                s.sendall(fetch_frame("t", wait=30000, min_bytes=1 << 30, index=2) + produce_frame("t", batch([b"z"])))
            else:
                s.sendall(big)
                s.shutdown(socket.SHUT_WR)
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()


@test("a peer that sends FIN while its long poll waits is let go soon")
def _():
    with Broker() as b:
        b.topic("t")
        s = b.raw()
        s.sendall(fetch_frame("t", wait=60000))
        time.sleep(0.2)
        s.shutdown(socket.SHUT_WR)
        began = time.time()
        assert closed(s, 10), "not closed"
        assert time.time() - began < 3, "after %.1f s" % (time.time() - began)


@test("what was asked before FIN is answered")
def _():
    with Broker() as b:
        b.topic("t")
        s = b.raw()
        s.sendall(frame("Metadata", 9, topics=None) + produce_frame("t", batch([b"x"]), acks=-1))
        s.shutdown(socket.SHUT_WR)
        s.settimeout(5)
        data = b""
        while True:
            got = s.recv(65536)
            if not got:
                break
            data += got
        n = struct.unpack(">i", data[:4])[0]
        assert len(data) > n + 8, "one answer only"


@test("SIGTERM does not wait for long polls")
def _():
    with Broker() as b:
        b.topic("t")
        socks = [b.raw() for _ in range(20)]
        for s in socks:
            s.sendall(fetch_frame("t", wait=60000))
        time.sleep(0.3)
        began = time.time()
        b.works()
        b.stop()
        assert time.time() - began < 5, "it took %.1f s" % (time.time() - began)
        b.__class__ = Stopped


class Stopped(Broker):
    """A broker that the test has ended already."""

    def works(self):
        pass

    def stop(self, within=15):
        pass


@test("limits of fetch: INT_MAX, zero and negative")
def _():
    with Broker() as b:
        b.topic("t", 1)
        with b.client() as c:
            for _ in range(20):
                produce(c, batch([b"x" * 50000] * 10))
            odd = (-2147483648, -1, 0, 1, 2147483647)
            for max_bytes in odd:
                for partition_max in odd:
                    for offset in (-2 ** 63, -1, 0, 2 ** 63 - 1):
                        for index in (0, -1, -2147483648, 2147483647):
                            c.s.sendall(fetch_frame("t", offset, 0, -1, max_bytes, partition_max, index))
                            c.correlation = 1
                            got = c.receive("Fetch", 11)
                            same(index, got["responses"][0]["partitions"][0]["partition_index"])


def fetch_many(topic, partitions, wait=0, min_bytes=1, max_bytes=0x7fffffff, padding=0):
    """Version 12; padding lies in a tagged field that nobody knows, and is part of the frame."""
    api = APIS["Fetch"]
    body = encode(api.messages["request"].top, dict(max_wait_ms=wait, min_bytes=min_bytes, max_bytes=max_bytes,
                                                    session_epoch=-1, topics=[dict(topic=topic, partitions=[
                                                        dict(partition=i, partition_max_bytes=MIB)
                                                        for i in partitions])]), 12, True)
    if padding:
        body = body[:-1] + b"\1" + uvarint(99) + uvarint(padding) + bytes(padding)
    data = struct.pack(">hhih", 1, 12, 1, 6) + b"attack" + b"\0" + body
    return struct.pack(">i", len(data)) + data


@test("long polls that fill the memory of requests are answered early, and others are served")
def _():
    with Broker("queued.max.request.bytes=%d" % (96 * MIB)) as b:
        b.topic("t", 1)
        peers = []
        for size in [20] * 3 + [5] * 12 + [1] * 30 + [0] * 150:
            s = b.raw(0.3)
            peers.append(s)
            try:
                s.sendall(fetch_many("t", [0], 2 ** 31 - 1, MIB, padding=size * MIB))
            except OSError:
                pass  # not read any more: the memory is full
        for _ in range(9):  # every shard
            with b.client(10 * SLOWER) as c:
                same(0, c.ask("ApiVersions", 0)["error_code"])
        for s in peers:
            s.close()


@test("what long polls hold besides their frames counts as memory of requests")
def _():
    with Broker("queued.max.request.bytes=%d" % (48 * MIB)) as b:
        b.topic("t", 1)
        before, peers = b.rss(), []
        # An unknown partition would end the wait. Without the limit these would hold 350 MiB.
        many = fetch_many("t", [0] * 40000, 2 ** 31 - 1, 0x7fffffff)
        for _ in range(40):
            s = b.raw(0.3)
            peers.append(s)
            try:
                s.sendall(many)
            except OSError:
                pass
        time.sleep(2)
        bounded(before, b.rss(), 240)
        for s in peers:
            s.close()


@test("long polls do not keep their frames")
def _():
    with Broker("queued.max.request.bytes=%d" % (24 * MIB), http=True) as b:
        b.topic("t", 1)
        with contextlib.ExitStack() as ends:
            clients = [ends.enter_context(b.client(30)) for _ in range(60)]
            for n, c in enumerate(clients):
                c.s.sendall(fetch_many("t", [0], 2 ** 31 - 1, 10, padding=MIB))
                c.correlation = 1
                if n % 10 == 9:  # more at once than there is room for, and those that wait are answered early
                    b.parked(n + 1)
            until = time.time() + 10 * PATIENCE  # it is measured once a second
            while b.metric("rollway_kafka_request_memory_bytes") > MIB:
                assert time.time() < until, "%d bytes" % b.metric("rollway_kafka_request_memory_bytes")
                time.sleep(0.1)
            ends.enter_context(b.raw()).sendall(produce_frame("t", batch([b"x"])))
            for c in clients:
                topic = c.receive("Fetch", 12)["responses"][0]
                same("t", topic["topic"])
                assert topic["partitions"][0]["records"]


@test("long polls that come back as soon as they are answered do not keep others waiting for memory")
def _():
    with Broker("queued.max.request.bytes=%d" % (48 * MIB), http=True) as b:
        b.topic("t", 1)
        before, stop = b.rss(), threading.Event()
        many = fetch_many("t", [0] * 40000, 2 ** 31 - 1, 0x7fffffff)

        answers = []

        def poll(s):
            with contextlib.suppress(OSError, struct.error):  # cut off at the end
                while not stop.is_set():
                    s.sendall(many)
                    left = struct.unpack(">i", s.recv(4, socket.MSG_WAITALL))[0]
                    while left:
                        left -= len(s.recv(min(left, MIB)))
                    answers.append(s)

        socks = [b.raw(30) for _ in range(60)]
        with concurrent.futures.ThreadPoolExecutor(len(socks)) as pool:
            polls = [pool.submit(poll, s) for s in socks]
            most, worst, charged, begin = 0, 0, 0, time.time()
            try:
                while time.time() < begin + 3 or len(answers) <= len(socks):
                    start = time.time()
                    assert start < begin + 15 * PATIENCE, "long polls are not answered early"
                    with b.client(30) as c:
                        c.ask("Metadata", 9, topics=None)
                        produce(c, batch([bytes(100)]))
                    worst, most = max(worst, time.time() - start), max(most, b.rss())
                    charged = max(charged, b.metric("rollway_kafka_request_memory_bytes"))
                    time.sleep(0.05)
            finally:
                stop.set()
                for s in socks:
                    s.shutdown(socket.SHUT_RDWR)
            for p in polls:
                p.result()
        print("# %d answers; newcomers waited %.2f s; %d MiB counted" % (len(answers), worst, charged // MIB))
        assert worst < 2 * PATIENCE, "a newcomer waited %.1f s" % worst
        # Each of three shards lets one request of 10 MiB, its frame and its answer through.
        assert charged < (48 + 3 * 16) * MIB, "%d MiB are counted" % (charged // MIB)
        bounded(before, most, 160)
        for s in socks:
            s.close()


@test("a partition named very often in long polls is read once with each batch, and has one row")
def _():
    with Broker() as b:
        b.topic("t", 2)
        peers = [b.raw() for _ in range(10)]
        for s in peers:
            s.sendall(fetch_many("t", [0] * 40000, 2 ** 31 - 1, 0x7fffffff, 0x7fffffff))
        time.sleep(1)
        with b.client() as c:
            start = time.time()
            for _ in range(20):
                produce(c, batch([b"x"]))
            if time.time() - start > 2:
                raise AssertionError("20 records took %.1f s" % (time.time() - start))
            got = c.ask("Fetch", 11, max_wait_ms=0, max_bytes=MIB, session_epoch=-1, topics=[
                dict(topic="t", partitions=[dict(partition=i, partition_max_bytes=MIB) for i in row])
                for row in ((1, 0, 1), (0, 1))])
            same([[1, 0], []], [[p["partition_index"] for p in t["partitions"]] for t in got["responses"]])
        for s in peers:
            s.close()


@test("a long poll that waits for many bytes reads what changed, and adds up over all shards")
def _():
    with Broker(http=True) as b, b.client(30) as waiting, b.client() as c:
        b.topic("t", 60)
        waiting.send("Fetch", 11, max_wait_ms=25000, min_bytes=100000, max_bytes=MIB, session_epoch=-1, topics=[
            dict(topic="t", partitions=[dict(partition=i, partition_max_bytes=MIB) for i in range(60)])])
        b.parked(3)
        before = b.metric("rollway_kafka_fetch_reads_total")

        for i in list(range(60)) + [0] * 100:
            produce(c, batch([bytes(10)]), i)
        reads = b.metric("rollway_kafka_fetch_reads_total") - before
        assert 0 < reads <= 160, "%d reads for 160 batches" % reads
        same([], select.select([waiting.s], [], [], 0)[0], "answered with too little")
        for i in range(4):
            produce(c, batch([bytes(25000)]), i * 7)
        start = time.time()
        got = waiting.receive("Fetch", 11)
        assert time.time() - start < 10, "it waited to the end"
        found = sum(len(p["records"]) for p in got["responses"][0]["partitions"])
        assert found >= 100000, found
        same(60, sum(bool(p["records"]) for p in got["responses"][0]["partitions"]))


@test("a fetch with a limit gives the partition that was named first, whichever shard has it")
def _():
    with Broker() as b:
        b.topic("t", 6)
        with b.client() as c:
            for i in range(6):
                for _ in range(2):
                    produce(c, batch([bytes(100000)]), i)
            for first in range(6):
                for second in set(range(6)) - {first}:
                    got = c.ask("Fetch", 11, max_wait_ms=0, max_bytes=100200, session_epoch=-1, topics=[
                        dict(topic="t", partitions=[dict(partition=i, partition_max_bytes=MIB)
                                                    for i in (first, second)])])
                    rows = got["responses"][0]["partitions"]
                    if not rows[0]["records"]:
                        raise AssertionError("nothing of %d, which was named before %d" % (first, second))


@test("produce without a timeout is not answered before it could be stored")
def _():
    with Broker() as b:
        b.topic("t", 1)
        with b.client() as c:
            for acks in (1, -1):
                for timeout in (0, -1):
                    got = c.ask("Produce", 7, acks=acks, timeout_ms=timeout, topic_data=[
                        dict(name="t", partition_data=[dict(index=0, records=batch())])])
                    same(0, got["responses"][0]["partition_responses"][0]["error_code"])


@test("out of descriptors: what is open is served, and what waits comes in later")
def _():
    with Broker(files=128) as b:
        b.topic("t", 1)
        inside = b.client()
        socks = [b.raw() for _ in range(200)]
        time.sleep(0.5)
        inside.ask("Metadata", 9, topics=None)
        with open("/proc/%d/stat" % b.process.pid, encoding="ascii") as f:
            ticks = sum(int(v) for v in f.read().rsplit(")", 1)[1].split()[11:13])
        time.sleep(1)
        with open("/proc/%d/stat" % b.process.pid, encoding="ascii") as f:
            ticks = sum(int(v) for v in f.read().rsplit(")", 1)[1].split()[11:13]) - ticks
        assert ticks < 50, "it spins: %d of 100 ticks" % ticks
        make = {"name": "u", "num_partitions": 9, "replication_factor": 1}
        got = inside.ask("CreateTopics", 5, timeout_ms=2000, topics=[make])["topics"][0]
        same(ERRORS["POLICY_VIOLATION"], got["error_code"])
        assert "ulimit -n" in got["error_message"], got
        for s in socks:
            s.close()
        assert "open files" in b.log(), "nothing in the log: " + b.log()[-500:]
        assert "offline" not in b.log(), b.log()[-500:]
        until = time.time() + 20
        while inside.ask("CreateTopics", 5, timeout_ms=2000, topics=[make])["topics"][0]["error_code"]:
            assert time.time() < until, b.log()[-900:]
            time.sleep(0.1)


@test("TLS and HTTP on the plain port")
def _():
    with Broker() as b:
        hello = bytes.fromhex("16030100c8010000c4030357c0") + os.urandom(190)
        for what in (hello, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\0\0\0", b"\0\0\0\1\0", b"\xff" * 100,
                     b"SSH-2.0-x\r\n"):
            s = b.raw()
            s.send(what)
            assert closed(s, 5), "still open after %r" % what[:20]
            s.close()
        log = b.log()
        assert "TLS" in log, log[-500:]


@test("topics that come and go under producers and consumers")
def _():
    seconds = float(os.environ.get("ATTACK_SECONDS", "4"))
    with Broker() as b:
        end = time.time() + seconds
        errors = []

        def work(seed):
            rng = random.Random(seed)
            try:
                c = b.client(30)
                while time.time() < end:
                    name = "r%d" % rng.randrange(4)
                    kind = rng.randrange(8)
                    c.correlation = 1
                    if kind == 0:
                        c.ask("CreateTopics", 5, timeout_ms=1000, topics=[
                            {"name": name, "num_partitions": rng.randrange(1, 6), "replication_factor": 1}])
                    elif kind == 1:
                        c.ask("DeleteTopics", 3, timeout_ms=1000, topic_names=[name])
                    elif kind < 5:
                        c.s.sendall(produce_frame(name, batch([b"v" * rng.randrange(2000)] * 5),
                                                  rng.randrange(3), rng.choice((1, -1))))
                        c.receive("Produce", 7)
                    else:
                        c.s.sendall(fetch_frame(name, 0, rng.choice((0, 50)), index=rng.randrange(3)))
                        if rng.randrange(20) == 0:
                            c.s.close()
                            c = b.client(30)
                        else:
                            c.receive("Fetch", 11)
            except Exception as e:  # pylint: disable=broad-except # told below
                errors.append(e)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if errors:
            raise errors[0]


@test("signals in the middle of work: SIGHUP changes nothing, SIGTERM finishes, the second ends at once")
def _():
    for second in (False, True):
        # The second SIGTERM ends the broker at once, without waiting for its threads: no leak.
        tsan = {"TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"} if second else None
        with Broker(env=tsan) as b:
            b.topic("t")
            stop = threading.Event()

            def work():
                try:
                    c = b.client()
                    while not stop.is_set():
                        c.correlation = 1
                        c.s.sendall(produce_frame("t", batch([b"v" * 1000] * 10)))
                        c.receive("Produce", 7)
                except OSError:
                    pass  # the broker has gone

            threads = [threading.Thread(target=work) for _ in range(4)]
            for t in threads:
                t.start()
            time.sleep(0.3)
            for _ in range(20):
                b.process.send_signal(signal.SIGHUP)
            b.works()
            b.process.send_signal(signal.SIGTERM)
            if second:
                b.process.send_signal(signal.SIGTERM)
            code = b.process.wait(10)
            assert code in ((0, 130) if second else (0,)), "status %d: %s" % (code, b.log()[-800:])
            stop.set()
            for t in threads:
                t.join()
            b.__class__ = Stopped


# ---- HTTP ----

def http(b, data, within=15, end=False):
    with socket.create_connection(("127.0.0.1", b.http), within) as s:
        s.sendall(data)
        if end:
            s.shutdown(socket.SHUT_WR)
        out = b""
        try:
            while True:
                got = s.recv(65536)
                if not got:
                    break
                out += got
        except ConnectionError:
            pass
        return out


@test("HTTP: requests that are ambiguous, too large or not meant for us")
def _():
    with Broker(http=True) as b:
        host = b"Host: localhost\r\n"
        for wanted, request in (
                (b"400", b"GET /livez HTTP/1.1\r\n" + host
                 + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                (b"400", b"GET /livez HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
                (b"400", b"GET /livez HTTP/1.1\r\n" + host + b"Content-Length: +5\r\n\r\nhello"),
                (b"400", b"GET /livez HTTP/1.1\r\n" + host + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
                (b"400", b"GET /livez HTTP/1.1\r\n" + host + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
                (b"400", b"GET /livez HTTP/1.1\r\n" + host + host + b"\r\n"),
                (b"400", b"GET /livez HTTP/1.1\r\n\r\n"),
                (b"403", b"GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
                (b"403", b"GET /livez HTTP/1.1\r\nHost: localhost.evil.example\r\nConnection: close\r\n\r\n"),
                (b"400", b"GET /livez HTTP/1.1\r\nHost: \r\n\r\n"),
                (b"403", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:1@evil\r\nConnection: close\r\n\r\n"),
                (b"414", b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n" + host + b"\r\n"),
                (b"431", b"GET /livez HTTP/1.1\r\n" + host + b"X: " + b"a" * 20000 + b"\r\n\r\n"),
                (b"431", b"GET /livez HTTP/1.1\r\n" + host + b"A: b\r\n" * 20000 + b"\r\n"),
                (b"413", b"GET /livez HTTP/1.1\r\n" + host + b"Content-Length: 100000\r\n\r\n" + b"a" * 100000),
                (b"405", b"POST /metrics HTTP/1.1\r\n" + host + b"Connection: close\r\nContent-Length: 0\r\n\r\n"),
                (b"400", b"\x16\x03\x01\x00\xc8\x01\x00\x00"),
                (b"400", b"GET /livez\r\n\r\n"),
                (b"404", b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n")):
            got = http(b, request)
            assert got.split(b" ", 2)[1:2] == [wanted], "%r: %r" % (request[:90], got[:80])
            assert got.count(b"HTTP/1.1 ") == 1, "two answers to %r" % request[:90]


@test("HTTP: pipelined requests are answered in order")
def _():
    with Broker(http=True) as b:
        one = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
        data = (one % (b"livez", b"") + one % (b"metrics", b"") + one % (b"nothing", b"")) * 30 \
            + one % (b"livez", b"Connection: close\r\n")
        got = http(b, data)
        same(91, got.count(b"HTTP/1.1 "))
        same([b"200", b"200", b"404"] * 30 + [b"200"], [p.split(b" ", 1)[0] for p in got.split(b"HTTP/1.1 ")[1:]])


@test("HTTP: slow peers do not keep probes out")
def _():
    with Broker(http=True) as b:
        socks = []
        for i in range(400):
            s = socket.create_connection(("127.0.0.1", b.http), 5)
            if i % 2:
                s.send(b"GET /livez HT")
            socks.append(s)
            if i % 50 == 49:
                time.sleep(0.1)
        got = http(b, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 200 " in got, "the probe got %r" % got[:60]
        for s in socks:
            s.close()


tap.main()
