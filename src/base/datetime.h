/* Points in time as text: ISO 8601 in UTC. Times are Unix milliseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define RW_TIME_SIZE 32 /* fits every result with its NUL */

/* "2026-11-22T15:40:01.123Z"; years beyond 9999 and before 0 get a sign and more digits. */
const char *rw_time_format(char buf[RW_TIME_SIZE], int64_t ms);
/* "2026-11-22", "2026-11-22T15:40", "...:01", "....123"; a space instead of T; then nothing or Z (UTC)
 * or an offset "+02:00". Digits beyond milliseconds are dropped. Years 0000 to 9999. */
bool rw_time_parse(struct rw_str text, int64_t *ret_ms);
