/* Numbers for people. The other direction, what people write, is base/units.h. */
#pragma once

#include <stdint.h>

#define RW_HUMAN_SIZE 32 /* fits every result with its NUL */

/* Binary units, three significant digits: "0 B", "999 B", "1.50 KiB", "64.0 KiB", "15.9 EiB". */
const char *rw_human_bytes(char buf[RW_HUMAN_SIZE], uint64_t bytes);
/* Decimal units: "950", "1.20k", "3.45M". */
const char *rw_human_count(char buf[RW_HUMAN_SIZE], uint64_t n);
/* All digits: "1,234,567". */
const char *rw_human_grouped(char buf[RW_HUMAN_SIZE], int64_t n);
/* The two largest units that matter: "0ms", "850ms", "1.25s", "2m30s", "1h05m", "7d", "3d04h". */
const char *rw_human_ms(char buf[RW_HUMAN_SIZE], int64_t ms);
/* Exactly, as settings show it: the largest unit that divides it, "7d", "90s", "500ms", "64KiB". The
 * text parses back to the same number (base/units.h). Negative numbers stay plain. */
const char *rw_exact_ms(char buf[RW_HUMAN_SIZE], int64_t ms);
const char *rw_exact_bytes(char buf[RW_HUMAN_SIZE], int64_t bytes);
