"""SIGKILL of the broker under load, with an oracle of what was acknowledged.

librdkafka producers live through all the kills (their own retries bridge them). What idempotent ones
sent to one topic may not be lost and not be there twice; what plain ones sent to another may not be
lost. Afterwards everything is read back.
"""
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from ports import free_port  # noqa: E402

IDEMPOTENT, PLAIN = "kills", "kills-plain"
PARTITIONS = 12


class Broker:
    """A broker process on one data directory and port, started again and again."""

    def __init__(self, binary, directory, data=None, *settings):
        self.port = free_port()
        self.bootstrap = "127.0.0.1:%d" % self.port
        self.log = open(os.path.join(directory, "broker.log"), "ab")
        self.command = [binary, "server", "--data", data or os.path.join(directory, "data"),
                        "--set", "listeners=PLAINTEXT://127.0.0.1:%d" % self.port,
                        "--set", "num.partitions=%d" % PARTITIONS,
                        "--set", "rollway.http.listen=127.0.0.1:%d" % free_port()]
        for setting in settings:
            self.command += ["--set", setting]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        until = time.time() + 20
        while time.time() < until:
            if self.process.poll() is not None:
                raise OSError("the broker ended with %d: see broker.log" % self.process.returncode)
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise OSError("the broker does not listen")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self.log.close()


class Load(threading.Thread):
    """One producer; its history is complete when flush() came back."""

    def __init__(self, bootstrap, name, topic, size=200):
        super().__init__()
        from confluent_kafka import Producer
        self.topic, self.fill = topic, b" " + b"x" * size
        self.name, self.events, self.done, self.acked = name, [], threading.Event(), 0
        self.errors = []
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": topic == IDEMPOTENT,
            "acks": "all", "max.in.flight": 5 if topic == IDEMPOTENT else 1, "linger.ms": 2,
            "queue.buffering.max.messages": 100000 if size < 1000 else 200,  # what is waiting must fit
            "message.timeout.ms": 120000, "retry.backoff.ms": 50, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 200, "log_level": 0, "error_cb": self.on_error})

    def on_error(self, error):
        if error.fatal():
            self.errors.append("%s: %s" % (self.name, error))

    def report(self, error, message):
        kind = "unknown" if error else "ok"
        event = {"proc": "%s-%d" % (self.name, message.partition()), "op": "send", "type": kind,
                 "log": "%s-%d" % (self.topic, message.partition()),
                 "value": message.value().split(b" ")[0].decode()}
        if not error:
            event["offset"] = message.offset()
            self.acked += 1
        self.events.append(event)

    def run(self):
        number = 0
        while not self.done.is_set():
            partition = number % PARTITIONS
            value = "%s-%d" % (self.name, number)
            self.events.append({"proc": self.name, "op": "send", "type": "invoke",
                                "log": "%s-%d" % (self.topic, partition), "value": value})
            try:
                self.producer.produce(self.topic, value.encode() + self.fill, partition=partition,
                                      on_delivery=self.report)
            except BufferError:
                self.events.pop()
                self.producer.poll(0.05)
                continue
            number += 1
            self.producer.poll(0)
            if number % 25 == 0:
                time.sleep(0.02)  # the histories of long runs must fit into memory
        left = self.producer.flush(60)
        if left:
            self.errors.append("%s: %d messages were never answered" % (self.name, left))


@contextlib.contextmanager
def under_load(broker, loads):
    """The producers run inside of it and are done afterwards."""
    broker.start()
    try:
        for load in loads:
            load.start()
        yield
    except BaseException:
        broker.stop()
        raise
    finally:
        for load in loads:
            load.done.set()
        for load in loads:
            load.join(90)


def history(broker, loads):
    """What the producers saw, and what can be read in the end. Stops the broker."""
    try:
        errors = [e for load in loads for e in load.errors]
        if errors:
            raise OSError("; ".join(errors[:3]))
        return [e for load in loads for e in load.events] + read_all(broker.bootstrap)
    finally:
        broker.stop()


def read_all(bootstrap):
    """One "final" event for each partition."""
    from confluent_kafka import Consumer, TopicPartition
    events = []
    for topic, partition in [(t, p) for t in (IDEMPOTENT, PLAIN) for p in range(PARTITIONS)]:
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "final",
                             "enable.auto.commit": False})
        where = TopicPartition(topic, partition)
        low, high = consumer.get_watermark_offsets(where, timeout=20)
        where.offset = low
        consumer.assign([where])
        records, until = [], time.time() + 120
        while (records[-1][0] + 1 if records else low) < high and time.time() < until:
            for message in consumer.consume(5000, 0.5):
                if not message.error():
                    records.append([message.offset(),
                                    message.value().split(b" ")[0].decode()])
        consumer.close()
        events.append({"proc": "final", "op": "final", "type": "ok", "start": low,
                       "log": "%s-%d" % (topic, partition), "records": records})
    return events


def broker_kill(binary, directory, rounds):
    """History and a few words. The seed of the pauses is fixed; the machine is not."""
    broker, luck = Broker(binary, directory), random.Random(1)
    loads = [Load(broker.bootstrap, "p%d" % i, IDEMPOTENT if i % 2 else PLAIN) for i in range(4)]
    with under_load(broker, loads):
        for _ in range(rounds):
            time.sleep(0.2 + luck.random() * 0.8)
            broker.kill()
            time.sleep(luck.random() * 0.1)
            broker.start()
        time.sleep(0.5)
    return history(broker, loads), "%d kills, %d acked records" % (
        rounds, sum(load.acked for load in loads))
