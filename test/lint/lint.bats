#!/usr/bin/env bats
# Each lint check fails when its rule is broken: a small tree in a temporary folder, one violation planted.

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE/src/base" "$TREE/src/log" "$TREE/src/env" "$TREE/include/rollway" "$TREE/tools/lint"
    cp "$TOP/tools/lint/layers.txt" "$TOP/tools/lint/pure_symbols.txt" "$TREE/tools/lint/"
    printf '/* One. */\n#pragma once\n#include <stdint.h>\nint rw_one(void);\n' >"$TREE/src/base/one.h"
    printf '/* One. */\n#include "base/one.h"\n\nint rw_one(void)\n{\n    return 1;\n}\n' \
        >"$TREE/src/base/one.c"
    printf '/* Two. */\n#pragma once\n#include "base/one.h"\n' >"$TREE/src/log/two.h"
    for folder in base log; do echo "A folder." >"$TREE/src/$folder/README.md"; done
    echo 'See `base/one.c:rw_one`.' >"$TREE/ARCHITECTURE.md"
}

lint() { run python3 "$TOP/tools/lint/$1.py" "$TREE"; }

# fails CHECK TEXT: the check fails and says TEXT.
fails() {
    lint "$1"
    echo "$output"
    [ "$status" = 1 ]
    [[ $output == *"$2"* ]]
}

# compile FILE...: static libraries where purity.py looks for them.
archive() {
    mkdir -p "$TREE/build/src/base"
    gcc -c -I "$TREE/src" -o "$TREE/build/src/base/one.c.o" "$TREE/src/base/one.c"
    ar rc "$TREE/build/src/base/librw_base.a" "$TREE/build/src/base/one.c.o"
}

@test "a clean tree passes every check" {
    archive
    for check in layers sources docs words headers purity; do
        lint "$check"
        echo "$check: $output"
        [ "$status" = 0 ]
    done
}

@test "layering: a lower folder includes a higher one" {
    echo '#include "log/two.h"' >>"$TREE/src/base/one.c"
    fails layers "src/base/one.c:8: base may not include log/"
}

@test "layering: an operating system header outside os/" {
    echo '#include <unistd.h>' >>"$TREE/src/log/two.h"
    fails layers "log may not include <unistd.h>"
}

@test "layering: a folder that is not in the table" {
    mkdir "$TREE/src/new"
    printf '/* New. */\n' >"$TREE/src/new/new.c"
    fails layers "folder new has no line"
}

@test "purity: a pure folder's library calls the operating system" {
    printf '/* One. */\n#include <time.h>\nlong rw_one(void);\nlong rw_one(void)\n{\n    return time(0);\n}\n' \
        >"$TREE/src/base/one.c"
    archive
    fails purity "src/base/one.c:1: impure: time is not"
}

@test "purity: allocation in another file than mem.c" {
    printf '/* One. */\n#include <stdlib.h>\nvoid *rw_one(void);\nvoid *rw_one(void)\n{\n    return malloc(1);\n}\n' \
        >"$TREE/src/base/one.c"
    archive
    fails purity "impure: malloc"
    fails sources "malloc(): allocate through base/mem.h"
}

@test "one definition: two libraries define the same name" {
    archive
    mkdir -p "$TREE/build/src/log"
    cp "$TREE/build/src/base/one.c.o" "$TREE/build/src/log/two.c.o"
    ar rc "$TREE/build/src/log/librw_log.a" "$TREE/build/src/log/two.c.o"
    fails symbols "rw_one is defined in src/log/two.c, too"
}

@test "purity: no library to look at" {
    fails purity "build first"
}

@test "sources: a banned function, but not in a comment or a string" {
    printf '/* strcpy(a, b) is banned. */\nconst char *s = "strcpy(a, b)";\n' >"$TREE/src/log/three.c"
    lint sources
    [ "$status" = 0 ]
    echo 'void f(char *a) { strcpy(a, "b"); }' >>"$TREE/src/log/three.c"
    fails sources "src/log/three.c:3: strcpy()"
}

@test "sources: a file of more than 1000 lines" {
    { echo '/* Long. */'; yes 'int x;' | head -n 1001; } >"$TREE/src/log/long.c"
    fails sources "a file has at most 1000"
}

@test "sources: a function of more than 70 lines is remarked" {
    { printf '/* Long. */\nint f(void)\n{\n'; yes '    g();' | head -n 71; echo '}'; } >"$TREE/src/log/long.c"
    lint sources
    [ "$status" = 0 ]
    [[ $output == *"note: f() has 71 lines"* ]]
}

@test "sources: no comment at the top, tab, blanks at the end" {
    printf 'int x;\n\tint y;\nint z; \n' >"$TREE/src/log/three.c"
    fails sources "starts with a comment"
    [[ $output == *":2: tab"* && $output == *":3: blanks"* ]]
}

