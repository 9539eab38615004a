"""Line coverage per folder from gcovr's JSON summary, against what we ask for; then the files with the
most lines that no test reaches.

    coverage_report.py coverage.json
"""
import json
import sys

# Folder -> percent of lines asked for.
PURE = ("base", "wire", "batch", "auth", "part", "meta", "group", "txn")
WANTED = dict.fromkeys(PURE + ("log",), 90)
WANTED_ALL = 82


def row(name, covered, total, wanted):
    percent = 100.0 * covered / total if total else 100.0
    remark = "" if not wanted else " (asked: %d)%s" % (wanted, "" if percent >= wanted else "  BELOW")
    print("%-24s %6.1f %%  %6d of %6d lines%s" % (name, percent, covered, total, remark))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        files = json.load(f)["files"]
    folders = {}
    for entry in files:
        parts = entry["filename"].split("/")
        folder = "/".join(parts[:2]) if parts[0] == "src" else parts[0]
        covered, total = folders.get(folder, (0, 0))
        folders[folder] = (covered + entry["line_covered"], total + entry["line_total"])
    print("coverage of lines:")
    for folder in sorted(folders):
        row(folder, *folders[folder], WANTED.get(folder.split("/")[-1]))
    row("all", sum(c for c, _ in folders.values()), sum(t for _, t in folders.values()), WANTED_ALL)
    print("most lines not covered:")
    for entry in sorted(files, key=lambda e: e["line_covered"] - e["line_total"])[:15]:
        print("    %5d lines  %s" % (entry["line_total"] - entry["line_covered"], entry["filename"]))


if __name__ == "__main__":
    main()
