"""Includes against layers.txt: who may include whom, and which outside headers each folder may use."""
import os
import re
import sys

import common


def table(path):
    """-> (folder -> set of folders, set of pure folders, folder -> set of outside headers)"""
    allowed, pure, headers = {}, set(), {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            head, _, rest = line.partition(":")
            words = head.split()
            if words[0] == "layer" and len(words) in (2, 3):
                allowed[words[1]] = set(rest.split())
                if words[2:] == ["pure"]:
                    pure.add(words[1])
            elif words[0] == "headers" and len(words) == 2:
                headers[words[1]] = set(rest.split())
            else:
                sys.exit("%s:%d: neither a layer nor a headers line" % (path, number))
    return allowed, pure, headers


def main():
    top = common.root()
    allowed, _, headers = table(os.path.join(top, "tools/lint/layers.txt"))
    found = common.Findings()
    for path in common.files(top, (".c", ".h"), ("src", "include")):
        folder = path.split("/")[1] if path.startswith("src/") else "include"
        if folder not in allowed:
            found.add(path, 1, "folder %s has no line in tools/lint/layers.txt" % folder)
            continue
        for number, line in enumerate(common.read(top, path).splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not m:
                continue
            name = m.group(2)
            first = name.split("/")[0]
            if m.group(1) == "<":
                outside = headers.get("*", set()) | headers.get(folder, set())
                if "*" not in headers.get(folder, set()) and name not in outside:
                    found.add(path, number, "%s may not include <%s>" % (folder, name))
            elif "/" not in name:
                # A generated header lies in the build folder; one of ours is named in full.
                if not os.path.exists(os.path.join(top, os.path.dirname(path), name)):
                    continue
                found.add(path, number, 'write "%s/%s": includes start at src/' % (folder, name))
            elif first != folder and first not in allowed[folder] and first != "rollway":
                found.add(path, number, "%s may not include %s/ (layers.txt)" % (folder, first))
    found.exit()


if __name__ == "__main__":
    main()
