/* What went wrong, for programs (code, kafka) and for people (text, hint). Filled in once, at the place
 * that knows most. */
#pragma once

#include <stdint.h>
#include "base/code.h"

struct rw_client_err {
    int code;       /* RW_E_BROKER when a broker answered with an error: see `kafka` */
    int16_t kafka;  /* Kafka's error code, 0: none */
    char text[480]; /* one sentence without a full stop */
    char hint[240]; /* what to do about it; may be "" */
};

/* Set text or hint; err may be NULL. The first returns code. */
int rw_client_fail(struct rw_client_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void rw_client_hint(struct rw_client_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A broker's answer: Kafka's name, the broker's words (or ours), and the code class that fits
 * (RW_E_NOT_FOUND for UNKNOWN_TOPIC_OR_PARTITION, RW_E_AUTH ... RW_E_BROKER). `what`: "create topic x". */
int rw_client_fail_kafka(struct rw_client_err *err, int16_t kafka, const char *message,
                         int message_n, const char *what);
