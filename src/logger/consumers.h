/*
 * Several threads that format for one appender (the setting "consumers"): the appender's thread cuts what the journal holds into
 * pieces, each thread makes lines of one, and the pieces go to the sink in their order. Worth while where one thread can not format as fast as
 * the others log; with little to do the appender formats alone.
 */
#pragma once

#include "logger/appender.h"

enum { RW_LG_CONSUMERS_MAX = 16, RW_LG_CONSUMERS_SPAN = 64 * 1024 };

struct rw_lg_consumers;

/* n > 1 threads, of which the appender's own is one. RW_E_NOMEM, RW_E_LIMIT (no thread). */
RW_MUST int rw_lg_consumers_new(const struct rw_lg_appender *a, unsigned n,
                                struct rw_lg_consumers **ret_consumers);
void rw_lg_consumers_free(struct rw_lg_consumers *c); /* NULL is fine */
/* Lines of the journal from `at` on behind those that `a` has. Returns up to where; a->lock is held. */
uint64_t rw_lg_consumers_take(struct rw_lg_consumers *c, struct rw_lg_appender *a, uint64_t at,
                              uint64_t head);
