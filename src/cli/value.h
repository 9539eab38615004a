/* Numbers with units, as people type and read them. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "12", "-3"; the whole text must be the number. */
bool rw_parse_int(const char *text, int64_t *ret_v);
/* "500ms", "30s", "5m", "12h", "7d", "2w", "1h30m", a bare number is milliseconds; "-48h" too. */
bool rw_parse_duration(const char *text, int64_t *ret_ms);
/* "64KiB", "1GiB", "10MB" (1000s), "64k" (1024s), a bare number is bytes. */
bool rw_parse_bytes(const char *text, int64_t *ret_bytes);

#define RW_VALUE_TEXT 32
/* "7d", "1h30m", "250ms". Returns buf. */
const char *rw_format_duration(int64_t ms, char buf[RW_VALUE_TEXT]);
/* "1 GiB", "1.5 MiB", "812 B". */
const char *rw_format_bytes(int64_t bytes, char buf[RW_VALUE_TEXT]);
/* "1,234,567" */
const char *rw_format_count(int64_t v, char buf[RW_VALUE_TEXT]);
