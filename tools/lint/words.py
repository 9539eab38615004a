"""Text that does not belong into the repository: unfinished marks, paths of one person's machine,
host names of package registries in lock files, build output, large files."""
import os
import re

import common

MARK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Home directories, and the usual names of a checkout inside a container.
PLACE = re.compile(r"(?<![\w.~/$}-])/(?:home|root|Users|workspace|workdir|work)/[\w.]")
BINARY = (".o", ".a", ".so", ".pyc", ".jar", ".class", ".deb", ".tar", ".zip")
BYTES_MAX = 512 * 1024


def main():
    top = common.root()
    found = common.Findings()
    for path in common.files(top, ("",)):
        full = os.path.join(top, path)
        if path.endswith(BINARY):
            found.add(path, 1, "build output is not committed")
            continue
        if os.path.getsize(full) > BYTES_MAX:
            found.add(path, 1, "larger than %d KiB" % (BYTES_MAX // 1024))
            continue
        with open(full, "rb") as f:
            data = f.read()
        if b"\0" in data or path == "tools/lint/words.py":
            continue
        lock = os.path.basename(path) in ("package-lock.json", "go.sum")
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if MARK.search(line):
                found.add(path, number, "unfinished: %s" % MARK.search(line).group(1))
            if PLACE.search(line):
                found.add(path, number, "a path of one machine: %s" % line.strip()[:80])
            if lock and '"resolved"' in line:
                found.add(path, number, "names a registry: omit resolved (npm config "
                                        "omit-lockfile-registry-resolved)")
            if line.startswith(("<<<<<<< ", ">>>>>>> ")):
                found.add(path, number, "merge conflict")
    found.exit()


if __name__ == "__main__":
    main()
