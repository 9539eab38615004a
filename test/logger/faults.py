#!/usr/bin/env python3
"""What machines and programs do to the logging library: faults.py LOG_FAULTS. Each test states what becomes of the lines, as docs/logger.md
does. Lines are "t=thread n=number"; the program says how many it logged. Disks and
clocks: machines.py. Long rounds: script/logger-faults. Speaks TAP."""
import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop")]
from tap import Skip, main, same, test  # noqa: E402

LOG_FAULTS = os.path.abspath(sys.argv[1])
with open(LOG_FAULTS, "rb") as program:
    PROGRAM = program.read()
TSAN, ASAN = b"__tsan_init" in PROGRAM, b"__asan_init" in PROGRAM
# A sanitizer's allocator may hold its locks over the fork of a program with threads, and its exits take a second each.
SANITIZED = TSAN or ASAN
NUMBER = re.compile(r"\bt=(\d+) n=(\d+)")
BLOCK = "overflow = block\nappender.f.overflow = block\n"


class Result:
    """What the program printed last: accepted, dropped, failed, rescued, flush, lost, and a measure of its own."""

    def __init__(self, process):
        out, self.err = process.communicate(timeout=100)
        self.code = process.returncode
        last = out.strip().splitlines()[-1] if out.strip() else ""
        self.said = {k: int(v) for k, v in re.findall(r"(\w+) (-?\d+)", last)}
        self.numbers = [int(n) for n in last.split() if re.fullmatch(r"-?\d+", n)]
        self.counts = [int(n) for n in re.findall(r"\d+", re.search(r"counts(.*)", out).group(1))] if "counts" in out else []


class World:
    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-faults-")
        os.mkdir(self.dir + "/rings")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def start(self, what, argument="", settings="appender.f.type = file\nappender.f.path = log\n" + BLOCK, before=(), **env):
        return subprocess.Popen([*before, LOG_FAULTS, what, "rings.dir = rings\nappender.f.flush.interval = 20ms\n" + settings, str(argument)],
                                cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env})

    def run(self, *args, **more):
        return Result(self.start(*args, **more))

    def lines(self, *names):
        found = []
        for name in names or ("log",):
            with open(os.path.join(self.dir, name), encoding="utf-8") as f:
                text = f.read()
            assert not text or text.endswith("\n"), "the last line of %s is torn" % name
            assert "\0" not in text, "%s has a hole" % name
            found += [(int(t), int(n)) for t, n in NUMBER.findall(text)]
        return found

    def wait(self, condition, what, seconds=20):
        until = time.time() + seconds
        while not condition():
            assert time.time() < until, "it never came: " + what
            time.sleep(0.02)


def once(found, **wanted):
    """Each number of each thread, tN=how many, once and in order."""
    numbers = collections.defaultdict(list)
    for t, n in found:
        numbers[t].append(n)
    for name, n in wanted.items():
        same(list(range(n)), numbers[int(name[1:])], name)


for form in ("logfmt", "json", "%d %m t=%X{t} n=%X{n}"):
    @test("several consumers, " + form + ": all lines, in their order", form)
    def _(form):
        with World() as w:
            r = w.run("ends", "exit", "appender.f.type = file\nappender.f.path = log\nappender.f.consumers = 4\nappender.f.format = " + form + "\n" + BLOCK)
            same(0, r.code, r.err)
            with open(w.dir + "/log", encoding="utf-8") as f:
                same(list(range(20000)), [int(n) for n in re.findall(r'\bn"?[=:](\d+)', f.read())])


@test("the directory is removed: it is made again, with what is logged from then on")
def _():
    with World() as w:
        os.mkdir(w.dir + "/d")
        p = w.start("steady", 4000, "appender.f.type = file\nappender.f.path = d/log\n" + BLOCK)
        w.wait(lambda: os.path.exists(w.dir + "/d/log") and len(w.lines("d/log")) > 100, "lines")
        before = len(w.lines("d/log"))
        shutil.rmtree(w.dir + "/d")
        r = Result(p)
        same((0, 0, 0), (r.code, r.said["dropped"], r.said["failed"]), r.err)
        found = w.lines("d/log")
        same(list(range(found[0][1], r.numbers[-1])), [n for _, n in found])
        # What went into the removed file is gone with it: a second's lines at most.
        assert before <= found[0][1] <= before + 2500, (before, found[0][1])


