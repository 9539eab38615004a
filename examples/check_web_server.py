#!/usr/bin/env python3
"""The web server of this folder with a real broker: what it says in its file is what is in the topic, line by line, also when it was
killed in between: check_web_server.py ROLLWAY WEB_SERVER WEB_SERVER.CONF. Speaks TAP."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "interop")]
from tap import main, same, test  # noqa: E402

ROLLWAY, WEB_SERVER, CONF = map(os.path.abspath, sys.argv[1:4])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(what, ready, seconds=30):
    until = time.time() + seconds
    while not ready():
        assert time.time() < until, "in vain: " + what
        time.sleep(0.05)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class World:
    """A folder with files to serve, a broker, and the web server, which logs to both."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-web-")
        self.kafka, self.http = free_port(), free_port()
        self.processes = []
        os.makedirs(self.dir + "/www")
        for name, text in (("a.txt", "a" * 10), ("b.txt", "b" * 100000)):
            with open(self.dir + "/www/" + name, "w", encoding="ascii") as f:
                f.write(text)
        os.symlink("loop", self.dir + "/www/loop")
        self.log, self.conf = self.dir + "/web_server.log", self.dir + "/web_server.conf"
        with open(CONF, encoding="ascii") as f:
            self.settings = f.read()
        self.write_conf()

    def write_conf(self, more=""):
        """The settings as they are in the repository; paths and ports come from the environment."""
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(self.settings + more)

    def __enter__(self):
        self.broker = self.run([ROLLWAY, "dev", "--data", self.dir + "/data", "--set",
                                "listeners=PLAINTEXT://127.0.0.1:%d" % self.kafka, "--set", "rollway.http.listen=off"], "broker")
        wait("broker", lambda: listens(self.kafka))
        return self

    def __exit__(self, kind, *_):
        for p in self.processes:
            p.kill()
            p.wait()
        if kind and "KEEP" in os.environ:
            print("# kept: " + self.dir)
        else:
            shutil.rmtree(self.dir)

    def run(self, command, name, **env):
        with open("%s/%s.out" % (self.dir, name), "ab") as out:
            p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.dir, env={**os.environ, **env})
        self.processes.append(p)
        return p

    def start(self):
        os.makedirs(self.dir + "/rings", exist_ok=True)
        settings = ("rings.dir=%s/rings; appender.central.brokers=127.0.0.1:%d; appender.central.spool.dir=%s/spool; "
                    "appender.central.close.drain=20s" % (self.dir, self.kafka, self.dir))
        server = self.run([WEB_SERVER, str(self.http), self.dir + "/www", self.conf], "web", ROLLWAY_LOG=settings)
        wait("web server", lambda: listens(self.http) or server.poll() is not None)
        return server

    def get(self, path, request_id=None):
        """The status, None when there was no answer."""
        c = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        try:
            c.request("GET", path, headers={"X-Request-Id": request_id} if request_id else {})
            answer = c.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            c.close()

    def in_file(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read().splitlines()

    def in_topic(self):
        r = subprocess.run([ROLLWAY, "consume", "web-server", "-b", "127.0.0.1:%d" % self.kafka, "-o", "start", "-e", "-q", "-f",
                            "%v\\n"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        same(0, r.returncode, r.stderr)
        return r.stdout.splitlines()

    def stop(self, server):
        server.terminate()
        with open(self.dir + "/web.out", encoding="utf-8") as f:
            same(0, server.wait(60), f.read()[-400:])


def grep(pattern, path):
    return subprocess.run(["grep", "-F", pattern, path], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()


def requests_of(lines):
    """The ids of requests that were answered, in the order of the lines."""
    found = []
    for line in lines:
        record = json.loads(line)
        if record["message"] == "request":
            found.append(record["request"])
    return found


@test("the file and the topic hold the same lines, in the same order, and grep finds a request in both")
def _():
    with World() as w:
        server = w.start()
        for i in range(100):
            same(200, w.get("/a.txt" if i % 2 else "/b.txt", "r-%03d" % i))
        same(404, w.get("/nothing", "r-none"))
        same(404, w.get("/loop", "r-loop"))
        same(403, w.get("/../etc/passwd", "r-dots"))
        same(200, w.get("/a.txt", 'r-"\t\\{}'))
        w.stop(server)
        lines = w.in_file()
        same(lines, w.in_topic())
        same(104, json.loads(lines[-1])["requests"])
        same(["r-%03d" % i for i in range(100)] + ["r-none", "r-loop", "r-dots", 'r-"\t\\{}'], requests_of(lines))

        found = grep('"request":"r-042"', w.log)
        same(found, [line for line in w.in_topic() if '"request":"r-042"' in line])
        same([("files", "file opened", "/b.txt"), ("http", "request", "/b.txt")],
             [(r["logger"], r["message"], r["path"]) for r in map(json.loads, found)])
        loop = json.loads(grep("r-loop", w.log)[0])
        same(("can not open a file", "warn", "Too many levels of symbolic links", 40),
             (loop["message"], loop["level"], loop["error"], loop["errno"]))


@test("SIGHUP reads the settings again; a wrong one changes nothing")
def _():
    with World() as w:
        server = w.start()
        same(200, w.get("/a.txt", "before"))
        w.write_conf("level.files = warn\n")
        server.send_signal(signal.SIGHUP)
        wait("reload", lambda: grep("settings read again", w.log))
        same(200, w.get("/a.txt", "after"))
        w.write_conf("level.files = loud\n")
        server.send_signal(signal.SIGHUP)
        wait("refusal", lambda: grep("settings are as before", w.log))
        same(200, w.get("/a.txt", "still"))
        w.stop(server)
        same([2, 1, 1], [len(grep('"request":"%s"' % r, w.log)) for r in ("before", "after", "still")])
        assert "level.files" in json.loads(grep("settings are as before", w.log)[0])["why"], "it does not say what is wrong"
        same(w.in_file(), w.in_topic())


@test("what a stranger can provoke is limited, and what was held back is counted")
def _():
    with World() as w:
        server = w.start()
        for _ in range(200):
            same(403, w.get("/.."))
        time.sleep(1.1)
        same(403, w.get("/.."))
        w.stop(server)
        limited = [json.loads(line) for line in grep("not a path to serve", w.log)]
        assert len(limited) < 20, "%d lines" % len(limited)
        same(201, len(limited) + sum(r.get("suppressed", 0) for r in limited))


@test("killed in between, five times: every answered request is in the file and in the topic, once, and they are equal")
def _():
    with World() as w:
        answered, sent, lock = [], set(), threading.Lock()

        def client(name, until):
            n = 0
            while time.time() < until:
                request_id = "%s-%d" % (name, n)
                n += 1
                status = w.get("/a.txt", request_id)
                with lock:
                    sent.add(request_id)
                    if status:
                        same(200, status)
                        answered.append(request_id)

        for life in range(5):
            server = w.start()
            until = time.time() + 1
            threads = [threading.Thread(target=client, args=("%d-%d" % (life, t), until)) for t in range(3)]
            for t in threads:
                t.start()
            time.sleep(0.5 + life * 0.07)
            server.kill()
            server.wait()
            for t in threads:
                t.join()
        server = w.start()
        same(200, w.get("/a.txt", "last"))
        w.stop(server)
        lines, topic = w.in_file(), w.in_topic()
        for what, found in (("file", requests_of(lines)), ("topic", requests_of(topic))):
            same(len(found), len(set(found)), what + ": twice")
            same(set(), set(answered) - set(found), what + ": lost")
            same(set(), set(found) - sent - {"last"}, what + ": never sent")
        same(sorted(lines), sorted(topic))
        assert len(answered) > 50, "only %d requests" % len(answered)
        print("# %d requests, %d lines, 5 kills" % (len(answered), len(lines)))


main()
