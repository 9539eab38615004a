"""A broker on a small disk that producers fill to the brim, and that is emptied again: nothing that was
acknowledged is lost, the broker stays up, consumers go on, and producing goes on without a restart.
"""
import os
import time

from broker_kill import IDEMPOTENT, PARTITIONS, PLAIN, Broker, Load, history, read_all, under_load


def _acked(loads):
    return sum(load.acked for load in loads)


def _wait(what, holds, seconds=60):
    until = time.time() + seconds
    while not holds():
        if time.time() > until:
            raise OSError("%s: not within %d s" % (what, seconds))
        time.sleep(0.1)


def _stalled(loads):
    """Nothing is acknowledged for two seconds."""
    before = _acked(loads)
    time.sleep(2)
    return before and _acked(loads) == before


def broker_full(binary, directory, disk, burn):
    """disk: where the small file system is mounted. burn(path): fills what is left of it."""
    ballast, rest = os.path.join(disk, "ballast"), os.path.join(disk, "rest")
    with open(ballast, "wb") as f:
        f.write(b"x" * (16 << 20))
    broker = Broker(binary, directory, os.path.join(disk, "data"), "log.segment.bytes=1048576")
    loads = [Load(broker.bootstrap, "f%d" % i, (IDEMPOTENT, PLAIN)[i], size=8000) for i in range(2)]
    with under_load(broker, loads):
        _wait("producers are refused", lambda: _stalled(loads))
        full = _acked(loads)
        burn(rest)  # not one block is left: by another program
        time.sleep(3)
        if broker.process.poll() is not None:
            raise OSError("the full disk ended the broker: %d" % broker.process.returncode)
        seen = sum(len(e["records"]) for e in read_all(broker.bootstrap))
        if seen < full:
            raise OSError("on the full disk only %d of %d records can be read" % (seen, full))
        os.unlink(rest)
        os.unlink(ballast)
        _wait("producing goes on", lambda: _acked(loads) > full)
    return history(broker, loads), "%d partitions, %d acked records, %d before it was full" % (
        2 * PARTITIONS, _acked(loads), full)
