/*
 * The language of -o: where to begin and where to end reading. Pure.
 *
 *   start, beginning    from the oldest record       n       from offset n
 *   end                 only what comes from now on  n:      the same
 *   :end                from the oldest to now       :n      from the oldest, up to n (without it)
 *   +n                  n after the oldest           n:m     from n, up to m
 *   -n                  n before the end             @t @t:  from time t
 *   s@ms e@ms           as in kcat                   @:t     up to time t
 *                                                    @t1:t2  between
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum rw_offset_kind {
    RW_POINT_NONE, /* no end */
    RW_POINT_START,
    RW_POINT_END,
    RW_POINT_EXACT,      /* value */
    RW_POINT_FROM_START, /* value after the start */
    RW_POINT_FROM_END,   /* value before the end */
    RW_POINT_TIME        /* value: milliseconds; the first record not older */
};

struct rw_offset_point {
    enum rw_offset_kind kind;
    int64_t value;
};

struct rw_offset_range {
    struct rw_offset_point from, to; /* `to` is not included */
};

/* Neither is negative. What is beyond the last offset there can be is INT64_MAX. */
int64_t rw_offset_add(int64_t offset, int64_t n);

bool rw_parse_offsets(const char *text, int64_t now_ms, struct rw_offset_range *ret_range);
