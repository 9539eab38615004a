/*
 * The producer.
 *
 * A record goes into the open batch of its partition. A full or old batch is closed and queued; a queued
 * batch is sent when its leader has room for another request; after the answer it is reported and freed,
 * or queued again.
 *
 * Order and exactly-once: the sequence number of a batch is given when it is closed, the queue of a
 * partition is ordered by it, and a batch that comes back goes to its place. While a partition has a
 * batch that is being tried again, only one of its batches is under way. When a batch is given up, the
 * broker's idea of the next sequence no longer fits ours: a new producer id is asked for and what is
 * queued is numbered anew (`renew`), but first all batches that may be stored get their answer under
 * the old one.
 *
 * A retriable answer refreshes the metadata before the next try; a connection that breaks, or does not
 * answer in time, brings back everything that was under way on it: see producer_answers.c.
 */
#include "client/producer_private.h"

#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/murmur2.h"
#include "wire/error.h"

#define PRODUCE_CAP    12 /* 13 addresses topics by id */
#define ANSWER_MEMORY  (16u << 20)
#define FRAME_OVERHEAD 1024

void rw_producer_options_init(struct rw_producer_options *o)
{
    *o = (struct rw_producer_options){.acks = -1,
                                      .codec = RW_CODEC_NONE,
                                      .level = RW_LEVEL_DEFAULT,
                                      .linger_us = 5000,
                                      .batch_bytes = 256 * 1024,
                                      .buffer_bytes = 32u << 20,
                                      .request_bytes = 4u << 20,
                                      .in_flight = 5,
                                      .delivery_timeout_us = 120000000,
                                      .idempotent = true};
}

int rw_producer_new(struct rw_cluster *cluster, const struct rw_producer_options *options,
                    struct rw_producer **ret_producer)
{
    struct rw_producer *p = rw_zalloc(sizeof(*p));
    if (!p)
        return RW_E_NOMEM;
    p->cluster = cluster;
    p->options = *options;
    p->producer_id = RW_NO_PRODUCER_ID;
    p->producer_epoch = RW_NO_PRODUCER_EPOCH;
    if (p->options.acks != -1)
        p->options.idempotent = false;
    if (p->options.in_flight < 1)
        p->options.in_flight = 1;
    if (p->options.in_flight > 5 && p->options.idempotent)
        p->options.in_flight = 5;
    p->renew = p->options.idempotent;
    rw_arena_init(&p->arena, ANSWER_MEMORY);
    cluster->lost = rw_producer_broker_left;
    cluster->lost_arg = p;
    *ret_producer = p;
    return RW_OK;
}

/* ---- batches ---- */

static void batch_free(struct rw_producer *p, struct batch *b)
{
    if (p->n_spare < SPARE_BUFFERS && b->bytes.cap > 0) {
        rw_buf_clear(&b->bytes);
        p->spare[p->n_spare++] = b->bytes;
    } else {
        rw_buf_deinit(&b->bytes);
    }
    rw_free(b);
}

static void part_free(struct rw_producer *p, struct part *part)
{
    struct rw_link *link;
    while ((link = rw_list_pop(&part->queue)))
        batch_free(p, batch_of(link));
    rw_builder_deinit(&part->builder);
    rw_free(part);
}

static void request_free(struct rw_producer *p, struct request *r)
{
    struct rw_link *link;
    while ((link = rw_list_pop(&r->batches)))
        batch_free(p, batch_of(link));
    rw_free(r);
}

void rw_producer_free(struct rw_producer *p)
{
    if (!p)
        return;
    p->cluster->lost = NULL;
    for (int i = 0; i < p->cluster->n_nodes; i++) {
        struct rw_conn *c = p->cluster->nodes[i].conn;
        if (!c || c->sent_n == 0)
            continue;
        for (unsigned k = 0; k < c->sent_n; k++)
            request_free(p, c->sent[(c->sent_head + k) % RW_CONN_PIPELINE_MAX].tag);
        rw_cluster_drop(p->cluster, c);
    }
    for (int i = 0; i < p->n_topics; i++) {
        for (int32_t k = 0; k < p->topics[i].n_parts; k++)
            if (p->topics[i].parts[k])
                part_free(p, p->topics[i].parts[k]);
        rw_free(p->topics[i].parts);
    }
    rw_free(p->topics);
    for (int i = 0; i < p->n_spare; i++)
        rw_buf_deinit(&p->spare[i]);
    rw_arena_deinit(&p->arena);
    rw_free(p);
}