@test("logrotate copies and truncates: no hole, nothing twice; only what came between its copy and its cut is lost")
def _():
    if not shutil.which("logrotate"):
        raise Skip("there is no logrotate")
    with World() as w:
        with open(w.dir + "/conf", "w", encoding="ascii") as f:
            f.write("%s/log {\n copytruncate\n rotate 5\n su %d %d\n}\n" % (w.dir, os.geteuid(), os.getegid()))
        p = w.start("steady", 4000)
        for _ in range(3):
            w.wait(lambda: os.path.exists(w.dir + "/log") and os.path.getsize(w.dir + "/log") > 5000, "lines")
            subprocess.run(["logrotate", "-f", "-s", w.dir + "/state", w.dir + "/conf"], check=True)
        r = Result(p)
        same(0, r.code, r.err)
        with open(w.dir + "/log", "rb") as f:
            assert b"\0" not in f.read()
        found = []
        for name in ("log.3", "log.2", "log.1", "log"):
            with open(os.path.join(w.dir, name), encoding="utf-8") as f:
                found += [int(n) for _, n in NUMBER.findall(f.read())]
        same(sorted(set(found)), found)
        assert r.numbers[-1] - 600 <= len(found) <= r.numbers[-1], (len(found), r.numbers[-1])


@test("a name that can not be resolved: calls and the end do not wait for it, lines wait in the spool")
def _():
    broker = ("appender.f.type = broker\nappender.f.topic = t\nappender.f.brokers = no-such-host.invalid:9092\nappender.f.spool.dir = spool\n"
              "appender.f.close.drain = 200ms\nappender.f.breaker.failures = 1\n")
    with World() as w:
        began = time.time()
        r = w.run("steady", 500, broker)
        assert time.time() - began < 5 and r.code == 0, (time.time() - began, r.err)
        same((0, 0, 0), (r.said["dropped"], r.said["failed"], r.said["lost"]))
        assert "no-such-host.invalid" in r.err, r.err
    if os.geteuid() != 0:
        raise Skip("a name server that never answers needs root")
    # A name server that takes questions and never answers: the resolver itself waits for 10 s.
    with World() as w:
        with open(w.dir + "/resolv.conf", "w", encoding="ascii") as f:
            f.write("nameserver 127.0.0.1\n")
        silent = ("import socket,subprocess,sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 53))\n"
                  "sys.exit(subprocess.call(sys.argv[1:]))")
        began = time.time()
        r = w.run("steady", 500, broker, before=("unshare", "-m", "-n", "sh", "-c", "ip link set lo up && mount --bind resolv.conf "
                                                 "/etc/resolv.conf && exec \"$@\"", "sh", sys.executable, "-c", silent))
        took = time.time() - began
        if "unshare" in r.err or "mount" in r.err:
            raise Skip("no namespaces here")
        same((0, 0, 0, 0), (r.code, r.said["dropped"], r.said["failed"], r.said["lost"]), r.err)
        assert took < 5, "it took %.1f s" % took


@test("a broker that accepts and never answers: calls do not wait, and close() returns in its time")
def _():
    with World() as w, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(100)
        began = time.time()
        r = w.run("steady", 500, "appender.f.type = broker\nappender.f.topic = t\nappender.f.brokers = 127.0.0.1:%d\n"
                  "appender.f.spool.dir = spool\nappender.f.close.drain = 300ms\n" % s.getsockname()[1])
        assert time.time() - began < 5, "it took %.1f s" % (time.time() - began)
        same((0, 0, 0, 0), (r.code, r.said["dropped"], r.said["failed"], r.said["lost"]), r.err)


@test("forks, one after another, of a program in which eight threads log: every line of parent, children and their children, once")
def _():
    if SANITIZED:
        raise Skip("a sanitizer's own locks are not safe over the fork of a program with threads")
    n = 150
    with World() as w:
        r = w.run("forks", n)
        same(0, r.code, r.err)
        same(0, w.run("steady", 1).code)  # adopts what children have left that were killed
        wanted = {"t%d" % (100 + i): c for i, c in enumerate(r.counts)}
        wanted.update({"t%d" % (1000 + i): 4 if i % 5 == 4 else 3 for i in range(n)})
        found = collections.Counter(w.lines())
        same(set(), {k for k, times in found.items() if times > 1 and k[0] != 1})
        for name, count in wanted.items():
            t = int(name[1:])
            same(count, sum((t, i) in found for i in range(count)), name)
        same([], os.listdir(w.dir + "/rings"))


