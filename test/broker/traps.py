#!/usr/bin/env python3
"""What new brokers get wrong, tried on ours: traps.py ROLLWAY

Starts its own broker on free ports with a data directory of its own, and stops it. Speaks TAP. The requests are ones
that ordinary clients send rarely or never: every version of an API, wrong epochs, unknown ids, restarts in between.
"""
import os
import re
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
from kwire import APIS, ERRORS, ZERO_UUID, Client, batch, batches  # noqa: E402
from ports import free_port  # noqa: E402
from tap import main, same, test  # noqa: E402

ROLLWAY = sys.argv[1]


class Broker:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rollway-traps-")
        self.port = free_port()
        self.process = None
        self.start()

    def start(self, *settings):
        command = [ROLLWAY, "dev", "--data", os.path.join(self.dir, "data")]
        for s in ("listeners=PLAINTEXT://127.0.0.1:%d" % self.port, "rollway.http.listen=off", "rollway.shards=3",
                  "num.partitions=2") + settings:
            command += ["--set", s]
        log_path = os.path.join(self.dir, "log")
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        with open(log_path, encoding="utf-8", errors="replace") as log:
            raise RuntimeError("the broker does not start: " + log.read()[-3000:])

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(60)
        if how == signal.SIGTERM:
            same(0, code, "exit status of the broker")

    def restart(self, how):
        """Comes back when every partition is in service: before, the answers are errors to be tried again."""
        self.stop(how)
        self.restart_after_stop()

    def restart_after_stop(self):
        self.start()
        with client() as c:
            topics = [{"name": t["name"], "partitions": [{"partition_index": p["partition_index"], "timestamp": -1}
                                                         for p in t["partitions"]]}
                      for t in c.ask("Metadata", 9, topics=None)["topics"]]
            for _ in range(200):
                got = c.ask("ListOffsets", 5, replica_id=-1, topics=topics)["topics"]
                if not any(p["error_code"] for t in got for p in t["partitions"]):
                    return
                time.sleep(0.02)
        raise RuntimeError("some partitions do not open")


broker = Broker()
_names = 0


def client():
    return Client(("127.0.0.1", broker.port))


def error(name, got, what=""):
    same(ERRORS[name], got, what)


def topic(partitions=1, **configs):
    """A new topic: its name and id."""
    global _names
    _names += 1
    name = "trap%d" % _names
    with client() as c:
        made = c.ask("CreateTopics", 7, topics=[{
            "name": name, "num_partitions": partitions, "replication_factor": 1,
            "configs": [{"name": k.replace("_", "."), "value": v} for k, v in configs.items()]}])["topics"][0]
        same(0, made["error_code"], "CreateTopics: %s" % made["error_message"])
        return name, made["topic_id"]


def produce(name, data, acks=-1, partition=0, version=8, timeout_ms=5000):
    with client() as c:
        return c.ask("Produce", version, acks=acks, timeout_ms=timeout_ms, topic_data=[
            {"name": name, "partition_data": [{"index": partition, "records": data}]}]
        )["responses"][0]["partition_responses"][0]


def fetch(name, offset=0, version=11, topic_id=None, **more):
    partition = dict({"partition": 0, "fetch_offset": offset, "partition_max_bytes": 1 << 20},
                     **more.pop("partition", {}))
    which = {"topic": name} if topic_id is None else {"topic_id": topic_id}
    with client() as c:
        return c.ask("Fetch", version, **dict({"max_wait_ms": 0, "min_bytes": 1, "topics": [
            dict(which, partitions=[partition])]}, **more))


def fetched(*args, **kwargs):
    return fetch(*args, **kwargs)["responses"][0]["partitions"][0]


def list_offset(name, timestamp, version=7, **more):
    with client() as c:
        return c.ask("ListOffsets", version, replica_id=-1, topics=[{"name": name, "partitions": [
            dict({"partition_index": 0, "timestamp": timestamp}, **more)]}])["topics"][0]["partitions"][0]


# ---- ApiVersions ----

@test("ApiVersions lists what is served, in every version (P1, P4, P6)")
def _():
    with client() as c:
        for version in range(5):
            got = c.ask("ApiVersions", version, **({"client_software_name": "kwire", "client_software_version": "1.0"}
                                                   if version > 2 else {}))
            same(0, got["error_code"])
            ranges = {k["api_key"]: (k["min_version"], k["max_version"]) for k in got["api_keys"]}
            same((0, 13), ranges[0], "Produce")
            same((4, 18), ranges[1], "Fetch")
            same(15, len(ranges))
            same([], got["supported_features"])
            same(-1, got["finalized_features_epoch"])


@test("ApiVersions: a client software name that is none is INVALID_REQUEST")
def _():
    with client() as c:
        for name, version, wanted in (("a", "1", "NONE"), ("", "1", "INVALID_REQUEST"), ("-a", "1", "INVALID_REQUEST"),
                                      ("a b", "1", "INVALID_REQUEST"), ("a-b.c", "1.0-x", "NONE"),
                                      ("a", "1.", "INVALID_REQUEST")):
            error(wanted, c.ask("ApiVersions", 3, client_software_name=name,
                                client_software_version=version)["error_code"], name)


@test("every version of every API that is advertised is answered")
def _():
    with client() as c:
        served = {k["api_key"]: k for k in c.ask("ApiVersions", 0)["api_keys"]}
        for name, api in sorted(APIS.items()):
            if api.key not in served:
                continue
            low = 3 if name == "Produce" else served[api.key]["min_version"]  # 0-2: advertised, not served
            for version in range(low, served[api.key]["max_version"] + 1):
                fields = {"Produce": {"acks": 1}, "DescribeCluster": {"endpoint_type": 1},
                          "ApiVersions": {"client_software_name": "k", "client_software_version": "1"}}.get(name, {})
                known = {f.name for f in api.messages["request"].top.fields
                         if f.versions[0] <= version <= f.versions[1]}
                c.ask(name, version, **{k: v for k, v in fields.items() if k in known})


# ---- Metadata ----

@test("Metadata: null asks for all, empty for none; in version 0 empty asks for all")
def _():
    name, _ = topic()
    with client() as c:
        for version in range(14):
            empty = c.ask("Metadata", version, topics=[])
            names = [t["name"] for t in empty["topics"]]
            same(version == 0, name in names, "empty, version %d" % version)
            same(1, len(empty["brokers"]), "brokers")
            same(broker.port, empty["brokers"][0]["port"])
            if version:
                same(True, name in [t["name"] for t in c.ask("Metadata", version, topics=None)["topics"]])


@test("Metadata: by id; unknown ids; ids are real (P7)")
def _():
    name, tid = topic()
    with client() as c:
        got = c.ask("Metadata", 12, topics=[{"topic_id": tid, "name": None}, {"topic_id": b"x" * 16, "name": None}])
        same(name, got["topics"][0]["name"])
        same(0, got["topics"][0]["error_code"])
        error("UNKNOWN_TOPIC_ID", got["topics"][1]["error_code"])
        same(tid, c.ask("Metadata", 10, topics=[{"name": name}])["topics"][0]["topic_id"])
        assert tid != ZERO_UUID


@test("Metadata: a topic is created only when client and broker want it; a bad name never")
def _():
    with client() as c:
        def ask(name, allow):
            return c.ask("Metadata", 9, topics=[{"name": name}], allow_auto_topic_creation=allow)["topics"][0]
        error("UNKNOWN_TOPIC_OR_PARTITION", ask("auto-1", False)["error_code"])
        error("INVALID_TOPIC_EXCEPTION", ask("auto/1", True)["error_code"])
        made = ask("auto-1", True)
        same(0, made["error_code"])
        same(2, len(made["partitions"]), "num.partitions")
        same([(0, 1, 0), (1, 1, 0)], [(p["partition_index"], p["leader_id"], p["leader_epoch"])
                                      for p in made["partitions"]])
        got = c.ask("Metadata", 12, allow_auto_topic_creation=True, topics=[
            {"name": "auto-2"}, {"name": "auto-3", "topic_id": b"\5" * 16}])["topics"]
        same([0, ERRORS["UNKNOWN_TOPIC_ID"]], [t["error_code"] for t in got])
        error("UNKNOWN_TOPIC_OR_PARTITION", ask("auto-3", False)["error_code"], "it was asked for by its id")


