#!/usr/bin/env python3
"""Changes at awkward moments: moments.py ROLLWAY

Topics are deleted and changed while their logs are still being recovered, can not be opened, or are on their way out.
Each test starts brokers of its own on free ports. Speaks TAP.
"""
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]
from kwire import ERRORS, Client, batch  # noqa: E402
from ports import free_port  # noqa: E402
from tap import main, same, test  # noqa: E402

ROLLWAY = sys.argv[1]


class Broker:
    """One shard, so that one recovery runs after the other."""

    def __init__(self, *settings):
        self.settings = settings
        self.dir = tempfile.mkdtemp(prefix="rollway-moments-")
        self.port = free_port()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir)

    def start(self):
        command = [ROLLWAY, "dev", "--data", os.path.join(self.dir, "data")]
        for s in ("listeners=PLAINTEXT://127.0.0.1:%d" % self.port, "rollway.http.listen=off", "rollway.shards=1",
                  "num.recovery.threads.per.data.dir=1") + self.settings:
            command += ["--set", s]
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(2000):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.005)
            if self.process.poll() is not None:
                raise RuntimeError("the broker does not start")
        raise RuntimeError("the broker does not listen")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        if how == signal.SIGTERM:
            same(0, code, "exit status of the broker")

    def client(self):
        return Client(("127.0.0.1", self.port), 60)

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def files(self, soft):
        """Nothing can be opened when `soft` is below what is open. Returns the limit as it was."""
        before, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        return before

    def directories(self, name):
        return [d for d in os.listdir(os.path.join(self.dir, "data")) if d.startswith(name + "-")]


def create(c, name, partitions=1, **configs):
    same(0, c.ask("CreateTopics", 7, topics=[{
        "name": name, "num_partitions": partitions, "replication_factor": 1,
        "configs": [{"name": k.replace("_", "."), "value": v} for k, v in configs.items()]}],
        timeout_ms=60000)["topics"][0]["error_code"], "CreateTopics")


def delete(c, name):
    same(0, c.ask("DeleteTopics", 6, topics=[{"name": name}], timeout_ms=60000)["responses"][0]["error_code"],
         "DeleteTopics")


def produce(c, name, partition, records):
    got = c.ask("Produce", 8, acks=-1, timeout_ms=30000, topic_data=[
        {"name": name, "partition_data": [{"index": partition, "records": records}]}]
    )["responses"][0]["partition_responses"][0]
    return got["error_code"], got["base_offset"]


@test("a topic deleted while its logs wait to be recovered leaves nothing, and can be made again")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "t", 200)
            for i in range(0, 200, 20):
                same((0, 0), produce(c, "t", i, batch([b"old"])))
        b.stop(signal.SIGKILL)
        b.start()
        with b.client() as c:
            delete(c, "t")
            same([], b.directories("t"), "directories of the deleted topic")
            create(c, "t", 200)
            for i in range(200):
                same((0, 0), produce(c, "t", i, batch([b"new"])), "partition %d" % i)
        b.stop()


@test("a log that can not be opened does not keep its topic from being deleted, nor the broker from starting")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "bad")
        b.stop()
        segment = os.path.join(b.dir, "data", "bad-0", "0" * 20 + ".log")
        os.remove(segment)
        os.mkdir(segment)
        b.start()
        with b.client() as c:
            delete(c, "bad")
            create(c, "bad")
            same((0, 0), produce(c, "bad", 0, batch([b"new"])))
        b.stop()
        b.start()
        with b.client() as c:
            same((0, 1), produce(c, "bad", 0, batch([b"newer"])))


@test("settings that change while the logs are being recovered hold when they are open")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "t", 40, flush_messages="1000000")
            large = batch([bytes(1000000)])
            for i in range(120):
                same(0, produce(c, "t", i % 40, large)[0])
        b.stop(signal.SIGKILL)
        b.start()
        with b.client() as c:
            same(0, c.ask("IncrementalAlterConfigs", 0, validate_only=False, resources=[{
                "resource_type": 2, "resource_name": "t", "configs": [
                    {"name": "max.message.bytes", "config_operation": 0, "value": "1000"}]}]
            )["responses"][0]["error_code"])
            for i in range(40):
                same((ERRORS["MESSAGE_TOO_LARGE"], -1), produce(c, "t", i, batch([bytes(5000)])), "partition %d" % i)
        b.stop()


