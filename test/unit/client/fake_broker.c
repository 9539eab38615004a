/* A broker in memory. What it accepts it checks: sequences as a real broker does, CRCs of batches. */
#include "fake_broker.h"

#include <stdio.h>
#include "base/bytes.h"
#include "base/list.h"
#include "base/mem.h"
#include "wire/error.h"
#include "wire/frame.h"

struct fake_stream {
    struct rw_stream stream;
    struct fake_broker *broker;
    struct rw_buf in, out;
    size_t out_at;
    bool closed;
};

static struct fake_broker *broker_of_clock(struct rw_clock *c)
{
    return RW_CONTAINER(c, struct fake_broker, clock);
}

static int64_t wall_ms(struct rw_clock *c)
{
    return 1700000000000 + broker_of_clock(c)->now_us / 1000;
}

static int64_t mono_us(struct rw_clock *c)
{
    return ++broker_of_clock(c)->now_us;
}

static void fill(struct rw_rand *r, void *p, size_t n)
{
    (void)r;
    memset(p, 0, n);
}

/* ---- the broker ---- */

static int16_t append(struct fake_broker *b, int32_t partition, struct rw_wire_records records,
                      int64_t *ret_offset)
{
    struct rw_batch batch;
    if (partition < 0 || partition >= FAKE_PARTITIONS)
        return RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (b->fail_produce > 0) {
        b->fail_produce--;
        return b->fail_with;
    }
    assert_int_equal(rw_batch_decode(records.p, records.n, &batch), RW_OK);
    assert_int_equal(rw_batch_size(&batch), records.n);
    assert_int_equal(rw_batch_crc(records.p, records.n), batch.crc);
    if (batch.producer_id >= 0) {
        assert_int_equal(batch.producer_id, b->producer_id);
        int32_t expected = b->sequence[partition] < 0 ? 0 : b->sequence[partition];
        int32_t next = rw_sequence_add(batch.base_sequence, batch.records_count);
        if (batch.base_sequence < expected)
            return b->amnesia || (b->forgetful && next != expected)
                       ? RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER
                       : RW_KERR_DUPLICATE_SEQUENCE_NUMBER;
        if (batch.base_sequence > expected)
            return RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        b->sequence[partition] = rw_sequence_add(batch.base_sequence, batch.records_count);
    }
    size_t at = b->log[partition].n;
    rw_buf_add(&b->log[partition], records.p, records.n);
    rw_store_be64(b->log[partition].p + at, (uint64_t)b->end[partition]);
    *ret_offset = b->end[partition];
    b->end[partition] += batch.last_offset_delta + 1;
    return 0;
}

static void produce(struct fake_broker *b, const struct rw_produce_request *q, struct rw_arena *a,
                    struct rw_produce_response *r)
{
    r->n_responses = q->n_topic_data;
    r->responses = rw_arena_array(a, (size_t)q->n_topic_data, sizeof(*r->responses));
    for (int32_t i = 0; i < q->n_topic_data; i++) {
        const struct rw_produce_request_topic *t = &q->topic_data[i];
        struct rw_produce_response_topic *to = &r->responses[i];
        rw_produce_response_topic_init(to);
        to->name = t->name;
        to->n_partition_responses = t->n_partition_data;
        to->partition_responses =
            rw_arena_array(a, (size_t)t->n_partition_data, sizeof(*to->partition_responses));
        for (int32_t k = 0; k < t->n_partition_data; k++) {
            struct rw_produce_response_partition *p = &to->partition_responses[k];
            rw_produce_response_partition_init(p);
            p->index = t->partition_data[k].index;
            p->base_offset = -1;
            p->error_code = append(b, p->index, t->partition_data[k].records, &p->base_offset);
        }
    }
}

/* The batch with the wanted offset and all that follow. */
static struct rw_wire_records fetch_records(struct fake_broker *b, int32_t partition,
                                            int64_t offset)
{
    struct rw_buf *log = &b->log[partition];
    size_t at = 0;
    struct rw_batch batch;
    while (at < log->n) {
        assert_int_equal(rw_batch_decode(log->p + at, log->n - at, &batch), RW_OK);
        if (rw_batch_last_offset(&batch) >= offset)
            break;
        at += rw_batch_size(&batch);
    }
    size_t n = log->n - at;
    if (b->cut_fetch && n > b->cut_fetch)
        n = b->cut_fetch;
    return (struct rw_wire_records){.p = n ? log->p + at : (const uint8_t *)"", .n = n};
}

