#!/usr/bin/env python3
"""Rollway against aiokafka: aiokafka_suite.py HOST:PORT"""
import asyncio
import os
import sys
import time

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tap import Skip, main, same, test

BROKER = sys.argv[1]
PREFIX = "it-aiokafka-%d-%d" % (time.time(), os.getpid())
COUNT = 2000


async def create(suffix, partitions=1):
    name = "%s-%s" % (PREFIX, suffix)
    admin = AIOKafkaAdminClient(bootstrap_servers=BROKER)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
        assert name in await admin.list_topics()
    finally:
        await admin.close()
    return name


async def read(name, count):
    consumer = AIOKafkaConsumer(bootstrap_servers=BROKER, enable_auto_commit=False, check_crcs=True)
    tp = TopicPartition(name, 0)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        got = []
        while len(got) < count:
            batches = await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 20)
            for batch in batches.values():
                got += batch
        same({tp: count}, await consumer.end_offsets([tp]))
        return got
    finally:
        await consumer.stop()


async def codec_async(compression, idempotent):
    name = await create("%s-%s" % (compression, idempotent))
    try:
        producer = AIOKafkaProducer(bootstrap_servers=BROKER, compression_type=compression,
                                    enable_idempotence=idempotent, linger_ms=5)
        await producer.start()
    except RuntimeError as e:
        raise Skip(str(e)) from e
    wanted = [(b"k%d" % i if i % 3 else None, b"%d text again %d" % (i, i % 7)) for i in range(COUNT)]
    try:
        futures = [await producer.send(name, key=k, value=v, partition=0, headers=[("h", b"x")])
                   for k, v in wanted]
        same(list(range(COUNT)), [(await f).offset for f in futures])
    finally:
        await producer.stop()
    got = await asyncio.wait_for(read(name, COUNT), 40)
    same(wanted, [(r.key, r.value) for r in got])
    same((("h", b"x"),), tuple(got[0].headers))


def codec(compression, idempotent=False):
    asyncio.run(codec_async(compression, idempotent))


for _codec in (None, "gzip", "snappy", "lz4", "zstd"):
    test("%s: %d records there and back" % (_codec, COUNT), _codec)(codec)
test("idempotent", None, True)(codec)

print("# aiokafka %s" % aiokafka.__version__)
main()
