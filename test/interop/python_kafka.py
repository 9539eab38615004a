#!/usr/bin/env python3
"""Rollway against kafka-python (its own implementation of the protocol): python_kafka.py HOST:PORT

Works with 2.0.2 (Debian's python3-kafka; old fixed versions of each API, Fetch v4) and later ones.
"""
import os
import sys
import time

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import (MessageSizeTooLargeError, TopicAlreadyExistsError,
                          UnknownTopicOrPartitionError)

from tap import Skip, main, same, test

BROKER = sys.argv[1]
PREFIX = "it-kafka-python-%d-%d" % (time.time(), os.getpid())
COUNT = 3000


def topic(suffix):
    return "%s-%s" % (PREFIX, suffix)


def admin():
    return KafkaAdminClient(bootstrap_servers=BROKER)


def create(name, partitions=1, config=None):
    a = admin()
    a.create_topics([NewTopic(name, partitions, 1, topic_configs=config or {})])
    a.close()
    return name


def producer(**options):
    return KafkaProducer(bootstrap_servers=BROKER, linger_ms=5, **options)


def read(name, partition=0, offset=0, **options):
    """Every record from offset to the end."""
    consumer = KafkaConsumer(bootstrap_servers=BROKER, group_id=None, enable_auto_commit=False,
                             check_crcs=True, **options)
    tp = TopicPartition(name, partition)
    consumer.assign([tp])
    consumer.seek(tp, offset)
    end = consumer.end_offsets([tp])[tp]
    records, deadline = [], time.time() + 30
    while consumer.position(tp) < end:
        if time.time() > deadline:
            raise AssertionError("stuck at %d of %d" % (consumer.position(tp), end))
        for batch in consumer.poll(timeout_ms=1000).values():
            records += batch
    consumer.close()
    return records


@test("metadata: the brokers, and a topic made by asking for it")
def metadata():
    c = KafkaConsumer(bootstrap_servers=BROKER, group_id=None)
    assert c.bootstrap_connected()
    c.topics()
    c.close()
    p = producer()
    assert p.partitions_for(topic("auto"))
    p.close()


@test("create, describe, extend, delete topics")
def topics():
    a = admin()
    name = topic("admin")
    a.create_topics([NewTopic(name, 3, 1, topic_configs={"retention.ms": "123456"})])
    try:
        a.create_topics([NewTopic(name, 3, 1)])
        raise AssertionError("created twice")
    except TopicAlreadyExistsError:
        pass
    assert name in a.list_topics()
    same(3, len(a.describe_topics([name])[0]["partitions"]))
    a.create_partitions({name: NewPartitions(4)})
    same(4, len(a.describe_topics([name])[0]["partitions"]))
    described = a.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    if isinstance(described, dict):  # since 3.0
        text = str(described)
        assert "123456" in text, text
    else:
        configs = {c[0]: c[1] for c in described[0].resources[0][4]}
        same("123456", configs["retention.ms"])
        assert len(configs) > 20, "only %d keys" % len(configs)
    a.delete_topics([name])
    deadline = time.time() + 10
    while name in a.list_topics() and time.time() < deadline:
        time.sleep(0.1)
    assert name not in a.list_topics()
    try:
        a.delete_topics([name])
        raise AssertionError("deleted twice")
    except UnknownTopicOrPartitionError:
        pass
    a.close()


def codec(name):
    t = create(topic(str(name)))
    try:
        p = producer(compression_type=name)
    except (AssertionError, ValueError) as e:
        raise Skip("this client lacks the codec: %s" % e) from e
    wanted = [(b"k%d" % i if i % 3 else None, b"%06d some text that repeats %d" % (i, i % 7))
              for i in range(COUNT)]
    futures = [p.send(t, key=k, value=v, partition=0) for k, v in wanted]
    p.flush(timeout=30)
    same(list(range(COUNT)), [f.get(timeout=10).offset for f in futures], "offsets")
    p.close()
    same(wanted, [(r.key, r.value) for r in read(t)])


