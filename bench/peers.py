#!/usr/bin/env python3
"""The broker next to other logs that programs reach over a socket: Redis Streams and NATS JetStream.

Each as its makers would drive it for speed: Redis by redis-benchmark with pipelining, NATS by its C client,
asynchronously; the broker by the load generators of this folder. Same machine, same record size, one
client, durability as each row says. Peer and broker alternate, round after round; what counts is the
median of the ratios. Peers that are not installed are left out.

  bench/peers.py --bin BUILD_DIR [--rounds 5] [--seconds 0.7] [--only NAME] [--dir DIR] [--json FILE]
"""
import argparse, csv, json, os, shutil, statistics, subprocess

from broker import LEAVE_TO_OS, Server, free_port, run

SCAN = 1000  # records per XRANGE


class Redis:
    def __init__(self, b, *options):
        self.b, self.port, self.per_s = b, free_port(), None
        os.makedirs(os.path.join(b.dir, "redis"), exist_ok=True)
        argv = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--dir", os.path.join(b.dir, "redis"), *options]
        self.server = b.keep(Server("redis", argv, self.port, b.log))

    def command(self, *argv):
        subprocess.run(["redis-cli", "-p", str(self.port), *argv], check=True, stdout=self.b.log)

    def benchmark(self, n, pipeline, *command):
        """Requests per second. Its number of requests is given, not its time."""
        out = subprocess.run(["redis-benchmark", "-p", str(self.port), "-c", "1", "-P", str(pipeline), "-n",
                              str(n), "--csv", *command], check=True, capture_output=True, text=True).stdout
        return float(list(csv.reader(out.splitlines()))[-1][1])

    def measured(self, pipeline, *command):
        """A run that takes about as long as the others, by the rate of the one before."""
        if not self.per_s:
            self.per_s = self.benchmark(pipeline * 200, pipeline, *command)
        n = max(pipeline, int(self.per_s * self.b.args.seconds))
        self.per_s = self.benchmark(n, pipeline, *command)
        return self.per_s

    def produce(self, size, pipeline):
        self.command("FLUSHALL")
        rate = self.measured(pipeline, "XADD", "stream", "*", "d", "x" * size)
        return {"records_per_s": rate, "gb_per_s": rate * size / 1e9}

    def fill(self, size, records):
        self.command("FLUSHALL")
        self.benchmark(records, 100, "XADD", "stream", "*", "d", "x" * size)

    def consume(self, size):
        rate = self.measured(1, "XRANGE", "stream", "-", "+", "COUNT", str(SCAN)) * SCAN
        return {"records_per_s": rate, "gb_per_s": rate * size / 1e9}

    def stop(self):
        self.b.stop(self.server)
        shutil.rmtree(os.path.join(self.b.dir, "redis"), ignore_errors=True)


class Nats:
    def __init__(self, b):
        self.b, port = b, free_port()
        self.url = f"nats://127.0.0.1:{port}"
        argv = ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", os.path.join(b.dir, "nats")]
        self.server = b.keep(Server("nats", argv, port, b.log))

    def load(self, *argv):
        return run_json(self.b, "bench_nats_load", self.url, *argv, self.b.args.seconds)

    def produce(self, size):
        return self.load("publish", "stream", size)

    def consume(self, _size):
        return self.load("consume", "stream")

    def stop(self):
        self.b.stop(self.server)
        shutil.rmtree(os.path.join(self.b.dir, "nats"), ignore_errors=True)


def run_json(b, tool, *argv):
    out = subprocess.run([b.tool(tool), *map(str, argv)], check=True, stdout=subprocess.PIPE, stderr=b.log,
                         text=True).stdout
    return json.loads(out)


def broker_produce(b, rollway, size, durable):
    topic = b.topic(rollway, 1, flush_messages=1 if durable else LEAVE_TO_OS, retention_bytes=1 << 30,
                    segment_bytes=256 << 20)
    return lambda: b.load(rollway, "produce", topic, "-c", 1, "-d", 16, "-b", 65536, "-r", size)


def broker_consume(b, rollway, size):
    topic = b.topic(rollway, 1, flush_messages=LEAVE_TO_OS, segment_bytes=256 << 20)
    b.load(rollway, "produce", topic, "-c", 1, "-d", 4, "-b", 65536, "-r", size, seconds=0.3)
    return lambda: run_json(b, "bench_consume_load", f"127.0.0.1:{rollway.port}", topic, b.args.seconds)


def compare(b, name, figure, target, peer, subject, rows):
    pairs = []
    for r in range(b.args.rounds + 1):
        pair = (peer(), subject())
        if r:  # the first round warms caches and memory
            pairs.append(pair)
    ratios = [s[figure] / p[figure] for p, s in pairs]
    row = {"name": name, "subject": "rollway", "figure": figure, "target": target,
           "ratio": round(statistics.median(ratios), 2), "lowest": round(min(ratios), 2),
           "highest": round(max(ratios), 2), "value": statistics.median(s[figure] for _, s in pairs),
           "limit": statistics.median(p[figure] for p, _ in pairs)}
    rows.append(row)
    print(f"{name:50} {figure:15} {row['value']:>12.4g} of {row['limit']:>10.4g}  ratio {row['ratio']:>7}"
          f"  target {target or '-':>4}  ({row['lowest']} .. {row['highest']})", flush=True)


def wanted(b, name):
    return not b.args.only or b.args.only in name


def run_redis(b, rollway, rows):
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        print("Redis rows: skipped, redis-server and redis-tools are not installed", flush=True)
        return
    policies = [("no file", [], False, 11), ("everysec", ["--appendonly", "yes", "--appendfsync", "everysec"], False, 25),
                ("always", ["--appendonly", "yes", "--appendfsync", "always"], True, None)]
    for size, pipeline in ((100, 100), (1000, 16)):
        for policy, options, durable, target in policies:
            name = f"produce {size} B, Redis XADD x{pipeline}, {policy}"
            if not wanted(b, name):
                continue
            redis = Redis(b, *options)
            compare(b, name, "records_per_s", target if size == 100 else 4, lambda: redis.produce(size, pipeline),
                    broker_produce(b, rollway, size, durable), rows)
            redis.stop()
    for size in (100, 1000):
        name = f"consume {size} B, Redis XRANGE by {SCAN}"
        if not wanted(b, name):
            continue
        redis = Redis(b)
        redis.fill(size, 20 * SCAN)
        compare(b, name, "gb_per_s", 2, lambda: redis.consume(size), broker_consume(b, rollway, size), rows)
        redis.stop()


def run_nats(b, rollway, rows):
    if not shutil.which("nats-server") or not os.path.exists(b.tool("bench_nats_load")):
        print("NATS rows: skipped, nats-server is not installed, or built without libnats-dev", flush=True)
        return
    for size, produce_target, consume_target in ((100, 50, 25), (1000, 9, 8)):
        names = f"produce {size} B, NATS JetStream, not synced", f"consume {size} B, NATS ordered consumer"
        if not any(wanted(b, name) for name in names):
            continue
        nats = Nats(b)
        if wanted(b, names[0]):
            compare(b, names[0], "records_per_s", produce_target, lambda: nats.produce(size),
                    broker_produce(b, rollway, size, False), rows)
        if wanted(b, names[1]):
            nats.produce(size)
            compare(b, names[1], "records_per_s", consume_target, lambda: nats.consume(size),
                    broker_consume(b, rollway, size), rows)
        nats.stop()


def run_all(b, rows):
    rollway = b.start_rollway()
    run_redis(b, rollway, rows)
    run_nats(b, rollway, rows)


if __name__ == "__main__":
    run(0.7, run_all)
