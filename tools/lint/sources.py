"""C sources: banned functions, size of files and functions, the comment at the top."""
import re

import common

# Function -> why, and what instead.
BANNED = {
    "strcpy": "no bound; memcpy with a checked length",
    "strcat": "no bound; struct rw_buf",
    "stpcpy": "no bound; struct rw_buf",
    "strncpy": "does not always terminate; memcpy with a checked length",
    "sprintf": "no bound; snprintf or struct rw_buf",
    "vsprintf": "no bound; vsnprintf",
    "gets": "no bound",
    "strtok": "hidden state; parse with struct rw_str",
    "strtok_r": "writes into its input; parse with struct rw_str",
    "rand": "hidden state; env/rand.h",
    "srand": "hidden state; env/rand.h",
    "random": "hidden state; env/rand.h",
    "drand48": "hidden state; env/rand.h",
    "atoi": "no error; strtol with checks",
    "atol": "no error; strtol with checks",
    "atoll": "no error; strtoll with checks",
    "atof": "no error; strtod with checks",
    "alloca": "unbounded stack",
    "setjmp": "control flow nobody can follow",
    "longjmp": "control flow nobody can follow",
    "system": "a shell in a broker",
    "popen": "a shell in a broker",
    "tmpnam": "a race; mkstemp",
    "mktemp": "a race; mkstemp",
    "asctime": "hidden state; gmtime_r and snprintf",
    "ctime": "hidden state; gmtime_r and snprintf",
    "localtime": "hidden state; localtime_r",
    "gmtime": "hidden state; gmtime_r",
}
# Allocation goes through base/mem, so that a test can let any one of them fail.
ALLOCATION = {"malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup", "asprintf",
              "vasprintf", "free"}
# (folder, function): the command line hands long help to the user's pager.
EXCEPTIONS = {("src/cli", "popen")}
FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70

CALL = re.compile(r"(?<![\w.>])([a-z_]\w*)\s*\(")
FUNCTION = re.compile(r"^([A-Za-z_][^;{}#=]*?\b(\w+)\s*\([^;{}]*\))\s*\n\{\n(.*?)^\}", re.M | re.S)


def check_calls(found, path, code):
    """The rules are for what is shipped; tests and tools may take short cuts."""
    if not path.startswith(("src/", "sim/", "include/")):
        return
    ours = path.startswith("src/")
    for m in CALL.finditer(code):
        name = m.group(1)
        line = common.line_of(code, m.start())
        if ("/".join(path.split("/")[:2]), name) in EXCEPTIONS:
            continue
        if name in BANNED:
            found.add(path, line, "%s(): %s" % (name, BANNED[name]))
        elif ours and name in ALLOCATION and path != "src/base/mem.c":
            found.add(path, line, "%s(): allocate through base/mem.h" % name)


def check_sizes(found, path, code):
    lines = code.count("\n")
    if lines > FILE_LINES_MAX:
        found.add(path, lines, "%d lines: a file has at most %d" % (lines, FILE_LINES_MAX))
    for m in FUNCTION.finditer(code):
        n = m.group(3).count("\n")
        if n > FUNCTION_LINES_MAX:
            found.note(path, common.line_of(code, m.start()),
                       "%s() has %d lines, more than %d" % (m.group(2), n, FUNCTION_LINES_MAX))


def check_text(found, path, text):
    if path.startswith(("src/", "sim/")) and not text.lstrip().startswith("/*"):
        found.add(path, 1, "starts with a comment that says what the file is")
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            found.add(path, number, "tab")
        elif line != line.rstrip():
            found.add(path, number, "blanks at the end of the line")
    if text and not text.endswith("\n"):
        found.add(path, text.count("\n") + 1, "no newline at the end")


def main():
    top = common.root()
    found = common.Findings()
    for path in common.files(top, (".c", ".h")):
        text = common.read(top, path)
        code = common.code_only(text)
        check_calls(found, path, code)
        check_sizes(found, path, code)
        check_text(found, path, text)
    found.exit()


if __name__ == "__main__":
    main()