@test("a thousand short-lived threads a second: each line once, no ring and no memory kept")
def _():
    n = 500 if TSAN else 4000
    with World() as w:
        began = time.time()
        r = w.run("threads", n)
        print("# %.0f threads a second" % (n / (time.time() - began)))
        same((0, 0), (r.code, r.said["rings"]), r.err)
        same(n, len(set(w.lines())))
        same(n, len(w.lines()))
        early, late = r.said["early_kib"], r.said["late_kib"]
        assert SANITIZED or late < early + 4096, "resident KiB: %d, then %d" % (early, late)


for how, code in (("exit", 0), ("_exit", 0), ("quick_exit", 0), ("abort", -signal.SIGABRT), ("sigterm", -signal.SIGTERM), ("atexit", 0),
                  ("pthread_exit", 0), ("flushing", 0)):
    @test("the program ends while lines are being written, by " + how + ": every line is there once, then or after the next start", how, code)
    def _(how, code):
        if ASAN and how == "abort":
            raise Skip("a sanitizer handles SIGABRT")
        with World() as w:
            same(code, w.run("ends", how).code)
            if how in ("exit", "atexit", "pthread_exit"):
                once(w.lines(), t1=20000)  # without another start
            same(0, w.run("steady", 0, "appender.f.type = file\nappender.f.path = log\n" + BLOCK).code)
            found = w.lines()
            same([], [k for k, times in collections.Counter(found).items() if times > 1])
            once(found, t1=20000, **({"t2": 1} if how == "atexit" else {"t3": 1000} if how == "pthread_exit" else {}))
            same([], os.listdir(w.dir + "/rings"))


@test("a signal handler that logs, every 200 us: its lines and the program's, once")
def _():
    with World() as w:
        r = w.run("signals", 3000)
        same((0, 0), (r.code, r.said["dropped"]), r.err)
        found = w.lines()
        same([], [k for k, times in collections.Counter(found).items() if times > 1])
        same((3000, r.said["handler"]), (sum(t == 1 and n < 3000 for t, n in found), sum(t == 2 for t, n in found)))


@test("a callback that logs itself: its lines are written, and nothing hangs")
def _():
    with World() as w:
        r = w.run("reentrant", 500, "appender.f.type = file\nappender.f.path = log\nappender.c.type = callback\nappender.c.callback = again\n" + BLOCK)
        same((0, 500), (r.code, r.said["callback"]), r.err)
        once(w.lines(), t1=500, t2=500)


@test("threads that are cancelled while they log, or wait for room: nothing hangs, and every call that returned is there")
def _():
    with World() as w:
        r = w.run("cancelled", 10, "ring.bytes = 256KiB\nappender.f.type = file\nappender.f.path = log\n" + BLOCK)
        same(0, r.code, r.err)
        found = collections.Counter(w.lines())
        same([], [k for k, times in found.items() if times > 1])
        for i, count in enumerate(r.counts):
            same(count, sum((100 + i, n) in found for n in range(count)), "thread %d" % i)


@test("started and closed 300 times: the same memory, no descriptor more, every line once")
def _():
    n = 300
    with World() as w:
        r = w.run("restarts", n)
        same(0, r.code, r.err)
        early, late = r.said["early_kib"], r.said["late_kib"]
        same(0, r.said["more_descriptors"])
        assert SANITIZED or late < early + 4096, "KiB: %d, then %d" % (early, late)
        once(w.lines(), t1=n, t2=2)


@test("before the start, after the close, closed twice: calls are safe, warnings go to standard error")
def _():
    with World() as w:
        r = w.run("outside")
        same(0, r.code, r.err)
        once(w.lines(), t1=2)
        same([(8, 0), (8, 1)], [(int(t), int(n)) for t, n in NUMBER.findall(r.err)])


main()
