/*
 * Lines to a Kafka-compatible broker, through the spool: write() puts them there and is done; a thread of its own ships them (ship.h). So the
 * appender never waits for a broker, and a kill of the application loses nothing that was spooled.
 *
 * A chunk becomes batches per lane: one lane, or RW_LG_THREAD_LANES when threads are spread. The value of a record is the line without
 * its line end, the key is the application or the thread.
 */
#include "logger/sink_broker.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/murmur2.h"
#include "logger/engine.h"
#include "os/os.h"
#include "os/task.h"
#include "os/ticks.h"

enum { BATCH_BYTES = 256 * 1024, DRAIN_MS = 2000, TIMEOUT_MS = 30000, FAILURES = 5, KEY_MAX = 16 };
#define TELL_EVERY_NS 10000000000ll
#define SPOOL_BYTES   (1024 * 1024 * 1024)
#define MARK          0x726f6c6c77617921ull /* "this is no device" */

static struct rw_lg_broker *broker_of(struct rw_lg_sink *s)
{
    return (struct rw_lg_broker *)s;
}

static void named(struct rw_lg_sink *s, const char *application, const char *appender)
{
    struct rw_lg_broker *b = broker_of(s);
    snprintf(b->ship.service, sizeof(b->ship.service), "%s", application);
    snprintf(b->ship.appender, sizeof(b->ship.appender), "%s", appender);
}

/* ---- from lines to batches ---- */

static unsigned lane_of(const struct rw_lg_broker *b, const struct rw_lg_line *line, char *key,
                        struct rw_slice *ret_key)
{
    if (b->ship.target != RW_LG_BY_THREAD) {
        *ret_key = rw_slice(b->ship.service, strlen(b->ship.service));
        return 0;
    }
    int n = snprintf(key, KEY_MAX, "%u", line->thread);
    *ret_key = rw_slice(key, (size_t)n);
    return rw_murmur2(*ret_key) % RW_LG_THREAD_LANES;
}

static int open_lane(struct rw_lg_broker *b, unsigned i)
{
    int32_t number = b->ship.target == RW_LG_BY_NUMBER ? b->ship.partition : (int32_t)i;
    return b->lanes[i] ? RW_OK : rw_lg_spool_lane(b->spool, b->topic, number, &b->lanes[i]);
}

static int finish_batch(struct rw_lg_broker *b, unsigned i)
{
    struct rw_builder *builder = &b->builders[i];
    struct rw_slice finished;
    struct rw_lg_spooled *out = rw_array_grow(b->out, b->n_out, &b->out_cap, sizeof(*out));
    if (!out)
        return RW_E_NOMEM;
    b->out = out;
    int rc = rw_builder_finish(builder, &finished);
    if (rc)
        return rc;
    b->out[b->n_out++] = (struct rw_lg_spooled){.lane = b->lanes[i],
                                                .bytes = *builder->finished,
                                                .header = builder->header,
                                                .count = builder->count};
    rw_buf_init(builder->finished);
    rw_builder_reset(builder, 0);
    return RW_OK;
}

static int add_line(struct rw_lg_broker *b, const struct rw_lg_chunk *chunk,
                    const struct rw_lg_line *line)
{
    char key[KEY_MAX];
    struct rw_record r = {.timestamp = line->time_ns / 1000000,
                          .value = rw_slice(chunk->p + line->at, line->n - 1)};
    unsigned i = lane_of(b, line, key, &r.key);
    struct rw_builder *builder = &b->builders[i];
    int rc = open_lane(b, i);
    if (!rc && builder->count > 0 && rw_builder_size(builder) + line->n > BATCH_BYTES)
        rc = finish_batch(b, i);
    if (!rc)
        rc = rw_builder_add(builder, &r, NULL, 0);
    if (rc != RW_E_TOO_BIG)
        return rc;
    atomic_fetch_add(&b->lost, 1); /* more than two gigabytes in one line */
    return RW_OK;
}