static void fetch(struct fake_broker *b, const struct rw_fetch_request *q, struct rw_arena *a,
                  struct rw_fetch_response *r)
{
    bool some = false;
    r->n_responses = q->n_topics;
    r->responses = rw_arena_array(a, (size_t)q->n_topics, sizeof(*r->responses));
    for (int32_t i = 0; i < q->n_topics; i++) {
        rw_fetch_response_topic_init(&r->responses[i]);
        r->responses[i].topic = q->topics[i].topic;
        r->responses[i].n_partitions = q->topics[i].n_partitions;
        r->responses[i].partitions = rw_arena_array(a, (size_t)q->topics[i].n_partitions,
                                                    sizeof(*r->responses[i].partitions));
        for (int32_t k = 0; k < q->topics[i].n_partitions; k++) {
            struct rw_fetch_response_partition *p = &r->responses[i].partitions[k];
            int32_t index = q->topics[i].partitions[k].partition;
            int64_t offset = q->topics[i].partitions[k].fetch_offset;
            rw_fetch_response_partition_init(p);
            p->partition_index = index;
            p->high_watermark = b->end[index];
            p->last_stable_offset = b->end[index];
            p->log_start_offset = 0;
            p->records = (struct rw_wire_records){.p = (const uint8_t *)""};
            if (offset < 0 || offset > b->end[index])
                p->error_code = RW_KERR_OFFSET_OUT_OF_RANGE;
            else
                p->records = fetch_records(b, index, offset);
            some |= p->error_code != 0 || p->records.n > 0;
        }
    }
    /* A long poll. */
    b->now_us += some ? 0 : (int64_t)q->max_wait_ms * 1000;
}

static void metadata(const struct fake_broker *b, const struct rw_metadata_request *q,
                     struct rw_arena *a, struct rw_metadata_response *r)
{
    r->n_brokers = b->twins ? 2 : 1;
    r->brokers = rw_arena_array(a, 2, sizeof(*r->brokers));
    for (int32_t i = 0; i < r->n_brokers; i++) {
        rw_metadata_response_broker_init(&r->brokers[i]);
        r->brokers[i].node_id = 1 + i;
        r->brokers[i].host = RW_STR_LIT("fake");
        r->brokers[i].port = 9092 + i;
    }
    if (b->moves && b->requests[RW_API_PRODUCE] > 0)
        r->brokers[0].port = 9094;
    r->controller_id = 1;
    r->cluster_id = RW_STR_LIT("cluster");
    int32_t n = q->n_topics < 0 ? 1 : q->n_topics;
    r->topics = rw_arena_array(a, (size_t)n + 1, sizeof(*r->topics));
    r->n_topics = n;
    for (int32_t i = 0; i < n; i++) {
        struct rw_metadata_response_topic *t = &r->topics[i];
        rw_metadata_response_topic_init(t);
        t->name = q->n_topics < 0 ? RW_STR_LIT("t") : q->topics[i].name;
        if (!rw_str_is(t->name, "t")) {
            t->error_code = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
            continue;
        }
        t->partitions = rw_arena_array(a, FAKE_PARTITIONS, sizeof(*t->partitions));
        t->n_partitions = b->n_partitions;
        for (int32_t k = 0; k < b->n_partitions; k++) {
            rw_metadata_response_partition_init(&t->partitions[k]);
            t->partitions[k].partition_index = k;
            t->partitions[k].leader_id = 1;
            t->partitions[k].n_replica_nodes = 1;
            t->partitions[k].replica_nodes = rw_arena_array(a, 1, sizeof(int32_t));
            t->partitions[k].replica_nodes[0] = 1;
        }
    }
}

static void delete_topics(struct fake_broker *b, struct rw_arena *a,
                          struct rw_delete_topics_response *r)
{
    r->n_responses = 1;
    r->responses = rw_arena_array(a, 1, sizeof(*r->responses));
    rw_delete_topics_response_topic_init(r->responses);
    r->responses[0].name = RW_STR_LIT("t");
    if (b->not_controller > 0) {
        b->not_controller--;
        r->responses[0].error_code = RW_KERR_NOT_CONTROLLER;
    }
}