/* Puts a batch where its serial belongs; new ones go to the end. */
void rw_producer_enqueue(struct rw_producer *p, struct batch *b)
{
    struct rw_link *at = &b->part->queue;
    while (at->prev != &b->part->queue && batch_of(at->prev)->serial > b->serial)
        at = at->prev;
    rw_list_insert_before(at, &b->link);
    p->n_queued++;
}

/* Writes the producer's identity into a finished batch (byte offsets: see batch.h). */
static void stamp(struct rw_producer *p, struct batch *b, int32_t sequence)
{
    rw_store_be64(b->bytes.p + 43, (uint64_t)p->producer_id);
    rw_store_be16(b->bytes.p + 51, (uint16_t)p->producer_epoch);
    rw_store_be32(b->bytes.p + 53, (uint32_t)sequence);
    rw_store_be32(b->bytes.p + 17, rw_batch_crc(b->bytes.p, b->bytes.n));
}

/* Closes the open batch of a partition. */
static int close_batch(struct rw_producer *p, struct part *part)
{
    struct rw_slice finished;
    struct rw_builder *builder = &part->builder;
    struct batch *b = rw_zalloc(sizeof(*b));
    if (!b)
        return RW_E_NOMEM;
    bool numbered = p->options.idempotent && p->producer_id >= 0;
    builder->producer_id = numbered ? p->producer_id : RW_NO_PRODUCER_ID;
    builder->producer_epoch = numbered ? p->producer_epoch : RW_NO_PRODUCER_EPOCH;
    builder->base_sequence = numbered ? part->next_sequence : RW_NO_SEQUENCE;
    int rc = rw_builder_finish(builder, &finished);
    if (rc != RW_OK) {
        rw_free(b);
        return rc;
    }
    *b = (struct batch){.part = part,
                        .bytes = *builder->finished,
                        .count = builder->count,
                        .serial = part->next_serial++,
                        .first_number = part->next_number,
                        .created_us = part->opened_us};
    part->next_number += b->count;
    if (p->options.idempotent)
        part->next_sequence = rw_sequence_add(part->next_sequence, b->count);
    RW_ASSERT(finished.p == b->bytes.p);
    rw_buf_init(builder->finished);
    if (p->n_spare > 0)
        *builder->finished = p->spare[--p->n_spare];
    rw_builder_reset(builder, 0);
    p->buffered += b->bytes.n;
    rw_list_init(&b->link);
    rw_producer_enqueue(p, b);
    return RW_OK;
}

/* The end of a batch: report, account, free. */
void rw_producer_finish(struct rw_producer *p, struct batch *b, int64_t base_offset, int code,
                        const struct rw_client_err *err)
{
    struct rw_delivery d = {.topic = b->part->topic->name,
                            .partition = b->part->index,
                            .first_number = b->first_number,
                            .base_offset = base_offset,
                            .count = b->count,
                            .bytes = b->bytes.n,
                            .code = code,
                            .err = code == RW_OK ? NULL : err};
    p->buffered -= b->bytes.n;
    if (code == RW_OK) {
        p->acked += b->count;
        b->part->retrying = false;
    } else {
        p->failed += b->count;
        p->renew |= p->options.idempotent;
        if (!may_be_stored(b) && b->serial < b->part->broken_at)
            b->part->broken_at = b->serial;
    }
    if (p->options.delivered)
        p->options.delivered(p->options.arg, &d);
    batch_free(p, b);
}

/* ---- topics and partitions ---- */

