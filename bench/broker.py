#!/usr/bin/env python3
"""The broker next to its physical limit (and next to Apache Kafka when KAFKA_HOME names one).

Limit and broker alternate, --rounds times, in one run on one machine; what counts is the median of
the per-round ratios. Absolute numbers move with the machine and are printed only for orientation.

  bench/broker.py --bin BUILD_DIR [--rounds 5] [--seconds 2] [--only NAME] [--json FILE]
"""
import argparse, json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, types

HZ = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of a process, all threads."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def wait_port(port, process, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if process.poll() is not None:
            sys.exit(f"server ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("server does not listen")


class Server:
    """A process under test; `port` speaks the protocol."""

    def __init__(self, name, argv, port, log, env=None):
        self.name, self.port, self.log = name, port, log
        self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=env, start_new_session=True)
        wait_port(port, self.process)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = tempfile.mkdtemp(prefix="rollway-bench-", dir=args.dir)
        self.log = open(os.path.join(self.dir, "servers.log"), "wb")
        self.servers, self.topics = [], 0

    def tool(self, name):
        return os.path.join(self.args.bin, "bench", name)

    def start_rollway(self):
        port, http = free_port(), free_port()
        data = os.path.join(self.dir, "rollway")
        argv = [os.path.join(self.args.bin, "rollway"), "server",
                "--set", f"listeners=PLAINTEXT://127.0.0.1:{port}",
                "--set", f"rollway.http.listen=127.0.0.1:{http}", "--set", f"log.dirs={data}"]
        return self.keep(Server("rollway", argv, port, self.log))

    def start_kafka(self):
        home = os.environ.get("KAFKA_HOME")
        if not home:
            return None
        port, ctl = free_port(), free_port()
        conf = os.path.join(self.dir, "kafka.properties")
        with open(conf, "w") as f:
            f.write(f"process.roles=broker,controller\nnode.id=1\n"
                    f"controller.quorum.voters=1@127.0.0.1:{ctl}\n"
                    f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{ctl}\n"
                    f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n"
                    "controller.listener.names=CONTROLLER\noffsets.topic.replication.factor=1\n"
                    f"log.dirs={self.dir}/kafka\n")
        java = ["java", "-Xmx1g", "-Xms1g", "-cp", os.path.join(home, "libs", "*")]
        uuid = subprocess.run(java + ["kafka.tools.StorageTool", "random-uuid"], check=True,
                              capture_output=True, text=True).stdout.split()[-1]
        subprocess.run(java + ["kafka.tools.StorageTool", "format", "-t", uuid, "-c", conf],
                       check=True, stdout=self.log, stderr=self.log)
        return self.keep(Server("kafka", java + ["kafka.Kafka", conf], port, self.log))

    def start_limit(self, *mode):
        port = free_port()
        argv = [self.tool("bench_net_limit"), str(port), *mode]
        return self.keep(Server("limit", argv, port, self.log))

    def keep(self, server):
        self.servers.append(server)
        return server

    def stop(self, server):
        server.stop()
        self.servers.remove(server)

    def topic(self, server, partitions, **config):
        self.topics += 1
        name = f"bench-{self.topics}"
        argv = [self.tool("bench_net_load"), f"127.0.0.1:{server.port}", "create", name,
                str(partitions)] + [f"{k.replace('_', '.')}={v}" for k, v in config.items()]
        subprocess.run(argv, check=True)
        time.sleep(0.3)
        return name

    def load(self, server, kind, topic, *options, seconds=None):
        argv = [self.tool("bench_net_load"), f"127.0.0.1:{server.port}", kind, topic, *map(str, options),
                "-s", str(seconds or self.args.seconds)]
        before = cpu_seconds(server.process.pid)
        out = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
        result = json.loads(out)
        result["cpu_s"] = cpu_seconds(server.process.pid) - before
        if result["bytes"]:
            result["cpu_s_per_gb"] = result["cpu_s"] / (result["bytes"] / 1e9)
        result["cpu_us_per_request"] = result["cpu_s"] / max(1, result["requests"]) * 1e6
        return result

    def load_disk(self):
        argv = [self.tool("bench_disk_limit"), os.path.join(self.dir, "limit.dat"), str(self.args.seconds)]
        return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def close(self):
        for s in list(self.servers):
            s.stop()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


LEAVE_TO_OS = 9223372036854775807

