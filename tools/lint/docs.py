"""Documentation against the tree.

In every Markdown file: each path written in back-ticks exists; `file:function` names a function that is
in that file; each relative link leads somewhere. In ARCHITECTURE.md a bare folder/file.c means
src/folder/file.c. Every source folder has a README.md, of at most one page.
"""
import os
import re

import common

README_LINES_MAX = 80
FILE = re.compile(r"`((?:[\w.*-]+/)*[\w.-]+\.(?:c|h|py|txt|sh|bats|md|schema|json|mjs|java|go|build))"
                  r"(?::([A-Za-z_]\w*)(?:\(\))?)?`")
FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")
SCRIPT = re.compile(r"`(script/[\w-]+)")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
# Folders that the documents name but a clone does not have.
MADE = ("build", "rollway-data", "node_modules")


def candidates(top, md, name):
    here = os.path.dirname(md)
    # Generated sources are in the build folder.
    for base in (here, "", "src", "include", "include/rollway", "test", "docs", "build/src"):
        p = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(top, p)):
            yield p


def has_function(text, name):
    return re.search(r"\b%s\b" % re.escape(name), common.code_only(text)) is not None


def check_document(found, top, md):
    fenced = False
    for number, line in enumerate(common.read(top, md).splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced:
            continue
        for m in FILE.finditer(line):
            name, function = m.group(1), m.group(2)
            # A bare name like `Makefile.txt` is a word unless it has a folder or a function.
            # NAME stands for any name.
            if "*" in name or "NAME" in name or name.startswith(MADE) or ("/" not in name and not function):
                continue
            paths = list(candidates(top, md, name))
            if not paths:
                found.add(md, number, "%s does not exist" % name)
            elif function and not any(has_function(common.read(top, p), function) for p in paths):
                found.add(md, number, "%s has no %s" % (paths[0], function))
        for m in FOLDER.finditer(line):
            name = m.group(1)
            if not name.startswith(MADE) and not list(candidates(top, md, name)):
                found.add(md, number, "folder %s does not exist" % name)
        for m in SCRIPT.finditer(line):
            if not list(candidates(top, md, m.group(1))):
                found.add(md, number, "%s does not exist" % m.group(1))
        for m in LINK.finditer(line):
            target = os.path.normpath(os.path.join(os.path.dirname(md), m.group(1)))
            if not os.path.exists(os.path.join(top, target)):
                found.add(md, number, "the link to %s leads nowhere" % m.group(1))


def check_folders(found, top):
    folders = {os.path.dirname(p) for p in common.files(top, (".c", ".h", ".msg"),
                                                         ("src", "sim", "schema"))}
    for folder in sorted(folders):
        # A folder below src/<part>/ is explained by the README of its part.
        parts = folder.split("/")
        part = "/".join(parts[:2]) if parts[0] == "src" else parts[0]
        readme = os.path.join(part, "README.md")
        if not os.path.exists(os.path.join(top, readme)):
            found.add(folder, 1, "no %s" % readme)
        elif common.read(top, readme).count("\n") > README_LINES_MAX:
            found.add(readme, 1, "longer than a page (%d lines)" % README_LINES_MAX)


def main():
    top = common.root()
    found = common.Findings()
    for md in common.files(top, (".md",)):
        check_document(found, top, md)
    check_folders(found, top)
    found.exit()


if __name__ == "__main__":
    main()
