/*
 * Disk pressure: what to do as a disk fills up, before it is full. Pure: looks at numbers, says what
 * follows. One struct for each data directory; the broker measures (vfs->space), steps, and acts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"

enum rw_pressure_level {
    RW_PRESSURE_NONE,
    RW_PRESSURE_WARN,     /* run retention now, tell the operator */
    RW_PRESSURE_THROTTLE, /* and slow producers down */
    RW_PRESSURE_REFUSE    /* and refuse appends with RW_E_FULL, which producers retry */
};

struct rw_pressure_config {
    int warn_percent;        /* rollway.disk.warn.percent: used space; 80 */
    int throttle_percent;    /* rollway.disk.throttle.percent; 95 */
    int refuse_percent;      /* rollway.disk.refuse.percent; 98 */
    uint64_t free_bytes_min; /* rollway.disk.free.bytes.min: refuse below this, whatever the
                                percentage; room for what must be written even then (checkpoints,
                                indexes, cleaning). 0: 1 % of the disk, at most 64 MiB */
    int hysteresis_percent;  /* a level is left this far below where it is entered; 1 */
    int32_t throttle_max_ms; /* delay just before refusing; 1000 */
};

/* What is written above. */
void rw_pressure_config_init(struct rw_pressure_config *c);
/* RW_E_INVAL unless 0 < warn <= throttle <= refuse <= 100 and hysteresis in [0, warn). */
RW_MUST int rw_pressure_config_check(const struct rw_pressure_config *c);
/* Percentages that decrease in the order above are lowered to the one after them: refusing comes no later
 * than it was to, and warnings and delays before it. Returns whether there were any. */
bool rw_pressure_config_order(struct rw_pressure_config *c);

struct rw_pressure {
    enum rw_pressure_level level; /* zero-initialised: NONE */
};

struct rw_pressure_step {
    enum rw_pressure_level level;
    bool changed;         /* since the step before: worth a log line */
    bool retain_now;      /* apply retention now, not at its next turn */
    bool refuse;          /* answer appends with RW_E_FULL */
    int32_t throttle_ms;  /* delay for producers' answers; 0: none */
    int32_t next_step_ms; /* when to measure again: sooner the fuller it is */
    double used_percent;
};

/* total, available: of rw_space. total 0 (unknown) counts as empty. */
void rw_pressure_step(struct rw_pressure *p, const struct rw_pressure_config *c, uint64_t total,
                      uint64_t available, struct rw_pressure_step *ret_step);
/* "none", "warn", "throttle", "refuse". */
const char *rw_pressure_name(enum rw_pressure_level level);