# name, load options, option of the limit (see net_limit.c; "disk": disk_limit.c), figure, better, target ratio (performance targets, see bench/README.md)
PRODUCE = [
    ("produce 1 MB, not synced", ["-c", 1, "-d", 4, "-b", 1000000], None, "gb_per_s", 0.85),
    ("produce 1 MB of 1 KB records, not synced", ["-c", 1, "-d", 4, "-b", 1000000, "-r", 1000], None,
     "gb_per_s", 0.85),
    ("produce 1 MB, not synced, limit writes new pages", ["-c", 1, "-d", 4, "-b", 1000000], "fresh",
     "gb_per_s", 0.85),
    ("produce 64 KB, not synced", ["-c", 1, "-d", 16, "-b", 65536], None, "gb_per_s", 0.85),
    ("produce 64 KB, not synced, limit writes new pages", ["-c", 1, "-d", 16, "-b", 65536], "fresh",
     "gb_per_s", 0.85),
    ("produce 16 KB, not synced", ["-c", 1, "-d", 32, "-b", 16384], None, "gb_per_s", 0.80),
    ("produce 16 KB, not synced, limit writes new pages", ["-c", 1, "-d", 32, "-b", 16384], "fresh",
     "gb_per_s", 0.80),
    ("produce 4 KB, not synced", ["-c", 1, "-d", 64, "-b", 4096], None, "gb_per_s", 0.70),
    ("produce 4 KB, not synced, limit writes new pages", ["-c", 1, "-d", 64, "-b", 4096], "fresh",
     "gb_per_s", 0.70),
    ("produce 100 B, one outstanding, not synced", ["-c", 1, "-d", 1, "-b", 200], None, "p50_us", 1.15),
    ("produce 1 MB, durable", ["-c", 4, "-d", 4, "-b", 1000000], "sync", "gb_per_s", 0.80),
    ("produce 100 B, one outstanding, durable", ["-c", 1, "-d", 1, "-b", 200], "sync", "p50_us", 1.2),
    ("produce 100 B, 64 clients, one partition, durable", ["-c", 64, "-d", 1, "-b", 200, "-p", 1], "sync",
     "requests_per_s", 0.7),
    ("produce 100 B, 512 clients, one partition, durable", ["-c", 512, "-d", 1, "-b", 200, "-p", 1], "sync",
     "requests_per_s", 0.7),
    ("produce 100 B, 12 partitions, durable, limit has a thread for each", ["-c", 12, "-d", 1, "-b", 200], "own",
     "requests_per_s", 0.75),
    ("produce 100 B, 64 partitions, durable, limit has a thread for each", ["-c", 64, "-d", 1, "-b", 200], "own",
     "requests_per_s", 0.75),
    ("produce 100 B, 12 partitions, durable", ["-c", 12, "-d", 1, "-b", 200], "disk", "requests_per_s", 0.75),
    ("produce 100 B, 64 partitions, durable", ["-c", 64, "-d", 1, "-b", 200], "disk", "requests_per_s", 0.75),
]


DISK = types.SimpleNamespace(name="disk")  # bench_disk_limit instead of a server


def ratio_of(figure, subject, limit):
    return subject[figure] / limit[figure] if limit[figure] else float("nan")


def run_produce(b, rollway, kafka, rows):
    for name, options, limit_option, figure, target in PRODUCE:
        if b.args.only and b.args.only not in name:
            continue
        disk = limit_option == "disk"
        limit = DISK if disk else b.start_limit("produce", os.path.join(b.dir, "limit.dat"),
                                                *([limit_option] if limit_option else []))
        config = {"flush_messages": 1 if limit_option in ("sync", "own", "disk") else LEAVE_TO_OS, "retention_bytes": 1 << 30,
                  "segment_bytes": 256 << 20}
        conns = options[options.index("-c") + 1]
        # One partition holds what one limit file holds; clients share partitions beyond that.
        subjects = [(rollway, b.topic(rollway, conns, **config))]
        if kafka:
            subjects.append((kafka, b.topic(kafka, conns, **config)))
        measure(b, name, figure, target, limit, subjects,
                lambda s, t: b.load_disk() if s is DISK else b.load(s, "produce", t, *options), rows)
        if not disk:
            b.stop(limit)


def run_fetch(b, rollway, kafka, rows):
    name, size = "fetch 1 MB, page cache", 1 << 20
    if b.args.only and b.args.only not in name:
        return
    limit = b.start_limit("fetch", os.path.join(b.dir, "limit.dat"), str(size))
    subjects = []
    for s in [rollway] + ([kafka] if kafka else []):
        topic = b.topic(s, 2, flush_messages=LEAVE_TO_OS, segment_bytes=1 << 30)
        b.load(s, "produce", topic, "-c", 2, "-d", 4, "-b", 100000, seconds=0.5)
        subjects.append((s, topic))
    measure(b, name, "gb_per_s", 0.92, limit, subjects,
            lambda s, t: b.load(s, "fetch", t, "-c", 2, "-m", size), rows)
    b.stop(limit)