static int find_topic(struct rw_producer *p, const char *name, struct topic_parts **ret,
                      struct rw_client_err *err)
{
    struct rw_topic *topic;
    if (p->last && strcmp(p->last->topic->name, name) == 0) {
        *ret = p->last;
        return RW_OK;
    }
    for (int i = 0; i < p->n_topics; i++) {
        if (strcmp(p->topics[i].topic->name, name) == 0) {
            *ret = p->last = &p->topics[i];
            return RW_OK;
        }
    }
    int rc = rw_cluster_get_topic(p->cluster, name, true, &topic, err);
    if (rc != RW_OK)
        return rc;
    struct topic_parts *topics =
        rw_realloc_array(p->topics, (size_t)p->n_topics + 1, sizeof(*topics));
    if (!topics)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    p->topics = topics;
    topics[p->n_topics] = (struct topic_parts){.topic = topic, .sticky = -1};
    *ret = p->last = &topics[p->n_topics++];
    return RW_OK;
}

static int find_part(struct rw_producer *p, struct topic_parts *t, int32_t index, struct part **ret,
                     struct rw_client_err *err)
{
    if (index < 0 || index >= t->topic->n_partitions)
        return rw_client_fail(err, RW_E_NOT_FOUND, "topic %s has no partition %d (it has %d)",
                              t->topic->name, index, t->topic->n_partitions);
    if (index >= t->n_parts) {
        struct part **parts =
            rw_realloc_array(t->parts, (size_t)t->topic->n_partitions, sizeof(*parts));
        if (!parts)
            return rw_client_fail(err, RW_E_NOMEM, "out of memory");
        for (int32_t i = t->n_parts; i < t->topic->n_partitions; i++)
            parts[i] = NULL;
        t->parts = parts;
        t->n_parts = t->topic->n_partitions;
    }
    if (!t->parts[index]) {
        struct part *part = rw_zalloc(sizeof(*part));
        if (!part)
            return rw_client_fail(err, RW_E_NOMEM, "out of memory");
        part->topic = t->topic;
        part->index = index;
        part->broken_at = INT64_MAX;
        rw_list_init(&part->queue);
        rw_builder_init(&part->builder);
        part->builder.codec = p->options.codec;
        part->builder.level = p->options.level;
        t->parts[index] = part;
    }
    *ret = t->parts[index];
    return RW_OK;
}

/* A partition for records without a key: any that has a leader. */
static int32_t pick_sticky(struct rw_producer *p, struct topic_parts *t)
{
    int32_t n = t->topic->n_partitions;
    if (t->sticky >= 0 && t->sticky < n)
        return t->sticky;
    int32_t start = (int32_t)(rw_rand_u64(p->cluster->env->rand) % (uint64_t)(n > 0 ? n : 1));
    t->sticky = start;
    for (int32_t i = 0; i < n; i++) {
        int32_t candidate = (start + i) % n;
        if (t->topic->partitions[candidate].leader >= 0) {
            t->sticky = candidate;
            break;
        }
    }
    return t->sticky;
}

/* ---- identity ---- */

static void renumber(struct rw_producer *p)
{
    for (int i = 0; i < p->n_topics; i++) {
        for (int32_t k = 0; k < p->topics[i].n_parts; k++) {
            struct part *part = p->topics[i].parts[k];
            if (!part)
                continue;
            part->next_sequence = 0;
            part->broken_at = INT64_MAX;
            RW_LIST_EACH (link, &part->queue) {
                struct batch *b = batch_of(link);
                b->unknown = false;
                stamp(p, b, part->next_sequence);
                part->next_sequence = rw_sequence_add(part->next_sequence, b->count);
            }
        }
    }
}

