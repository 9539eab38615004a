/*
 * Durations and sizes as people write them: "500ms", "7d", "64KiB", "1GiB". A bare number is
 * milliseconds or bytes. Signs are allowed ("-1" means "no limit" in many settings), fractions are not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/* ms, s, m or min, h, d, w; several of them are summed up, "1h30m". False when it is no duration or does not fit. */
bool rw_units_parse_ms(struct rw_str text, int64_t *ret_ms);
/* B, K KB KiB ... T TB TiB: KB and MB are decimal, K and KiB binary. */
bool rw_units_parse_bytes(struct rw_str text, int64_t *ret_bytes);
/* A plain decimal integer that fills the text. */
bool rw_units_parse_int(struct rw_str text, int64_t *ret_value);