# ---- Produce ----

@test("Produce: unknown topic, partition, id; wrong acks")
def _():
    name, tid = topic()
    error("UNKNOWN_TOPIC_OR_PARTITION", produce("nothing", batch())["error_code"])
    error("UNKNOWN_TOPIC_OR_PARTITION", produce(name, batch(), partition=1)["error_code"])
    error("UNKNOWN_TOPIC_OR_PARTITION", produce(name, batch(), partition=-1)["error_code"])
    error("INVALID_REQUIRED_ACKS", produce(name, batch(), acks=2)["error_code"])
    with client() as c:
        for i, wanted in ((tid, "NONE"), (b"y" * 16, "UNKNOWN_TOPIC_ID"), (ZERO_UUID, "UNKNOWN_TOPIC_ID")):
            got = c.ask("Produce", 13, acks=1, timeout_ms=1000, topic_data=[
                {"topic_id": i, "partition_data": [{"index": 0, "records": batch()}]}])["responses"][0]
            error(wanted, got["partition_responses"][0]["error_code"])
            same(i, got["topic_id"])


@test("Produce: what is wrong with a batch has its own error, and the good partitions go through")
def _():
    name, _ = topic(2)
    bad = bytearray(batch())
    bad[-1] ^= 1
    error("CORRUPT_MESSAGE", produce(name, bytes(bad))["error_code"])
    error("INVALID_RECORD", produce(name, batch() + batch())["error_code"], "two batches")
    error("INVALID_RECORD", produce(name, b"")["error_code"], "no batch")
    error("INVALID_RECORD", produce(name, batch(attributes=0x20))["error_code"], "control batch")
    error("INVALID_RECORD", produce(name, batch(attributes=0x10, pid=producer_id(), epoch=0, sequence=0))["error_code"],
          "a transaction that was not begun")
    with client() as c:
        got = c.ask("Produce", 8, acks=-1, timeout_ms=1000, topic_data=[{"name": name, "partition_data": [
            {"index": 0, "records": bytes(bad)}, {"index": 1, "records": batch()}]}])["responses"][0]
        same([(0, ERRORS["CORRUPT_MESSAGE"]), (1, 0)],
             [(p["index"], p["error_code"]) for p in got["partition_responses"]])
    same(0, list_offset(name, -1)["offset"])


@test("Produce: record_errors name the record (KIP-467)")
def _():
    name, _ = topic(cleanup_policy="compact")
    got = produce(name, batch((b"a", b"b")))
    error("INVALID_RECORD", got["error_code"])
    same(0, got["record_errors"][0]["batch_index"])
    assert got["error_message"]
    same(0, produce(name, batch((b"a",), key=b"k"))["error_code"])


@test("Produce: max.message.bytes is the limit of a batch; changed while the broker runs (P30)")
def _():
    name, _ = topic(max_message_bytes="1000")
    error("MESSAGE_TOO_LARGE", produce(name, batch((b"x" * 2000,)))["error_code"])
    with client() as c:
        got = c.ask("IncrementalAlterConfigs", 1, resources=[{"resource_type": 2, "resource_name": name, "configs": [
            {"name": "max.message.bytes", "config_operation": 0, "value": "1MiB"}]}])
        same(0, got["responses"][0]["error_code"])
    same(0, produce(name, batch((b"x" * 2000,)))["error_code"])


@test("Produce: compression.type of the topic is what is stored, whatever comes (A14)")
def _():
    values = [b"value %d " % i * 50 for i in range(20)]
    codecs = ["uncompressed", "gzip", "snappy", "lz4", "zstd"]
    names = [topic(compression_type=c)[0] for c in codecs]
    with client() as c:
        got = c.ask("InitProducerId", 4, transactional_id=None, transaction_timeout_ms=0)
    pid = got["producer_id"], got["producer_epoch"]
    for code, name in enumerate(names):
        times = [1000 + 7 * i for i in range(20)]
        sent = batch(values, b"key", times, pid=pid[0], epoch=pid[1], sequence=0)
        same(0, produce(name, sent, version=3)["error_code"])
        same(0, produce(name, sent, version=3)["base_offset"], "a duplicate is still one")
        got = fetched(name)["records"]
        same([(0, 19, 0, 1000 + 7 * 19, 20)], batches(got), codecs[code])
        same(code, got[22] & 7, "codec")
        same((pid[0], pid[1], 0), struct.unpack_from(">qhi", got, 43))
        assert code == 0 or len(got) < len(sent) / 2, "%d bytes of %d" % (len(got), len(sent))
        dump = subprocess.run([ROLLWAY, "log", "dump",
                               os.path.join(broker.dir, "data", name + "-0", "%020d.log" % 0)],
                              capture_output=True, text=True, timeout=20)
        same(0, dump.returncode, dump.stderr)
    plain = batch(values, b"key")
    for name in names:  # from each codec into each other
        source = topic(compression_type=codecs[names.index(name)])[0]
        produce(source, plain)
        got = fetched(source)["records"]
        for code, other in enumerate(names):
            produced = produce(other, got)
            same(0, produced["error_code"])
            stored = fetched(other, offset=produced["base_offset"])["records"]
            same(code, stored[22] & 7)
            same(plain[61:] if code == 0 else None, stored[61:] if code == 0 else None, "the same records")


@test("Produce: compression.type keeps the order of what one connection sends, with what needs no work in between")
def _():
    work = topic(2, compression_type="zstd", compression_zstd_level="19")
    with client() as c:
        got = c.ask("InitProducerId", 4, transactional_id=None, transaction_timeout_ms=0)
        pid = got["producer_id"], got["producer_epoch"]
        values = [os.urandom(20) * 20 for _ in range(100)]
        for i in range(30):  # all at once; every third one is quick
            many = values if i % 3 else values[:1]
            c.send("Produce", 9, transactional_id=None, acks=-1, timeout_ms=9000, topic_data=[
                {"name": work[0], "partition_data": [
                    {"index": 0, "records": batch(many, pid=pid[0], epoch=pid[1],
                                                  sequence=sum(100 if k % 3 else 1 for k in range(i)))}]}])
        c.correlation -= 30
        for i in range(30):
            c.correlation += 1
            got = c.receive("Produce", 9)["responses"][0]["partition_responses"][0]
            same((0, sum(100 if k % 3 else 1 for k in range(i))), (got["error_code"], got["base_offset"]))
        for i in range(3):  # a connection that dies while its batch is in work
            with client() as dying:
                dying.send("Produce", 9, transactional_id=None, acks=1, timeout_ms=9000, topic_data=[
                    {"name": work[0], "partition_data": [{"index": 1, "records": batch(values)}]}])
    for _ in range(100):
        there = list_offset(work[0], -1, partition_index=1)["offset"]
        if there == 300:
            return
        time.sleep(0.05)
    raise AssertionError(there)


