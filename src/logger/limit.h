/*
 * Rates and samples by settings: "limit.net = 100/s", "sample.parse_*.c = 1/100". A rule is of a logger and those below it, or, when its pattern has
 * a '*', a '/' or ends in .c, .cc, .cpp or .h, of the call sites of files. All that it fits share its budget.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "logger/shared.h"
#include "rollway/logger.h"

enum { RW_LG_LIMITS = 32, RW_LG_LIMIT_PATTERN = 128 };

struct rw_lg_limit_rule {
    char pattern[RW_LG_LIMIT_PATTERN];
    uint32_t sample;    /* one of so many; 0: a rate */
    int64_t each_ns;    /* what one record uses up */
    int64_t at_once_ns; /* how much may be used up in advance: the burst */
};

/* "100/s", "10/m", "1/h", "100/s burst 500" (default: what the interval allows). */
bool rw_lg_limit_parse_rate(struct rw_str text, struct rw_lg_limit_rule *rule);
/* "1/100". */
bool rw_lg_limit_parse_sample(struct rw_str text, struct rw_lg_limit_rule *rule);
/* Takes the place of all rules; call sites that are known are looked at again. */
void rw_lg_limits_set(const struct rw_lg_limit_rule *rules, unsigned n);
/* Whether a rule may concern the call site: calls of others pay nothing. Signal-safe. */
bool rw_lg_limits_concern(const struct rollway_site *site);
/* False: held back, and counted. *ret_sample: one of how many it stands for, when a sample let it pass. Signal-safe. */
bool rw_lg_limits_admit(const struct rollway_site *site, const struct rollway_logger *logger,
                        uint32_t *ret_sample);
/* How many rule i has held back since it was asked last, and its pattern. False: there is no rule i. Only by the collector. */
bool rw_lg_limits_tell(unsigned i, char ret_pattern[RW_LG_LIMIT_PATTERN], uint64_t *ret_n);
/* names.c: a pattern with '*' against the path of a file, or its last part. */
bool rw_lg_file_matches(const char *pattern, const char *file);
/* names.c: calls each() for all known call sites. */
void rw_lg_each_site(void (*each)(void *arg, struct rollway_site *site));

enum { RW_LG_LIMITED_BY_SETTINGS = 2 }; /* in rollway_site.limited; 1: by the call itself */