for _codec in (None, "gzip", "snappy", "lz4", "zstd"):
    test("%s: %d records there and back" % (_codec, COUNT), _codec)(codec)


@test("headers, null and empty values, timestamps")
def records():
    t = create(topic("records"))
    p = producer()
    headers = [("a", b"1"), ("b", b""), ("a", b"2")]
    p.send(t, key=b"k", value=b"v", headers=headers, timestamp_ms=1700000000123, partition=0)
    p.send(t, key=b"k", value=None, partition=0)
    p.send(t, key=b"", value=b"", partition=0)
    p.flush()
    p.close()
    got = read(t)
    same([(b"k", b"v"), (b"k", None), (b"", b"")], [(r.key, r.value) for r in got])
    same(headers, [tuple(h) for h in got[0].headers])
    same(1700000000123, got[0].timestamp)


@test("LogAppendTime replaces the producer's timestamps")
def log_append_time():
    t = create(topic("lat"), config={"message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000) - 1000
    for compression in (None, "gzip"):
        p = producer(compression_type=compression)
        p.send(t, value=b"x", timestamp_ms=1000, partition=0).get(timeout=20)
        p.close()
    for r in read(t):
        assert before <= r.timestamp <= time.time() * 1000 + 1000, r.timestamp
        same(1, r.timestamp_type)


@test("beginning, end, offsets by time")
def offsets():
    t = create(topic("times"))
    tp = TopicPartition(t, 0)
    p = producer()
    for i in range(100):
        p.send(t, value=b"%d" % i, timestamp_ms=1700000000000 + 1000 * i, partition=0)
    p.flush()
    p.close()
    c = KafkaConsumer(bootstrap_servers=BROKER, group_id=None)
    same({tp: 0}, c.beginning_offsets([tp]))
    same({tp: 100}, c.end_offsets([tp]))
    same(0, c.offsets_for_times({tp: 0})[tp].offset)
    found = c.offsets_for_times({tp: 1700000041500})[tp]
    same((42, 1700000042000), (found.offset, found.timestamp))
    same(None, c.offsets_for_times({tp: 1700001000000})[tp])
    c.close()


@test("a record of 1,000,000 bytes, and one that is too large")
def large():
    t = create(topic("large"))
    p = producer(max_request_size=3000000, buffer_memory=10000000)
    value = os.urandom(1000000)
    p.send(t, value=value, partition=0).get(timeout=30)
    try:
        p.send(t, value=b"x" * 1500000, partition=0).get(timeout=30)
        raise AssertionError("taken")
    except MessageSizeTooLargeError:
        pass
    p.close()
    same([value], [r.value for r in read(t, max_partition_fetch_bytes=1000)])


@test("12 partitions: the partition of a key is the one of every other client")
def partitions():
    t = create(topic("parts"), 12)
    p = producer()
    for i in range(1200):
        p.send(t, key=b"key-%d" % (i % 60), value=b"%d" % i)
    p.flush()
    p.close()
    got = [r for partition in range(12) for r in read(t, partition)]
    same(set(range(1200)), {int(r.value) for r in got})
    placed = {}
    for r in got:
        placed.setdefault(r.key, set()).add(r.partition)
    same({1}, {len(v) for v in placed.values()})


@test("acks=0, 1 and all")
def acks():
    t = create(topic("acks"))
    # kafka-python 2.2 with acks=0 reports success and sends nothing, to Apache Kafka either.
    levels = (0, 1, "all") if kafka.__version__.startswith("2.0.") else (1, "all")
    for a in levels:
        p = producer(acks=a)
        for i in range(100):
            p.send(t, value=b"%d" % i, partition=0)
        p.flush()
        p.close()
    deadline = time.time() + 10
    while len(read(t)) < 100 * len(levels) and time.time() < deadline:
        time.sleep(0.1)
    same(100 * len(levels), len(read(t)))


print("# kafka-python %s" % kafka.__version__)
main()
