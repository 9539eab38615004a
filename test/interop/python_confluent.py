#!/usr/bin/env python3
"""Rollway against confluent-kafka-python (librdkafka underneath): python_confluent.py HOST:PORT"""
import os
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from tap import main, same, test

BROKER = sys.argv[1]
PREFIX = "it-confluent-%d-%d" % (time.time(), os.getpid())
COUNT = 5000


def topic(suffix):
    return "%s-%s" % (PREFIX, suffix)


def admin():
    return AdminClient({"bootstrap.servers": BROKER})


def wait(futures):
    return {k: f.result(timeout=30) for k, f in futures.items()}


def create(name, partitions=1, config=None):
    a = admin()  # a temporary would be gone, and its requests with it, before the answer
    wait(a.create_topics([NewTopic(name, partitions, 1, config=config or {})]))
    return name


def produce(name, records, **options):
    """records: (key, value, headers). -> offsets in the order of delivery"""
    offsets, errors = [], []

    def done(error, message):
        if error:
            errors.append(error)
        else:
            offsets.append((message.partition(), message.offset()))

    p = Producer({"bootstrap.servers": BROKER, "message.timeout.ms": 20000, "linger.ms": 5,
                  **{k.replace("_", "."): v for k, v in options.items()}})
    for key, value, headers in records:
        while True:
            try:
                p.produce(name, key=key, value=value, headers=headers, on_delivery=done)
                break
            except BufferError:
                p.poll(0.1)
        p.poll(0)
    same(0, p.flush(30), "not delivered")
    if errors:
        raise KafkaException(errors[0])
    return offsets


def read(name, partitions=1):
    c = Consumer({"bootstrap.servers": BROKER, "group.id": "not-used", "enable.auto.commit": False,
                  "enable.partition.eof": True, "check.crcs": True})
    c.assign([TopicPartition(name, p, 0) for p in range(partitions)])
    got, ended = [], set()
    while len(ended) < partitions:
        m = c.poll(20)
        assert m is not None, "nothing came within 20 s"
        if m.error():
            same(KafkaError._PARTITION_EOF, m.error().code())
            ended.add(m.partition())
        else:
            got.append(m)
    c.close()
    return got


def codec(name, idempotent=False):
    t = create(topic("%s-%s" % (name, idempotent)), 3)
    wanted = [(b"key-%d" % (i % 50), b"%06d some text that repeats %d" % (i, i % 7), None)
              for i in range(COUNT)]
    produce(t, wanted, compression_type=name, enable_idempotence=idempotent)
    got = sorted(read(t, 3), key=lambda m: m.value())
    same([(k, v) for k, v, _ in wanted], [(m.key(), m.value()) for m in got])


for _codec in ("none", "gzip", "snappy", "lz4", "zstd"):
    test("%s: %d records over 3 partitions" % (_codec, COUNT), _codec)(codec)
test("zstd, idempotent", "zstd", True)(codec)


@test("headers, null and empty values")
def records():
    t = create(topic("records"))
    produce(t, [(b"k", b"v", [("a", b"1"), ("b", None), ("a", b"2")]), (None, b"", None),
                (b"", None, None)])
    got = read(t)
    same([(b"k", b"v"), (None, b""), (b"", None)], [(m.key(), m.value()) for m in got])
    same([("a", b"1"), ("b", None), ("a", b"2")], got[0].headers())


@test("create, describe, extend and delete topics")
def topics():
    name = create(topic("admin"), 2, {"retention.bytes": "7777777"})
    a = admin()
    same(2, len(a.list_topics(timeout=20).topics[name].partitions))
    wait(a.create_partitions([NewPartitions(name, 5)]))
    same(5, len(a.list_topics(timeout=20).topics[name].partitions))
    resource = ConfigResource(ConfigResource.Type.TOPIC, name)
    configs = list(wait(a.describe_configs([resource])).values())[0]
    same("7777777", configs["retention.bytes"].value)
    try:
        create(name)
        raise AssertionError("created twice")
    except KafkaException as e:
        same(KafkaError.TOPIC_ALREADY_EXISTS, e.args[0].code())
    wait(a.delete_topics([name]))
    deadline = time.time() + 10
    while name in a.list_topics(timeout=20).topics and time.time() < deadline:
        time.sleep(0.1)
    assert name not in a.list_topics(timeout=20).topics


@test("describe the broker's configuration")
def broker_configs():
    a = admin()
    node = next(iter(a.list_topics(timeout=20).brokers))
    resource = ConfigResource(ConfigResource.Type.BROKER, str(node))
    configs = list(wait(a.describe_configs([resource])).values())[0]
    assert "log.segment.bytes" in configs, sorted(configs)[:10]


@test("watermarks and offsets by time")
def offsets():
    t = create(topic("times"))
    p = Producer({"bootstrap.servers": BROKER})
    for i in range(100):
        p.produce(t, value=b"%d" % i, partition=0, timestamp=1700000000000 + 1000 * i)
    same(0, p.flush(20))
    c = Consumer({"bootstrap.servers": BROKER, "group.id": "not-used"})
    same((0, 100), c.get_watermark_offsets(TopicPartition(t, 0), timeout=20))
    found = c.offsets_for_times([TopicPartition(t, 0, 1700000041500)], timeout=20)
    same(42, found[0].offset)
    c.close()


print("# confluent-kafka %s, librdkafka %s"
      % (confluent_kafka.version()[0], confluent_kafka.libversion()[0]))
main()
