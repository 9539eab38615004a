/*
 * Consuming with the client that `rollway consume` is made of: every record of a partition is decoded, in
 * place, and looked at; from the start again when the end is reached.
 *
 *   bench_consume_load HOST:PORT TOPIC SECONDS
 *
 * Prints one JSON object: records, bytes (of keys and values), seconds, records per second. Exit code 1
 * when the broker answers an error, or gives nothing for 10 s.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "client/consumer.h"
#include "os/dial.h"
#include "os/os.h"

#define LOOK_EACH 4096 /* records between looks at the clock */

struct load {
    struct rw_cluster *cluster;
    const char *topic;
    struct rw_client_err err;
    uint64_t records, bytes;
    uint64_t sum; /* of first bytes: a record that nobody reads is not consumed */
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* From the start to the end of the partition, or until `until`. */
static int consume(struct load *l, double until)
{
    struct rw_consumer_options options;
    struct rw_consumer *consumer;
    rw_consumer_options_init(&options);
    int rc = rw_consumer_new(l->cluster, &options, &consumer);
    if (rc)
        return rc;
    rc = rw_consumer_assign(consumer, l->topic, 0, 0, &l->err);
    const struct rw_consumer_partition *p = rw_consumer_partition(consumer, 0);
    while (rc == RW_OK) {
        struct rw_consumed got;
        rc = rw_consumer_next(consumer, 10000000, &got, &l->err);
        if (rc == 0)
            rc = RW_E_TIMEOUT;
        if (rc != 1)
            break;
        rc = RW_OK;
        l->records++;
        l->bytes += got.record.key.n + got.record.value.n;
        l->sum += got.record.value.n ? got.record.value.p[0] : 0;
        if (got.record.offset + 1 >= p->high_watermark ||
            (l->records % LOOK_EACH == 0 && now_s() >= until))
            break;
    }
    rw_consumer_free(consumer);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_consume_load HOST:PORT TOPIC SECONDS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct load l = {.topic = argv[2]};
    struct rw_dialer dialer;
    struct rw_cluster_options options;
    rw_os_dialer_init(&dialer);
    rw_cluster_options_init(&options);
    options.brokers = argv[1];
    int rc = rw_cluster_new(rw_os_env(), &dialer, &options, &l.cluster);
    double start = now_s(), until = start + atof(argv[3]);
    while (rc == RW_OK && now_s() < until)
        rc = consume(&l, until);
    double seconds = now_s() - start;
    if (rc) {
        fprintf(stderr, "bench_consume_load: %s\n", l.err.text[0] ? l.err.text : rw_code_text(rc));
        return 1;
    }
    printf("{\"records\":%llu,\"bytes\":%llu,\"sum\":%llu,\"seconds\":%.3f,\"records_per_s\":%.0f,"
           "\"gb_per_s\":%.4f}\n",
           (unsigned long long)l.records, (unsigned long long)l.bytes, (unsigned long long)l.sum,
           seconds, (double)l.records / seconds, (double)l.bytes / seconds / 1e9);
    rw_cluster_free(l.cluster);
    return 0;
}
