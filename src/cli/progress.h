/*
 * Progress of long transfers on standard error: count, rate, and time left where the total is known.
 * Only on a terminal; never with --quiet, --json or in CI. Redraws at most ten times a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "cli/command.h"

struct rw_progress {
    bool on;
    const char *unit; /* "records" */
    int64_t total;    /* 0: not known */
    int64_t start_us, shown_us;
    bool drawn;
    double done_part; /* 0..1 when `total` is not known but the part of the input that is done is */
};

void rw_progress_start(struct rw_progress *p, const struct rw_cli *cli, const char *unit,
                       int64_t total);
/* Cheap: looks at the clock only. now_us from rw_progress_now(). */
void rw_progress_update(struct rw_progress *p, int64_t done, int64_t bytes, int64_t now_us);
/* Removes the line from the terminal. */
void rw_progress_end(struct rw_progress *p);
int64_t rw_progress_now(void);
/* The line itself, without terminal control. part: of all work, 0 when it is not known. Pure, for tests. */
void rw_progress_line(char *buf, size_t size, const char *unit, int64_t done, double part,
                      int64_t bytes, int64_t elapsed_us);
