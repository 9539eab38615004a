"""The logging library against its documents: every name of include/rollway/logger.h is in its man page, every setting that its
sources know is there and in docs/logger.md, and the page names nothing that is not in the header.
"""
import os
import re

import common

HEADER = "include/rollway/logger.h"
PAGE = "man/librollway-logger.3.scd"
GUIDE = "docs/logger.md"
# What a struct or an event's type is called is in the header; who reads the page needs the calls.
CALL = re.compile(r"\b(rollway_[a-z_]*[a-z]|ROLLWAY_(?:ERRNO|TEXT|BYTES|LOGGER|LEVEL_MIN))\b")
SETTING = re.compile(r'rw_str_is\((?:key|s), "([a-z._]+)"\)')


def main():
    top = common.root()
    found = common.Findings()
    header = common.read(top, HEADER).split("what the macros are made of")[0]
    declared = set(re.findall(r"\b(rollway_[a-z_]*[a-z])\(", common.code_only(header)))
    declared |= set(re.findall(r"^#define (rollway_\w+|ROLLWAY_(?:LOGGER|LEVEL_MIN))\b", header, re.M))
    declared |= {"ROLLWAY_ERRNO", "ROLLWAY_TEXT", "ROLLWAY_BYTES"}
    page, guide = common.read(top, PAGE), common.read(top, GUIDE)
    named = set(CALL.findall(page))
    for name in sorted(declared - named):
        found.add(PAGE, 1, "%s of %s is missing" % (name, HEADER))
    everything = set(re.findall(r"\w+", common.read(top, HEADER)))
    for name in sorted(named - everything):
        found.add(PAGE, 1, "%s is not in %s" % (name, HEADER))
    for path in common.files(top, (".c",), ("src/logger",)):
        for key in SETTING.findall(common.read(top, path)):
            # The guide abbreviates what has its beginning in common: `rotate.size`, `.count`.
            last = "`." + key.split(".", 1)[-1] + "`"
            if "`%s`" % key not in guide and last not in guide:
                found.add(GUIDE, 1, "setting %s of %s is missing" % (key, path))
            if "*%s*" % key not in page and "*.%s*" % key not in page:
                found.add(PAGE, 1, "setting %s of %s is missing" % (key, path))
    found.exit()


if __name__ == "__main__":
    main()
