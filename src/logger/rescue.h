/*
 * What a process that was killed has left: the records that lie in the journal and were not written by every appender, and those that were
 * still in the rings. Read in the order in which they would have been written. The file may hold anything: nothing in it is believed
 * without a check.
 */
#pragma once

#include "logger/entry.h"
#include "logger/shared.h"

struct rw_lg_rescue {
    struct rw_lg_map map;
    uint64_t at, head; /* in the journal */
    uint32_t *places;  /* by ring: where the last record ended that the journal has (entry.h) */
    struct rw_lg_entry *entry; /* what a record in a ring becomes */
    struct rw_lg_leftover *rings;
    unsigned n_rings;
    uint64_t lost; /* records that can not be read */
};

/* RW_E_LOCKED: the process lives. RW_E_CORRUPT, RW_E_NOMEM, and what the system says. */
RW_MUST int rw_lg_rescue_open(const char *path, struct rw_lg_rescue *ret_rescue,
                              struct rw_err *ret_err);
/* The same to look only: from a copy, the file stays as it is and is held for no longer than copying takes. `all`: what every appender
 * has written too, as far as the journal still has it. */
RW_MUST int rw_lg_rescue_look(const char *path, bool all, struct rw_lg_rescue *ret_rescue,
                              struct rw_err *ret_err);
/* The next record, valid until the next call; its time in *ret_ns; *ret_done: a bit for each cursor of the dead process that is past it. NULL: there is
 * none any more. */
const struct rw_lg_entry *rw_lg_rescue_next(struct rw_lg_rescue *r, int64_t *ret_ns,
                                            uint8_t *ret_done);
/* Notes in the file that what was read so far is in other hands. */
void rw_lg_rescue_settle(struct rw_lg_rescue *r);
/* `remove`: the file too; everything in it was read. */
void rw_lg_rescue_close(struct rw_lg_rescue *r, bool remove);
