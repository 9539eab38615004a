"""Every page of the command table is built, and every option that a command's help names is in its man
page or in the page of the options that all commands have (rollway.1).

Asks the built binary (`rollway __man` lists the pages); without one there is nothing to check.
"""
import os
import re
import subprocess

import common


def ask(binary, *words):
    run = subprocess.run([binary, *words], capture_output=True, text=True, check=False,
                         env={**os.environ, "PAGER": "cat"})
    return run.stdout


def page_text(build, name):
    path = os.path.join(build, "man", name)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        return f.read().replace("\\-", "-")


def main():
    top = common.root()
    build = os.path.join(top, os.environ.get("ROLLWAY_BUILD", "build"))
    binary = os.path.join(build, "rollway")
    found = common.Findings()
    if os.path.exists(binary):
        everywhere = page_text(build, "rollway.1")
        if everywhere is None:
            found.add("man", 1, "no %s/man/rollway.1 (scdoc builds it)" % build)
        pages = ask(binary, "__man").split("\n")
        if not any(pages):
            found.add("src/cli", 1, "rollway __man lists no page")
        for page in filter(None, pages):
            text = page_text(build, "rollway-%s.1" % page.replace(" ", "-"))
            if text is None:
                found.add("man/meson.build", 1, "the page of %s is not built" % page)
                continue
            for command in re.findall(r"^## rollway (.+)$", ask(binary, "__man", page), re.M):
                command = command.replace("\\", "")
                # Both helps: the long one may leave the global options to another page.
                options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", ask(binary, *command.split(), "-h")))
                for option in sorted(options):
                    if option not in text and option not in (everywhere or ""):
                        found.add("rollway-%s.1" % page, 1, "%s: %s is missing" % (command, option))
    found.exit()


if __name__ == "__main__":
    main()