@test("Produce: compressing a large batch does not hold up other connections")
def _():
    name, _ = topic(compression_type="zstd", compression_zstd_level="22", max_message_bytes="20000000")
    words = [os.urandom(3).hex().encode() for _ in range(5000)]
    state, text = 1, []
    while len(text) < 300000:
        state = (state * 1103515245 + 12345) & 0x7fffffff
        text.append(words[state >> 8 & 4095])
    sent = batch((b" ".join(text),))
    took, failed = [], []

    def send():  # waits for as long as a busy machine takes: what counts is how long others wait meanwhile
        try:
            with Client(("127.0.0.1", broker.port), timeout=120) as c:
                began = time.time()
                got = c.ask("Produce", 8, acks=-1, timeout_ms=110000, topic_data=[
                    {"name": name, "partition_data": [{"index": 0, "records": sent}]}])
                took.append(time.time() - began)
                same(0, got["responses"][0]["partition_responses"][0]["error_code"])
        except Exception as e:  # a thread has nobody to raise it to
            failed.append(e)
    sender = threading.Thread(target=send)
    others, worst = [client() for _ in range(6)], 0.0
    sender.start()
    while sender.is_alive():
        for c in others:
            began = time.time()
            c.ask("ApiVersions", 0)
            worst = max(worst, time.time() - began)
    for c in others:
        c.s.close()
    assert not failed, failed
    assert took[0] > 0.3, "compressed in %.3f s: no test of anything" % took[0]
    assert worst < took[0] / 2, "%.3f s beside a batch that took %.3f s" % (worst, took[0])


@test("Produce: LogAppendTime and timestamps out of bounds")
def _():
    name, _ = topic(message_timestamp_type="LogAppendTime")
    got = produce(name, batch(timestamps=[1000]))
    assert abs(got["log_append_time_ms"] - time.time() * 1000) < 60000
    other, _ = topic()
    future = int(time.time() * 1000) + 7200000
    error("INVALID_TIMESTAMP", produce(other, batch(timestamps=[future]))["error_code"])
    same(-1, produce(other, batch(timestamps=[1000]))["log_append_time_ms"])


@test("Produce: min.insync.replicas above the number of replicas refuses acks=all only")
def _():
    name, _ = topic(min_insync_replicas="2")
    error("NOT_ENOUGH_REPLICAS", produce(name, batch())["error_code"])
    same(0, produce(name, batch(), acks=1)["error_code"])


def producer_id():
    with client() as c:
        got = c.ask("InitProducerId", 4, transactional_id=None, transaction_timeout_ms=0)
        same(0, got["error_code"])
        return got["producer_id"]


@test("idempotence: duplicates of the last five batches, gaps, fences; also after restart and crash (P26)")
def _():
    name, _ = topic()
    pid = producer_id()
    for i in range(6):
        same(i, produce(name, batch(pid=pid, epoch=0, sequence=i))["base_offset"])
    for how in (None, signal.SIGTERM, signal.SIGKILL):
        if how:
            broker.restart(how)
        again = produce(name, batch(pid=pid, epoch=0, sequence=5))
        same((0, 5), (again["error_code"], again["base_offset"]), "duplicate after %s" % how)
        error("OUT_OF_ORDER_SEQUENCE_NUMBER", produce(name, batch(pid=pid, epoch=0, sequence=9))["error_code"])
    same(6, produce(name, batch(pid=pid, epoch=1, sequence=0))["base_offset"], "next epoch")
    error("INVALID_PRODUCER_EPOCH", produce(name, batch(pid=pid, epoch=0, sequence=6))["error_code"])
    same(7, produce(name, batch(pid=pid + 100000, epoch=0, sequence=77))["base_offset"], "an unknown producer")


@test("producer ids are never given twice, whatever happens in between (P38)")
def _():
    ids = [producer_id() for _ in range(5)]
    broker.restart(signal.SIGKILL)
    ids += [producer_id() for _ in range(5)]
    broker.restart(signal.SIGTERM)
    ids += [producer_id() for _ in range(5)]
    same(15, len(set(ids)))
    with client() as c:
        error("INVALID_REQUEST", c.ask("InitProducerId", 4, transactional_id="t",
                                       transaction_timeout_ms=1000)["error_code"])


# ---- Fetch ----

@test("Fetch: names before version 13, ids from then on; unknown ones; every version")
def _():
    name, tid = topic()
    produce(name, batch((b"a", b"b")))
    for version in range(4, 19):
        by_id = {"topic_id": tid} if version >= 13 else {}
        got = fetched(name, version=version, **by_id)
        same((0, 2, 2), (got["error_code"], got["high_watermark"], got["last_stable_offset"]))
        same([(0, 1)], [b[:2] for b in batches(got["records"])])
    error("UNKNOWN_TOPIC_ID", fetched(name, version=13, topic_id=b"z" * 16)["error_code"])
    error("UNKNOWN_TOPIC_OR_PARTITION", fetched("nothing")["error_code"])
    error("UNKNOWN_TOPIC_OR_PARTITION", fetched(name, partition={"partition": 7})["error_code"])


@test("Fetch: the batch that contains the offset, whole, at least one; nothing is empty, not null (P10, P34)")
def _():
    name, _ = topic()
    for i in range(3):
        produce(name, batch((b"x" * 100, b"y" * 100)))
    got = fetched(name, offset=3, partition={"partition_max_bytes": 1}, max_bytes=1)
    same([(2, 3)], [b[:2] for b in batches(got["records"])])
    same(b"", fetched(name, offset=6)["records"])
    same(b"", fetched(name, offset=6, version=12)["records"])
    error("OFFSET_OUT_OF_RANGE", fetched(name, offset=7)["error_code"])
    error("OFFSET_OUT_OF_RANGE", fetched(name, offset=-1)["error_code"])


@test("Fetch: max_bytes bounds the whole answer, but never stops it (KIP-74)")
def _():
    name, _ = topic(3)
    for p in range(3):
        produce(name, batch((b"x" * 50000,)), partition=p)
    with client() as c:
        got = c.ask("Fetch", 11, max_wait_ms=0, min_bytes=1, max_bytes=60000, topics=[{"topic": name, "partitions": [
            {"partition": p, "fetch_offset": 0, "partition_max_bytes": 1 << 20} for p in range(3)]}])
        sizes = [len(p["records"]) for p in got["responses"][0]["partitions"]]
        same(1, len([n for n in sizes if n]), "partitions with data %s" % sizes)


@test("Fetch: a long poll ends when something becomes readable, on any shard (P11)")
def _():
    name, _ = topic(6)
    for partition in range(6):
        with client() as c:
            c.send("Fetch", 11, max_wait_ms=8000, min_bytes=1, max_bytes=1 << 20, topics=[
                {"topic": name, "partitions": [{"partition": p, "fetch_offset": 1 if p < partition else 0,
                                                "partition_max_bytes": 1 << 20} for p in range(6)]}])
            time.sleep(0.05)
            began = time.time()
            produce(name, batch(), partition=partition)
            got = c.receive("Fetch", 11)["responses"][0]["partitions"]
            assert time.time() - began < 4, "it took %.1f s" % (time.time() - began)
            same([partition], [p["partition_index"] for p in got if p["records"]])


@test("Fetch: min_bytes is waited for, max_wait_ms is kept")
def _():
    name, _ = topic()
    began = time.time()
    same(b"", fetched(name, max_wait_ms=300, min_bytes=1)["records"])
    assert 0.25 < time.time() - began < 3
    produce(name, batch())
    began = time.time()
    assert fetched(name, max_wait_ms=300, min_bytes=1 << 20)["records"]
    assert 0.25 < time.time() - began < 3


@test("Fetch: min_bytes that whole batches do not reach is not waited for when there is more, also in the next segment")
def _():
    name, _ = topic(segment_bytes="1048576")
    for _ in range(8):
        produce(name, batch((b"x" * 300000,)))
    began = time.time()
    at = 0
    while at < 6:  # where the limit of the partition cuts, and where a segment ends
        got = fetched(name, offset=at, max_wait_ms=8000, min_bytes=700000, partition={"partition_max_bytes": 700000})
        at = batches(got["records"])[-1][1] + 1
    got = fetched(name, offset=0, max_wait_ms=8000, min_bytes=1 << 20, max_bytes=700000)
    same([0, 1], [b[0] for b in batches(got["records"])])
    assert time.time() - began < 6


