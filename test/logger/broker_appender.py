#!/usr/bin/env python3
"""The broker appender in a real program, with the real broker coming and going: broker_appender.py ROLLWAY LOG_NUMBERS. Speaks TAP.
LOGGER_SECONDS, LOGGER_RATE and LOGGER_KILLS make the races longer; an argument behind picks the tests whose names contain it."""
import collections
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop")]
from tap import Skip, main, same, test as register  # noqa: E402

ROLLWAY, LOG_NUMBERS = sys.argv[1:3]
PICK = sys.argv[3] if len(sys.argv) > 3 else ""
THREADS = 4


def test(name):
    return register(name) if PICK in name else lambda function: function


def free_port():
    if "LOGGER_PORT" in os.environ:
        return int(os.environ["LOGGER_PORT"])
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    """A folder, a broker that may be there or not, and programs that log to it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-appender-")
        self.port = free_port()
        self.broker = None
        self.programs = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for p in self.programs + ([self.broker] if self.broker else []):
            if p.poll() is None:
                p.kill()
            p.wait()
        if kind and "KEEP" in os.environ:
            print("# kept: " + self.dir)
        else:
            shutil.rmtree(self.dir)

    def start(self, *settings):
        command = [ROLLWAY, "dev", "--data", os.path.join(self.dir, "data")]
        for s in ("listeners=PLAINTEXT://127.0.0.1:%d" % self.port, "rollway.http.listen=off",
                  "num.partitions=3") + settings:
            command += ["--set", s]
        with open(os.path.join(self.dir, "broker.log"), "ab") as log:
            self.broker = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.broker.poll() is None, "the broker does not start"
                time.sleep(0.05)
        raise AssertionError("the broker does not listen")

    def kill(self, how=signal.SIGKILL):
        self.broker.send_signal(how)
        self.broker.wait(30)
        self.broker = None

    def program(self, per_thread, rate, *settings, threads=THREADS):
        lines = ["rings.dir = %s/rings" % self.dir, "overflow = block", "appender.b.overflow = block", "appender.b.type = broker", "appender.b.topic = logs",
                 "appender.b.brokers = 127.0.0.1:%d" % self.port, "appender.b.spool.dir = %s/spool" % self.dir,
                 "appender.b.flush.interval = 200ms"] + list(settings)
        os.makedirs(self.dir + "/rings", exist_ok=True)
        p = subprocess.Popen([LOG_NUMBERS, str(threads), str(per_thread), str(rate), "\n".join(lines)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={**os.environ, "LOG_NUMBERS_FILE": self.dir + "/positions"})
        self.programs.append(p)
        return p

    @staticmethod
    def result(p, timeout=90):
        out, err = p.communicate(timeout=timeout)
        same(0, p.returncode, err)
        found = re.search(r"logged (\d+) flush (-?\d+) failed (\d+) lost (-?\d+) rescued (\d+)", out)
        assert found, out + err
        return collections.namedtuple("Result", "logged flush failed lost rescued err")(*map(int, found.groups()), err)

    def lines(self, topic="logs"):
        """(thread, number) of every record, in the order of the partitions."""
        r = subprocess.run([ROLLWAY, "consume", topic, "-e", "-f", "%p %v\\n", "-q", "-b",
                            "127.0.0.1:%d" % self.port], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=60, check=False)
        same(0, r.returncode, r.stderr)
        found = []
        for line in r.stdout.splitlines():
            partition, value = line.split(" ", 1)
            record = json.loads(value)
            if "n" in record:
                found.append((int(record["t"]), int(record["n"]), int(partition)))
        return found

    def wait_lines(self, n, seconds=30):
        until = time.time() + seconds
        while True:
            found = self.lines()
            if len(found) >= n or time.time() > until:
                return found
            time.sleep(0.5)


def check(found, per_thread, may_lack=(), ordered=True):
    """Everything, once, in the order of each thread."""
    by_thread = collections.defaultdict(list)
    for t, n, _ in found:
        by_thread[t].append(n)
    for t in range(THREADS):
        got = by_thread[t]
        counts = collections.Counter(got)
        twice = [n for n, c in counts.items() if c > 1]
        assert not twice, "thread %d: %d numbers twice, first %d" % (t, len(twice), min(twice))
        lost = [n for n in range(per_thread) if n not in counts and (t, n) not in may_lack]
        assert not lost, "thread %d: %d numbers lost, first %d" % (t, len(lost), lost[0])
        if ordered:
            assert got == sorted(got), "thread %d: out of order" % t


@test("all lines arrive, in order, by service in one partition and by thread in several")
def _():
    for target, partitions in (("service", 1), ("thread", 2), ("1", 1)):
        with World() as w:
            w.start()
            # Where a thread's lines go is its number's hash: few threads may well meet in one partition.
            threads = 3 * THREADS if target == "thread" else THREADS
            r = w.result(w.program(5000, 0, "appender.b.partition = " + target, threads=threads))
            same((threads * 5000, 0, 0, 0), (r.logged, r.flush, r.failed, r.lost), r.err)
            found = w.lines()
            check(found, 5000)
            assert len({p for _, _, p in found}) >= partitions, "partitions"
            if target == "1":
                same({1}, {p for _, _, p in found})


@test("every compression can be read")
def _():
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        with World() as w:
            w.start()
            w.result(w.program(300, 0, "appender.b.compression = " + codec))
            check(w.lines(), 300)


@test("the broker is away from the start and comes later")
def _():
    with World() as w:
        p = w.program(10000, 20000, "appender.b.close.drain = 60s")
        time.sleep(2)
        w.start()
        same(0, w.result(p).failed)
        check(w.wait_lines(THREADS * 10000), 10000)


@test("what a program without a broker has left, the next one ships")
def _():
    with World() as w:
        same(0, w.result(w.program(3000, 0)).failed)
        w.start()
        w.result(w.program(3000, 0))
        check(w.lines(), 3000)


@test("the broker is killed and started again every 2 s: nothing lost, nothing twice, all in order")
def _():
    seconds, rate = int(os.environ.get("LOGGER_SECONDS", "20")), int(os.environ.get("LOGGER_RATE", "20000"))
    per_thread = seconds * rate // THREADS
    with World() as w:
        w.start()
        p = w.program(per_thread, rate, "appender.b.partition = thread", "appender.b.close.drain = 60s")
        kills = 0
        while p.poll() is None and kills < seconds // 2:
            time.sleep(1.6)
            w.kill()
            kills += 1
            time.sleep(0.4)
            w.start()
        r = w.result(p)
        same((THREADS * per_thread, 0, 0), (r.logged, r.failed, r.lost), r.err)
        check(w.wait_lines(THREADS * per_thread), per_thread)
        print("# %d lines, %d kills" % (r.logged, kills))


@test("the broker is stopped and started again: nothing twice although it remembers less")
def _():
    with World() as w:
        w.start()
        p = w.program(20000, 16000, "appender.b.close.drain = 60s")
        for _ in range(3):
            time.sleep(1)
            w.kill(signal.SIGTERM)
            w.start()
        same(0, w.result(p).failed)
        check(w.wait_lines(THREADS * 20000), 20000)


@test("the program is killed in between and started again: every line once")
def _():
    kills = int(os.environ.get("LOGGER_KILLS", "8"))
    doubtful, per_thread = set(), 5000 * kills
    with World() as w:
        w.start()
        for kill in range(kills):
            p = w.program(per_thread, 40000, "appender.b.partition = " + ("thread" if kill % 2 else "service"))
            time.sleep(0.3 + kill * 0.07 % 0.5)
            p.kill()
            p.wait()
            # The call that was under way has returned or not: it is not made again, and may be there or not.
            with open(w.dir + "/positions", "r+b") as f:
                done = list(struct.unpack("16q", f.read(128)))
                for t in range(THREADS):
                    if done[t] < per_thread:
                        doubtful.add((t, done[t]))
                        done[t] += 1
                f.seek(0)
                f.write(struct.pack("16q", *done))
            if kill % 4 == 3:
                w.kill()
                w.start()
        r = w.result(w.program(per_thread, 0, "appender.b.close.drain = 60s"))
        check(w.wait_lines(THREADS * per_thread - len(doubtful)), per_thread, doubtful, ordered=False)
        print("# rescued by the last: %d" % r.rescued)


@test("the spool is full: what was dropped is counted exactly")
def _():
    for policy in ("drop_oldest", "drop_newest"):
        with World() as w:
            r = w.result(w.program(50000, 0, "appender.b.spool.bytes = 4MiB", "appender.b.compression = none",
                                   "appender.b.spool.overflow = " + policy))
            same((THREADS * 50000, 0), (r.logged, r.lost))
            assert r.failed > 0, "nothing was dropped"
            w.start()
            r2 = w.result(w.program(50000, 0))
            found = w.lines()
            same(THREADS * 50000 - r.failed, len(found), policy)
            same(len(found), len(set(found)), "twice")
            assert "spool is full" in r.err, r.err
            same(0, r2.failed)


@test("the spool is full and the policy is to block: nothing is lost once the broker is there")
def _():
    with World() as w:
        p = w.program(30000, 0, "appender.b.spool.bytes = 4MiB", "appender.b.compression = none",
                      "appender.b.spool.overflow = block", "level.rollway = off", # what it says of the full spool
                      "appender.b.close.drain = 60s")
        time.sleep(2)
        w.start()
        r = w.result(p)
        same((THREADS * 30000, 0), (r.logged, r.failed), r.err)
        check(w.wait_lines(THREADS * 30000), 30000)


@test("a listener that accepts and never answers holds up nobody")
def _():
    with World() as w, socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", w.port))
        s.listen(100)
        began = time.time()
        r = w.result(w.program(2000, 0, "appender.b.request.timeout = 300ms", "appender.b.breaker.failures = 1"))
        assert time.time() - began < 5, "it took %.1f s" % (time.time() - began)
        same((THREADS * 2000, 0, 0), (r.logged, r.flush, r.lost))
        assert "wait in the spool" in r.err, r.err


def create(w, limit):
    subprocess.run([ROLLWAY, "topic", "create", "logs", "-p", "1", "--config", "max.message.bytes=%d" % limit, "-b",
                    "127.0.0.1:%d" % w.port], check=True, stdout=subprocess.DEVNULL)


@test("batches that are too large for the topic go record by record")
def _():
    with World() as w:
        w.start()
        create(w, 400)
        same(0, w.result(w.program(50, 0)).failed)
        check(w.wait_lines(THREADS * 50), 50)


@test("lines that are too large for the topic go to the dead letters, with the reason")
def _():
    with World() as w:
        w.start()
        create(w, 100)
        r = w.result(w.program(5, 0, "appender.b.close.drain = 60s"))
        assert "dead letters" in r.err, r.err
        same([], w.lines())
        check(w.lines("logs.dlq"), 5)
        out = subprocess.run([ROLLWAY, "consume", "logs.dlq", "-e", "--json", "-q", "-b", "127.0.0.1:%d" % w.port],
                             stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
        assert out.count("MESSAGE_TOO_LARGE") == THREADS * 5, out[:400]


@test("two processes of one application have a spool each, and both arrive")
def _():
    with World() as w:
        w.start()
        a, b = w.program(4000, 8000, threads=2), w.program(4000, 8000, threads=2)
        ra, rb = w.result(a), w.result(b)
        same((0, 0), (ra.failed, rb.failed))
        found = w.lines()
        same(ra.logged + rb.logged, len(found))
        spools = set(os.listdir(w.dir + "/spool"))
        # Who starts looks whether a spool was left behind, and has it for that moment: the other one takes the next.
        assert len(spools) >= 2 and spools <= {"log_numbers-b", "log_numbers-b.1", "log_numbers-b.2"}, spools


@test("a child has a spool of its own, and what its parent has is not sent twice")
def _():
    with open(LOG_NUMBERS, "rb") as f:
        program = f.read()
        if b"__tsan_init" in program or b"__asan_init" in program:
            raise Skip("a sanitizer's own locks are not safe over the fork of a program with threads")
    with World() as w:
        w.start()
        os.environ["LOG_NUMBERS_FORK"] = "1"
        try:
            same(0, w.result(w.program(4000, 8000, threads=THREADS - 1)).failed)
        finally:
            del os.environ["LOG_NUMBERS_FORK"]
        check(w.lines(), 4000)


main()
