#!/usr/bin/env python3
"""What machines do to a program that logs: machines.py LOG_FAULTS. Each test says what becomes of the lines; docs/logger.md promises
it. What comes rarely or needs root; the rest is faults.py. Speaks TAP. An argument behind picks the tests whose names contain it."""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop")]
from tap import Skip, main, same, test as register  # noqa: E402

LOG_FAULTS = os.path.abspath(sys.argv[1])
PICK = sys.argv[2] if len(sys.argv) > 2 else ""
FAKETIME = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [""])[0]
NUMBER = re.compile(r"^time=\S+ level=\S+ .*\bmsg=number t=(\d+) n=(\d+)$|^{.*\"t\":(\d+),\"n\":(\d+)}$", re.M)


def test(name):
    return register(name) if PICK in name else lambda function: function


def skip_unless(condition, why):
    if not condition:
        raise Skip(why)


def sanitized():
    with open(LOG_FAULTS, "rb") as f:
        program = f.read()
    return b"__tsan_init" in program or b"__asan_init" in program


def numbers_in(text):
    return [(int(a or c), int(b or d)) for a, b, c, d in NUMBER.findall(text)]


def numbers(*paths):
    """(t, n) of all whole lines, in the order of the files; one that is not there has none."""
    found = []
    for path in paths:
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                found += numbers_in(f.read())
    return found


class World:
    """A folder for rings, spools and logs, and programs in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-faults-")
        os.mkdir(self.dir + "/rings")
        self.programs = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for p in self.programs:
            if p.poll() is None:
                p.kill()
            p.communicate()
        if kind and kind is not Skip and "KEEP" in os.environ:
            print("# kept: " + self.dir)
        else:
            shutil.rmtree(self.dir)

    def begin(self, what, settings, *arguments, env=None, before=()):
        """Settings of the caller win: they come later."""
        settings = "rings.dir = %s/rings\n" % self.dir + settings
        p = subprocess.Popen([*before, LOG_FAULTS, what, settings, *map(str, arguments)], cwd=self.dir, text=True,
                             env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.programs.append(p)
        return p

    @staticmethod
    def result(p, code=0):
        """The words that the program says at its end, in pairs."""
        out, err = p.communicate(timeout=60)
        assert p.returncode == code, "exit %s: %s%s" % (p.returncode, out[-300:], err[-300:])
        words = out.split()
        return dict(zip(words[::2], words[1::2]))

    def run(self, what, settings, *arguments, code=0, **more):
        return self.result(self.begin(what, settings, *arguments, **more), code)

    def next_start(self, settings):
        """Logs nothing, writes what was left, and leaves nothing."""
        r = self.run("burst", settings)
        same([], os.listdir(self.dir + "/rings"), "files of rings that stay")
        return r


FILE = "appender.f.type = file\nappender.f.path = %s\nappender.f.flush.interval = 20ms\n"


@contextlib.contextmanager
def small_disk(w, kib):
    skip_unless(os.geteuid() == 0, "only root can mount a small file system")
    path = w.dir + "/disk"
    os.mkdir(path)
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % kib, "tmpfs", path], stderr=subprocess.PIPE, check=False)
    skip_unless(r.returncode == 0, "no file system can be mounted: %s" % r.stderr.decode().strip())
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    """To the last byte."""
    size = 1 << 20
    with open(path, "wb", buffering=0) as f:
        while size:
            try:
                f.write(b"x" * size)
            except OSError:
                size //= 2


def settled(w, p, wanted=None):
    """The program's end: nothing was dropped, and its calls did not wait."""
    r = w.result(p)
    same(["0", "0", "0"], [r["dropped"], r["failed"], r["lost"]], str(r))
    assert int(r["longest"]) < 500000, "a call took %s us" % r["longest"]
    return int(r["n"]) if wanted is None else wanted


@test("the disk fills up while it is written to: no line is torn, none is there twice")
def _():
    with World() as w, small_disk(w, 256) as disk:
        with open(disk + "/filler", "wb") as f:
            f.write(b"x" * (256 - 20) * 1024)
        p = w.begin("steady", FILE % (disk + "/log"), 2500)
        time.sleep(1.5)
        assert len(numbers(disk + "/log")) > 50
        os.unlink(disk + "/filler")
        n = settled(w, p)
        same([(1, i) for i in range(n)], numbers(disk + "/log"))
        with open(disk + "/log", "rb") as f:
            same(n, sum(line.startswith(b"time=") and b" msg=number t=1 n=" in line for line in f))


@test("the disk stays full: the oldest lines are dropped, counted to the last, and the newest are kept for the next start")
def _():
    with World() as w, small_disk(w, 4096) as disk:
        fill(disk + "/filler")
        settings = FILE % (disk + "/log") + "journal.bytes = 1MiB\noverflow = block\n"
        n, r = 50000, w.run("burst", settings, 50000, env={"LOG_FAULTS_TIMEOUT": "3000"})  # all are collected by then
        failed = int(r["failed"])
        assert failed > 0 and int(r["lost"]) > 0, r
        # The logger's own lines are among them, or not.
        assert n <= failed + int(r["lost"]) + int(r["dropped"]) <= n + 10, r
        os.unlink(disk + "/filler")
        w.next_start(FILE % (disk + "/log"))
        found = numbers(disk + "/log")
        same([(1, i) for i in range(n - len(found), n)], found)
        assert len(found) > 10000, len(found)