static int take_identity(struct rw_producer *p, struct rw_client_err *err)
{
    struct rw_init_producer_id_request request;
    void *response;
    for (int attempt = 0;; attempt++) {
        rw_init_producer_id_request_init(&request);
        request.transactional_id = RW_STR_NULL;
        request.transaction_timeout_ms = INT32_MAX;
        rw_arena_reset(&p->arena);
        int rc = rw_cluster_call(p->cluster, RW_ANY_NODE, RW_API_INIT_PRODUCER_ID, INT16_MAX,
                                 &request, false, &p->arena, &response, err);
        if (rc == RW_E_UNSUPPORTED) {
            p->options.idempotent = p->renew = false;
            return RW_OK;
        }
        if (rc != RW_OK)
            return rc;
        const struct rw_init_producer_id_response *m = response;
        if (m->error_code == 0) {
            p->producer_id = m->producer_id;
            p->producer_epoch = m->producer_epoch;
            p->renew = false;
            renumber(p);
            return RW_OK;
        }
        if (!rw_kerr_retriable(m->error_code))
            return rw_client_fail_kafka(err, m->error_code, NULL, 0, "asking for a producer id");
        rc = rw_cluster_backoff(p->cluster, attempt);
        if (rc != RW_OK)
            return rw_client_fail(err, rc, "asking for a producer id: %s", rw_code_text(rc));
    }
}

/* ---- sending ---- */

/* A batch of it may be stored: the answer under the identity of now is needed. */
static bool has_unknown(const struct part *part)
{
    RW_LIST_EACH (link, &part->queue)
        if (may_be_stored(batch_of(link)))
            return true;
    return false;
}

static bool any_unknown(const struct rw_producer *p)
{
    for (int i = 0; i < p->n_topics; i++)
        for (int32_t k = 0; k < p->topics[i].n_parts; k++)
            if (p->topics[i].parts[k] && has_unknown(p->topics[i].parts[k]))
                return true;
    return false;
}

/* The batch of a partition that is sent next; NULL: none now. */
static struct batch *next_batch(const struct rw_producer *p, const struct part *part)
{
    bool held = p->renew;
    RW_LIST_EACH (link, &part->queue) {
        struct batch *b = batch_of(link);
        held |= b->doubted;
        if (!b->doubted)
            return held && !has_unknown(part) ? NULL : b;
    }
    return NULL;
}

static bool can_send(const struct rw_producer *p, const struct part *part)
{
    if (!next_batch(p, part))
        return false;
    /* Without sequence numbers only one batch at a time keeps the order through retries. */
    int limit = part->retrying || (!p->options.idempotent && p->options.acks != 0) ? 1 : 5;
    return part->in_flight < limit;
}

/* A topic that was made anew may have fewer partitions than we have batches for: those have no leader. */
static int32_t leader_of(const struct part *part)
{
    return part->index < part->topic->n_partitions ? part->topic->partitions[part->index].leader
                                                   : -1;
}

/* Moves the next batch of each partition led by `node` into a new request. */
static int gather(struct rw_producer *p, int32_t node, struct request **ret)
{
    struct request *r = rw_zalloc(sizeof(*r));
    if (!r)
        return RW_E_NOMEM;
    rw_list_init(&r->batches);
    for (int i = 0; i < p->n_topics; i++) {
        struct topic_parts *t = &p->topics[i];
        for (int32_t k = 0; k < t->n_parts; k++) {
            struct part *part = t->parts[k];
            if (!part || !can_send(p, part) || leader_of(part) != node)
                continue;
            struct batch *b = next_batch(p, part);
            if (r->bytes > 0 && r->bytes + b->bytes.n > p->options.request_bytes)
                continue;
            rw_list_remove(&b->link);
            rw_list_push(&r->batches, &b->link);
            r->bytes += b->bytes.n;
            p->n_queued--;
        }
    }
    *ret = r;
    return RW_OK;
}

/* The batches of a request are grouped by topic because gather() walks them so. */
static int fill_request(struct rw_producer *p, const struct request *r,
                        struct rw_produce_request *request)
{
    int32_t n = 0;
    RW_LIST_EACH (link, &r->batches)
        n++;
    struct rw_produce_request_topic *topics = rw_arena_array(&p->arena, (size_t)n, sizeof(*topics));
    struct rw_produce_request_partition *parts =
        rw_arena_array(&p->arena, (size_t)n, sizeof(*parts));
    if (!topics || !parts)
        return RW_E_NOMEM;
    rw_produce_request_init(request);
    request->acks = p->options.acks;
    request->timeout_ms = (int32_t)(p->cluster->options.request_timeout_us / 1000);
    request->topic_data = topics;
    const struct rw_topic *last = NULL;
    RW_LIST_EACH (link, &r->batches) {
        const struct batch *b = batch_of(link);
        if (b->part->topic != last) {
            topics[request->n_topic_data++] = (struct rw_produce_request_topic){
                .name = rw_str(b->part->topic->name), .partition_data = parts};
            last = b->part->topic;
        }
        topics[request->n_topic_data - 1].n_partition_data++;
        *parts++ = (struct rw_produce_request_partition){
            .index = b->part->index, .records = {.p = b->bytes.p, .n = b->bytes.n}};
    }
    return RW_OK;
}

