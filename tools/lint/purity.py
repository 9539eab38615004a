"""Undefined symbols of each pure folder's static library against pure_symbols.txt.

Looks at build/src/<folder>/librw_<folder>.a below ROOT (ROLLWAY_BUILD names another build folder;
not one with sanitizers or coverage, they add calls of their own).
"""
import os
import re
import subprocess

import common
import layers


def symbols(archive):
    """-> list of (object, letter, symbol)"""
    out = subprocess.run(["nm", "-A", archive], check=True, capture_output=True, text=True).stdout
    rows = []
    for line in out.splitlines():
        m = re.match(r".*?:([^:]+):\s*[0-9a-f]*\s+(\S)\s+(\S+)", line)
        if m:
            # Meson's archives are thin: the member's name is the object's path.
            name = os.path.basename(m.group(1))
            rows.append((re.sub(r"\.o$", "", name), m.group(2), m.group(3)))
    return rows


def allow_list(path):
    everywhere, here = set(), set()
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            if len(words) == 1:
                everywhere.add(words[0])
            elif len(words) == 2:
                here.add((words[0], words[1]))
    return everywhere, here


def main():
    top = common.root()
    build = os.path.join(top, os.environ.get("ROLLWAY_BUILD", "build"))
    allowed, pure, _ = layers.table(os.path.join(top, "tools/lint/layers.txt"))
    everywhere, here = allow_list(os.path.join(top, "tools/lint/pure_symbols.txt"))
    found = common.Findings()
    archive_of = {f: os.path.join(build, "src", f, "librw_%s.a" % f) for f in allowed}
    rows_of = {f: symbols(a) for f, a in archive_of.items() if os.path.exists(a)}
    for folder in sorted(pure):
        name = "src/%s" % folder
        if folder not in rows_of:
            if common.files(top, (".c",), (name,)):
                found.add(name, 1, "no %s: build first (script/build)" % archive_of[folder])
            continue
        known = set()
        for f in {folder} | allowed[folder]:
            known |= {s for _, letter, s in rows_of.get(f, []) if letter not in "Uw"}
        seen = set()
        for obj, letter, symbol in rows_of[folder]:
            if letter not in "Uw" or (obj, symbol) in seen:
                continue
            seen.add((obj, symbol))
            if symbol in known or symbol in everywhere:
                continue
            if ("%s/%s" % (folder, obj), symbol) in here:
                continue
            libs = ("ZSTD_", "LZ4", "libdeflate_", "inflate", "deflate", "crc32", "isal_")
            if folder == "batch" and symbol.startswith(libs):
                continue
            crypto = ("EVP_", "HMAC", "CRYPTO_", "OPENSSL_")
            if folder == "auth" and symbol.startswith(crypto):
                continue
            found.add("%s/%s" % (name, obj), 1,
                      "impure: %s is not in tools/lint/pure_symbols.txt" % symbol)
    found.exit()


if __name__ == "__main__":
    main()
