/* Settings of the broker appender. */
#include <stdio.h>
#include "base/units.h"
#include "client/cluster.h"
#include "logger/sink_broker.h"
#include "logger/sink_set.h"

enum { TIMEOUT_MIN_MS = 10, TIMEOUT_MAX_MS = 3600000 };
#define SPOOL_MIN (4 * 1024 * 1024) /* a chunk of lines fits in any case */

static int set_topic(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    for (int32_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return rw_err_set(err, RW_E_INVAL,
                              "topic: letters, digits, dots, dashes and underscores");
    }
    if (v.n == 0 || rw_str_is(v, ".") || rw_str_is(v, ".."))
        return rw_err_set(err, RW_E_INVAL, "topic: a name is expected");
    return rw_lg_set_text(RW_STR_LIT("topic"), v, b->topic, sizeof(b->topic), err);
}

static int set_partition(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    int64_t n;
    if (rw_str_is(v, "service"))
        b->ship.target = RW_LG_BY_SERVICE;
    else if (rw_str_is(v, "thread"))
        b->ship.target = RW_LG_BY_THREAD;
    else if (rw_units_parse_int(v, &n) && n >= 0 && n <= INT32_MAX) {
        b->ship.target = RW_LG_BY_NUMBER;
        b->ship.partition = (int32_t)n;
    } else
        return rw_err_set(err, RW_E_INVAL, "partition: service, thread or a number");
    return RW_OK;
}

static int set_compression(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++)
        if (rw_str_is(v, rw_codec_name((enum rw_codec)codec))) {
            b->codec = (enum rw_codec)codec;
            return RW_OK;
        }
    return rw_err_set(err, RW_E_INVAL, "compression: none, gzip, snappy, lz4 or zstd");
}

static int set_acks(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    if (rw_str_is(v, "all") || rw_str_is(v, "-1"))
        b->ship.acks = -1;
    else if (rw_str_is(v, "1"))
        b->ship.acks = 1;
    else
        return rw_err_set(err, RW_E_INVAL, "acks: all or 1");
    return RW_OK;
}

static int set_overflow(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    if (rw_str_is(v, "drop_oldest"))
        b->o.overflow = RW_LG_SPOOL_DROP_OLDEST;
    else if (rw_str_is(v, "drop_newest"))
        b->o.overflow = RW_LG_SPOOL_DROP_NEWEST;
    else if (rw_str_is(v, "block"))
        b->o.overflow = RW_LG_SPOOL_BLOCK;
    else
        return rw_err_set(err, RW_E_INVAL, "spool.overflow: drop_oldest, drop_newest or block");
    return RW_OK;
}

static int set_sync(struct rw_lg_broker *b, struct rw_str v, struct rw_err *err)
{
    b->sync_each = rw_str_is(v, "each");
    b->sync_ms = rw_str_is(v, "interval") ? 1000 : 0;
    if (b->sync_each || b->sync_ms || rw_str_is(v, "os"))
        return RW_OK;
    if (rw_units_parse_ms(v, &b->sync_ms) && b->sync_ms > 0)
        return RW_OK;
    return rw_err_set(err, RW_E_INVAL,
                      "spool.sync: os, each, interval (1s) or how often, as in 500ms");
}

static int set_size(struct rw_lg_broker *b, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    int64_t n;
    int rc = rw_lg_set_bytes(key, v, &n, err);
    if (!rc && n < SPOOL_MIN)
        rc = rw_err_set(err, RW_E_INVAL, "spool.bytes: at least 4MiB");
    if (!rc)
        b->o.bytes = n;
    return rc;
}

static int set_timeout(struct rw_lg_broker *b, struct rw_str key, struct rw_str v,
                       struct rw_err *err)
{
    int64_t ms;
    int rc = rw_lg_set_ms(key, v, &ms, err);
    if (!rc && (ms < TIMEOUT_MIN_MS || ms > TIMEOUT_MAX_MS))
        rc = rw_err_set(err, RW_E_INVAL, "request.timeout: from 10ms to 1h");
    if (!rc)
        b->ship.request_timeout_us = ms * 1000;
    return rc;
}

static int set_brokers(struct rw_lg_broker *b, struct rw_str key, struct rw_str v,
                       struct rw_err *err)
{
    struct rw_client_err why;
    int rc = rw_lg_set_text(key, v, b->ship.brokers, sizeof(b->ship.brokers), err);
    if (!rc && (rc = rw_cluster_check_addresses(b->ship.brokers, &why)) != RW_OK)
        rw_err_set(err, rc, "brokers: %s", why.text);
    return rc;
}

int rw_lg_broker_set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct rw_lg_broker *b = (struct rw_lg_broker *)s;
    if (rw_str_is(key, "brokers"))
        return set_brokers(b, key, v, err);
    if (rw_str_is(key, "topic"))
        return set_topic(b, v, err);
    if (rw_str_is(key, "partition"))
        return set_partition(b, v, err);
    if (rw_str_is(key, "compression"))
        return set_compression(b, v, err);
    if (rw_str_is(key, "acks"))
        return set_acks(b, v, err);
    if (rw_str_is(key, "client.id"))
        return rw_lg_set_text(key, v, b->ship.client_id, sizeof(b->ship.client_id), err);
    if (rw_str_is(key, "request.timeout"))
        return set_timeout(b, key, v, err);
    if (rw_str_is(key, "close.drain"))
        return rw_lg_set_ms(key, v, &b->drain_ms, err);
    if (rw_str_is(key, "spool.dir"))
        return rw_lg_set_text(key, v, b->o.dir, sizeof(b->o.dir), err);
    if (rw_str_is(key, "spool.bytes"))
        return set_size(b, key, v, err);
    if (rw_str_is(key, "spool.overflow"))
        return set_overflow(b, v, err);
    if (rw_str_is(key, "spool.sync"))
        return set_sync(b, v, err);
    return RW_E_NOT_FOUND;
}