static int build(struct rw_lg_broker *b, const struct rw_lg_chunk *chunk)
{
    int rc = RW_OK;
    for (size_t i = 0; i < chunk->lines && !rc; i++)
        rc = add_line(b, chunk, &chunk->index[i]);
    for (unsigned i = 0; i < RW_LG_THREAD_LANES && !rc; i++)
        if (b->builders[i].count > 0)
            rc = finish_batch(b, i);
    return rc;
}

static void forget(struct rw_lg_broker *b)
{
    for (size_t i = 0; i < b->n_out; i++)
        rw_buf_deinit(&b->out[i].bytes);
    b->n_out = 0;
    for (unsigned i = 0; i < RW_LG_THREAD_LANES; i++)
        rw_builder_reset(&b->builders[i], 0);
}

/* ---- writing ---- */

static int sync_lanes(struct rw_lg_broker *b)
{
    int rc = RW_OK;
    for (unsigned i = 0; i < RW_LG_THREAD_LANES && !rc; i++)
        if (b->lanes[i])
            rc = rw_log_flush(b->lanes[i]->log, NULL);
    b->dirty = false;
    b->synced_ms = rw_os_wall_ns() / 1000000;
    return rc;
}

static bool mark(struct rw_lg_sink *s, size_t n, struct rw_lg_mark *ret_mark)
{
    struct rw_lg_broker *b = broker_of(s);
    (void)n;
    *ret_mark = (struct rw_lg_mark){
        .device = MARK, .inode = b->spool->id, .offset = b->spool->intent.number + 1};
    return true;
}

/* Chunks are whole in the spool or not at all (spool.h): its number says it. */
static bool settled(struct rw_lg_sink *s, const struct rw_lg_mark *m, uint64_t length,
                    uint32_t hash)
{
    struct rw_lg_broker *b = broker_of(s);
    (void)length;
    (void)hash;
    return m->device == MARK && rw_lg_spool_has(b->spool->env, &b->o, m->inode, m->offset);
}

static void tell_dropped(struct rw_lg_broker *b)
{
    int64_t now = rw_os_mono_ns();
    if (b->tell_ns && now < b->tell_ns)
        return;
    b->tell_ns = now + TELL_EVERY_NS;
    rw_lg_report("the spool is full: lines are dropped", b->ship.appender, RW_E_FULL);
}

static int write_chunk(struct rw_lg_sink *s, const struct rw_lg_chunk *chunk, size_t *ret_n)
{
    struct rw_lg_broker *b = broker_of(s);
    uint64_t before = rw_lg_spool_dropped(b->spool);
    bool dropped = false;
    *ret_n = 0;
    int rc = build(b, chunk);
    if (!rc && b->n_out > 0)
        rc = rw_lg_spool_write(b->spool, b->out, b->n_out, &dropped);
    forget(b);
    if (rc)
        return rc;
    if (dropped || rw_lg_spool_dropped(b->spool) > before)
        tell_dropped(b);
    b->dirty = true;
    rw_lg_shipper_wake(b->shipper);
    return RW_OK;
}

static int sync_spool(struct rw_lg_sink *s, bool flush)
{
    struct rw_lg_broker *b = broker_of(s);
    int64_t now = rw_os_wall_ns() / 1000000;
    bool due = b->sync_each ||
               (b->sync_ms && (flush || now - b->synced_ms >= b->sync_ms || now < b->synced_ms));
    return b->dirty && due ? sync_lanes(b) : RW_OK;
}

static void tick(struct rw_lg_sink *s, int64_t now_ms)
{
    (void)now_ms;
    (void)sync_spool(s, false); /* what failed is told by the next sync */
}

static void breaker(struct rw_lg_sink *s, int64_t failures)
{
    broker_of(s)->ship.breaker_failures = failures;
}

static void counts(struct rw_lg_sink *s, struct rollway_logger_appender_stats *stats)
{
    struct rw_lg_broker *b = broker_of(s);
    const struct rw_lg_ship_counts *c = rw_lg_shipper_counts(b->shipper);
    stats->sent = atomic_load(&c->shipped);
    stats->sent_twice = atomic_load(&c->twice);
    stats->retried = atomic_load(&c->failures);
    stats->dead = atomic_load(&c->dead);
    pthread_mutex_lock(&b->spool->lock);
    stats->spooled_bytes = rw_lg_spool_bytes(b->spool);
    pthread_mutex_unlock(&b->spool->lock);
}