static void api_versions(struct fake_broker *b, int16_t version, struct rw_arena *a,
                         struct rw_api_versions_response *r)
{
    static const int16_t keys[] = {RW_API_PRODUCE,          RW_API_FETCH,
                                   RW_API_METADATA,         RW_API_API_VERSIONS,
                                   RW_API_INIT_PRODUCER_ID, RW_API_DELETE_TOPICS};
    r->error_code = version > b->api_versions_max ? RW_KERR_UNSUPPORTED_VERSION : 0;
    r->api_keys = rw_arena_array(a, RW_COUNT(keys), sizeof(*r->api_keys));
    r->n_api_keys = (int32_t)RW_COUNT(keys);
    for (size_t i = 0; i < RW_COUNT(keys); i++) {
        const struct rw_api *api = rw_api_find(keys[i]);
        r->api_keys[i] = (struct rw_api_versions_response_api_key){keys[i], api->min, api->max};
    }
}

static void handle(struct fake_broker *b, const struct rw_request_header *h, const void *q,
                   struct rw_arena *a, void *r)
{
    switch (h->api_key) {
    case RW_API_API_VERSIONS:
        api_versions(b, h->api_version, a, r);
        break;
    case RW_API_DELETE_TOPICS:
        delete_topics(b, a, r);
        break;
    case RW_API_METADATA:
        metadata(b, q, a, r);
        break;
    case RW_API_INIT_PRODUCER_ID:
        ((struct rw_init_producer_id_response *)r)->producer_id = ++b->producer_id;
        for (int i = 0; i < FAKE_PARTITIONS; i++)
            b->sequence[i] = -1;
        break;
    case RW_API_PRODUCE:
        produce(b, q, a, r);
        break;
    case RW_API_FETCH:
        fetch(b, q, a, r);
        break;
    default:
        fail_msg("unexpected request %d", h->api_key);
    }
}

static void answer(struct fake_stream *s, const uint8_t *p, size_t n)
{
    struct fake_broker *b = s->broker;
    struct rw_arena arena;
    struct rw_reader reader;
    struct rw_request_header h;
    struct rw_writer w;
    rw_arena_init(&arena, 0);
    rw_reader_init(&reader, p, n, &arena);
    assert_int_equal(rw_request_header_read(&reader, &h), RW_OK);
    const struct rw_api *api = rw_api_find(h.api_key);
    void *q = rw_arena_zalloc(&arena, api->request_size),
         *r = rw_arena_zalloc(&arena, api->response_size);
    assert_int_equal(api->request_read(&reader, h.api_version, q), RW_OK);
    int number = ++b->requests[h.api_key];
    bool mute = h.api_key == RW_API_PRODUCE && number >= b->mute_from && number <= b->mute_to;
    if ((mute && !b->mute_stores) || (h.api_key == RW_API_FETCH && b->mute_fetch)) {
        rw_arena_deinit(&arena);
        return;
    }
    if (h.api_key == RW_API_PRODUCE && b->drop_before > 0) {
        b->drop_before--;
        s->closed = true;
    } else {
        api->response_init(r);
        handle(b, &h, q, &arena, r);
        int16_t version = h.api_key == RW_API_API_VERSIONS && h.api_version > b->api_versions_max
                              ? 0
                              : h.api_version;
        rw_writer_init(&w);
        rw_frame_begin(&w);
        rw_response_header_write(&w, api, version, h.correlation_id);
        api->response_write(&w, version, r);
        assert_int_equal(rw_frame_end(&w), RW_OK);
        if (h.api_key == RW_API_PRODUCE && b->drop_after > 0) {
            b->drop_after--;
            s->closed = true;
        } else if (!mute) {
            rw_buf_add(&s->out, w.buf.p, w.buf.n);
        }
        rw_writer_deinit(&w);
    }
    rw_arena_deinit(&arena);
}

/* ---- the stream ---- */

static struct fake_stream *fake_of(struct rw_stream *s)
{
    return (struct fake_stream *)(void *)s;
}

static const struct rw_dial_ops ops;

static int fake_connect(struct rw_dialer *d, const char *host, uint16_t port, int64_t timeout_us,
                        struct rw_stream **ret_stream, struct rw_err *ret_err)
{
    struct fake_broker *b = RW_CONTAINER(d, struct fake_broker, dialer);
    (void)timeout_us;
    b->connects++;
    if (b->refuse_connects > 0) {
        b->refuse_connects--;
        return rw_err_set(ret_err, RW_E_REFUSED, "%s:%u: Connection refused", host, port);
    }
    struct fake_stream *s = rw_zalloc(sizeof(*s));
    assert_non_null(s);
    *s = (struct fake_stream){.stream = {.ops = &ops, .dialer = d}, .broker = b};
    *ret_stream = &s->stream;
    return RW_OK;
}

static void fake_close(struct rw_stream *s)
{
    rw_buf_deinit(&fake_of(s)->in);
    rw_buf_deinit(&fake_of(s)->out);
    rw_free(s);
}

