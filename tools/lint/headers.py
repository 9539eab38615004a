"""Public headers are C99 and C++ clean, each on its own."""
import os
import shutil
import subprocess

import common

COMPILERS = (
    ("gcc", ["-x", "c", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Wstrict-prototypes",
             "-Werror"]),
    ("clang-14", ["-x", "c", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror"]),
    ("g++", ["-x", "c++", "-std=c++11", "-pedantic-errors", "-Wall", "-Wextra", "-Werror"]),
)


def main():
    top = common.root()
    found = common.Findings()
    for path in common.files(top, (".h",), ("include",)):
        for compiler, options in COMPILERS:
            if not shutil.which(compiler):
                continue
            source = '#include "%s"\n' % os.path.relpath(path, "include")
            run = subprocess.run([compiler, *options, "-I", os.path.join(top, "include"),
                                  "-fsyntax-only", "-"], input=source, capture_output=True, text=True,
                                 check=False)
            if run.returncode != 0:
                found.add(path, 1, "%s %s: %s" % (compiler, options[2], run.stderr.strip()[:400]))
    found.exit()


if __name__ == "__main__":
    main()
