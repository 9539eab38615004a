#!/usr/bin/env python3
"""What clients are told about where the broker is: address.py ROLLWAY

Brokers and clients in network namespaces of their own, with host names and hosts files of their own, where this
machine lets us (root, ip, unshare, kcat); otherwise what can be seen without. Speaks TAP.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]
from kwire import Client  # noqa: E402

if sys.argv[1] == "--ask":  # on the client's side of a namespace
    with Client((sys.argv[2], int(sys.argv[3]))) as ask:
        brokers = ask.ask("Metadata", 9, topics=[])["brokers"]
        same = [(b["host"], b["port"]) for b in ask.ask("DescribeCluster", 0)["brokers"]]
        assert [(b["host"], b["port"]) for b in brokers] == same
        print(brokers[0]["host"], brokers[0]["port"])
    sys.exit(0)

from tap import Skip, main, same, test  # noqa: E402  pylint: disable=ungrouped-imports,wrong-import-position

ROLLWAY = sys.argv[1]
A, B = "rw-%d-a" % os.getpid(), "rw-%d-b" % os.getpid()  # the broker's and the client's
HOST, OTHER = "10.213.7.1", "10.213.7.2"
LOCAL = "127.0.0.1 localhost\n"


def sh(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def in_namespace(namespace, hosts, name, *command):
    """The command line that runs `command` there, with a hosts file and a host name of its own."""
    script = 'mount --bind "$0" /etc/hosts && hostname "$1" && shift && exec "$@"'
    return ["ip", "netns", "exec", namespace, "unshare", "--mount", "--uts", "sh", "-c", script, hosts, name, *command]


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-address-")
        self.number = 0
        self.why_not = self.build()

    def build(self):
        if os.geteuid() != 0:
            return "needs root"
        if not all(shutil.which(p) for p in ("ip", "unshare", "kcat")):
            return "needs ip, unshare and kcat"
        for step in (("netns", "add", A), ("netns", "add", B),
                     ("-n", A, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", B),
                     ("-n", A, "addr", "add", HOST + "/24", "dev", "veth0"),
                     ("-n", B, "addr", "add", OTHER + "/24", "dev", "veth0"),
                     ("-n", A, "link", "set", "veth0", "up"), ("-n", B, "link", "set", "veth0", "up"),
                     ("-n", A, "link", "set", "lo", "up"), ("-n", B, "link", "set", "lo", "up")):
            done = sh("ip", *step)
            if done.returncode:
                return "no network namespaces: " + done.stderr.strip()
        return None

    def close(self):
        sh("ip", "netns", "del", A)
        sh("ip", "netns", "del", B)
        shutil.rmtree(self.dir, ignore_errors=True)

    def file(self, text):
        self.number += 1
        path = os.path.join(self.dir, "hosts%d" % self.number)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path


world = World()


class Broker:
    """In namespace A, called `name`; hosts None: right here."""

    def __init__(self, hosts, name, *settings, command="server"):
        world.number += 1
        self.dir = os.path.join(world.dir, "data%d" % world.number)
        self.log_path = self.dir + ".log"
        run = [ROLLWAY, command, "--data", self.dir, "--log-format", "logfmt", "--set", "rollway.http.listen=off"]
        for s in settings:
            run += ["--set", s]
        if hosts:
            run = in_namespace(A, world.file(hosts), name, *run)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(run, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.port = int(self.says(r"msg=ready.* kafka=\S*:(\d+)")[1])

    def says(self, pattern):
        for _ in range(400):
            with open(self.log_path, encoding="utf-8") as f:
                found = re.search(pattern, f.read())
            if found:
                return found
            assert self.process.poll() is None, open(self.log_path, encoding="utf-8").read()
            time.sleep(0.05)
        raise AssertionError("not said: %s\n%s" % (pattern, open(self.log_path, encoding="utf-8").read()))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        same(0, self.process.wait(20), "exit status of the broker")


def told(namespace, host, port):
    done = sh("ip", "netns", "exec", namespace, sys.executable, __file__, "--ask", host, str(port))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0], int(done.stdout.split()[1])


def through_kcat(prefix, bootstrap):
    """Produces and consumes: kcat goes to the address that it is told."""
    topic = "t%d" % time.time_ns()
    run = subprocess.run(prefix + ["kcat", "-P", "-b", bootstrap, "-t", topic], input="hello\n", text=True,
                         capture_output=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr
    run = sh(*prefix, "kcat", "-C", "-b", bootstrap, "-t", topic, "-e", "-q", "-o", "beginning")
    same((0, "hello\n"), (run.returncode, run.stdout), run.stderr)


def there():
    if world.why_not:
        raise Skip(world.why_not)


ANY = "listeners=PLAINTEXT://:0"
NAMED = LOCAL + HOST + " broker.example.test broker\n"


@test("a name that leads to the broker is what clients from other hosts are told, with the real port")
def _():
    there()
    for listeners in (ANY, "listeners=PLAINTEXT://0.0.0.0:0", "listeners=PLAINTEXT://[::]:0"):
        with Broker(NAMED, "broker", listeners) as b:
            b.says("told this machine's name.*broker.example.test")
            same(("broker.example.test", b.port), told(B, HOST, b.port))
            same(("127.0.0.1", b.port), told(A, "127.0.0.1", b.port))
            through_kcat(in_namespace(B, world.file(NAMED), "client"), "broker:%d" % b.port)
            through_kcat(in_namespace(A, world.file(NAMED), "broker"), "localhost:%d" % b.port)
            through_kcat(in_namespace(A, world.file(NAMED), "broker"), "broker:%d" % b.port)


@test("a name that stands for the loopback only (Debian's hosts file) is not told to other hosts")
def _():
    there()
    hosts = LOCAL + "127.0.1.1 broker.example.test broker\n"
    with Broker(hosts, "broker", ANY) as b:
        b.says("told this machine's name")
        same((HOST, b.port), told(B, HOST, b.port))
        same(("127.0.0.1", b.port), told(A, "127.0.0.1", b.port))
        same(("broker.example.test", b.port), told(A, "127.0.1.1", b.port))
        through_kcat(in_namespace(B, world.file(LOCAL), "client"), "%s:%d" % (HOST, b.port))
        through_kcat(in_namespace(A, world.file(hosts), "broker"), "broker:%d" % b.port)


@test("a name that stands beside localhost in the hosts file")
def _():
    there()
    with Broker("127.0.0.1 localhost broker\n", "broker", ANY) as b:
        b.says("told this machine's name.*name=broker")
        same((HOST, b.port), told(B, HOST, b.port))
        same(("broker", b.port), told(A, "127.0.0.1", b.port))


@test("a name that does not resolve: the address by which the client came, and a word to the operator")
def _():
    there()
    with Broker(LOCAL, "lonely.invalid", ANY) as b:
        b.says("does not resolve.*lonely.invalid")
        same((HOST, b.port), told(B, HOST, b.port))
        same(("127.0.0.1", b.port), told(A, "127.0.0.1", b.port))
        through_kcat(in_namespace(B, world.file(LOCAL), "client"), "%s:%d" % (HOST, b.port))


@test("advertised.listeners is told as it is; a wrong one is named by the broker and by the command line")
def _():
    there()
    with Broker(NAMED, "broker", "listeners=PLAINTEXT://:0", "advertised.listeners=PLAINTEXT://nowhere.invalid:0") as b:
        b.says("does not resolve here.*nowhere.invalid")
        same(("nowhere.invalid", b.port), told(B, HOST, b.port))
        done = subprocess.run(["ip", "netns", "exec", B, ROLLWAY, "produce", "t", "-b", "%s:%d" % (HOST, b.port)],
                              input="x\n", capture_output=True, text=True, timeout=60, check=False)
        same(3, done.returncode, done.stderr)
        words = "connected to %s:%d, but broker 1 advertises nowhere.invalid:%d, which does not resolve here"
        assert words % (HOST, b.port, b.port) in done.stderr, done.stderr
        assert "advertised.listeners" in done.stderr


@test("the command line reaches a broker without advertised.listeners from another host")
def _():
    there()
    with Broker(LOCAL, "lonely.invalid", ANY) as b:
        run = subprocess.run(["ip", "netns", "exec", B, ROLLWAY, "produce", "t", "-b", "%s:%d" % (HOST, b.port)],
                             input="x\n", capture_output=True, text=True, timeout=60, check=False)
        same(0, run.returncode, run.stderr)


@test("from the same machine, with the defaults: rollway server and rollway dev")
def _():
    for command, listeners in (("server", ANY), ("dev", "listeners=PLAINTEXT://127.0.0.1:0")):
        with Broker(None, None, listeners, command=command) as b:
            with Client(("127.0.0.1", b.port)) as c:
                got = c.ask("Metadata", 9, topics=[])["brokers"][0]
            same(b.port, got["port"])
            if command == "dev":
                same("127.0.0.1", got["host"])
            Client((got["host"], got["port"])).s.close()
            if shutil.which("kcat"):
                through_kcat([], "localhost:%d" % b.port)


try:
    main()
finally:
    world.close()