static uint64_t lost(struct rw_lg_sink *s)
{
    struct rw_lg_broker *b = broker_of(s);
    uint64_t n = atomic_load(&b->lost);
    if (b->spool)
        n += rw_lg_spool_dropped(b->spool);
    return b->shipper ? n + atomic_load(&rw_lg_shipper_counts(b->shipper)->lost) : n;
}

/* ---- opening ---- */

/* A file name of what people call their programs. */
static void name_spool(struct rw_lg_broker *b)
{
    int n = snprintf(b->o.name, sizeof(b->o.name), "%s-%s", b->ship.service, b->ship.appender);
    for (int i = 0; i < n; i++)
        if (b->o.name[i] == '/' || (i == 0 && b->o.name[i] == '.'))
            b->o.name[i] = '_';
}

static int is_complete(struct rw_lg_sink *s, struct rw_err *ret_err)
{
    return broker_of(s)->topic[0]
               ? RW_OK
               : rw_err_set(ret_err, RW_E_INVAL, "topic: a broker appender needs one");
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *ret_err)
{
    struct rw_lg_broker *b = broker_of(s);
    int rc = b->o.dir[0] ? RW_OK : rw_os_state_dir(b->o.dir, sizeof(b->o.dir));
    if (rc)
        return rw_err_set(ret_err, rc, "spool.dir: there is no default here: set it");
    if (!b->ship.client_id[0])
        snprintf(b->ship.client_id, sizeof(b->ship.client_id), "%s", b->ship.service);
    name_spool(b);
    for (unsigned i = 0; i < RW_LG_THREAD_LANES; i++) {
        b->builders[i].codec = b->codec;
        b->builders[i].level = b->codec == RW_CODEC_ZSTD ? 1 : RW_LEVEL_DEFAULT;
    }
    rc = rw_lg_spool_open(rw_os_env(), &b->o, &b->spool, ret_err);
    if (rc)
        return rc;
    rc = rw_lg_shipper_start(b->spool, &b->ship, &b->shipper);
    return rc ? rw_err_set(ret_err, rc, "the shipper could not start: %s", rw_code_text(rc))
              : RW_OK;
}

static void free_sink(struct rw_lg_sink *s)
{
    struct rw_lg_broker *b = broker_of(s);
    if (b->shipper)
        rw_lg_shipper_stop(b->shipper, b->drain_ms);
    if (b->spool) {
        rw_lg_spool_tidy(b->spool);
        rw_lg_spool_close(b->spool);
    }
    for (unsigned i = 0; i < RW_LG_THREAD_LANES; i++)
        rw_builder_deinit(&b->builders[i]);
    rw_free(b->out);
    rw_free(b);
}

static const struct rw_lg_sink_ops ops = {.type = "broker",
                                          .lines = true,
                                          .index = true,
                                          .empties = true,
                                          .named = named,
                                          .set = rw_lg_broker_set,
                                          .ready = is_complete,
                                          .open = open_sink,
                                          .mark = mark,
                                          .settled = settled,
                                          .write = write_chunk,
                                          .sync = sync_spool,
                                          .tick = tick,
                                          .breaker = breaker,
                                          .lost = lost,
                                          .counts = counts,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_broker(void)
{
    struct rw_lg_broker *b = rw_zalloc(sizeof(*b));
    if (!b)
        return NULL;
    b->sink.ops = &ops;
    snprintf(b->ship.brokers, sizeof(b->ship.brokers), "127.0.0.1:9092");
    b->ship.acks = -1;
    b->ship.request_timeout_us = TIMEOUT_MS * 1000;
    b->ship.breaker_failures = FAILURES;
    b->o.bytes = SPOOL_BYTES;
    b->codec = RW_CODEC_LZ4;
    b->drain_ms = DRAIN_MS;
    for (unsigned i = 0; i < RW_LG_THREAD_LANES; i++)
        rw_builder_init(&b->builders[i]);
    return &b->sink;
}
