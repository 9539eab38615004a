#!/usr/bin/env python3
"""Checks what clients saw against what a log promises.

A history is JSON lines, one event each, in the order in which the recorder saw them:

  {"proc": "p1", "type": "invoke", "op": "send", "log": "t-0", "value": "17"}
  {"proc": "p1", "type": "ok", "op": "send", "log": "t-0", "value": "17", "offset": 4}
  {"proc": "c1", "type": "ok", "op": "poll", "log": "t-0", "records": [[4, "17"], [5, "18"]]}
  {"proc": "v", "type": "ok", "op": "final", "log": "t-0", "start": 0, "records": [...]}

type is invoke, ok, fail (certainly not done) or unknown (a time-out, a broken connection: may have
been done). Values are unique per log. "final" is a complete read after everything has settled;
"start" is the log start offset then. {"op": "seek"} lets the process poll from anywhere.

  history.py FILE [--at-least-once]     exit 0: no anomaly; 1: named anomalies; 2: not a history

--at-least-once: producers were not idempotent, duplicates are allowed.
"""
import collections
import json
import sys

Anomaly = collections.namedtuple("Anomaly", "kind log detail")


class Log:
    """What is known about one log."""

    def __init__(self):
        self.invoked = {}       # value -> type of its outcome so far
        self.acked = {}         # value -> offset
        self.at = {}            # offset -> value, from reads
        self.offsets = collections.defaultdict(set)  # value -> offsets, from reads
        self.final = None       # (start, {offset: value})


def _learn(log, name, offset, value, found):
    seen = log.at.setdefault(offset, value)
    if seen != value:
        found.append(Anomaly("offset with two values", name,
                             "offset %d: %s and %s" % (offset, seen, value)))
    log.offsets[value].add(offset)


def _send(log, name, event, last_sent, found):
    value, kind = event["value"], event["type"]
    if kind == "invoke":
        log.invoked[value] = "invoke"
        return
    log.invoked[value] = kind
    if kind != "ok":
        return
    offset = event.get("offset")
    log.acked[value] = offset
    if offset is None:
        return
    key = (event["proc"], name)
    if key in last_sent and offset <= last_sent[key]:
        found.append(Anomaly("send goes backwards", name, "%s: %d after %d"
                             % (event["proc"], offset, last_sent[key])))
    last_sent[key] = offset


def _poll(log, name, event, position, found):
    key = (event["proc"], name)
    for offset, value in event["records"]:
        _learn(log, name, offset, value, found)
        if key in position and offset <= position[key]:
            found.append(Anomaly("poll goes backwards", name, "%s: %d after %d"
                                 % (event["proc"], offset, position[key])))
        position[key] = offset


def _skips(logs, polls, found):
    """A reader passed over an offset that holds a record (known from any other read)."""
    position = {}
    for event in polls:
        key = (event["proc"], event["log"])
        if event["op"] == "seek":
            position.pop(key, None)
            continue
        at = logs[event["log"]].at
        for offset, _ in event["records"]:
            if key in position:
                missed = [o for o in range(position[key] + 1, offset) if o in at]
                if missed:
                    found.append(Anomaly("poll skips", event["log"], "%s: %d to %d, over %s"
                                         % (event["proc"], position[key], offset, missed[:5])))
            position[key] = offset


def _settle(log, name, idempotent, found):
    for value, offsets in log.offsets.items():
        if idempotent and len(offsets) > 1:
            found.append(Anomaly("duplicate", name, "%s at %s" % (value, sorted(offsets))))
        outcome = log.invoked.get(value)
        if outcome is None:
            found.append(Anomaly("never sent", name, "%s at %s" % (value, sorted(offsets))))
        elif outcome == "fail":
            found.append(Anomaly("failed send is readable", name, value))
    for value, offset in log.acked.items():
        if offset is not None and log.at.get(offset, value) != value:
            found.append(Anomaly("offset with two values", name, "offset %d: %s acked, %s read"
                                 % (offset, value, log.at[offset])))
        if log.final is None:
            continue
        start, content = log.final
        if (offset is not None and offset < start) or value in content.values():
            continue
        end = max(content, default=start - 1) + 1
        inside = offset is not None and offset < end
        found.append(Anomaly("acked but never readable" if inside else "lost acked write", name,
                             "%s, acked at %s; the log is [%d, %d)" % (value, offset, start, end)))


def check(events, idempotent=True):
    """All anomalies of a history (an iterable of dicts)."""
    logs = collections.defaultdict(Log)
    found, polls, last_sent, position = [], [], {}, {}
    for event in events:
        name, op = event["log"], event["op"]
        log = logs[name]
        if op == "send":
            _send(log, name, event, last_sent, found)
        elif op == "seek":
            polls.append(event)
            position.pop((event["proc"], name), None)
        elif op == "poll" and event["type"] == "ok":
            polls.append(event)
            _poll(log, name, event, position, found)
        elif op == "final" and event["type"] == "ok":
            content = {}
            for offset, value in event["records"]:
                _learn(log, name, offset, value, found)
                content[offset] = value
            log.final = (event.get("start", 0), content)
        elif op not in ("poll", "final"):
            raise ValueError("unknown op %r" % op)
    _skips(logs, polls, found)
    for name, log in logs.items():
        _settle(log, name, idempotent, found)
    return found


def main(argv):
    arguments = [a for a in argv if not a.startswith("--")]
    if len(arguments) != 1:
        print(__doc__)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines if line.strip()]
        found = check(events, "--at-least-once" not in argv)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print("history: %s: %s" % (arguments[0], error), file=sys.stderr)
        return 2
    for anomaly in found[:50]:
        print("%s: %s: %s" % (anomaly.log, anomaly.kind, anomaly.detail))
    acked = sum(e["op"] == "send" and e["type"] == "ok" for e in events)
    print("%d events, %d acked sends, %d anomalies" % (len(events), acked, len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
