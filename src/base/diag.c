/* The names of the levels. The three line formats are in diag_format.c. */
#include "base/diag.h"

#include <string.h>

static const char *const names[] = {"trace", "debug", "info", "warn", "error", "fatal"};

const char *rw_level_name(enum rw_level level)
{
    return names[level];
}

bool rw_level_parse(const char *name, enum rw_level *ret_level)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i])) {
            *ret_level = (enum rw_level)i;
            return true;
        }
    return false;
}