static void put_back(struct rw_producer *p, struct request *r)
{
    struct rw_link *link;
    while ((link = rw_list_pop(&r->batches)))
        rw_producer_enqueue(p, batch_of(link));
    rw_free(r);
}

/* Sends one request to a node when there is something for it. *ret_sent: it was. */
static int send_to(struct rw_producer *p, int32_t node, bool *ret_sent, struct rw_client_err *err)
{
    struct rw_produce_request request;
    struct request *r;
    struct rw_conn *c;
    int rc = gather(p, node, &r);
    *ret_sent = false;
    if (rc != RW_OK)
        return rc;
    if (rw_list_empty(&r->batches)) {
        rw_free(r);
        return RW_OK;
    }
    rc = rw_cluster_conn(p->cluster, node, &c, err);
    if (rc == RW_OK && c->sent_n >= (unsigned)p->options.in_flight) {
        put_back(p, r);
        return RW_OK;
    }
    rw_arena_reset(&p->arena);
    if (rc == RW_OK)
        rc = fill_request(p, r, &request);
    if (rc != RW_OK) {
        put_back(p, r);
        return rc;
    }
    RW_LIST_EACH (link, &r->batches) {
        batch_of(link)->part->in_flight++;
        p->n_in_flight++;
    }
    rc = rw_conn_send(c, RW_API_PRODUCE, PRODUCE_CAP, &request, r, p->options.acks != 0,
                      rw_cluster_request_us(p->cluster), err);
    *ret_sent = rc == RW_OK;
    if (rc == RW_OK && p->options.acks == 0) {
        rw_producer_take_answer(p, r, NULL);
    } else if (rc != RW_OK) {
        RW_LIST_EACH (link, &r->batches) {
            batch_of(link)->part->in_flight--;
            batch_of(link)->unknown |= rc != RW_E_UNSUPPORTED;
            p->n_in_flight--;
        }
        put_back(p, r);
        if (rc == RW_E_UNSUPPORTED || rc == RW_E_CANCELED)
            return rc;
        rw_producer_lost_connection(p, c, err);
        return RW_OK;
    }
    return rc;
}

/* Closes batches that are due: all when `all`. */
static int close_due(struct rw_producer *p, bool all)
{
    int64_t now = rw_producer_now(p);
    for (int i = 0; i < p->n_topics; i++) {
        for (int32_t k = 0; k < p->topics[i].n_parts; k++) {
            struct part *part = p->topics[i].parts[k];
            if (!part || part->builder.count == 0)
                continue;
            if (!all && now - part->opened_us < p->options.linger_us)
                continue;
            int rc = close_batch(p, part);
            if (rc != RW_OK)
                return rc;
            if (p->topics[i].sticky == k)
                p->topics[i].sticky = -1;
        }
    }
    return RW_OK;
}

/* Gives up what is too late, and what can not be told any more. */
static void expire(struct rw_producer *p)
{
    int64_t now = rw_producer_now(p);
    for (int i = 0; i < p->n_topics; i++) {
        for (int32_t k = 0; k < p->topics[i].n_parts; k++) {
            struct part *part = p->topics[i].parts[k];
            while (part && !rw_list_empty(&part->queue)) {
                struct batch *b = batch_of(part->queue.next);
                if (now - b->created_us <= p->options.delivery_timeout_us)
                    break;
                rw_list_remove(&b->link);
                p->n_queued--;
                rw_producer_give_up_late(p, b);
            }
            if (part)
                rw_producer_give_up_doubted(p, part);
        }
    }
}

