/*
 * The client library against a broker that answers with anything. Input: one byte of choices, then
 * answers, each a length (two bytes, little-endian) and the body behind the correlation id. When the
 * input is used up the broker is gone. Choice bits: 0 the first answer of each connection is a good
 * ApiVersions; 1 correlation ids come from the input too; 2 produce instead of consume.
 */
#include "base/buf.h"
#include "base/bytes.h"
#include "base/list.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "fuzz.h"
#include "wire/frame.h"

#define RECORDS_MAX 256

struct hostile {
    struct rw_dialer dialer;
    struct rw_clock clock;
    struct rw_rand rand;
    struct rw_env env;
    int64_t now_us;
    uint8_t choice;
    const uint8_t *p;
    size_t n;
};

struct hostile_stream {
    struct rw_stream stream;
    struct hostile *broker;
    struct rw_buf in, out;
    bool greeted;
};

static int64_t wall_ms(struct rw_clock *c)
{
    (void)c;
    return 1700000000000;
}

/* Time goes on with every look at it, so every wait ends. */
static int64_t mono_us(struct rw_clock *c)
{
    struct hostile *h = RW_CONTAINER(c, struct hostile, clock);
    return h->now_us += 10;
}

static void fill(struct rw_rand *r, void *p, size_t n)
{
    (void)r;
    memset(p, 0, n);
}

static struct hostile_stream *stream_of(struct rw_stream *s)
{
    return (struct hostile_stream *)(void *)s;
}

static const struct rw_dial_ops ops;

static int hostile_connect(struct rw_dialer *d, const char *host, uint16_t port, int64_t timeout_us,
                           struct rw_stream **ret_stream, struct rw_err *ret_err)
{
    struct hostile *h = RW_CONTAINER(d, struct hostile, dialer);
    (void)timeout_us;
    h->now_us += 1000;
    if (h->n == 0)
        return rw_err_set(ret_err, RW_E_REFUSED, "%s:%u: gone", host, port);
    struct hostile_stream *s = calloc(1, sizeof(*s));
    RW_ASSERT(s);
    *s = (struct hostile_stream){.stream = {.ops = &ops, .dialer = d}, .broker = h};
    *ret_stream = &s->stream;
    return RW_OK;
}

static void hostile_close(struct rw_stream *s)
{
    rw_buf_deinit(&stream_of(s)->in);
    rw_buf_deinit(&stream_of(s)->out);
    free(s);
}

/* ApiVersions in version 0, which every client takes: each API that we know, all its versions. */
static void greet(struct rw_writer *w)
{
    static const int16_t keys[] = {RW_API_PRODUCE,  RW_API_FETCH,        RW_API_LIST_OFFSETS,
                                   RW_API_METADATA, RW_API_API_VERSIONS, RW_API_INIT_PRODUCER_ID};
    rw_write_i16(w, 0);
    rw_write_i32(w, (int32_t)RW_COUNT(keys));
    for (size_t i = 0; i < RW_COUNT(keys); i++) {
        const struct rw_api *api = rw_api_find(keys[i]);
        rw_write_i16(w, keys[i]);
        rw_write_i16(w, api->min);
        rw_write_i16(w, api->max);
    }
}

/* One answer to the request in q[0..n) (without its size). */
static void answer(struct hostile_stream *s, const uint8_t *q, size_t n)
{
    struct hostile *h = s->broker;
    struct rw_writer w;
    rw_writer_init(&w);
    rw_frame_begin(&w);
    if (!(h->choice & 2))
        rw_write_i32(&w, n >= 8 ? (int32_t)rw_load_be32(q + 4) : 0);
    if ((h->choice & 1) && !s->greeted) {
        greet(&w);
    } else {
        size_t size = h->n >= 2 ? h->p[0] + 256u * h->p[1] : 0, skip = h->n < 2 ? h->n : 2;
        h->p += skip;
        h->n -= skip;
        size = size < h->n ? size : h->n;
        rw_buf_add(&w.buf, h->p, size);
        h->p += size;
        h->n -= size;
    }
    s->greeted = true;
    RW_ASSERT(rw_frame_end(&w) == RW_OK);
    rw_buf_add(&s->out, w.buf.p, w.buf.n);
    rw_writer_deinit(&w);
}

static int hostile_send(struct rw_stream *stream, const void *p, size_t n, int64_t timeout_us)
{
    struct hostile_stream *s = stream_of(stream);
    size_t size;
    (void)timeout_us;
    if (s->broker->n == 0)
        return RW_E_CLOSED;
    rw_buf_add(&s->in, p, n);
    while (s->broker->n > 0 && rw_frame_check(s->in.p, s->in.n, 100u << 20, &size) == RW_OK) {
        answer(s, s->in.p + RW_FRAME_PREFIX, size - RW_FRAME_PREFIX);
        rw_buf_consume(&s->in, size);
    }
    return RW_OK;
}