def run_tiny(b, rollway, kafka, rows):
    for name, options, target in [("tiny requests, 64 connections x 1", ["-c", 64, "-d", 1], 0.85),
                                  ("tiny requests, 8 connections x 64", ["-c", 8, "-d", 64], 0.40)]:
        if b.args.only and b.args.only not in name:
            continue
        limit = b.start_limit("echo")
        subjects = [(s, "-") for s in [rollway] + ([kafka] if kafka else [])]
        measure(b, name, "requests_per_s", target, limit, subjects,
                lambda s, t: b.load(s, "tiny", t, *options), rows)
        b.stop(limit)


RDKAFKA = [("librdkafka 100 B, acks=all, not synced", 100, False), ("librdkafka 1 KB, acks=all, not synced", 1000, False),
           ("librdkafka 100 B, acks=all, durable", 100, True), ("librdkafka 1 KB, acks=all, durable", 1000, True)]


def run_rdkafka(b, rollway, kafka, rows):
    """The limit is librdkafka's own mock broker, in the client's process; it keeps nothing."""
    if not os.path.exists(b.tool("bench_rdkafka_load")):
        print("librdkafka rows: skipped, built without librdkafka-dev", flush=True)
        return
    mock = types.SimpleNamespace(name="mock", port=None)

    def load(server, topic, size):
        where = f"127.0.0.1:{server.port}" if server.port else "mock"
        before = cpu_seconds(server.process.pid) if server.port else 0
        out = subprocess.run([b.tool("bench_rdkafka_load"), where, topic, str(size), str(b.args.seconds)],
                             check=True, stdout=subprocess.PIPE, stderr=b.log, text=True).stdout
        result = json.loads(out)
        if server.port:
            result["cpu_s_per_gb"] = (cpu_seconds(server.process.pid) - before) / (result["bytes"] / 1e9)
        return result

    for name, size, durable in RDKAFKA:
        if b.args.only and b.args.only not in name:
            continue
        config = {"flush_messages": 1 if durable else LEAVE_TO_OS, "retention_bytes": 1 << 30,
                  "segment_bytes": 256 << 20}
        subjects = [(s, b.topic(s, 1, **config)) for s in [rollway] + ([kafka] if kafka else [])]
        # The target is for what the broker adds to the protocol; a disk under it is another matter.
        measure(b, name, "messages_per_s", None if durable else 0.90, mock, subjects,
                lambda s, t: load(s, t, size), rows)


def measure(b, name, figure, target, limit, subjects, load, rows):
    rounds = {s.name: [] for s, _ in subjects}
    limits, ratios, cpu = [], {s.name: [] for s, _ in subjects}, {s.name: [] for s, _ in subjects}
    for r in range(b.args.rounds + 1):
        base = load(limit, "t")
        for s, topic in subjects:
            result = load(s, topic)
            if r == 0:
                continue  # the first round warms caches and memory
            rounds[s.name].append(result)
            ratios[s.name].append(ratio_of(figure, result, base))
            key = "cpu_s_per_gb" if result["bytes"] else "cpu_us_per_request"
            if base.get(key):
                cpu[s.name].append(result[key] / base[key])
        if r:
            limits.append(base)
    for s, _ in subjects:
        row = {"name": name, "subject": s.name, "figure": figure, "target": target,
               "ratio": round(statistics.median(ratios[s.name]), 3),
               "cpu_ratio": round(statistics.median(cpu[s.name]), 3) if cpu[s.name] else None,
               "value": statistics.median(x[figure] for x in rounds[s.name]),
               "limit": statistics.median(x[figure] for x in limits),
               "p50_us": statistics.median(x["p50_us"] for x in rounds[s.name]),
               "p99_us": statistics.median(x["p99_us"] for x in rounds[s.name])}
        rows.append(row)
        print(f"{name:66} {s.name:8} {figure:15} {row['value']:>12.4g} of {row['limit']:>10.4g}"
              f"  ratio {row['ratio']:>6}  target {target or '-':>5}  cpu ratio {row['cpu_ratio']}", flush=True)


def run(seconds, measure):
    """A whole program: its options, and `measure`, which is given a Bench and the rows to add to."""
    p = argparse.ArgumentParser()
    p.add_argument("--bin", default="build", help="build directory")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=seconds)
    p.add_argument("--only", help="only rows whose name contains this")
    p.add_argument("--dir", help="where the servers keep their data; default: the system's temporary directory")
    p.add_argument("--json", help="append the rows to this file, one object per line")
    args = p.parse_args()
    b, rows = Bench(args), []
    try:
        measure(b, rows)
    finally:
        b.close()
    if args.json:
        with open(args.json, "a") as f:
            for row in rows:
                f.write(json.dumps(row) + "\n")


def run_all(b, rows):
    rollway, kafka = b.start_rollway(), b.start_kafka()
    for step in (run_tiny, run_produce, run_fetch, run_rdkafka):
        step(b, rollway, kafka, rows)


if __name__ == "__main__":
    run(2, run_all)
