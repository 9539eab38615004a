/*
 * A broker in memory behind env/dial.h: decodes real requests, keeps real batches, answers. Time is a
 * number that waiting moves. One node, topic "t"; faults are switched on by its fields.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "batch/batch.h"
#include "client/cluster.h"

#define FAKE_PARTITIONS 3

struct fake_broker {
    struct rw_dialer dialer;
    struct rw_clock clock;
    struct rw_rand rand;
    struct rw_env env;
    int64_t now_us;
    struct rw_buf log[FAKE_PARTITIONS]; /* batches as they lie in a log */
    int64_t end[FAKE_PARTITIONS];       /* log end offsets */
    int32_t sequence[FAKE_PARTITIONS];  /* next expected; -1: none yet */
    int64_t producer_id;
    int requests[128], connects;
    /* faults */
    int16_t api_versions_max; /* of ApiVersions itself; a higher request gets error 35 */
    const char *raw_answer;   /* every request is answered by these bytes, then the end */
    int refuse_connects;      /* so many connects fail */
    int fail_produce;         /* so many batches get ... */
    int16_t fail_with;        /* ... this error */
    int drop_before,
        drop_after;         /* so many produce requests: closed before or after they take effect */
    int not_controller;     /* so many DeleteTopics are refused: the controller is another */
    int mute_from, mute_to; /* these produce requests, from 1 on, get no answer ... */
    bool mute_stores;       /* ... though they take effect */
    bool mute_fetch;        /* no fetch is answered */
    bool lazy;              /* answers are not there at once: who does not wait gets none */
    bool forgetful;         /* of a producer's batches only the last is remembered */
    bool amnesia;           /* not even that one */
    bool moves;             /* after the first produce request it has another port */
    bool twins;             /* there is a second node, led by nobody */
    int n_partitions;       /* what metadata tell */
    size_t cut_fetch;       /* a fetched partition ends after so many bytes; 0: whole */
};

void fake_broker_init(struct fake_broker *b);
void fake_broker_deinit(struct fake_broker *b);
/* A cluster whose bootstrap is the fake. */
struct rw_cluster *fake_cluster(struct fake_broker *b);
/* All values of a partition's log, each followed by a blank. Caller frees. */
char *fake_values(struct fake_broker *b, int partition);