@test("a sync that finds no descriptor is done when there is one; the log stays online")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "t", flush_messages="1000000", segment_bytes="1024")
            for i in range(3):  # rolls, and nothing syncs the directory yet
                same((0, i), produce(c, "t", 0, batch([os.urandom(900)])))
            before = b.files(4)
            same(0, c.ask("IncrementalAlterConfigs", 0, validate_only=False, resources=[{
                "resource_type": 2, "resource_name": "t", "configs": [
                    {"name": "flush.messages", "config_operation": 0, "value": "1"}]}]
            )["responses"][0]["error_code"])
            until = time.time() + 60
            while "once more" not in b.log():
                assert "offline" not in b.log() and time.time() < until, b.log()[-900:]
                time.sleep(0.1)
            b.files(before)
            same((0, 3), produce(c, "t", 0, batch([bytes(10)])))
        b.stop()
        b.start()
        with b.client() as c:
            same((0, 4), produce(c, "t", 0, batch([bytes(10)])))


@test("after a clean stop, and after a crash, the last five batches of a producer are known, and repetitions get their offsets")
def _():
    for how in (signal.SIGTERM, signal.SIGKILL):
        for segment_bytes in ("1048576", "1024"):
            with Broker() as b:
                with b.client() as c:
                    create(c, "t", segment_bytes=segment_bytes)
                    for i in range(7):
                        for pid in (5, 6):
                            same((0, 3 * i + 2 * (pid - 5)), produce(c, "t", 0, batch(
                                [bytes(300)] * (7 - pid), pid=pid, epoch=0, sequence=i * (7 - pid))))
                b.stop(how)
                b.start()
                with b.client() as c:
                    for i in range(2, 7):
                        for pid in (5, 6):
                            same((0, 3 * i + 2 * (pid - 5)), produce(c, "t", 0, batch(
                                [bytes(300)] * (7 - pid), pid=pid, epoch=0, sequence=i * (7 - pid))),
                                "%s: batch %d of %d" % (how, i, pid))
                    same(ERRORS["OUT_OF_ORDER_SEQUENCE_NUMBER"], produce(c, "t", 0, batch(
                        [bytes(300)], pid=6, epoch=0, sequence=8))[0])
                    same((0, 21), produce(c, "t", 0, batch([bytes(300)], pid=6, epoch=0, sequence=7)))
                b.stop()


@test("a topic that is not created on the fly is told in the log, with client and reason, not each time")
def _():
    def ask(c, *names):
        c.ask("Metadata", 9, topics=[{"name": n} for n in names], allow_auto_topic_creation=True)

    def told(b):
        return [line for line in b.log().splitlines() if "was not created" in line]

    for settings, names, reason in (
            ((), ("no/name",), "name"), (("auto.create.topics.enable=false",), ("t",), "auto.create.topics.enable"),
            (("rollway.partitions.max=1",), ("one", "two"), "partitions")):
        with Broker(*settings) as b:
            with b.client() as c:
                c.ask("Metadata", 9, topics=[{"name": "quiet"}], allow_auto_topic_creation=False)
                same([], told(b))
                for _ in range(5):
                    ask(c, *names)
            lines = told(b)
            same(1, len(lines), "lines in %s" % b.log()[-900:])
            assert names[-1] in lines[0] and reason in lines[0].split("reason=")[1] and "client_id=" in lines[0], lines
            same(["one"] if len(names) > 1 else [], [d[:-2] for d in b.directories("one")])


@test("syncs that wait for a descriptor hold up no others")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "ready", flush_messages="1")
            same((0, 0), produce(c, "ready", 0, batch([b"x"])))  # its directory is synced
            create(c, "t", 20, flush_messages="1000000", segment_bytes="1024")
            for partition in range(20):
                for i in range(2):  # rolls, and nothing syncs the directory yet
                    same((0, i), produce(c, "t", partition, batch([os.urandom(900)])))
            before = b.files(4)
            same(0, c.ask("IncrementalAlterConfigs", 0, validate_only=False, resources=[{
                "resource_type": 2, "resource_name": "t", "configs": [
                    {"name": "flush.messages", "config_operation": 0, "value": "1"}]}]
            )["responses"][0]["error_code"])
            began = time.time()
            for i in range(1, 6):
                same((0, i), produce(c, "ready", 0, batch([b"x"])))
            assert time.time() - began < 5, time.time() - began
            b.files(before)
            for partition in range(20):
                same((0, 2), produce(c, "t", partition, batch([b"x"])))
        b.stop()