@test "documents: a file that does not exist" {
    echo 'See `base/gone.c`.' >>"$TREE/ARCHITECTURE.md"
    fails docs "ARCHITECTURE.md:2: base/gone.c does not exist"
}

@test "documents: a function that does not exist" {
    echo 'See `base/one.c:rw_gone`.' >>"$TREE/ARCHITECTURE.md"
    fails docs "ARCHITECTURE.md:2: src/base/one.c has no rw_gone"
}

@test "documents: a function that only a comment names" {
    echo '/* rw_ghost() was here. */' >>"$TREE/src/base/one.c"
    echo 'See `base/one.c:rw_ghost`.' >>"$TREE/ARCHITECTURE.md"
    fails docs "has no rw_ghost"
}

@test "documents: a dead link, a missing script, a missing README" {
    echo '[x](docs/gone.md) and `script/gone`' >>"$TREE/ARCHITECTURE.md"
    rm "$TREE/src/log/README.md"
    fails docs "leads nowhere"
    [[ $output == *"script/gone does not exist"* && $output == *"no src/log/README.md"* ]]
}

@test "public headers: C++ keyword, C99 pedantry" {
    printf 'int f(int class);\n' >"$TREE/include/rollway/bad.h"
    fails headers "g++"
    printf 'enum { A = 1, };;\n' >"$TREE/include/rollway/bad.h"
    fails headers "include/rollway/bad.h"
}

@test "words: unfinished mark, home directory, registry in a lock file" {
    mark=TO; mark+=DO
    echo "/* $mark: later */" >"$TREE/src/log/three.c"
    fails words "unfinished"
    place=/ho; place+=me/me/x
    echo "see $place" >"$TREE/notes.md"
    fails words "a path of one machine"
    printf '{\n "resolved": "https://example.org/x.tgz"\n}\n' >"$TREE/package-lock.json"
    fails words "names a registry"
}

@test "man pages: a page that is not built, an option that is not in its page" {
    mkdir -p "$TREE/build/man"
    cat >"$TREE/build/rollway" <<'SH'
#!/bin/sh
case "$*" in
__man) echo topic ;;
"__man topic") printf '## rollway topic create\n' ;;
*) echo '  -p, --partitions N' ;;
esac
SH
    chmod +x "$TREE/build/rollway"
    echo 'global options' >"$TREE/build/man/rollway.1"
    fails options "the page of topic is not built"
    echo '\-\-partitions' >"$TREE/build/man/rollway-topic.1"
    lint options
    [ "$status" = 0 ]
    echo 'nothing' >"$TREE/build/man/rollway-topic.1"
    fails options "topic create: --partitions is missing"
}

@test "formatting: a file that is not formatted" {
    command -v clang-format-14 || skip "clang-format-14 is missing"
    cd "$TREE"
    git init -q .
    mkdir script
    cp "$TOP"/script/{fmt,lib.sh} script/
    cp "$TOP/.clang-format" .
    run script/fmt --check
    [ "$status" = 0 ]
    printf '/* Three. */\nint   x;\n' >src/log/three.c
    run script/fmt --check
    echo "$output"
    [ "$status" != 0 ]
    [[ $output == *"src/log/three.c:2: not formatted"* ]]
}

@test "logging library: a call that its man page lacks, one that the header lacks, a setting that nobody documents" {
    mkdir -p "$TREE/src/logger" "$TREE/man" "$TREE/docs"
    printf '#define rollway_info(...)\nint rollway_stop(void);\n/* ROLLWAY_ERRNO ROLLWAY_TEXT ROLLWAY_BYTES */\n' >"$TREE/include/rollway/logger.h"
    printf 'if (rw_str_is(key, "rotate.size"))\n' >"$TREE/src/logger/x.c"
    printf 'rollway_info rollway_stop ROLLWAY_ERRNO ROLLWAY_TEXT ROLLWAY_BYTES *rotate.size*\n' >"$TREE/man/librollway-logger.3.scd"
    printf '`rotate.age`, `.size`\n' >"$TREE/docs/logger.md"
    lint logger
    echo "$output"
    [ "$status" = 0 ]
    echo 'int rollway_more(void);' >>"$TREE/include/rollway/logger.h"
    fails logger "rollway_more of include/rollway/logger.h is missing"
    sed -i '$d' "$TREE/include/rollway/logger.h"
    echo 'rollway_less' >>"$TREE/man/librollway-logger.3.scd"
    fails logger "rollway_less is not in"
    sed -i '$d' "$TREE/man/librollway-logger.3.scd"
    printf 'if (rw_str_is(s, "flush"))\n' >>"$TREE/src/logger/x.c"
    fails logger "docs/logger.md:1: setting flush"
    fails logger "librollway-logger.3.scd:1: setting flush"
}