static int refresh(struct rw_producer *p, struct rw_client_err *err)
{
    int rc = RW_OK;
    for (int i = 0; i < p->n_topics && rc == RW_OK; i++) {
        const char *name = p->topics[i].topic->name;
        rc = rw_cluster_refresh(p->cluster, &name, 1, false, err);
    }
    if (rc == RW_OK)
        p->stale = false;
    return rc;
}

/* Sends what can be sent. Connection troubles are not errors here: they only delay. */
static int pump(struct rw_producer *p, struct rw_client_err *err)
{
    int rc = RW_OK;
    if (p->n_queued == 0 || rw_producer_now(p) < p->retry_at_us)
        return RW_OK;
    expire(p);
    if (p->stale)
        rc = refresh(p, err);
    if (rc == RW_OK && p->renew && p->n_in_flight == 0 && p->n_queued > 0 && !any_unknown(p))
        rc = take_identity(p, err);
    bool sent = true;
    while (rc == RW_OK && sent && p->n_queued > 0) {
        sent = false;
        for (int i = 0; i < p->cluster->n_nodes && rc == RW_OK; i++) {
            bool one;
            rc = send_to(p, p->cluster->nodes[i].id, &one, err);
            sent |= one;
        }
    }
    if (rc == RW_E_CLOSED || rc == RW_E_TIMEOUT || (rw_code_is_connection(rc) && p->acked > 0)) {
        if (err)
            p->last_err = *err;
        rw_producer_delay_retry(p);
        p->stale = true;
        return RW_OK;
    }
    return rc;
}

/* Takes all answers that are there; waits for one up to timeout_us when none is. */
static int take_answers(struct rw_producer *p, int64_t timeout_us, struct rw_client_err *err)
{
    for (;;) {
        struct rw_stream *streams[256];
        struct rw_conn *conns[256];
        size_t n = 0, ready;
        for (int i = 0; i < p->cluster->n_nodes && n < RW_COUNT(streams); i++) {
            struct rw_conn *c = p->cluster->nodes[i].conn;
            if (!c || c->sent_n == 0)
                continue;
            if (rw_conn_has_reply(c)) {
                int rc = rw_producer_receive(p, c, err);
                if (rc != RW_OK)
                    return rc;
                timeout_us = 0;
                i--; /* again: there may be more, or the connection is gone */
                continue;
            }
            int64_t left = rw_producer_check_overdue(p, c);
            if (left == INT64_MAX)
                continue;
            left -= rw_producer_now(p);
            timeout_us = left < timeout_us ? left > 0 ? left : 0 : timeout_us;
            conns[n] = c;
            streams[n++] = c->stream;
        }
        if (n == 0 && timeout_us == 0)
            return RW_OK;
        int rc = rw_dial_wait(p->cluster->dialer, streams, n, timeout_us, &ready);
        if (rc == RW_E_TIMEOUT)
            return RW_OK;
        if (rc == RW_OK)
            rc = rw_producer_receive(p, conns[ready], err);
        if (rc != RW_OK)
            return rc;
        timeout_us = 0;
    }
}

int64_t rw_producer_due_us(const struct rw_producer *p)
{
    int64_t due = -1, now = rw_producer_now(p);
    if (p->n_queued > 0)
        due = p->retry_at_us > now ? p->retry_at_us - now : 0;
    for (int i = 0; i < p->n_topics; i++) {
        for (int32_t k = 0; k < p->topics[i].n_parts; k++) {
            const struct part *part = p->topics[i].parts[k];
            if (!part || part->builder.count == 0)
                continue;
            int64_t left = part->opened_us + p->options.linger_us - now;
            left = left < 0 ? 0 : left;
            due = due < 0 || left < due ? left : due;
        }
    }
    return due;
}

int rw_producer_poll(struct rw_producer *p, int64_t timeout_us, struct rw_client_err *err)
{
    int rc = close_due(p, false);
    if (rc == RW_OK)
        rc = pump(p, err);
    if (rc != RW_OK)
        return rc;
    if (timeout_us > 0) {
        int64_t due = rw_producer_due_us(p);
        if (due >= 0 && due < timeout_us && p->n_in_flight == 0)
            timeout_us = due;
    }
    rc = take_answers(p, timeout_us, err);
    return rc == RW_OK ? pump(p, err) : rc;
}