@test("no room for the rings: the start says so, and what is logged before it goes to standard error")
def _():
    with World() as w, small_disk(w, 64) as disk:
        fill(disk + "/filler")
        p = w.begin("outside", "rings.dir = %s\n" % disk + FILE % (w.dir + "/log"))
        _, err = p.communicate(timeout=30)
        assert p.returncode == 1 and "no room for the rings" in err and "t=8 n=0" in err, (p.returncode, err)


@test("a read-only file system: a start says so; later, lines wait in the journal, and are written when it is not any more")
def _():
    with World() as w, small_disk(w, 1024) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        out, err = w.begin("burst", FILE % (disk + "/log"), 10).communicate(timeout=30)
        same(("", "appender.f.path: open %s/log: Read-only file system\n" % disk), (out, err))
        os.mkdir(w.dir + "/before")
        os.symlink("before", w.dir + "/logs")
        p = w.begin("steady", FILE % (w.dir + "/logs/log"), 4000)
        time.sleep(0.5)
        os.unlink(w.dir + "/logs")
        os.symlink(disk, w.dir + "/logs")  # a file that is written to would keep the file system from becoming read-only
        time.sleep(1.5)
        same([], os.listdir(disk))
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        n = settled(w, p)
        same([(1, i) for i in range(n)], numbers(w.dir + "/before/log", disk + "/log"))
        assert len(numbers(disk + "/log")) > n // 4


@test("something else is where the folder was: nothing is lost")
def _():
    with World() as w:
        os.mkdir(w.dir + "/logs")
        p = w.begin("steady", FILE % (w.dir + "/logs/log"), 2500)
        time.sleep(0.5)
        os.rename(w.dir + "/logs", w.dir + "/before")
        with open(w.dir + "/logs", "w", encoding="ascii"):
            pass  # a file where the folder was
        time.sleep(1.2)
        os.unlink(w.dir + "/logs")
        n = settled(w, p)
        same([(1, i) for i in range(n)], numbers(w.dir + "/before/log", w.dir + "/logs/log"))


# ---- the clock ----

def times(path):
    with open(path, encoding="utf-8") as f:
        return [line.split()[0][5:] for line in f if " msg=number " in line]


def stepped(w, by):
    """The program's clock is so many seconds off from its second second on."""
    skip_unless(FAKETIME, "faketime is not installed")
    skip_unless(not sanitized(), "a sanitizer and faketime are not loaded together")
    clock = w.dir + "/clock"
    with open(clock, "w", encoding="ascii") as f:
        f.write("+0\n")
    env = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
           "DONT_FAKE_MONOTONIC": "1"}
    p = w.begin("steady", FILE % (w.dir + "/log"), 2500, env=env)
    time.sleep(1)
    with open(clock + ".new", "w", encoding="ascii") as f:
        f.write("%+d\n" % by)
    os.rename(clock + ".new", clock)
    n = settled(w, p)
    same([(1, i) for i in range(n)], numbers(w.dir + "/log"))
    with open(w.dir + "/log", encoding="utf-8") as f:
        return times(w.dir + "/log"), f.read()


@test("the clock is set back by two seconds: times go on, slower, and never back")
def _():
    with World() as w:
        found, _ = stepped(w, -2)
        same(sorted(found), found)
        assert found[-1] > found[0]


@test("the clock is set back by an hour: times follow it once, that is told in a line, and nothing is lost")
def _():
    with World() as w:
        found, text = stepped(w, -3600)
        same(1, sum(b < a for a, b in zip(found, found[1:])), "steps back")
        assert "the clock was set back" in text


@test("the clock is set an hour on: times follow it, and nothing is lost")
def _():
    with World() as w:
        found, _ = stepped(w, 3600)
        same(sorted(found), found)


# ---- logrotate ----

def rotate(w, how):
    skip_unless(shutil.which("logrotate"), "logrotate is not installed")
    with open(w.dir + "/rotate.conf", "w", encoding="ascii") as f:
        f.write("%s/log {\n  rotate 20\n  nocompress\n  su %d %d\n  %s\n}\n" % (w.dir, os.geteuid(), os.getegid(), how))
    os.chmod(w.dir + "/rotate.conf", 0o644)
    r = subprocess.run(["logrotate", "-f", "-s", w.dir + "/state", w.dir + "/rotate.conf"], stderr=subprocess.PIPE, check=False)
    same((0, b""), (r.returncode, r.stderr))


def rotated(w):
    return [w.dir + "/log.%d" % i for i in range(20, 0, -1) if os.path.exists(w.dir + "/log.%d" % i)] + [w.dir + "/log"]


@test("logrotate moves the file, with and without a new one: every line once, in order")
def _():
    for how in ("nocreate", "create 0600"):
        with World() as w:
            p = w.begin("steady", FILE % (w.dir + "/log"), 4000)
            for _ in range(2):
                time.sleep(1.3)
                rotate(w, how)
            n = settled(w, p)
            same([(1, i) for i in range(n)], numbers(*rotated(w)), how)
            same(3, len(rotated(w)))


main()