@test("Fetch: an error is not waited for; a deleted topic ends the wait")
def _():
    name, tid = topic()
    began = time.time()
    error("OFFSET_OUT_OF_RANGE", fetched(name, offset=5, max_wait_ms=8000)["error_code"])
    with client() as c:
        c.send("Fetch", 13, max_wait_ms=8000, min_bytes=1, topics=[{"topic_id": tid, "partitions": [
            {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1000}]}])
        time.sleep(0.1)
        with client() as d:
            same(0, d.ask("DeleteTopics", 6, topics=[{"name": name}])["responses"][0]["error_code"])
        assert c.receive("Fetch", 13)["responses"][0]["partitions"][0]["error_code"] != 0
    assert time.time() - began < 5


@test("Fetch: sessions are never given; a request that refers to one is told so (P9)")
def _():
    name, _ = topic()
    same(0, fetch(name, session_id=0, session_epoch=0)["session_id"])
    same(0, fetch(name, session_id=0, session_epoch=-1)["error_code"])
    error("FETCH_SESSION_ID_NOT_FOUND", fetch(name, session_id=5, session_epoch=1)["error_code"])


@test("leader epochs: older is fenced, newer is unknown, in Fetch, ListOffsets, OffsetForLeaderEpoch (P14, P15)")
def _():
    name, _ = topic()
    produce(name, batch((b"a", b"b")))
    same(0, fetched(name, partition={"current_leader_epoch": 0})["error_code"])
    error("UNKNOWN_LEADER_EPOCH", fetched(name, partition={"current_leader_epoch": 1})["error_code"])
    error("UNKNOWN_LEADER_EPOCH", list_offset(name, -1, current_leader_epoch=1)["error_code"])
    same(0, list_offset(name, -1, current_leader_epoch=0)["leader_epoch"])
    with client() as c:
        for current, epoch, wanted in ((-1, 0, (0, 0, 2)), (0, 0, (0, 0, 2)), (-1, 5, (0, -1, -1)),
                                       (3, 0, (ERRORS["UNKNOWN_LEADER_EPOCH"], -1, -1))):
            got = c.ask("OffsetForLeaderEpoch", 4, replica_id=-1, topics=[{"topic": name, "partitions": [
                {"partition": 0, "current_leader_epoch": current, "leader_epoch": epoch}]}])
            got = got["topics"][0]["partitions"][0]
            same(wanted, (got["error_code"], got["leader_epoch"], got["end_offset"]), "epoch %d" % epoch)


def epoch_end(name, epoch):
    with client() as c:
        got = c.ask("OffsetForLeaderEpoch", 4, replica_id=-1, topics=[{"topic": name, "partitions": [
            {"partition": 0, "current_leader_epoch": -1, "leader_epoch": epoch}]}])["topics"][0]["partitions"][0]
        same(0, got["error_code"])
        return got["leader_epoch"], got["end_offset"]


def leader_epoch(name):
    with client() as c:
        return c.ask("Metadata", 9, topics=[{"name": name}])["topics"][0]["partitions"][0]["leader_epoch"]


@test("leader epochs: a crash begins a new one, so that offsets which are given twice can be told apart (P15)")
def _():
    name, _ = topic(flush_messages=str(2 ** 63 - 1))
    broker.restart(signal.SIGTERM)
    same(0, leader_epoch(name), "a clean stop loses nothing")
    for _ in range(4):
        produce(name, batch())
    broker.stop(signal.SIGKILL)
    with open(os.path.join(broker.dir, "data", name + "-0", "%020d.log" % 0), "r+b") as log:
        log.truncate(2 * len(batch()))  # as when the machine lost its power
    broker.restart_after_stop()
    same(1, leader_epoch(name))
    error("FENCED_LEADER_EPOCH", fetched(name, partition={"current_leader_epoch": 0})["error_code"])
    same((0, 2), epoch_end(name, 0), "nothing written since")
    same((1, 2), epoch_end(name, 1))
    lost = fetched(name, offset=4, version=12, partition={"current_leader_epoch": 1, "last_fetched_epoch": 0})
    same((0, 0, 2), (lost["error_code"], lost["diverging_epoch"]["epoch"], lost["diverging_epoch"]["end_offset"]))
    for i in range(2, 6):
        same(i, produce(name, batch())["base_offset"])
    lost = fetched(name, offset=4, version=12, partition={"last_fetched_epoch": 0})
    same((0, 2), (lost["diverging_epoch"]["epoch"], lost["diverging_epoch"]["end_offset"]), "given again")
    same([], list(batches(lost["records"] or b"")))
    same((0, 2), epoch_end(name, 0))
    same((1, 6), epoch_end(name, 1))
    fine = fetched(name, offset=4, version=12, partition={"current_leader_epoch": 1, "last_fetched_epoch": 1})
    same((0, {}), (fine["error_code"], fine.get("diverging_epoch") or {}))
    same((4, 1), batches(fine["records"])[0][0:3:2])
    error("OFFSET_OUT_OF_RANGE", fetched(name, version=12, partition={"last_fetched_epoch": 7})["error_code"])
    broker.restart(signal.SIGKILL)
    same(2, leader_epoch(name), "the epoch is durable")
    same((0, 2), epoch_end(name, 0))


@test("isolation: no aborted list for read_uncommitted, an empty one for read_committed (P12)")
def _():
    name, _ = topic()
    produce(name, batch())
    same(None, fetched(name, isolation_level=0)["aborted_transactions"])
    same([], fetched(name, isolation_level=1)["aborted_transactions"])


# ---- ListOffsets, DeleteRecords ----

@test("ListOffsets: special timestamps by version, first record at or after a time (P16)")
def _():
    name, _ = topic()
    now = int(time.time() * 1000) - 100000
    for t in (10, 30, 20):
        produce(name, batch(timestamps=[now + t]))
    same((3, -1), tuple(list_offset(name, -1)[k] for k in ("offset", "timestamp")))
    same(0, list_offset(name, -2)["offset"])
    same((1, now + 30), tuple(list_offset(name, -3)[k] for k in ("offset", "timestamp")))
    same(0, list_offset(name, -4, version=8)["offset"])
    same(-1, list_offset(name, -5, version=9)["offset"])
    for t, wanted in ((0, 0), (10, 0), (11, 1), (20, 1), (30, 1), (31, -1)):
        same(wanted, list_offset(name, now + t)["offset"], "time %d" % t)
    error("UNSUPPORTED_VERSION", list_offset(name, -3, version=6)["error_code"])
    error("UNSUPPORTED_VERSION", list_offset(name, -5, version=8)["error_code"])
    error("UNKNOWN_TOPIC_OR_PARTITION", list_offset("nothing", -1)["error_code"])
    assert list_offset(name, -77)["error_code"]


def delete_records(name, offset):
    with client() as c:
        got = c.ask("DeleteRecords", 2, timeout_ms=1000, topics=[{"name": name, "partitions": [
            {"partition_index": 0, "offset": offset}]}])["topics"][0]["partitions"][0]
        return got["error_code"], got["low_watermark"]


