#!/usr/bin/env python3
"""What programs do to a library that lives in them: lives.py LIVES. Each test says what becomes of the lines. Speaks TAP."""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop")]
from tap import Skip, main, same, test  # noqa: E402

LIVES = os.path.abspath(sys.argv[1])


def sanitized():
    with open(LIVES, "rb") as f:
        program = f.read()
    return b"__tsan_init" in program or b"__asan_init" in program


class World:
    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-lives-")
        os.mkdir(self.dir + "/rings")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def live(self, how, appender="appender.f.type = file\nappender.f.path = lives.log\n", **more):
        settings = "rings.dir = rings\n" + appender + "appender.f.flush.interval = 50ms\n"
        p = subprocess.run([LIVES, how, settings], cwd=self.dir, timeout=60, check=False, stderr=subprocess.PIPE, **more)
        return p.returncode, p.stderr.decode()

    def numbers(self, name="lives.log"):
        with open(os.path.join(self.dir, name), encoding="utf-8") as f:
            return [int(n) for n in re.findall(r" n=(\d+) ", f.read())]


@test("all descriptors are closed: files that the program opens then are its own, and no line is lost")
def _():
    if sanitized():
        raise Skip("a sanitizer keeps descriptors of its own")
    with World() as w:
        same((0, ""), (w.live("close_all")[0], ""))
        for i in range(8):
            same(0, os.path.getsize("%s/own.%d" % (w.dir, i)), "own.%d" % i)
        same(list(range(20)), w.numbers())


@test("the folder is changed: relative paths are those of the start, when files are opened again and settings read again")
def _():
    with World() as w:
        same((0, ""), w.live("change_folder"))
        same(list(range(20)), w.numbers())


@test("a daemon: what was logged before the fork is written by the child")
def _():
    if sanitized():
        raise Skip("a sanitizer's own locks are not safe over the fork of a program with threads")
    with World() as w:
        same((0, ""), w.live("daemon"))
        until = time.time() + 20
        while len(os.listdir(w.dir + "/rings")) > 0:
            assert time.time() < until, "rings stay: %s" % os.listdir(w.dir + "/rings")
            time.sleep(0.1)
        same(list(range(20)), sorted(w.numbers()))


@test("killed, while a child lives on: the next start has the lines at once")
def _():
    with World() as w:
        same(-9, w.live("killed_with_child")[0])
        same((0, ""), w.live("nothing"))
        same(list(range(10)), w.numbers())


@test("a child that closes the logger does not touch its parent's rings")
def _():
    if sanitized():
        raise Skip("a sanitizer's own locks are not safe over the fork of a program with threads")
    with World() as w:
        same(-9, w.live("child_closes")[0])
        same((0, ""), w.live("nothing"))
        same(list(range(20)), w.numbers())


@test("standard descriptors are closed: no file of the library takes their place")
def _():
    for closed in ((0,), (1,), (2,), (0, 1, 2)):
        with World() as w:
            def close(fds=closed):
                for fd in fds:
                    os.close(fd)
            code, _ = w.live("plain", "appender.c.type = console\nappender.c.stream = stdout\nappender.f.type = file\n"
                             "appender.f.path = lives.log\n", stdout=subprocess.DEVNULL, preexec_fn=close)
            same(list(range(20)), w.numbers(), "closed %s" % (closed,))
            same(5 if 1 in closed else 0, code, "closed %s" % (closed,))  # what the console did not get is told


@test("a limit on the size of files is no reason to die")
def _():
    if sanitized():
        raise Skip("a sanitizer wants to write files itself")
    with World() as w:
        code, err = w.live("plain", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        same(1, code, err)
        assert "the file of the rings" in err, err


main()
