#!/usr/bin/env python3
"""A broker as a system service: service.py ROLLWAY. What it tells systemd and the journal, and SIGHUP. Speaks TAP."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop")]
from tap import main, same, test  # noqa: E402

ROLLWAY = sys.argv[1]


class Service:
    """A broker under something that behaves like systemd."""

    def __init__(self, config="", journal=False, **environment):
        self.dir = tempfile.mkdtemp(prefix="rollway-service-")
        self.config = os.path.join(self.dir, "server.properties")
        self.write(config)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.dir, "notify"))
        self.notify.settimeout(10)
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "wb") as log:
            st = os.fstat(log.fileno())
            if journal:
                environment["JOURNAL_STREAM"] = "%d:%d" % (st.st_dev, st.st_ino)
            self.process = subprocess.Popen([ROLLWAY, "server", "--config", self.config], stderr=log, stdout=log,
                                            env={**os.environ, "NOTIFY_SOCKET": os.path.join(self.dir, "notify"),
                                                 **environment})

    def write(self, config):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("listeners=PLAINTEXT://127.0.0.1:0\nrollway.http.listen=off\nlog.dirs=%s/data\n%s\n"
                    % (self.dir, config))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.notify.close()
        shutil.rmtree(self.dir)

    def hears(self):
        return self.notify.recv(1000).decode()

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def says(self, text):
        """Waits for a line."""
        for _ in range(100):
            if text in self.log():
                return
            time.sleep(0.05)
        raise AssertionError("no %r in: %s" % (text, self.log()[-1500:]))


@test("READY=1 when the listeners are open, STOPPING=1 at SIGTERM")
def _():
    with Service() as s:
        same("READY=1", s.hears())
        assert "ready" in s.log()
        s.process.send_signal(signal.SIGTERM)
        same("STOPPING=1", s.hears())
        same(0, s.process.wait(10))


@test("WATCHDOG=1 in half of the time, and not for another process")
def _():
    with Service(WATCHDOG_USEC="400000") as s:
        began = time.time()
        got = [s.hears() for _ in range(6)]
        assert got.count("WATCHDOG=1") >= 5, got
        assert time.time() - began < 3
    with Service(WATCHDOG_USEC="400000", WATCHDOG_PID="1") as s:
        same("READY=1", s.hears())
        s.notify.settimeout(1)
        try:
            raise AssertionError("it said " + s.hears())
        except TimeoutError:
            pass


@test("lines for the journal begin with their priority, others do not")
def _():
    for journal in (True, False):
        with Service("no.such.key=1", journal=journal) as s:
            s.hears()
            levels = [line[:3] for line in s.log().splitlines()]
            if journal:
                assert "<4>" in levels and "<6>" in levels, s.log()
            else:
                assert not any(level.startswith("<") for level in levels), s.log()


@test("SIGHUP: levels change at once, other keys are told, mistakes change nothing")
def _():
    with Service() as s:
        s.hears()
        s.write("rollway.diag.level=conn=debug,warn\nnum.partitions=7")
        s.process.send_signal(signal.SIGHUP)
        s.says("num.partitions")
        before = s.log()
        s.process.send_signal(signal.SIGHUP)
        s.says("num.partitions")
        time.sleep(0.2)
        assert "read again" not in s.log()[len(before):], "info is still written"
        s.write("rollway.diag.level=loud")
        s.process.send_signal(signal.SIGHUP)
        s.says("not read again")
        same(None, s.process.poll())
        s.write("rollway.diag.level=info")
        s.process.send_signal(signal.SIGHUP)
        s.says("read again")


@test("--check-config refuses a level that is none")
def _():
    got = subprocess.run([ROLLWAY, "server", "--check-config", "--log-level", "conn=loud"], capture_output=True,
                         text=True, check=False)
    same(2, got.returncode)
    assert "rollway.diag.level" in got.stderr, got.stderr


main()