@test("DeleteRecords moves the log start, survives a restart, refuses what is not there (P36)")
def _():
    name, _ = topic()
    for _ in range(4):
        produce(name, batch())
    same((0, 2), delete_records(name, 2))
    same((0, 2), delete_records(name, 1), "below the start")
    same((ERRORS["OFFSET_OUT_OF_RANGE"], -1), delete_records(name, 5))
    same((ERRORS["OFFSET_OUT_OF_RANGE"], -1), delete_records(name, -2))
    error("OFFSET_OUT_OF_RANGE", fetched(name, offset=1)["error_code"])
    broker.restart(signal.SIGTERM)
    same(2, list_offset(name, -2)["offset"])
    same(2, fetched(name, offset=2)["log_start_offset"])
    same((0, 3), delete_records(name, 3))
    broker.restart(signal.SIGKILL)
    same((3, 3), (list_offset(name, -2)["offset"], list_offset(name, 0)["offset"]), "they do not come back")
    same((0, 4), delete_records(name, -1))
    compacted, _ = topic(cleanup_policy="compact")
    same((ERRORS["POLICY_VIOLATION"], -1), delete_records(compacted, 0))


@test("cold data: fetched and found by time in jobs, whatever happens to the topic meanwhile")
def _():
    name, _ = topic(segment_bytes="100000")
    values = [b"%d" % i * 2000 for i in range(100)]
    for v in values:
        produce(name, batch((v,)))
    broker.restart(signal.SIGTERM)
    where = os.path.join(broker.dir, "data", name + "-0")

    def cool():
        for f in os.listdir(where):
            with open(os.path.join(where, f), "rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    at = 0
    while at < 100:
        cool()
        got = batches(fetched(name, offset=at, partition={"partition_max_bytes": 20000})["records"])
        same(at, got[0][0])
        at = got[-1][1] + 1
    cool()
    same(0, list_offset(name, 0)["offset"])
    same(0, list_offset(name, -3)["error_code"])
    allowed = {0, ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], ERRORS["NOT_LEADER_OR_FOLLOWER"]}
    seen, done = [], threading.Event()

    def read():
        while not done.is_set():
            seen.append(fetched(name, offset=0)["error_code"])
            seen.append(list_offset(name, 1)["error_code"])
    readers = [threading.Thread(target=read) for _ in range(4)]
    for r in readers:
        r.start()
    try:
        cool()
        with client() as c:
            same(0, c.ask("DeleteTopics", 5, topic_names=[name], timeout_ms=5000)["responses"][0]["error_code"])
    finally:
        done.set()
        for r in readers:
            r.join()
    same(set(), set(seen) - allowed)
    assert 0 in seen


# ---- topics ----

@test("a topic that was deleted and made again has another id and no old records (P8)")
def _():
    name, tid = topic()
    produce(name, batch((b"old",)))
    with client() as c:
        same(0, c.ask("DeleteTopics", 6, topics=[{"name": None, "topic_id": tid}])["responses"][0]["error_code"])
        made = c.ask("CreateTopics", 7, topics=[{"name": name, "num_partitions": 1, "replication_factor": -1}])
        same(0, made["topics"][0]["error_code"])
        assert made["topics"][0]["topic_id"] != tid
    same(0, list_offset(name, -1)["offset"])
    error("UNKNOWN_TOPIC_ID", fetched(name, version=13, topic_id=tid)["error_code"])
    broker.restart(signal.SIGKILL)
    same(0, list_offset(name, -1)["offset"])
    same(0, produce(name, batch((b"new",)))["base_offset"])


@test("a topic that was made again does not inherit the checkpoints of its namesake")
def _():
    name, tid = topic()
    for _ in range(6):
        produce(name, batch())
    same((0, 5), delete_records(name, 5))
    broker.restart(signal.SIGTERM)  # writes the checkpoints: log start 5, recovery point 6
    with client() as c:
        same(0, c.ask("DeleteTopics", 6, topics=[{"name": None, "topic_id": tid}])["responses"][0]["error_code"])
        made = c.ask("CreateTopics", 7, topics=[{"name": name, "num_partitions": 1, "replication_factor": -1}])
        same(0, made["topics"][0]["error_code"])
    for _ in range(2):
        same(0, produce(name, batch())["error_code"])
    broker.restart(signal.SIGKILL)
    same(0, list_offset(name, -2)["offset"], "log start")
    same(2, list_offset(name, -1)["offset"], "log end")


@test("a topic's directory that outlived its deletion is removed at start; an unknown one is left alone")
def _():
    name, _ = topic()
    produce(name, batch())
    data = os.path.join(broker.dir, "data")
    broker.stop()
    shutil.copytree(os.path.join(data, name + "-0"), os.path.join(broker.dir, "kept"))
    broker.start()
    with client() as c:
        same(0, c.ask("DeleteTopics", 6, topics=[{"name": name}])["responses"][0]["error_code"])
    broker.stop(signal.SIGKILL)
    shutil.move(os.path.join(broker.dir, "kept"), os.path.join(data, name + "-0"))
    os.mkdir(os.path.join(data, "stranger-0"))
    with open(os.path.join(data, "stranger-0", "partition.metadata"), "w", encoding="ascii") as f:
        f.write("version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ\n")
    broker.start()
    assert name + "-0" not in os.listdir(data)
    assert "stranger-0" in os.listdir(data)


@test("a topic made, deleted and made again many times in a row is always empty")
def _():
    with client() as c:
        for _ in range(15):
            made = c.ask("CreateTopics", 7, topics=[{"name": "again", "num_partitions": 4, "replication_factor": 1}])
            same(0, made["topics"][0]["error_code"])
            for p in range(4):
                same(0, produce("again", batch(), partition=p)["base_offset"])
            same(0, c.ask("DeleteTopics", 6, topics=[{"name": "again"}])["responses"][0]["error_code"])


@test("deleted topics leave the disk")
def _():
    name, _ = topic(4)
    produce(name, batch(), partition=3)
    data = os.path.join(broker.dir, "data")
    assert name + "-3" in os.listdir(data)
    with client() as c:
        same(0, c.ask("DeleteTopics", 1, topic_names=[name])["responses"][0]["error_code"])
    for _ in range(100):
        if not [d for d in os.listdir(data) if d.startswith(name + "-")]:
            return
        time.sleep(0.05)
    raise AssertionError(os.listdir(data))


@test("CreateTopics answers with numbers and settings; validate_only changes nothing")
def _():
    with client() as c:
        def ask(name, **more):
            return c.ask("CreateTopics", 7, topics=[dict({"name": name, "num_partitions": -1,
                                                          "replication_factor": -1}, **more)],
                         validate_only=name == "only")["topics"][0]
        got = ask("only")
        same((0, 2, 1), (got["error_code"], got["num_partitions"], got["replication_factor"]))
        error("UNKNOWN_TOPIC_OR_PARTITION", c.ask("Metadata", 9, topics=[{"name": "only"}],
                                                  allow_auto_topic_creation=False)["topics"][0]["error_code"])
        got = ask("made", configs=[{"name": "retention.ms", "value": "7d"}])
        values = {v["name"]: (v["value"], v["config_source"]) for v in got["configs"]}
        same(("604800000", 1), values["retention.ms"])
        same(("delete", 5), values["cleanup.policy"])
        got = ask("wrong", configs=[{"name": "retention.msec", "value": "7d"}])
        error("INVALID_CONFIG", got["error_code"])
        assert "did you mean retention.ms" in got["error_message"]
        error("INVALID_TOPIC_EXCEPTION", ask("a/b")["error_code"])
        error("TOPIC_ALREADY_EXISTS", ask("made")["error_code"])
        error("INVALID_REPLICATION_FACTOR", ask("x", replication_factor=3)["error_code"])
        error("INVALID_PARTITIONS", ask("x", num_partitions=0)["error_code"])


@test("CreatePartitions: echoes the topics, adds partitions that work at once (P32)")
def _():
    name, _ = topic()
    with client() as c:
        def ask(count):
            got = c.ask("CreatePartitions", 3, topics=[{"name": name, "count": count, "assignments": None}],
                        timeout_ms=1000)["results"][0]
            same(name, got["name"])
            return got["error_code"]
        same(0, ask(3))
        error("INVALID_PARTITIONS", ask(3))
    same(0, produce(name, batch(), partition=2)["error_code"])