int rw_producer_flush(struct rw_producer *p, struct rw_client_err *err)
{
    int rc = close_due(p, true);
    while (rc == RW_OK && (p->n_queued > 0 || p->n_in_flight > 0)) {
        rc = pump(p, err);
        int64_t wait = p->retry_at_us - rw_producer_now(p);
        if (p->n_in_flight > 0 || wait < 1000)
            wait = p->n_in_flight > 0 ? 250000 : 1000;
        if (rc == RW_OK && (p->n_queued > 0 || p->n_in_flight > 0))
            rc = take_answers(p, wait, err);
        if (rc == RW_OK && p->cluster->deadline_us <= rw_producer_now(p))
            rc = rw_client_fail(err, RW_E_TIMEOUT,
                                "the time limit passed before all was acknowledged");
    }
    return rc;
}

static int wait_for_room(struct rw_producer *p, struct rw_client_err *err)
{
    while (p->buffered > p->options.buffer_bytes) {
        int rc = rw_producer_poll(p, 100000, err);
        if (rc != RW_OK)
            return rc;
        if (p->cluster->deadline_us <= rw_producer_now(p))
            return rw_client_fail(err, RW_E_TIMEOUT, "the time limit passed");
    }
    return RW_OK;
}

/* About what the record adds to a batch. */
static size_t record_size(const struct rw_record *r, const struct rw_record_header *headers,
                          size_t n_headers)
{
    size_t n = r->key.n + r->value.n + 16;
    for (size_t i = 0; i < n_headers; i++)
        n += (size_t)headers[i].key.n + headers[i].value.n + 4;
    return n;
}

/* The open batch of the partition is as large as it may be. */
static int close_full(struct rw_producer *p, struct topic_parts *t, struct part *part,
                      struct rw_client_err *err)
{
    int rc = close_batch(p, part);
    if (t->sticky == part->index)
        t->sticky = -1;
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "record: %s", rw_code_text(rc));
    rc = rw_producer_poll(p, 0, err);
    return rc == RW_OK ? wait_for_room(p, err) : rc;
}

int rw_producer_send(struct rw_producer *p, const char *topic, int32_t partition,
                     const struct rw_record *record, const struct rw_record_header *headers,
                     size_t n_headers, struct rw_client_err *err)
{
    struct topic_parts *t = NULL;
    struct part *part = NULL;
    int rc = find_topic(p, topic, &t, err);
    if (rc != RW_OK)
        return rc;
    bool sticky = partition == RW_PARTITION_AUTO && !record->key.p;
    if (sticky)
        partition = pick_sticky(p, t);
    else if (partition == RW_PARTITION_AUTO)
        partition = rw_murmur2_partition(record->key, t->topic->n_partitions);
    rc = find_part(p, t, partition, &part, err);
    /* A record that does not fit any more goes into another batch: when it is too large for the topic, it
     * alone is refused. */
    while (rc == RW_OK && part->builder.count > 0 &&
           rw_builder_size(&part->builder) + record_size(record, headers, n_headers) >
               p->options.batch_bytes) {
        rc = close_full(p, t, part, err);
        if (rc == RW_OK && sticky)
            rc = find_part(p, t, pick_sticky(p, t), &part, err);
    }
    if (rc != RW_OK)
        return rc;
    struct rw_record r = *record;
    r.offset = -1;
    if (r.timestamp < 0)
        r.timestamp = rw_wall_ms(p->cluster->env->clock);
    if (part->builder.count == 0)
        part->opened_us = rw_producer_now(p);
    rc = rw_builder_add(&part->builder, &r, headers, n_headers);
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "record: %s", rw_code_text(rc));
    return rw_builder_size(&part->builder) < p->options.batch_bytes ? RW_OK
                                                                    : close_full(p, t, part, err);
}

int64_t rw_producer_acked(const struct rw_producer *p)
{
    return p->acked;
}

int64_t rw_producer_failed(const struct rw_producer *p)
{
    return p->failed;
}
