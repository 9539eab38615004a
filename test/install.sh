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
cat >"$work/log.c" <<'C'
#include <rollway/logger.h>
#include <string.h>

int main(void)
{
    struct rollway_logger_options o;
    memset(&o, 0, sizeof(o));
    o.size = sizeof(o);
    o.settings = "rings.dir = none\nappender.x.type = console\nappender.x.stream = stdout\nappender.x.format = %m%n";
    if (rollway_logger_start(&o))
        return 1;
    rollway_infof("logged %d", 7);
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
C
for compiler in "cc -std=c99" "cc -std=c11" "c++ -std=c++11 -x c++"; do
    # shellcheck disable=SC2086 # the words of the command
    $compiler -Wall -Wextra -Werror "${cflags[@]}" -o "$work/log" "$work/log.c" "${libs[@]}"
    "$work/log" >"$work/log.out" || fail "the logger as $compiler"
    grep -q "logged 7" "$work/log.out" || fail "the logger as $compiler says $(cat "$work/log.out")"
done
foreign=$(nm -D --defined-only "$libdir/librollway-logger.so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
    grep -v '^rollway_' || true)
[ -z "$foreign" ] || fail "the logger exports besides rollway_*: $foreign"

# What a package needs: the program, its pages, the header.
bin=$(find "$work" -name rollway -type f -perm -u+x)
[ "$("$bin" version --plain 2>/dev/null | grep -c "$(pkg-config --modversion rollway)")" != 0 ] || fail "the binary"
[ -n "$(find "$work" -path '*include/rollway/log.h')" ] || fail "no header"
echo "installed, compiled as C99 and C++, $(wc -w <<<"$declared") symbols"
