"""Counts test cases. Reads the test log that `meson test` leaves (testlog.json), or TAP; prints
`PASSED FAILED SKIPPED`.

    test_counts.py meson build-asan/meson-logs/testlog.json
    test_counts.py tap some.log EXIT_STATUS

A program whose cases are not visible (it crashed, or it is not a cmocka program) counts as one. A TAP
program that failed, or ended before its plan, without a "not ok" counts one failure more: it died.
"""
import json
import re
import sys


def meson(path):
    passed = failed = skipped = 0
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
    except FileNotFoundError:
        return 0, 0, 0
    for line in lines:
        row = json.loads(line)
        out = (row.get("stdout") or "") + (row.get("stderr") or "")
        good = len(re.findall(r"^\[       OK \] ", out, re.M))
        bad = len(set(re.findall(r"^\[  FAILED  \] (?!\w+: \d+ test)(.+)$", out, re.M)))
        gone = len(re.findall(r"^\[  SKIPPED \] (?!\w+: \d+ test)", out, re.M))
        if row["result"] == "OK":
            passed += max(good, 1)
            skipped += gone
        elif row["result"] == "SKIP":
            skipped += 1
        else:
            passed += good
            failed += max(bad, 1)
    return passed, failed, skipped


def tap(path, status):
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    skipped = sum(1 for x in lines if re.match(r"ok\b.*#\s*skip", x, re.I))
    passed = sum(1 for x in lines if re.match(r"ok\b", x)) - skipped
    failed = sum(1 for x in lines if re.match(r"not ok\b", x))
    plan = [int(m.group(1)) for m in (re.match(r"1\.\.(\d+)", x) for x in lines) if m]
    short = bool(plan) and passed + failed + skipped < sum(plan)
    if failed == 0 and (status != 0 or short):
        failed = 1
    if passed + failed + skipped == 0 and not plan:
        failed = 1  # it said nothing: that is no success
    return passed, failed, skipped


if __name__ == "__main__":
    if sys.argv[1] == "meson":
        print(*meson(sys.argv[2]))
    else:
        print(*tap(sys.argv[2], int(sys.argv[3])))
