/*
 * Which log lines are wanted, by logger: "info", or "conn=debug,info". A logger that is not named has
 * the level without a name; without one that is info.
 */
#pragma once

#include "base/diag.h"

enum { RW_LEVELS_MAX = 16, RW_LEVELS_NAME_MAX = 24 };

struct rw_levels {
    enum rw_level other; /* of loggers that are not named */
    enum rw_level least; /* of all */
    int n;
    struct {
        char logger[RW_LEVELS_NAME_MAX];
        enum rw_level level;
    } of[RW_LEVELS_MAX];
};

/* False: unknown level, empty or too long a name, too many; *ret_levels is untouched then. */
bool rw_levels_parse(const char *text, struct rw_levels *ret_levels);
enum rw_level rw_levels_of(const struct rw_levels *l, const char *logger);
