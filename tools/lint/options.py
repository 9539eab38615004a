"""Every option of every command is in that command's man page, and every command has one.

Asks the built binary: `rollway __commands` prints one line per command and one per option
("command<TAB>topic create<TAB>topic", "option<TAB>topic create<TAB>partitions"). Without a built binary
there is nothing to check.
"""
import os
import re
import subprocess

import common


def page_of(build, name):
    """The man page's text: rollway-topic-create.1, else that of the group, rollway-topic.1."""
    words = name.split()
    for n in range(len(words), -1, -1):
        path = os.path.join(build, "man", "-".join(["rollway"] + words[:n]) + ".1")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                return path, f.read()
    return None, ""


def main():
    top = common.root()
    build = os.path.join(top, os.environ.get("ROLLWAY_BUILD", "build"))
    binary = os.path.join(build, "rollway")
    found = common.Findings()
    if os.path.exists(binary):
        run = subprocess.run([binary, "__commands"], capture_output=True, text=True, check=False)
        if run.returncode != 0 or not run.stdout:
            found.add("src/cli", 1, "rollway __commands failed: %s" % run.stderr.strip()[:200])
        for line in run.stdout.splitlines():
            kind, command, *rest = line.split("\t")
            path, text = page_of(build, command)
            text = re.sub(r"\\-", "-", text)
            if path is None:
                found.add("man", 1, "%s has no man page" % command)
            elif kind == "option" and "--" + rest[0] not in text:
                found.add(os.path.relpath(path, top), 1, "%s: --%s is missing" % (command, rest[0]))
    found.exit()


if __name__ == "__main__":
    main()
