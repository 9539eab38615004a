/* The thread of a shipper, which also looks for spools that dead processes have left. */
#pragma once

#include "logger/ship.h"

struct rw_lg_shipper;

/* Adopts what is there, and starts. `spool` stays the caller's and must live until the stop. RW_E_LIMIT (no thread), NOMEM. */
RW_MUST int rw_lg_shipper_start(struct rw_lg_spool *spool, const struct rw_lg_ship_options *options,
                                struct rw_lg_shipper **ret_shipper);
/* Something new is in the spool. */
void rw_lg_shipper_wake(struct rw_lg_shipper *s);
/* Ships on until nothing waits, for at most drain_ms, then ends. */
void rw_lg_shipper_stop(struct rw_lg_shipper *s, int64_t drain_ms);
const struct rw_lg_ship_counts *rw_lg_shipper_counts(const struct rw_lg_shipper *s);
