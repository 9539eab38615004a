"""No name is defined in two libraries: a program linked with both would get either one, silently.

Looks at build/src/<folder>/librw_<folder>.a below ROOT (ROLLWAY_BUILD names another build folder).
"""
import os

import common
import layers
import purity


def main():
    top = common.root()
    build = os.path.join(top, os.environ.get("ROLLWAY_BUILD", "build"))
    allowed, _, _ = layers.table(os.path.join(top, "tools/lint/layers.txt"))
    found = common.Findings()
    where = {}
    for folder in allowed:
        archive = os.path.join(build, "src", folder, "librw_%s.a" % folder)
        if not os.path.exists(archive):
            continue
        for obj, letter, symbol in purity.symbols(archive):
            if letter in "TDBRVW":
                where.setdefault(symbol, set()).add("src/%s/%s" % (folder, obj))
    for symbol, objects in sorted(where.items()):
        if len(objects) > 1:
            found.add(sorted(objects)[0], 1, "%s is defined in %s, too"
                      % (symbol, ", ".join(sorted(objects)[1:])))
    found.exit()


if __name__ == "__main__":
    main()
