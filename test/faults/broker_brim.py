"""A broker on a disk that is full to the last byte: what adds to it is refused with a retriable error, topics can be
deleted, and everything goes on by itself when there is space. And retention that is forced when the disk fills up.
"""
import os
import socket
import time
import urllib.request

from broker_kill import Broker
from kwire import ERRORS, Client, batch

FULL = ERRORS["KAFKA_STORAGE_ERROR"]
SECONDS = 60


def wait(what, holds, seconds=SECONDS):
    until = time.time() + seconds
    while True:
        got = holds()
        if got:
            return got
        if time.time() > until:
            raise OSError("%s: not within %d s" % (what, seconds))
        time.sleep(0.05)


def expect(want, got, what):
    if want != got:
        raise OSError("%s: %r, not %r" % (what, got, want))


class Talk:
    """One connection for all: that it is never closed is part of the test."""

    def __init__(self, port):
        self.c = Client(("127.0.0.1", port))

    def create(self, name, partitions=1, **configs):
        got = self.c.ask("CreateTopics", 7, timeout_ms=5000, topics=[
            {"name": name, "num_partitions": partitions, "replication_factor": 1,
             "configs": [{"name": k.replace("_", "."), "value": v} for k, v in configs.items()]}])["topics"][0]
        return got["error_code"], got["error_message"]

    def delete(self, name):
        return self.c.ask("DeleteTopics", 5, timeout_ms=5000, topic_names=[name])["responses"][0]["error_code"]

    def grow(self, name, count):
        return self.c.ask("CreatePartitions", 3, timeout_ms=5000,
                          topics=[{"name": name, "count": count, "assignments": None}])["results"][0]["error_code"]

    def known(self, name, auto=False):
        got = self.c.ask("Metadata", 9, topics=[{"name": name}], allow_auto_topic_creation=auto)["topics"][0]
        return got["error_code"]

    def produce(self, name, data):
        got = self.c.ask("Produce", 9, transactional_id=None, acks=-1, timeout_ms=5000, topic_data=[
            {"name": name, "partition_data": [{"index": 0, "records": data}]}])
        return got["responses"][0]["partition_responses"][0]["error_code"], got["throttle_time_ms"]

    def offset(self, name, which):
        return self.c.ask("ListOffsets", 5, replica_id=-1, topics=[
            {"name": name, "partitions": [{"partition_index": 0, "timestamp": which}]}
        ])["topics"][0]["partitions"][0]["offset"]


def alert(http):
    text = urllib.request.urlopen("http://127.0.0.1:%d/metrics" % http, timeout=10).read().decode()
    return int([line.split()[1] for line in text.splitlines()
                if line.startswith("rollway_storage_disk_free_space_alert ")][0])


def forced_retention(talk):
    """Much more than the disk holds goes through a topic that may keep 8 MiB: without waiting for the next turn of
    retention, which is five minutes away. Returns how often producers were refused and the longest throttle."""
    expect(0, talk.create("short", retention_bytes=str(8 << 20), segment_bytes=str(1 << 20))[0], "create short")
    data, refused, longest = batch((b"x" * 800000,)), 0, 0
    until = time.time() + SECONDS
    for _ in range(200):
        while True:
            code, throttle = talk.produce("short", data)
            longest = max(longest, throttle)
            if code == 0:
                break
            expect(FULL, code, "produce on the full disk")
            refused += 1
            if time.time() > until:
                raise OSError("retention makes no room")
            time.sleep(0.1)
    expect(200, talk.offset("short", -1), "records of short")
    if talk.offset("short", -2) == 0:
        raise OSError("nothing was deleted")
    return refused, longest