# ---- configuration ----

def describe(kind, name, keys=None, synonyms=True):
    with client() as c:
        got = c.ask("DescribeConfigs", 4, resources=[{"resource_type": kind, "resource_name": name,
                                                      "configuration_keys": keys}],
                    include_synonyms=synonyms, include_documentation=True)["results"][0]
        return got["error_code"], {v["name"]: v for v in got["configs"]}


@test("DescribeConfigs: every key, a default is a default, what was set is set (P32)")
def _():
    name, _ = topic(retention_ms="1000")
    code, got = describe(2, name)
    same(0, code)
    assert len(got) > 30
    same(("1000", 1), (got["retention.ms"]["value"], got["retention.ms"]["config_source"]))
    same([("retention.ms", "1000", 1), ("log.retention.hours", "168", 5)],
         [(s["name"], s["value"], s["source"]) for s in got["retention.ms"]["synonyms"]])
    same(("1", 5), (got["flush.messages"]["value"], got["flush.messages"]["config_source"]))
    same([k for k in got if k != "retention.ms"], [k for k, v in got.items() if v["config_source"] == 5])
    same(5, got["retention.ms"]["config_type"])
    assert got["retention.ms"]["documentation"]
    same(["segment.bytes"], list(describe(2, name, ["segment.bytes", "no.such.key"])[1]))
    same(list(got), list(describe(2, name, [])[1]), "no keys ask for all")
    error("UNKNOWN_TOPIC_OR_PARTITION", describe(2, "nothing")[0])


@test("DescribeConfigs: the keys of thousands of topics in one answer, as `kafka-topics --describe` asks for them")
def _():
    name, _ = topic(retention_ms="1000")
    with client() as c:
        got = c.ask("DescribeConfigs", 4, include_synonyms=True, resources=[
            {"resource_type": 2, "resource_name": name, "configuration_keys": None}] * 3000)["results"]
    same(3000, len(got))
    same(got[0], got[-1])
    assert len(got[0]["configs"]) > 30


@test("DescribeConfigs: brokers and loggers; another broker's is an error")
def _():
    code, got = describe(4, "1")
    same(0, code)
    same(("2", 4), (got["num.partitions"]["value"], got["num.partitions"]["config_source"]))
    same(("1048588", 5), (got["message.max.bytes"]["value"], got["message.max.bytes"]["config_source"]))
    same(True, got["ssl.key.password"]["is_sensitive"])
    same((0, {}), describe(4, ""))
    same(0, describe(8, "1")[0])
    error("INVALID_REQUEST", describe(4, "9")[0])
    error("INVALID_REQUEST", describe(77, "x")[0])


@test("AlterConfigs replaces, IncrementalAlterConfigs changes; both survive a crash")
def _():
    name, _ = topic()
    with client() as c:
        def incremental(key, op, value):
            return c.ask("IncrementalAlterConfigs", 1, resources=[{
                "resource_type": 2, "resource_name": name,
                "configs": [{"name": key, "config_operation": op, "value": value}]}])["responses"][0]["error_code"]
        same(0, incremental("retention.ms", 0, "5000"))
        same(0, incremental("cleanup.policy", 2, "compact"))
        error("INVALID_CONFIG", incremental("retention.ms", 2, "1"))
        error("INVALID_CONFIG", incremental("retention.ms", 0, "soon"))
        error("INVALID_CONFIG", incremental("nonsense", 0, "1"))
        got = c.ask("IncrementalAlterConfigs", 1, resources=[{
            "resource_type": 2, "resource_name": name, "configs": [
                {"name": "retention.ms", "config_operation": 0, "value": "1"},
                {"name": "retention.ms", "config_operation": 1, "value": None}]}])
        error("INVALID_REQUEST", got["responses"][0]["error_code"], "a key named twice")
    broker.restart(signal.SIGKILL)
    got = describe(2, name)[1]
    same(("5000", "delete,compact"), (got["retention.ms"]["value"], got["cleanup.policy"]["value"]))
    with client() as c:
        got = c.ask("AlterConfigs", 2, resources=[{"resource_type": 2, "resource_name": name, "configs": [
            {"name": "segment.ms", "value": "60000"}]}])
        same(0, got["responses"][0]["error_code"])
    got = describe(2, name)[1]
    same((5, 5, 1), tuple(got[k]["config_source"] for k in ("retention.ms", "cleanup.policy", "segment.ms")))


def alter_broker(name, *changes, validate_only=False):
    with client() as c:
        got = c.ask("IncrementalAlterConfigs", 1, validate_only=validate_only, resources=[{
            "resource_type": 4, "resource_name": name, "configs": [
                {"name": k, "config_operation": op, "value": v} for k, op, v in changes]}])["responses"][0]
        return got["error_code"], got["error_message"] or None


def sources(kind, name, key):
    entry = describe(kind, name)[1][key]
    return (entry["value"], entry["config_source"]), [(s["name"], s["value"], s["source"]) for s in entry["synonyms"]]


@test("brokers are configured while they run: for all, for one, described with their sources, and it survives a crash")
def _():
    name, _ = topic()
    big = batch((b"x" * 3000,))
    same(0, produce(name, big)["error_code"])
    same((0, None), alter_broker("", ("message.max.bytes", 0, "2000"), ("log.retention.ms", 0, "7000000")))
    error("MESSAGE_TOO_LARGE", produce(name, big)["error_code"])
    same(["log.retention.ms", "message.max.bytes"], sorted(describe(4, "")[1]))
    same((("2000", 3), [("message.max.bytes", "2000", 3), ("message.max.bytes", "1048588", 5)]),
         sources(4, "1", "message.max.bytes"))
    same((("7000000", 3), [("log.retention.ms", "7000000", 3), ("log.retention.hours", "168", 5)]),
         sources(2, name, "retention.ms"))
    same((0, None), alter_broker("1", ("message.max.bytes", 0, "4000")))
    same(0, produce(name, big)["error_code"])
    same((("4000", 2), [("message.max.bytes", "4000", 2), ("message.max.bytes", "2000", 3),
                        ("message.max.bytes", "1048588", 5)]), sources(4, "1", "message.max.bytes"))
    same((("2000", 3), [("message.max.bytes", "2000", 3)]), sources(4, "", "message.max.bytes"))
    got = describe(4, "1")[1]
    same((False, True), (got["message.max.bytes"]["read_only"], got["num.partitions"]["read_only"]))
    for how in (signal.SIGKILL, signal.SIGTERM):
        broker.restart(how)
        same((("4000", 2), ("2000", 3)), (sources(4, "1", "message.max.bytes")[0],
                                          sources(4, "", "message.max.bytes")[0]))
        error("MESSAGE_TOO_LARGE", produce(name, batch((b"x" * 5000,)))["error_code"])
    for wrong in (("num.partitions", 0, "7"), ("no.such.key", 0, "1"), ("message.max.bytes", 0, "many"),
                  ("message.max.bytes", 2, "1"), ("rollway.disk.warn.percent", 0, "100")):
        code, words = alter_broker("", wrong)
        error("INVALID_CONFIG", code)
        assert wrong[0].split(".")[0] in words or "list" in words, words
    for nobody in ("9", "all", "-1"):
        error("INVALID_REQUEST", alter_broker(nobody, ("message.max.bytes", 0, "1"))[0])
    same((0, None), alter_broker("1", ("message.max.bytes", 0, "1"), validate_only=True))
    same((0, None), alter_broker("1", ("message.max.bytes", 1, None)))
    same((0, None), alter_broker("", ("message.max.bytes", 1, None), ("log.retention.ms", 1, None)))
    same((0, {}), describe(4, ""))
    same(("1048588", 5), sources(4, "1", "message.max.bytes")[0])
    same(0, produce(name, big)["error_code"])


