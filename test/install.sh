#!/usr/bin/env bash
# Installs to an empty directory and uses what is there as a stranger would: pkg-config, a C99 program,
# a C++ program, both linked with the shared library; no symbol but rollway_* leaves it.
#
#   test/install.sh BUILD_DIR SOURCE_DIR
set -euo pipefail
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "install: $*" >&2; exit 1; }

DESTDIR=$work meson install -C "$build" --no-rebuild >"$work/install.log" 2>&1 ||
    { cat "$work/install.log" >&2; fail "meson install"; }
pc=$(find "$work" -name rollway.pc)
[ -n "$pc" ] || fail "no rollway.pc"
PKG_CONFIG_LIBDIR=${pc%/*}:$(pkg-config --variable pc_path pkg-config)
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR=$work
read -ra cflags < <(pkg-config --cflags rollway)
read -ra libs < <(pkg-config --libs rollway)
libdir=$(dirname "$(find "$work" -name 'librollway.so')")
export LD_LIBRARY_PATH=$libdir

# The example as it is in the repository, as strict as C99 gets.
cc -std=c99 -pedantic -Wall -Wextra -Werror "${cflags[@]}" -o "$work/c99" \
    "$source/examples/log_append_read.c" "${libs[@]}"
[ "$("$work/c99" "$work/c-0" | tail -n 1)" = $'2\thello 2' ] || fail "the C99 program"

# The whole header under C++: calls, structs and constants.
cat >"$work/main.cc" <<'CC'
#include <rollway/log.h>
#include <cstdint>
#include <cstring>
#include <iostream>

int main(int, char **argv)
{
    rollway_log *log = nullptr;
    rollway_log_options options = rollway_log_options();
    options.size = sizeof(options);
    options.compression = ROLLWAY_COMPRESSION_ZSTD;
    rollway_record record = rollway_record();
    record.value = "from C++";
    record.value_size = std::strlen("from C++");
    std::int64_t offset = -1;
    if (rollway_log_open(argv[1], &options, &log) != ROLLWAY_OK ||
        rollway_log_append(log, &record, 1, &offset) != ROLLWAY_OK)
        return 1;
    std::cout << rollway_version() << " " << offset << std::endl;
    return rollway_log_close(log) == ROLLWAY_OK ? 0 : 1;
}
CC
c++ -std=c++11 -pedantic -Wall -Wextra -Werror "${cflags[@]}" -o "$work/cc" "$work/main.cc" "${libs[@]}"
[ "$("$work/cc" "$work/cc-0")" = "$(pkg-config --modversion rollway) 0" ] || fail "the C++ program"

foreign=$(nm -D --defined-only "$libdir/librollway.so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
    grep -v '^rollway_' || true)
[ -z "$foreign" ] || fail "exported besides rollway_*: $foreign"
declared=$(grep -oE '\brollway_[a-z_]+\(' "$source/include/rollway/log.h" | tr -d '(' | sort -u)
for symbol in $declared; do
    nm -D --defined-only "$libdir/librollway.so" | grep -qw "$symbol" || fail "$symbol is declared, not exported"
done

# The logging library, in the same way. Its macros make other code of C99, C11 and C++.
read -ra cflags < <(pkg-config --cflags rollway-logger)
read -ra libs < <(pkg-config --libs rollway-logger)
# hello COMPILER FILE LAST_LINE: an example as it is in the repository says that, in the end.
hello() {
    # shellcheck disable=SC2086 # the words of the command
    $1 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror "${cflags[@]}" -o "$work/hello" "$source/examples/$2" "${libs[@]}"
    XDG_RUNTIME_DIR=$work "$work/hello" >"$work/hello.out" || fail "$2 as $1"
    [ "$(tail -n 1 "$work/hello.out")" = "$3" ] || fail "$2 as $1 says $(cat "$work/hello.out")"
}
strict=(-Wall -Wextra -pedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align -Wundef -Wformat=2
    -Wdouble-promotion -Wnull-dereference -Werror)
# types COMPILER FILE EXPECTED FLAG...: every kind of value, with all warnings.
types() {
    local compiler=$1 file=$2 expected=$3
    shift 3
    # shellcheck disable=SC2086 # the words of the command
    $compiler "${strict[@]}" "$@" "${cflags[@]}" -o "$work/types" "$source/test/logger/$file" "${libs[@]}" ||
        fail "$file as $compiler $*"
    "$work/types" | diff "$source/test/logger/$expected" - || fail "$file as $compiler $*: other lines"
}
# refused COMPILER CALL: does not compile, and would without the fault.
refused() {
    printf '#include <rollway/logger.h>\nvoid f(const char *s);\nvoid f(const char *s) { (void)s; %s; }\n' "$2" >"$work/fault.c"
    # shellcheck disable=SC2086 # the words of the command
    ! $1 -c "${cflags[@]}" -o "$work/fault.o" "$work/fault.c" 2>/dev/null || fail "$1 takes $2"
}
for compiler in cc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c99 c11 gnu17; do
        hello "$compiler -std=$standard" hello_c99.c 'info hello from C99'
    done
    hello "$compiler -std=c11" hello_c11.c 'error [disk] open job=7f error="No such file or directory" errno=2'
    for flags in "-std=c11 -O0" "-std=gnu17 -O3"; do
        # shellcheck disable=SC2086 # flags
        types "$compiler" types.c types.expected $flags
    done
    for call in 'rollway_info(s)' 'rollway_infof(s)' 'rollway_info("m", s, 1)' 'rollway_info("m", "key")' \
        'rollway_info("m", "i", (__int128)1)' 'rollway_info("m", "s", (struct rollway_text){s, 1})' 'rollway_infof("%s", 1), (void)(char *)1.0' \
        'rollway_info("17","a",1,"b",1,"c",1,"d",1,"e",1,"f",1,"g",1,"h",1,"i",1,"j",1,"k",1,"l",1,"m",1,"n",1,"o",1,"p",1,"q",1)'; do
        refused "$compiler -std=gnu11" "$call"
    done
done
for compiler in c++ clang++; do
    command -v "$compiler" >/dev/null || continue
    hello "$compiler -std=c++17" hello_cpp.cc 'error printing failed why="no more ink"'
    hello "$compiler -std=c++11 -x c++" hello_c99.c 'info hello from C99'
    for standard in c++11 c++14 c++20; do
        types "$compiler" types.cc types_cc.expected "-std=$standard" -O2 -Wold-style-cast -Wzero-as-null-pointer-constant
    done
    for call in 'rollway_info(s)' 'rollway_infof(s)' 'rollway_info("m", s, 1)' 'rollway_info("m", "i", (__int128)1)' 'rollway_info("m", "key")'; do
        refused "$compiler -std=gnu++17 -x c++" "$call"
    done
done
foreign=$(nm -D --defined-only "$libdir/librollway-logger.so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
    grep -v '^rollway_' || true)
[ -z "$foreign" ] || fail "the logger exports besides rollway_*: $foreign"

# The README's section, from its second block on; the first one has been done here in another way.
mkdir "$work/readme"
ln -s "$source/examples" "$work/readme/examples"
awk -v to="$work/readme" '/^## / { inside = /Logging from a program/ }
    !inside { next }
    /^```sh/ { n++; out = to "/" n ".sh"; next }
    /^```text/ { out = to "/" n ".text"; next }
    /^```/ { out = ""; next }
    out { print >out }' "$source/README.md"
mkdir "$work/run"
for block in 2 3; do
    (cd "$work/readme" && XDG_RUNTIME_DIR=$work/run bash "$block.sh" >"$block.out" 2>"$block.err") || fail "the README's block $block"
    diff "$work/readme/$block.text" "$work/readme/$block.out" || fail "the README's block $block: $(cat "$work/readme/$block.err")"
done

# What a package needs: the program, its pages, the header.
bin=$(find "$work" -name rollway -type f -perm -u+x)
[ "$("$bin" version --plain 2>/dev/null | grep -c "$(pkg-config --modversion rollway)")" != 0 ] || fail "the binary"
[ -n "$(find "$work" -path '*include/rollway/log.h')" ] || fail "no header"
if command -v scdoc >/dev/null; then
    [ -n "$(find "$work" -path '*man3/librollway-logger.3')" ] || fail "no man page of the logger"
fi
echo "installed, compiled as C99 and C++, $(wc -w <<<"$declared") symbols"