static int hostile_recv(struct rw_stream *stream, void *p, size_t n, int64_t timeout_us,
                        size_t *ret_n)
{
    struct hostile_stream *s = stream_of(stream);
    size_t piece = s->out.n < n ? s->out.n : n;
    if (piece == 0) {
        s->broker->now_us += timeout_us;
        return s->broker->n == 0 ? RW_E_CLOSED : RW_E_TIMEOUT;
    }
    memcpy(p, s->out.p, piece);
    rw_buf_consume(&s->out, piece);
    *ret_n = piece;
    return RW_OK;
}

static int hostile_wait(struct rw_dialer *d, struct rw_stream *const *streams, size_t n,
                        int64_t timeout_us, size_t *ret_i)
{
    struct hostile *h = RW_CONTAINER(d, struct hostile, dialer);
    for (size_t i = 0; i < n; i++) {
        if (stream_of(streams[i])->out.n > 0 || h->n == 0) {
            *ret_i = i;
            return RW_OK;
        }
    }
    h->now_us += timeout_us;
    return RW_E_TIMEOUT;
}

static const struct rw_dial_ops ops = {.connect = hostile_connect,
                                       .close = hostile_close,
                                       .send = hostile_send,
                                       .recv = hostile_recv,
                                       .wait = hostile_wait};

static void consume(struct rw_cluster *c, struct rw_topic *topic)
{
    struct rw_consumer_options options;
    struct rw_consumer *consumer;
    struct rw_client_err err = {0};
    struct rw_consumed got;
    int32_t partition = 0;
    int64_t offset = -1, last = -1;
    int code = RW_OK;
    if (topic->n_partitions > 0)
        code = rw_list_offsets(c, topic, &partition, 1, RW_OFFSET_LATEST, false, &offset, &err);
    RW_ASSERT(code == RW_OK || err.code == code);
    rw_consumer_options_init(&options);
    RW_ASSERT(rw_consumer_new(c, &options, &consumer) == RW_OK);
    if (rw_consumer_assign(consumer, "t", 0, 0, &err) == RW_OK) {
        for (int i = 0; i < RECORDS_MAX; i++) {
            if (rw_consumer_next(consumer, 1000000, &got, &err) != 1)
                break;
            /* Whatever the broker sends, offsets only go up. */
            RW_ASSERT(got.record.offset > last);
            last = got.record.offset;
            uint64_t sum = 0;
            for (size_t k = 0; k < got.record.value.n; k++)
                sum += got.record.value.p[k];
            RW_ASSERT(sum < UINT64_MAX);
        }
    }
    rw_consumer_free(consumer);
}

static void delivered(void *arg, const struct rw_delivery *d)
{
    int *count = arg;
    *count += d->count;
    RW_ASSERT(d->code == RW_OK || d->err);
}

static void produce(struct rw_cluster *c)
{
    struct rw_producer_options options;
    struct rw_producer *producer;
    struct rw_client_err err = {0};
    int sent = 0, reported = 0;
    rw_producer_options_init(&options);
    options.delivered = delivered;
    options.arg = &reported;
    options.delivery_timeout_us = 5000000;
    RW_ASSERT(rw_producer_new(c, &options, &producer) == RW_OK);
    for (int i = 0; i < 4; i++) {
        struct rw_record r = {.timestamp = -1, .value = {(const uint8_t *)"value", 5}};
        sent += rw_producer_send(producer, "t", i % 2 ? RW_PARTITION_AUTO : 0, &r, NULL, 0, &err) ==
                RW_OK;
    }
    /* Each record is reported exactly once, whatever was answered. */
    if (rw_producer_flush(producer, &err) == RW_OK)
        RW_ASSERT(reported == sent &&
                  rw_producer_acked(producer) + rw_producer_failed(producer) == sent);
    rw_producer_free(producer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_cluster_options options;
    struct rw_cluster *c;
    struct rw_topic *topic;
    struct rw_client_err err = {0};
    if (size < 1)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct hostile h = {.dialer = {.ops = &ops},
                        .clock = {.wall_ms = wall_ms, .mono_us = mono_us},
                        .rand = {.fill = fill},
                        .choice = data[0],
                        .p = copy,
                        .n = size - 1};
    h.env = (struct rw_env){.clock = &h.clock, .rand = &h.rand};
    rw_cluster_options_init(&options);
    RW_ASSERT(rw_cluster_new(&h.env, &h.dialer, &options, &c) == RW_OK);
    c->deadline_us = 20000000;
    if (rw_cluster_get_topic(c, "t", false, &topic, &err) == RW_OK) {
        if (h.choice & 4)
            produce(c);
        else
            consume(c, topic);
    } else {
        RW_ASSERT(err.code != RW_OK && err.text[0]);
    }
    rw_cluster_free(c);
    free(copy);
    return 0;
}