@test("new topics whose logs can not be opened are an error in words; they are opened when there are descriptors")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "s")
            one_more = max(int(n) for n in os.listdir("/proc/%d/fd" % b.process.pid)) + 2
            before = b.files(one_more)  # behind the broker's back: it counts, and believes that there are many more
            got = c.ask("CreateTopics", 7, topics=[{"name": "t", "num_partitions": 3, "replication_factor": 1}],
                        timeout_ms=60000)["topics"][0]
            same(ERRORS["KAFKA_STORAGE_ERROR"], got["error_code"])
            assert "open files" in got["error_message"] and any(got["topic_id"]), got
            same(ERRORS["KAFKA_STORAGE_ERROR"], c.ask("CreatePartitions", 3, topics=[
                {"name": "s", "count": 2, "assignments": None}], timeout_ms=60000, validate_only=False)
                ["results"][0]["error_code"])
            b.files(before)
            for name, partition in (("t", 0), ("t", 1), ("t", 2), ("s", 1)):
                same((0, 0), produce(c, name, partition, batch([b"x"])), "%s-%d" % (name, partition))


class Gather:
    """Takes what a client sends, so that it can be sent together."""

    def __init__(self):
        self.data = b""

    def sendall(self, data):
        self.data += data


@test("a log that fails between batches that came together: each of them is answered, at once and with an error")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "t", 2)
            same((0, 0), produce(c, "t", 1, batch([bytes(250000)])))  # the next receive takes as much at once
            n, sock, first = 50, c.s, c.correlation + 1
            c.s = Gather()
            for _ in range(n):
                c.send("Produce", 8, acks=-1, timeout_ms=30000, topic_data=[
                    {"name": "t", "partition_data": [{"index": 0, "records": batch([bytes(400)])}]}])
            # All frames are there with one receive. The first batch of a segment is written alone (pwrite64);
            # the second write, of all others, fails.
            strace = subprocess.Popen(["strace", "-f", "-p", str(b.process.pid), "-e", "trace=pwritev", "-e",
                                       "inject=pwritev:error=EIO:when=1"], stderr=subprocess.PIPE)
            assert b"attached" in strace.stderr.readline(), "strace does not attach"
            b.process.send_signal(signal.SIGSTOP)
            sock.sendall(c.s.data)
            b.process.send_signal(signal.SIGCONT)
            c.s = sock
            began = time.time()
            errors = []
            for i in range(n):
                c.correlation = first + i
                errors.append(c.receive("Produce", 8)["responses"][0]["partition_responses"][0]["error_code"])
            assert time.time() - began < 25, "answers came when their time was up"
            same([ERRORS["KAFKA_STORAGE_ERROR"]] * n, errors)
        b.stop(signal.SIGKILL)
        strace.communicate()


@test("a topic named twice in DeleteTopics: both rows are refused, and say what was named")
def _():
    with Broker() as b:
        with b.client() as c:
            name = "a-name-long-enough-to-lie-on-the-heap-by-itself"
            create(c, name)
            for row in c.ask("DeleteTopics", 4, topic_names=[name, name], timeout_ms=9000)["responses"]:
                same(name, row["name"])
                same(ERRORS["INVALID_REQUEST"], row["error_code"])
            delete(c, name)


@test("a list setting grows as far as an answer can say it")
def _():
    with Broker() as b:
        with b.client() as c:
            create(c, "t")
            key = "leader.replication.throttled.replicas"
            errors = []
            for n in range(3):
                more = ",".join("%d:%d" % (i, n) for i in range(2500))
                errors.append(c.ask("IncrementalAlterConfigs", 0, validate_only=False, resources=[{
                    "resource_type": 2, "resource_name": "t", "configs": [
                        {"name": key, "config_operation": 2, "value": more}]}])["responses"][0]["error_code"])
            same([0, ERRORS["INVALID_CONFIG"], ERRORS["INVALID_CONFIG"]], errors)


main()