static int fake_send(struct rw_stream *stream, const void *p, size_t n, int64_t timeout_us)
{
    struct fake_stream *s = fake_of(stream);
    (void)timeout_us;
    if (s->closed)
        return RW_E_CLOSED;
    if (s->broker->raw_answer) {
        rw_buf_add_str(&s->out, s->broker->raw_answer);
        s->closed = true;
        return RW_OK;
    }
    rw_buf_add(&s->in, p, n);
    size_t size;
    while (!s->closed && rw_frame_check(s->in.p, s->in.n, 100u << 20, &size) == RW_OK) {
        answer(s, s->in.p + RW_FRAME_PREFIX, size - RW_FRAME_PREFIX);
        rw_buf_consume(&s->in, size);
    }
    return RW_OK;
}

/* In small pieces, so that every way of cutting an answer happens. */
static int fake_recv(struct rw_stream *stream, void *p, size_t n, int64_t timeout_us, size_t *ret_n)
{
    struct fake_stream *s = fake_of(stream);
    size_t left = s->out.n - s->out_at;
    if (left == 0) {
        s->broker->now_us += s->closed ? 0 : timeout_us;
        return s->closed ? RW_E_CLOSED : RW_E_TIMEOUT;
    }
    size_t piece = 1 + s->out_at % 37;
    piece = piece < left ? piece : left;
    piece = piece < n ? piece : n;
    memcpy(p, s->out.p + s->out_at, piece);
    s->out_at += piece;
    *ret_n = piece;
    return RW_OK;
}

static int fake_wait(struct rw_dialer *d, struct rw_stream *const *streams, size_t n,
                     int64_t timeout_us, size_t *ret_i)
{
    struct fake_broker *b = RW_CONTAINER(d, struct fake_broker, dialer);
    for (size_t i = 0; i < n && !(b->lazy && timeout_us == 0); i++) {
        const struct fake_stream *s = fake_of(streams[i]);
        if (s->out_at < s->out.n || s->closed) {
            *ret_i = i;
            return RW_OK;
        }
    }
    b->now_us += timeout_us;
    return RW_E_TIMEOUT;
}

static const struct rw_dial_ops ops = {.connect = fake_connect,
                                       .close = fake_close,
                                       .send = fake_send,
                                       .recv = fake_recv,
                                       .wait = fake_wait};

/* ---- setting up ---- */

void fake_broker_init(struct fake_broker *b)
{
    memset(b, 0, sizeof(*b));
    b->dialer.ops = &ops;
    b->clock = (struct rw_clock){.wall_ms = wall_ms, .mono_us = mono_us};
    b->rand.fill = fill;
    b->env = (struct rw_env){.clock = &b->clock, .rand = &b->rand};
    b->api_versions_max = 4;
    b->n_partitions = FAKE_PARTITIONS;
    for (int i = 0; i < FAKE_PARTITIONS; i++) {
        rw_buf_init(&b->log[i]);
        b->sequence[i] = -1;
    }
}

void fake_broker_deinit(struct fake_broker *b)
{
    for (int i = 0; i < FAKE_PARTITIONS; i++)
        rw_buf_deinit(&b->log[i]);
}

struct rw_cluster *fake_cluster(struct fake_broker *b)
{
    struct rw_cluster_options o;
    struct rw_cluster *c;
    rw_cluster_options_init(&o);
    o.brokers = "fake:9092";
    assert_int_equal(rw_cluster_new(&b->env, &b->dialer, &o, &c), RW_OK);
    return c;
}

char *fake_values(struct fake_broker *b, int partition)
{
    struct rw_records records = {0};
    struct rw_record r;
    struct rw_batch batch;
    struct rw_buf text;
    rw_buf_init(&text);
    for (size_t at = 0; at < b->log[partition].n; at += rw_batch_size(&batch)) {
        const uint8_t *p = b->log[partition].p + at;
        assert_int_equal(rw_batch_decode(p, b->log[partition].n - at, &batch), RW_OK);
        assert_int_equal(rw_records_open(&records, p, rw_batch_size(&batch)), RW_OK);
        while (rw_records_next(&records, &r) == 1) {
            rw_buf_add(&text, r.value.p, r.value.n);
            rw_buf_add_u8(&text, ' ');
        }
    }
    rw_records_deinit(&records);
    char *copy = rw_strdup(rw_buf_cstr(&text));
    rw_buf_deinit(&text);
    return copy;
}