@test("max.connections.per.ip and the thresholds of the disk change while the broker runs")
def _():
    name, _ = topic()
    with client() as c:
        def limit(op, value):
            got = c.ask("IncrementalAlterConfigs", 1, resources=[{"resource_type": 4, "resource_name": "", "configs": [
                {"name": "max.connections.per.ip", "config_operation": op, "value": value}]}])
            same(0, got["responses"][0]["error_code"])
        limit(0, "1")
        refused = socket.create_connection(("127.0.0.1", broker.port))
        refused.settimeout(5)
        try:
            same(b"", refused.recv(1))
        except ConnectionResetError:
            pass
        limit(1, None)
        with client() as other:
            other.ask("ApiVersions", 0)
    same((0, None), alter_broker("", ("rollway.disk.free.bytes.min", 0, str(1 << 60))))
    for _ in range(200):
        code = produce(name, batch())["error_code"]
        if code:
            break
        time.sleep(0.05)
    error("KAFKA_STORAGE_ERROR", code)
    same((0, None), alter_broker("", ("rollway.disk.free.bytes.min", 1, None)))
    for _ in range(200):
        code = produce(name, batch())["error_code"]
        if not code:
            break
        time.sleep(0.05)
    same(0, code)
    for i in range(8):  # each shard looks at the disk by itself, and each connection has one
        for _ in range(200):
            with client() as c:
                code = c.ask("CreateTopics", 7, topics=[{"name": "%s-back%d" % (name, i), "num_partitions": 1,
                                                         "replication_factor": 1}])["topics"][0]["error_code"]
            if not code:
                break
            time.sleep(0.05)
    same(0, code, "CreateTopics")


@test("durability policies: every one acknowledges; what was acknowledged survives SIGKILL")
def _():
    policies = ({}, {"flush_messages": "100"}, {"flush_messages": str(2 ** 63 - 1)}, {"flush_ms": "0"},
                {"flush_messages": "1000", "flush_ms": "20"})
    names = [topic(**p)[0] for p in policies]
    for name in names:
        for i in range(20):
            same(i, produce(name, batch(), acks=1)["base_offset"])
    broker.restart(signal.SIGKILL)
    for name in names:
        same(20, list_offset(name, -1)["offset"])


@test("DescribeCluster")
def _():
    with client() as c:
        for version in range(3):
            got = c.ask("DescribeCluster", version)
            same((0, 1, broker.port), (got["error_code"], got["controller_id"], got["brokers"][0]["port"]))
            assert len(got["cluster_id"]) == 22
        error("MISMATCHED_ENDPOINT_TYPE", c.ask("DescribeCluster", 1, endpoint_type=2)["error_code"])


@test("a disk that counts as full: produce gets a retriable error, reads go on, and it ends by itself")
def _():
    name, _ = topic()
    produce(name, batch())
    broker.stop()
    broker.start(*["rollway.disk.%s.percent=1" % k for k in ("warn", "throttle", "refuse")],
                 "rollway.disk.free.bytes.min=%d" % (1 << 60))
    for _ in range(100):
        code = produce(name, batch())["error_code"]
        if code == ERRORS["KAFKA_STORAGE_ERROR"]:
            break
        time.sleep(0.02)
    error("KAFKA_STORAGE_ERROR", code)
    assert batches(fetched(name)["records"])
    with client() as c:  # one connection: none of this closes it
        new = {"name": "no-room", "num_partitions": 1, "replication_factor": 1}
        got = c.ask("CreateTopics", 7, topics=[new, dict(new, name="no-room-2")])["topics"]
        same(["no-room", "no-room-2"], [t["name"] for t in got])
        for t in got:
            error("KAFKA_STORAGE_ERROR", t["error_code"])
            assert "space" in t["error_message"]
            same(ZERO_UUID, t["topic_id"])
        same(0, c.ask("CreateTopics", 7, topics=[new], validate_only=True)["topics"][0]["error_code"])
        error("KAFKA_STORAGE_ERROR", c.ask("CreatePartitions", 3, topics=[
            {"name": name, "count": 9, "assignments": None}])["results"][0]["error_code"])
        error("UNKNOWN_TOPIC_OR_PARTITION", c.ask("Metadata", 9, topics=[{"name": "no-room"}],
                                                  allow_auto_topic_creation=True)["topics"][0]["error_code"])
        same(0, c.ask("DeleteTopics", 5, topic_names=[name])["responses"][0]["error_code"])
    broker.restart(signal.SIGTERM)
    name, _ = topic()
    same(0, produce(name, batch())["error_code"])


@test("a disk that fills up: produce is slowed down, more the fuller it is")
def _():
    name, _ = topic()
    broker.stop()
    broker.start("rollway.disk.warn.percent=1", "rollway.disk.throttle.percent=1", "rollway.disk.refuse.percent=100")
    with client() as c:
        for _ in range(100):
            got = c.ask("Produce", 9, transactional_id=None, acks=-1, timeout_ms=5000, topic_data=[
                {"name": name, "partition_data": [{"index": 0, "records": batch()}]}])
            if got["throttle_time_ms"]:
                break
            time.sleep(0.02)
        assert 0 < got["throttle_time_ms"] <= 1000, got
        same(0, got["responses"][0]["partition_responses"][0]["error_code"])
        began = time.time()  # the answer came at once; the connection is not read for that long (KIP-219)
        c.ask("ApiVersions", 0)
        assert time.time() - began > got["throttle_time_ms"] / 1000 * 0.8, time.time() - began
    broker.restart(signal.SIGTERM)


@test("disk thresholds for all and for one broker that are out of order together are put in order, in words")
def _():
    def warnings():
        with open(os.path.join(broker.dir, "log"), encoding="utf-8", errors="replace") as log:
            return [line for line in log if "rollway.disk.*.percent" in line]
    throttle, refuse = "rollway.disk.throttle.percent", "rollway.disk.refuse.percent"
    same((0, None), alter_broker("", (throttle, 0, "98")))
    same(0, len(warnings()))
    same((0, None), alter_broker("1", (refuse, 0, "96")))
    same(1, len(warnings()))
    for word in ("warn_percent=80", "throttle_percent=96", "refuse_percent=96"):
        assert word in warnings()[0], warnings()[0]
    broker.restart(signal.SIGTERM)
    same(2, len(warnings()))
    same((0, None), alter_broker("1", (refuse, 1, None)))
    same((0, None), alter_broker("", (throttle, 1, None)))
    same(2, len(warnings()))


@test("requests that name ten thousand topics are answered at once, also for those that are there")
def _():
    name, _ = topic()
    names = [name] + ["no-topic-%d" % i for i in range(9998)] + ["no-topic-0"]
    began = time.time()
    with client() as c:
        got = c.ask("CreatePartitions", 3, timeout_ms=9000, validate_only=True, topics=[
            {"name": n, "count": 2, "assignments": None} for n in names])["results"]
        same([0, ERRORS["INVALID_REQUEST"], ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], ERRORS["INVALID_REQUEST"]],
             [got[i]["error_code"] for i in (0, 1, 2, 9999)])
        got = c.ask("DeleteTopics", 5, timeout_ms=9000, topic_names=names + [name])["responses"]
        same([ERRORS["INVALID_REQUEST"], ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], ERRORS["INVALID_REQUEST"]],
             [got[i]["error_code"] for i in (0, 1, 10000)])
        same([name, name], [got[i]["name"] for i in (0, 10000)])
        same(0, c.ask("DeleteTopics", 5, timeout_ms=9000, topic_names=[name])["responses"][0]["error_code"])
        got = c.ask("CreateTopics", 7, timeout_ms=9000, validate_only=True, topics=[
            {"name": n, "num_partitions": 1, "replication_factor": 1} for n in names])["topics"]
        same([0, ERRORS["INVALID_REQUEST"], 0], [got[i]["error_code"] for i in (0, 1, 2)])
    assert time.time() - began < 20  # most of it is ours, in Python


