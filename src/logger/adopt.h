/* Taking over what earlier processes of the same application left when they were killed (rescue.h): it goes into the journal before
 * anything of this process does, and from there to the appenders that had not written it. */
#pragma once

#include "logger/appender.h"
#include "logger/collector.h"

struct rw_lg_adoption {
    struct rw_lg_collector *collector;
    const char *dir, *name;
    const struct rw_lg_appender *appenders;
    unsigned n_appenders;
    /* The journal is full: lets the appenders work; false: give up (the file stays for the next start). Returns the floor. */
    bool (*wait)(void *arg, uint64_t *ret_floor);
    void *arg;
    uint64_t records; /* how many were taken over */
    bool
        held; /* somebody had a file: its process, or `rollway logger rescue`, for as long as it copies */
};

/* First, before any appender works: what was being written when a process was killed is looked up where it was to go, so that it is neither missing
 * nor there twice. */
void rw_lg_adopt_settle(struct rw_lg_adoption *a);
void rw_lg_adopt(struct rw_lg_adoption *a);
/* The same while appenders already write, when their destinations can not be asked what became of a write: only files that had none
 * under way. The others wait for the next start. */
void rw_lg_adopt_settled(struct rw_lg_adoption *a);