def brim(talk, http, disk, data_dir, burn):
    rest, data = os.path.join(disk, "rest"), batch((b"x" * 400000,))
    expect(0, talk.create("fill", segment_bytes=str(1 << 20))[0], "create fill")
    expect(0, talk.create("doomed", 3)[0], "create doomed")
    expect(0, talk.produce("doomed", data)[0], "produce to doomed")
    wait("producers are refused", lambda: talk.produce("fill", data)[0] == FULL)
    stored = talk.offset("fill", -1)
    burn(rest)
    # Produce may have been refused by a write that found no space; the others ask what the last look at the disk saw.
    wait("the broker sees that the disk is full", lambda: alert(http) == 2)
    code, words = talk.create("refused")
    expect(FULL, code, "create on the full disk")
    if "space" not in words:
        raise OSError("no clear words: %r" % words)
    expect(FULL, talk.grow("doomed", 5), "add partitions on the full disk")
    expect(ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], talk.known("auto", True), "auto-creation on the full disk")
    expect(2, alert(http), "the gauge on the full disk")
    expect(stored, talk.offset("fill", -1), "records on the full disk")
    expect(0, talk.delete("doomed"), "delete on the full disk")
    expect([], [d for d in os.listdir(data_dir) if d.startswith("doomed-")], "directories of the deleted topic")
    os.unlink(rest)
    talk.delete("fill")
    wait("topics can be created again", lambda: talk.create("after")[0] in (0, ERRORS["TOPIC_ALREADY_EXISTS"]))
    wait("the gauge goes back", lambda: alert(http) == 0)
    # Its log may have found no room at first: it is opened again, and producers repeat what was refused so.
    wait("the new topic can be used", lambda: talk.produce("after", data)[0] == 0)


def unnoticed(talk, disk, burn):
    """The disk is full between two looks at it: what was promised is made when there is space."""
    rest = os.path.join(disk, "rest")
    burn(rest)
    code = talk.create("made", 2)[0]
    if code not in (0, FULL):
        raise OSError("create on a disk that just filled up: error %d" % code)
    time.sleep(1)
    os.unlink(rest)
    if code:  # it was refused, or its logs wait for space
        wait("the topic can be created",
             lambda: talk.create("made", 2)[0] in (0, ERRORS["TOPIC_ALREADY_EXISTS"]))
    wait("the new topic can be used", lambda: talk.produce("made", batch())[0] == 0)


def restarted(broker, disk, burn):
    """Stopped and started while not one byte is free: topics can still be deleted."""
    rest = os.path.join(disk, "rest")
    # It may have looked at the disk last while that was full.
    wait("doomed can be created again",
         lambda: Talk(broker.port).create("doomed", 3)[0] in (0, ERRORS["TOPIC_ALREADY_EXISTS"]))
    burn(rest)
    broker.stop()
    broker.log = open(broker.log.name, "ab")
    broker.start()
    expect(0, Talk(broker.port).delete("doomed"), "delete on a disk that is full since before the start")
    os.unlink(rest)


def broker_brim(binary, directory, disk, burn):
    data = os.path.join(disk, "data")
    broker = Broker(binary, directory, data, "num.partitions=1", "rollway.shards=2")
    http = int(broker.command[-5].rsplit(":", 1)[1])
    broker.start()
    try:
        with socket.create_connection(("127.0.0.1", broker.port)):
            talk = Talk(broker.port)
            wait("the gauge is there", lambda: alert(http) == 0)
            refused, longest = forced_retention(talk)
            expect(0, talk.delete("short"), "delete short")
            wait("the gauge goes back", lambda: alert(http) == 0)
            brim(talk, http, disk, data, burn)
            unnoticed(talk, disk, burn)
            if broker.process.poll() is not None:
                raise OSError("the full disk ended the broker: %d" % broker.process.returncode)
        restarted(broker, disk, burn)
    finally:
        broker.stop()
    broker.log = open(os.path.join(directory, "broker.log"), "ab")
    broker.start()  # what was made and deleted on the full disk is so after a restart
    try:
        talk = Talk(broker.port)
        expect(ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], talk.known("doomed"), "the deleted topic after a restart")
        wait("the new topic after a restart", lambda: talk.produce("made", batch())[0] == 0)
    finally:
        broker.stop()
    return "retention was forced; %d produce requests refused, %d ms the longest throttle" % (refused, longest)
