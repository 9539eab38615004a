/*
 * Fault points inside production code (the idea is FoundationDB's): a named place asks whether to
 * misbehave now. Without an armed table this is one predictable branch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rw_fault {
    /* name: "log.append.after_write" ... True when the point shall fire. */
    bool (*fires)(struct rw_fault *f, const char *name);
};

static inline bool rw_fault_fires(struct rw_fault *f, const char *name)
{
    return __builtin_expect(f != NULL, 0) && f->fires(f, name);
}
