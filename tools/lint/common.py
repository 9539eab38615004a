"""What the lint checks share: findings, C source text without comments and strings, file lists.

Each check is a program: `python3 tools/lint/NAME.py [ROOT]` prints `file:line: what is wrong` for each
finding and exits 1 when there is one. ROOT is the tree to check, so that the tests can plant a
violation in a copy.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Findings:
    def __init__(self):
        self.count = 0

    def add(self, path, line, text):
        self.count += 1
        print("%s:%d: %s" % (path, line, text))

    def note(self, path, line, text):
        """A remark that does not fail the check."""
        print("%s:%d: note: %s" % (path, line, text))

    def exit(self):
        sys.exit(1 if self.count else 0)


def root():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    return os.path.abspath(args[0] if args else os.path.join(HERE, "..", ".."))


def files(top, suffixes, under=("",)):
    """Paths relative to top, sorted: what git knows plus what it does not ignore, or a walk of the
    tree where there is no repository."""
    found = []
    if os.path.isdir(os.path.join(top, ".git")) or os.path.isfile(os.path.join(top, ".git")):
        out = subprocess.run(["git", "-C", top, "ls-files", "-co", "--exclude-standard", "-z"],
                             check=True, capture_output=True, text=True).stdout
        found = [p for p in out.split("\0") if p and os.path.isfile(os.path.join(top, p))]
    else:
        for folder, folders, names in os.walk(top):
            folders[:] = [f for f in folders if not f.startswith((".", "build"))]
            found += [os.path.relpath(os.path.join(folder, n), top) for n in names]
    keep = []
    for p in sorted(set(found)):
        if p.endswith(tuple(suffixes)) and any(u == "" or p.startswith(u + "/") for u in under):
            keep.append(p)
    return keep


def read(top, path):
    with open(os.path.join(top, path), encoding="utf-8", errors="replace") as f:
        return f.read()


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """The C text with comments blanked and string contents removed; line numbers stay."""
    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] + s[0]
        return "\n" * s.count("\n") or " "
    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
