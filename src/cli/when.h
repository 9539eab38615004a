/* Points in time, as people type them. Pure; always UTC unless the text names another offset. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 13 digits: milliseconds; up to 11 digits: seconds since 1970; "2026-11-22"; RFC 3339
 * ("2026-11-22T10:00:00.5+01:00", a blank for the T, no seconds: "10:00", no zone: UTC); "now";
 * "-48h": before now. n bytes of text. */
bool rw_parse_time(const char *text, size_t n, int64_t now_ms, int64_t *ret_ms);

#define RW_TIME_TEXT 40
/* "2026-11-22T10:00:00.500Z". Returns buf. */
const char *rw_format_time(int64_t ms, char buf[RW_TIME_TEXT]);
