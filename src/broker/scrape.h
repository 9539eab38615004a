/* Collects what all shards count and makes the text of /metrics. */
#pragma once

#include "base/buf.h"
#include "broker/metrics.h"
#include "broker/shard.h"

/* On shard 0. done(): on shard 0, later, once; text is NULL when memory was refused, and only valid
 * during the call. All shards' loops must run until then. RW_E_NOMEM: done() is not called. */
RW_MUST int rw_scrape_start(struct rw_shard *zero, enum rw_metrics_form form, bool openmetrics,
                            void (*done)(void *arg, const struct rw_buf *text), void *arg);
