#!/usr/bin/env python3
"""What a logging call costs its caller, beside other libraries: see README.md of this folder for the method.

Compiles a program for each library that is there (quill, fmtlog, NanoLog and zlog from their sources in
$ROLLWAY_PEERS, spdlog and glog from Debian's packages), runs all of them in turn, round after round, and keeps for
each percentile the best round of each.

  bench/loggers/run.py --bin BUILD_DIR [--rounds 5] [--bursts 1500] [--only SCENARIO] [--dir DIR] [--json FILE]
"""
import argparse, glob, json, os, shutil, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
OURS, FLOOR, BINARY = "rollway", "floor", {"nanolog"}
# What all of them are compared with: those whose file is text must be behind; a binary one may be ahead by this much.
BINARY_ALLOWED = 1.2
FIELDS = ("p50", "p99", "p999")
NANOLOG = ("Cycles", "Util", "Log", "NanoLog", "RuntimeLogger", "TimeTrace")
WORDS = {"numbers": "3 numbers", "order": "4 fields, 2 of them text",
         "warm": "bursts of 20", "cold": "each call after 4 MiB of other memory"}


def say(words):
    print(words, flush=True)


class Peers:
    """The programs of the peers, compiled here; who is not there, or does not compile, is left out in words."""

    def __init__(self, args):
        self.args, self.src = args, os.environ.get("ROLLWAY_PEERS", "")
        self.programs, self.decompressor = {}, None

    def at(self, *parts):
        return os.path.join(self.src, *parts)

    def package(self, name):
        out = subprocess.run(["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True)
        return out.stdout.split() if out.returncode == 0 else None

    def sources(self, name, needs):
        if self.src and os.path.exists(self.at(name, needs)):
            return True
        say(f"{name} is left out: no {needs} in $ROLLWAY_PEERS/{name}")
        return False

    def compile(self, name, compiler, *argv):
        program = os.path.join(self.args.dir, "log_" + name)
        suffix = "c" if compiler == "cc" else "cc"
        standard = ["-std=gnu17", "-D_GNU_SOURCE"] if compiler == "cc" else ["-std=c++17"]
        harness = os.path.join(self.args.bin, "bench", "loggers", "libloggers_harness.a")
        command = [compiler, *standard, "-O3", "-DNDEBUG", "-w", os.path.join(HERE, f"log_{name}.{suffix}"), *argv, harness,
                   "-o", program, "-pthread"]
        out = subprocess.run(command, capture_output=True, text=True)
        if out.returncode:
            say(f"{name} is left out: it does not compile: {(out.stderr.strip().splitlines() or ['?'])[0]}")
        else:
            self.programs[name] = program

    def build(self):
        if self.sources("quill", "include/quill/Frontend.h"):
            self.compile("quill", "c++", "-I" + self.at("quill/include"))
        if self.sources("fmtlog", "fmtlog.h"):
            self.compile("fmtlog", "c++", "-DFMT_HEADER_ONLY", "-I" + self.at("fmtlog"), "-I" + self.at("fmtlog/fmt/include"),
                         self.at("fmtlog/fmtlog.cc"))
        if self.sources("NanoLog", "runtime/NanoLogCpp17.h"):
            self.nanolog()
        if self.sources("zlog", "src/zlog.h"):
            own = [f for f in glob.glob(self.at("zlog/src/*.c")) if not f.endswith(("chk-conf.c", "_win.c", "_profile_tool.c"))]
            self.compile("zlog", "cc", "-U_GNU_SOURCE", "-I" + self.at("zlog/src"), *own)
        for name, package, words in (("spdlog", "spdlog", "libspdlog-dev"), ("glog", "libglog", "libgoogle-glog-dev")):
            flags = self.package(package)
            if flags is None:
                say(f"{name} is left out: no {words}")
            else:
                self.compile(name, "c++", *flags)

    def nanolog(self):
        """Its makefile makes a source of its own, in a copy."""
        copy = os.path.join(self.args.dir, "NanoLog")
        shutil.copytree(self.at("NanoLog"), copy, dirs_exist_ok=True)
        runtime = os.path.join(copy, "runtime")
        out = subprocess.run(["make", "-C", runtime, "decompressor", "EXTRA_NANOLOG_FLAGS=-w"], capture_output=True, text=True)
        if out.returncode:
            say("NanoLog is left out: " + (out.stderr.strip().splitlines() or ["?"])[-1])
            return
        self.decompressor = os.path.join(runtime, "decompressor")
        self.compile("nanolog", "c++", "-I" + runtime, *(os.path.join(runtime, f + ".cc") for f in NANOLOG),
                     os.path.join(runtime, "testHelper", "GeneratedCode.o"))

    def lines(self, path):
        """Of a binary log: what its own tool makes of it."""
        p = subprocess.Popen([self.decompressor, "decompress", path], stdout=subprocess.PIPE)
        n = sum(b" message with numbers " in line or b"order accepted" in line for line in p.stdout)
        p.wait()
        return n


def measure(args, peers, name, program, mode, scenario, threads, bursts):
    path = os.path.join(args.dir, "peer.log")
    argv = [program, "--file", path, "--scenario", scenario, "--mode", mode, "--threads", str(threads), "--bursts", str(bursts)]
    try:
        # NanoLog opens a file where it is started, whatever it is told later.
        out = subprocess.run(argv, capture_output=True, text=True, timeout=120, cwd=args.dir)
        row = json.loads(out.stdout.splitlines()[-1])
        if name in BINARY and mode == "through":
            row["lines"] = peers.lines(path)
    except (subprocess.TimeoutExpired, IndexError, ValueError) as e:
        say(f"{name} {mode} {scenario} {threads}: left out of this round: {type(e).__name__}")
        row = None
    for left in glob.glob(path + "*"):
        os.unlink(left)
    return row


def rounds(args, peers, programs, mode, scenario, threads):
    """Per library, all rounds' rows. Each round begins with another library."""
    rows = {name: [] for name in programs}
    bursts = {"warm": args.bursts // threads, "cold": args.bursts // 10 // threads, "through": args.records // 20}[mode]
    names = list(programs)
    for i in range(args.rounds):
        for name in names[i % len(names):] + names[:i % len(names)]:
            row = measure(args, peers, name, programs[name], mode, scenario, threads, max(1, bursts))
            if row:
                rows[name].append(row)
    return {name: r for name, r in rows.items() if r}


def save(args, row):
    if args.json:
        with open(args.json, "a") as f:
            f.write(json.dumps(row) + "\n")


def verdict(best, name, field):
    """What of our target against this library is reached."""
    if name in (OURS, FLOOR) or OURS not in best:
        return ""
    allowed = BINARY_ALLOWED if name in BINARY else 1.0
    return "ok" if best[OURS][field] <= allowed * best[name][field] else "BEHIND"


def latency(args, peers, programs, mode, scenario, threads):
    rows = rounds(args, peers, programs, mode, scenario, threads)
    best = {n: {f: min(r[f] for r in rs) for f in (*FIELDS, "max")} for n, rs in rows.items()}
    say(f"\n{WORDS[scenario]}, {threads} thread{'s' * (threads > 1)}, {WORDS[mode]}: ns for a call, best of {args.rounds} rounds;"
        f" in brackets: ours / theirs")
    head = f"{'library':<10}" + "".join(f"{w:>10} {'':<14}" for w in ("p50", "p99", "p99.9")) + f"{'max':>10}"
    say(head)
    for name, b in sorted(best.items(), key=lambda item: item[1]["p50"]):
        cells = ""
        for f in FIELDS:
            ratio = best[OURS][f] / b[f] if OURS in best and name != OURS and b[f] else 0
            note = f"({ratio:.2f} {verdict(best, name, f)})" if ratio and name != FLOOR else f"({ratio:.2f})" if ratio else ""
            cells += f"{b[f]:>10.1f} {note:<14}"
        say(f"{name:<10}{cells}{b['max']:>10.0f}")
        median = {f + "_median": statistics.median(r[f] for r in rows[name]) for f in FIELDS}
        save(args, {"case": "latency", "library": name, "scenario": scenario, "mode": mode, "threads": threads, "unit": "ns",
                    **b, **median, "rounds": len(rows[name]), "lost": sum(max(0, r["calls"] - r["lines"]) for r in rows[name])
                    if name not in BINARY | {FLOOR} else None,
                    "target": {f: verdict(best, name, f) for f in FIELDS} if verdict(best, name, "p50") else None})


def throughput(args, peers, programs, scenario):
    rows = rounds(args, peers, {n: p for n, p in programs.items() if n != FLOOR}, "through", scenario, 1)
    say(f"\n{WORDS[scenario]}, 1 thread, {args.records} records back to back until they are in the file: median of {args.rounds} rounds")
    say(f"{'library':<10}{'records/s':>14}{'lost':>12}{'bytes/record':>14}")
    median = {n: statistics.median(min(r["lines"], r["calls"]) / r["seconds"] for r in rs) for n, rs in rows.items()}
    for name, rate in sorted(median.items(), key=lambda item: -item[1]):
        lost = statistics.median(max(0, r["calls"] - r["lines"]) / r["calls"] for r in rows[name])
        size = statistics.median(r["bytes"] / max(1, r["lines"]) for r in rows[name])
        say(f"{name:<10}{rate:>14,.0f}{lost:>11.1%} {size:>13.0f}")
        save(args, {"case": "throughput", "library": name, "scenario": scenario, "unit": "records/s", "written_per_s": rate,
                    "lost_share": lost, "bytes_per_record": size, "rounds": len(rows[name])})


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--bin", required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--bursts", type=int, default=1500)
    p.add_argument("--records", type=int, default=1000000)
    p.add_argument("--only", help="warm, cold or through")
    p.add_argument("--library", action="append", help="these only (ours and floor are always there)")
    p.add_argument("--dir", default=".")
    p.add_argument("--json")
    args = p.parse_args()
    args.dir, args.bin = os.path.abspath(args.dir), os.path.abspath(args.bin)
    peers = Peers(args)
    peers.build()
    own = {n: os.path.join(args.bin, "bench", "loggers", "log_" + n) for n in (FLOOR, OURS, "fprintf")}
    programs = {**own, **peers.programs}
    if args.library:
        programs = {n: f for n, f in programs.items() if n in (FLOOR, OURS, *args.library)}
    say("libraries: " + ", ".join(programs) + f" (callers: CPU 0, with more threads all; back ends: CPU {os.cpu_count() - 1})")
    for mode in ("warm", "cold"):
        for threads in (1, 4):
            for scenario in ("numbers", "order"):
                if args.only in (None, mode):
                    latency(args, peers, programs, mode, scenario, threads)
    for scenario in ("numbers", "order"):
        if args.only in (None, "through"):
            throughput(args, peers, programs, scenario)
    return 0


if __name__ == "__main__":
    sys.exit(main())
