/* Between metrics.c, which counts, and metrics_render.c, which writes it down. */
#pragma once

#include "broker/metrics.h"

enum { RW_METRICS_TOPIC_CHAINS = 256, RW_METRICS_TOPICS_MAX = 10000, RW_METRICS_ERRORS_MAX = 256 };

struct rw_error_count {
    int16_t api_key, error;
    uint64_t count;
};

struct rw_metrics {
    int64_t words[RW_METRIC_COUNT];
    struct rw_hist latency[RW_METRICS_APIS]; /* request received to answer handed to the kernel */
    struct rw_hist flush;
    struct rw_error_count errors[RW_METRICS_ERRORS_MAX];
    uint32_t n_errors;
    uint32_t n_topics;
    uint64_t errors_uncounted;
    struct rw_link topics[RW_METRICS_TOPIC_CHAINS];
};