def metadata_files():
    """Stops the broker. Names of snapshots, and bytes of segments: a running broker's are longer than what is in them."""
    broker.stop()
    where = os.path.join(broker.dir, "data", "__cluster_metadata-0")
    return ([n for n in os.listdir(where) if n.endswith(".checkpoint")],
            sum(os.path.getsize(os.path.join(where, n)) for n in os.listdir(where) if n.endswith(".log")))


@test("snapshots of the metadata: the log stays short, and nothing is lost by a crash or a restart")
def _():
    broker.stop()
    broker.start("metadata.log.max.record.bytes.between.snapshots=4000")
    kept, removed = topic(3, retention_ms="7777")[0], []
    with client() as c:
        def ids():
            return {t["name"]: t["topic_id"] for t in c.ask("Metadata", 10, topics=None)["topics"]}
        for _ in range(60):
            name = topic(2)[0]
            same(0, c.ask("DeleteTopics", 5, topic_names=[name])["responses"][0]["error_code"])
            removed.append(name)
        before = ids()
    same(0, produce(kept, batch())["error_code"])
    snapshots, size = metadata_files()
    same(1, len(snapshots))
    assert size < 8000, size
    broker.restart_after_stop()
    for how in (signal.SIGKILL, signal.SIGTERM):
        broker.restart(how)
        with client() as c:
            same(before, {t["name"]: t["topic_id"] for t in c.ask("Metadata", 10, topics=None)["topics"]})
        same("7777", describe(2, kept)[1]["retention.ms"]["value"])
        same(1, list_offset(kept, -1)["offset"])
        same([], [d for d in os.listdir(os.path.join(broker.dir, "data")) if d.rsplit("-", 1)[0] in removed])


@test("an unclean start adds one short record to the metadata log, however many partitions there are")
def _():
    topic(200)
    before = metadata_files()[1]
    broker.restart_after_stop()
    for _ in range(3):
        broker.restart(signal.SIGKILL)
    grown = metadata_files()[1] - before
    assert 0 < grown < 3 * 300, grown
    broker.restart_after_stop()


def samples(text):
    """{(name, labels): value} of Prometheus' text format; every line must be of it, every sample's type known."""
    out, types = {}, {}
    for line in text.splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line)
        if head:
            if head[1] == "TYPE":
                assert head[2] not in types, "twice: " + line
                types[head[2]] = head[3]
            continue
        m = re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)', line)
        assert m, line
        assert m[1] in types or re.sub("_(bucket|sum|count)$", "", m[1]) in types, line
        assert (m[1], m[2]) not in out, "twice: " + line
        out[m[1], m[2]] = float(m[3])
    return out


@test("metrics of every partition, under our names and under those of Kafka's exporters")
def _():
    broker.stop()
    http = free_port()
    broker.start("rollway.http.listen=127.0.0.1:%d" % http)
    name, _ = topic(3)
    for _ in range(5):
        same(0, produce(name, batch((b"a", b"b")), partition=1)["error_code"])
    with client() as c:
        same(0, c.ask("DeleteRecords", 2, timeout_ms=5000, topics=[{"name": name, "partitions": [
            {"partition_index": 1, "offset": 4}]}])["topics"][0]["partitions"][0]["error_code"])

    def scrape(path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (http, path), timeout=10) as answer:
            return samples(answer.read().decode())
    error("UNKNOWN_TOPIC_OR_PARTITION", list_offset("nothing", -1)["error_code"])
    with client() as c:
        c.ask("CreateTopics", 7, topics=[{"name": n, "num_partitions": 1, "replication_factor": 1}
                                         for n in (name, "a b", "a/b")])
        c.ask("DeleteTopics", 5, topic_names=["nothing"])
        c.ask("CreatePartitions", 3, topics=[{"name": name, "count": 1, "assignments": None}])
        c.ask("DeleteRecords", 2, timeout_ms=5000, topics=[{"name": name, "partitions": [
            {"partition_index": 1, "offset": 99}]}])
        c.ask("OffsetForLeaderEpoch", 4, replica_id=-2, topics=[{"topic": "nothing", "partitions": [
            {"partition": 0, "current_leader_epoch": -1, "leader_epoch": 0}]}])
        c.ask("DescribeConfigs", 4, resources=[{"resource_type": 2, "resource_name": "nothing"}])
        c.ask("AlterConfigs", 2, resources=[{"resource_type": 2, "resource_name": "nothing", "configs": []}])
        c.ask("IncrementalAlterConfigs", 1, resources=[
            {"resource_type": 2, "resource_name": "nothing", "configs": []}])
        c.ask("Metadata", 9, topics=[{"name": "a b"}], allow_auto_topic_creation=False)
    plain = scrape("/metrics")
    for request, code, n in (("list_offsets", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("create_topics", "TOPIC_ALREADY_EXISTS", 1),
                             ("create_topics", "INVALID_TOPIC_EXCEPTION", 2),
                             ("delete_topics", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("create_partitions", "INVALID_PARTITIONS", 1),
                             ("delete_records", "OFFSET_OUT_OF_RANGE", 1),
                             ("offset_for_leader_epoch", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("describe_configs", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("alter_configs", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("incremental_alter_configs", "UNKNOWN_TOPIC_OR_PARTITION", 1),
                             ("metadata", "INVALID_TOPIC_EXCEPTION", 1)):
        same(n, plain.get(("rollway_kafka_request_errors_total", 'rollway_request="%s",rollway_error="%s"' % (
            request, code))), request)
    assert not [n for n, labels in plain if "rollway_partition" in (labels or "")]
    assert plain["rollway_kafka_request_memory_limit_bytes", None] > plain["rollway_kafka_request_memory_bytes", None]
    assert plain["process_open_fds", None] > 5 and plain["process_resident_memory_bytes", None] > 1e6
    got = scrape("/metrics?detail=partition")
    label = 'rollway_namespace="kafka",rollway_topic="%s",rollway_partition="%d"'
    same([10, 10, 4, 1], [got["rollway_" + n, label % (name, 1)] for n in (
        "kafka_max_offset", "kafka_log_end_offset", "kafka_log_start_offset", "cluster_partition_leader_id")])
    assert got["rollway_kafka_log_size_bytes", label % (name, 1)] > 0
    same(0, got["rollway_kafka_max_offset", label % (name, 2)])
    got = scrape("/metrics/kafka")
    same(3, got["kafka_topic_partitions", 'topic="%s"' % name])
    same([10, 4, 1, 1, 1, 0], [got["kafka_topic_partition_" + n, 'topic="%s",partition="1"' % name] for n in (
        "current_offset", "oldest_offset", "leader", "leader_is_preferred", "in_sync_replica",
        "under_replicated_partition")])
    same(10, got["kafka_server_brokertopicmetrics_messagesin_total", 'topic="%s"' % name])
    same(1, got["kafka_brokers", None])
    broker.restart(signal.SIGTERM)


@test("the broker stops cleanly, and leaves the mark")
def _():
    broker.restart(signal.SIGTERM)
    broker.stop()
    assert ".kafka_cleanshutdown" in os.listdir(os.path.join(broker.dir, "data"))
    broker.start()


try:
    main()
finally:
    if broker.process.poll() is None:
        broker.process.kill()
    shutil.rmtree(broker.dir, ignore_errors=True)
