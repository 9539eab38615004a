/*
 * The consumer.
 *
 * One fetch at most is under way per broker, for all partitions it leads. When its answer arrives, the
 * fetch positions are moved behind the last whole batch of each partition (found by walking the batch
 * headers), the next fetch is sent, and only then records are handed out: the broker works while we
 * decode. The answer's bytes stay in the connection's buffer meanwhile, because nothing is received from
 * a connection whose answer is still being handed out.
 *
 * `position` is what the caller has seen; `fetch_at` is what is asked for next.
 */
#include "client/consumer.h"

#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "wire/error.h"

#define FETCH_CAP     12 /* 13 addresses topics by id */
#define ANSWER_MEMORY (64u << 20)
#define TRIES_MAX     40 /* in a row; with the backoff about half a minute */
#define SILENT_MAX    2  /* fetches in a row without an answer in time */

struct part {
    struct rw_consumer_partition pub;
    struct rw_topic *topic;
    int64_t fetch_at;
    int64_t empty_at,
        empty_to; /* the last answer had nothing at empty_at, and the log went to empty_to */
};

/* The answer of one broker, being handed out. */
struct answer {
    int32_t node;
    struct rw_arena arena;
    bool busy; /* partitions of it are being handed out */
    struct rw_fetch_response *response;
    uint8_t *kept;           /* its bytes, when the connection that they came by is gone */
    int32_t topic_i, part_i; /* where we are */
};

struct rw_consumer {
    struct rw_cluster *cluster;
    struct rw_consumer_options options;
    struct part *parts;
    int n_parts;
    struct answer *answers; /* one per broker that was ever asked */
    int n_answers;
    /* What is being handed out: the rest of one partition's bytes, and the batch opened last. */
    struct answer *current;
    int current_part;
    struct rw_slice left;
    bool in_batch;
    struct rw_records records;
    const struct rw_fetch_response_partition *current_response;
    bool stale;
    int failures;
    int silent; /* fetches without an answer, in a row */
    int64_t retry_at_us;
    struct rw_arena scratch;
};

void rw_consumer_options_init(struct rw_consumer_options *o)
{
    *o = (struct rw_consumer_options){.max_wait_ms = 500,
                                      .min_bytes = 1,
                                      .max_bytes = 8 << 20,
                                      .partition_max_bytes = 2 << 20,
                                      .check_crcs = true};
}

int rw_consumer_new(struct rw_cluster *cluster, const struct rw_consumer_options *options,
                    struct rw_consumer **ret_consumer)
{
    struct rw_consumer *c = rw_zalloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    c->cluster = cluster;
    c->options = *options;
    c->current_part = -1;
    rw_arena_init(&c->scratch, ANSWER_MEMORY);
    *ret_consumer = c;
    return RW_OK;
}

void rw_consumer_free(struct rw_consumer *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n_answers; i++) {
        struct rw_node *n = rw_cluster_node(c->cluster, c->answers[i].node);
        if (n && n->conn && n->conn->sent_n > 0)
            rw_cluster_drop(c->cluster, n->conn);
        rw_arena_deinit(&c->answers[i].arena);
        rw_free(c->answers[i].kept);
    }
    rw_records_deinit(&c->records);
    rw_arena_deinit(&c->scratch);
    rw_free(c->answers);
    rw_free(c->parts);
    rw_free(c);
}

int rw_consumer_assign(struct rw_consumer *c, const char *topic, int32_t partition, int64_t offset,
                       struct rw_client_err *err)
{
    struct rw_topic *t;
    int rc = rw_cluster_get_topic(c->cluster, topic, false, &t, err);
    if (rc != RW_OK)
        return rc;
    if (partition < 0 || partition >= t->n_partitions)
        return rw_client_fail(err, RW_E_NOT_FOUND, "topic %s has no partition %d (it has %d)",
                              topic, partition, t->n_partitions);
    struct part *parts = rw_realloc_array(c->parts, (size_t)c->n_parts + 1, sizeof(*parts));
    if (!parts)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    c->parts = parts;
    parts[c->n_parts++] = (struct part){.pub = {.topic = t->name,
                                                .partition = partition,
                                                .position = offset,
                                                .high_watermark = -1,
                                                .last_stable_offset = -1,
                                                .log_start_offset = -1},
                                        .topic = t,
                                        .fetch_at = offset,
                                        .empty_at = -1};
    return RW_OK;
}

int rw_consumer_count(const struct rw_consumer *c)
{
    return c->n_parts;
}

const struct rw_consumer_partition *rw_consumer_partition(const struct rw_consumer *c, int i)
{
    RW_ASSERT(i >= 0 && i < c->n_parts);
    return &c->parts[i].pub;
}

void rw_consumer_pause(struct rw_consumer *c, int i)
{
    RW_ASSERT(i >= 0 && i < c->n_parts);
    c->parts[i].pub.paused = true;
}

bool rw_consumer_has_buffered(const struct rw_consumer *c)
{
    return c->in_batch || c->left.n > 0;
}

static int64_t now_us(const struct rw_consumer *c)
{
    return rw_cluster_now(c->cluster);
}

/* ---- asking ---- */

static struct answer *answer_of(struct rw_consumer *c, int32_t node)
{
    for (int i = 0; i < c->n_answers; i++)
        if (c->answers[i].node == node)
            return &c->answers[i];
    /* `current` points into this array: remember its place over the move. */
    ptrdiff_t at = c->current ? c->current - c->answers : -1;
    struct answer *answers =
        rw_realloc_array(c->answers, (size_t)c->n_answers + 1, sizeof(*answers));
    if (!answers)
        return NULL;
    c->answers = answers;
    c->current = at < 0 ? NULL : &answers[at];
    answers[c->n_answers] = (struct answer){.node = node};
    rw_arena_init(&answers[c->n_answers].arena, ANSWER_MEMORY);
    return &answers[c->n_answers++];
}

static int32_t leader_of(const struct part *p)
{
    return p->pub.partition < p->topic->n_partitions ? p->topic->partitions[p->pub.partition].leader
                                                     : -1;
}

/* All partitions that `node` leads, grouped by topic where neighbours agree. */
static int fill_request(struct rw_consumer *c, int32_t node, struct rw_fetch_request *request)
{
    size_t n = (size_t)c->n_parts;
    rw_arena_reset(&c->scratch);
    struct rw_fetch_request_topic *topics = rw_arena_array(&c->scratch, n, sizeof(*topics));
    struct rw_fetch_request_partition *parts = rw_arena_array(&c->scratch, n, sizeof(*parts));
    if (!topics || !parts)
        return RW_E_NOMEM;
    rw_fetch_request_init(request);
    request->max_wait_ms = c->options.max_wait_ms;
    request->min_bytes = c->options.min_bytes;
    request->max_bytes = c->options.max_bytes;
    request->isolation_level = c->options.read_committed;
    request->topics = topics;
    request->rack_id = RW_STR_LIT("");
    const struct rw_topic *last = NULL;
    for (int i = 0; i < c->n_parts; i++) {
        const struct part *p = &c->parts[i];
        if (p->pub.paused || leader_of(p) != node)
            continue;
        if (p->topic != last) {
            rw_fetch_request_topic_init(&topics[request->n_topics]);
            topics[request->n_topics].topic = rw_str(p->pub.topic);
            topics[request->n_topics++].partitions = parts;
            last = p->topic;
        }
        topics[request->n_topics - 1].n_partitions++;
        rw_fetch_request_partition_init(parts);
        parts->partition = p->pub.partition;
        parts->fetch_offset = p->fetch_at;
        parts->partition_max_bytes = c->options.partition_max_bytes;
        parts++;
    }
    return RW_OK;
}

static void trouble(struct rw_consumer *c)
{
    int shift = c->failures < 4 ? c->failures : 4;
    c->failures++;
    c->stale = true;
    c->retry_at_us = now_us(c) + (c->cluster->options.backoff_us << shift);
}

/* Forgets what was asked of a broker; its partitions are asked for again from where they are. An
 * answer that is being handed out lies in the connection's buffer: it takes that over. */
static void lost_connection(struct rw_consumer *c, const struct rw_node *node, struct answer *a)
{
    trouble(c);
    if (a->busy) {
        rw_free(a->kept);
        a->kept = node->conn->in;
        node->conn->in = NULL;
    }
    node->conn->sent_n = 0;
    rw_cluster_drop(c->cluster, node->conn);
}

static int ask(struct rw_consumer *c, struct rw_node *node, struct rw_client_err *err)
{
    struct rw_fetch_request request;
    struct rw_conn *conn;
    int rc = fill_request(c, node->id, &request);
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "out of memory");
    if (request.n_topics == 0 || (node->conn && node->conn->sent_n > 0))
        return RW_OK;
    struct answer *a = answer_of(c, node->id);
    if (!a)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    rc = rw_cluster_conn(c->cluster, node->id, &conn, err);
    if (rc != RW_OK)
        return rc;
    rc = rw_conn_send(conn, RW_API_FETCH, FETCH_CAP, &request, NULL, true,
                      rw_cluster_request_us(c->cluster), err);
    if (rw_code_is_connection(rc)) {
        lost_connection(c, node, a);
        return RW_OK;
    }
    return rc;
}

static int ask_all(struct rw_consumer *c, struct rw_client_err *err)
{
    if (now_us(c) < c->retry_at_us)
        return RW_OK;
    for (int i = 0; c->stale && i < c->n_parts; i++) {
        const char *name = c->parts[i].pub.topic;
        if (i > 0 && c->parts[i].topic == c->parts[i - 1].topic)
            continue;
        int rc = rw_cluster_refresh(c->cluster, &name, 1, false, err);
        if (rw_code_is_connection(rc) && c->failures < TRIES_MAX) {
            trouble(c);
            return RW_OK;
        }
        if (rc != RW_OK)
            return rc;
    }
    c->stale = false;
    for (int i = 0; i < c->cluster->n_nodes; i++) {
        int rc = ask(c, &c->cluster->nodes[i], err);
        if (rc != RW_OK && rw_code_is_connection(rc) && c->failures > 0 &&
            c->failures < TRIES_MAX) {
            trouble(c);
            return RW_OK;
        }
        if (rc != RW_OK)
            return rc;
    }
    return RW_OK;
}

/* ---- taking answers ---- */

static struct part *find_part(struct rw_consumer *c, struct rw_str topic, int32_t index)
{
    for (int i = 0; i < c->n_parts; i++)
        if (c->parts[i].pub.partition == index && rw_str_is(topic, c->parts[i].pub.topic))
            return &c->parts[i];
    return NULL;
}

/* Moves fetch_at behind the last whole batch. */
static void advance(struct part *p, const struct rw_fetch_response_partition *m)
{
    const uint8_t *at = m->records.p, *end = at ? at + m->records.n : at;
    struct rw_batch b;
    while (at < end && rw_batch_decode(at, (size_t)(end - at), &b) == RW_OK &&
           rw_batch_size(&b) <= (size_t)(end - at)) {
        if (rw_batch_last_offset(&b) >= p->fetch_at)
            p->fetch_at = rw_batch_last_offset(&b) + 1;
        at += rw_batch_size(&b);
    }
}

/* Errors of one partition: some only mean "ask again elsewhere". */
static int partition_error(struct rw_consumer *c, struct part *p,
                           const struct rw_fetch_response_partition *m, struct rw_client_err *err)
{
    char what[300];
    if (m->error_code == RW_KERR_OFFSET_OUT_OF_RANGE) {
        rw_client_fail(err, RW_E_RANGE,
                       "offset %lld of %s, partition %d, does not exist (any more)",
                       (long long)p->fetch_at, p->pub.topic, p->pub.partition);
        rw_client_hint(err, "-o start begins with the oldest record");
        return RW_E_RANGE;
    }
    if (rw_kerr_retriable(m->error_code) && c->failures < TRIES_MAX) {
        trouble(c);
        return RW_OK;
    }
    snprintf(what, sizeof(what), "reading %s, partition %d", p->pub.topic, p->pub.partition);
    return rw_client_fail_kafka(err, m->error_code, NULL, 0, what);
}

static bool is_empty(const struct rw_fetch_response *r)
{
    for (int32_t i = 0; i < r->n_responses; i++)
        for (int32_t k = 0; k < r->responses[i].n_partitions; k++)
            if (r->responses[i].partitions[k].records.n > 0)
                return false;
    return true;
}

/*
 * There may be offsets without records up to the end of the log: a segment that is empty, or compaction. An
 * answer without any record says so, when it is not empty for another reason: another partition has filled
 * it, or records came after the broker had looked for some and before it looked where the log ends. Hence
 * the end is that of the answer before, which had nothing for that offset either.
 */
static void step_over_gap(struct rw_consumer *c, struct part *p,
                          const struct rw_fetch_response_partition *m)
{
    int64_t to = c->options.read_committed ? m->last_stable_offset : m->high_watermark;
    if (p->empty_at == p->fetch_at && p->empty_to > p->fetch_at && p->empty_to <= to) {
        p->fetch_at = p->empty_to;
        if (p->pub.position < p->fetch_at)
            p->pub.position = p->fetch_at;
    }
    p->empty_at = p->fetch_at;
    p->empty_to = to;
}

static int note_answer(struct rw_consumer *c, struct answer *a, struct rw_client_err *err)
{
    bool empty = is_empty(a->response);
    for (int32_t i = 0; i < a->response->n_responses; i++) {
        const struct rw_fetch_response_topic *t = &a->response->responses[i];
        for (int32_t k = 0; k < t->n_partitions; k++) {
            const struct rw_fetch_response_partition *m = &t->partitions[k];
            struct part *p = find_part(c, t->topic, m->partition_index);
            if (!p || p->pub.paused)
                continue;
            if (m->error_code != 0) {
                int rc = partition_error(c, p, m, err);
                if (rc != RW_OK)
                    return rc;
                continue;
            }
            c->failures = c->stale ? c->failures : 0;
            p->pub.high_watermark = m->high_watermark;
            p->pub.last_stable_offset = m->last_stable_offset;
            p->pub.log_start_offset = m->log_start_offset;
            advance(p, m);
            if (empty)
                step_over_gap(c, p, m);
            else
                p->empty_at = -1;
        }
    }
    return RW_OK;
}

static int take_answer(struct rw_consumer *c, struct rw_node *node, struct rw_client_err *err)
{
    struct rw_conn_reply reply;
    struct answer *a = answer_of(c, node->id);
    void *response;
    if (!a)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    rw_arena_reset(&a->arena);
    rw_free(a->kept);
    a->kept = NULL;
    int rc = rw_conn_receive(node->conn, &a->arena, rw_cluster_request_us(c->cluster), &reply, err);
    if (rc == RW_OK)
        rc = rw_conn_decode(node->conn, &reply, &response, err);
    if (rw_code_is_connection(rc) && c->failures < TRIES_MAX) {
        lost_connection(c, node, a);
        return RW_OK;
    }
    if (rc != RW_OK)
        return rc;
    c->silent = 0;
    a->response = response;
    if (a->response->error_code != 0)
        return rw_client_fail_kafka(err, a->response->error_code, NULL, 0, "Fetch");
    a->busy = true;
    a->topic_i = a->part_i = 0;
    return note_answer(c, a, err);
}

/* ---- handing out ---- */

static bool is_aborted(const struct rw_consumer *c, const struct rw_batch *b)
{
    const struct rw_fetch_response_partition *m = c->current_response;
    if (!(b->attributes & RW_ATTR_TRANSACTIONAL) || !c->options.read_committed)
        return false;
    for (int32_t i = 0; i < m->n_aborted_transactions; i++)
        if (m->aborted_transactions[i].producer_id == b->producer_id &&
            m->aborted_transactions[i].first_offset <= b->base_offset)
            return true;
    return false;
}

/* After an abort marker later transactions of the same producer count again. */
static void forget_aborted(struct rw_consumer *c, const struct rw_batch *b)
{
    const struct rw_fetch_response_partition *m = c->current_response;
    for (int32_t i = 0; i < m->n_aborted_transactions; i++) {
        struct rw_fetch_response_aborted_transaction *t = &m->aborted_transactions[i];
        if (t->producer_id == b->producer_id && t->first_offset <= b->base_offset) {
            t->first_offset = INT64_MAX;
            return;
        }
    }
}

/* Opens the next batch of the current partition. 1, 0 when there is none. */
static int open_batch(struct rw_consumer *c, struct rw_client_err *err)
{
    struct part *p = &c->parts[c->current_part];
    while (c->left.n > 0) {
        struct rw_batch b;
        struct rw_slice at = c->left;
        int rc = rw_batch_decode(at.p, at.n, &b);
        if (rc == RW_E_SHORT || (rc == RW_OK && rw_batch_size(&b) > at.n)) {
            c->left.n = 0; /* the answer may end in the middle of a batch */
            return 0;
        }
        size_t size = rc == RW_OK ? rw_batch_size(&b) : 0;
        if (rc == RW_OK && c->options.check_crcs && rw_batch_crc(at.p, size) != b.crc)
            rc = RW_E_CORRUPT;
        if (rc == RW_OK) {
            c->left = rw_slice(at.p + size, at.n - size);
            bool control = rw_batch_is_control(&b), aborted = is_aborted(c, &b);
            bool skip = rw_batch_last_offset(&b) < p->pub.position || (aborted && !control) ||
                        (control && !c->options.control_records);
            if (control && aborted)
                forget_aborted(c, &b);
            if (skip) {
                if (rw_batch_last_offset(&b) >= p->pub.position)
                    p->pub.position = rw_batch_last_offset(&b) + 1;
                continue;
            }
            rc = rw_records_open(&c->records, at.p, size);
        }
        if (rc != RW_OK)
            return rw_client_fail(err, rc, "%s, partition %d, near offset %lld: %s", p->pub.topic,
                                  p->pub.partition, (long long)p->pub.position, rw_code_text(rc));
        c->in_batch = true;
        return 1;
    }
    return 0;
}

/* Goes to the next partition of an answer that has bytes. False when no answer has any. */
static bool open_partition(struct rw_consumer *c)
{
    for (int i = 0; i < c->n_answers; i++) {
        struct answer *a = &c->answers[i];
        while (a->busy && a->topic_i < a->response->n_responses) {
            const struct rw_fetch_response_topic *t = &a->response->responses[a->topic_i];
            if (a->part_i >= t->n_partitions) {
                a->topic_i++;
                a->part_i = 0;
                continue;
            }
            const struct rw_fetch_response_partition *m = &t->partitions[a->part_i++];
            struct part *p = find_part(c, t->topic, m->partition_index);
            if (!p || p->pub.paused || m->error_code != 0 || !m->records.p || m->records.n == 0)
                continue;
            c->current = a;
            c->current_part = (int)(p - c->parts);
            c->current_response = m;
            c->left = rw_slice(m->records.p, m->records.n);
            return true;
        }
        a->busy = false;
    }
    return false;
}

/* 1 with a record, 0 when nothing is buffered. */
static int next_buffered(struct rw_consumer *c, struct rw_consumed *ret, struct rw_client_err *err)
{
    for (;;) {
        if (c->current_part >= 0 && c->parts[c->current_part].pub.paused) {
            c->in_batch = false;
            c->left.n = 0;
        }
        while (c->in_batch) {
            struct part *p = &c->parts[c->current_part];
            int rc = rw_records_next(&c->records, &ret->record);
            if (rc < 0)
                return rw_client_fail(err, rc, "%s, partition %d, near offset %lld: %s",
                                      p->pub.topic, p->pub.partition, (long long)p->pub.position,
                                      rw_code_text(rc));
            if (rc == 0) {
                int64_t end = rw_batch_last_offset(&c->records.batch) + 1;
                if (end > p->pub.position)
                    p->pub.position = end;
                c->in_batch = false;
            } else if (ret->record.offset >= p->pub.position) {
                p->pub.position = ret->record.offset + 1;
                ret->i = c->current_part;
                ret->partition = &p->pub;
                ret->batch = &c->records.batch;
                return 1;
            }
        }
        int rc = c->current_part >= 0 ? open_batch(c, err) : 0;
        if (rc < 0)
            return rc;
        if (rc == 0 && !open_partition(c))
            return 0;
    }
}

/* A broker that takes a fetch and does not answer: another connection may help, for a while. When the
 * answer is overdue: *ret_at_us, INT64_MAX when the connection was given up. */
static int check_overdue(struct rw_consumer *c, struct rw_node *node, int64_t *ret_at_us,
                         struct rw_client_err *err)
{
    int64_t allowed =
        c->cluster->options.request_timeout_us + (int64_t)c->options.max_wait_ms * 1000;
    struct answer *a = answer_of(c, node->id);
    if (!a)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    *ret_at_us = node->conn->sent[node->conn->sent_head].sent_us + allowed;
    if (*ret_at_us > now_us(c))
        return RW_OK;
    *ret_at_us = INT64_MAX;
    if (++c->silent >= SILENT_MAX)
        return rw_client_fail(err, RW_E_TIMEOUT, "Fetch: no answer from %s in time",
                              node->conn->address);
    lost_connection(c, node, a);
    return RW_OK;
}

/* Waits for an answer of any broker that has none buffered. 1: one was taken. */
static int wait_answer(struct rw_consumer *c, int64_t timeout_us, struct rw_client_err *err)
{
    struct rw_stream *streams[256];
    struct rw_node *nodes[256];
    size_t n = 0, ready;
    for (int i = 0; i < c->cluster->n_nodes && n < RW_COUNT(streams); i++) {
        struct rw_node *node = &c->cluster->nodes[i];
        if (!node->conn || node->conn->sent_n == 0)
            continue;
        if (rw_conn_has_reply(node->conn)) {
            int rc = take_answer(c, node, err);
            return rc == RW_OK ? 1 : rc;
        }
        int64_t at = INT64_MAX;
        int rc = check_overdue(c, node, &at, err);
        if (rc != RW_OK)
            return rc;
        if (at == INT64_MAX)
            continue;
        int64_t left = at - now_us(c);
        timeout_us = left < timeout_us ? left > 0 ? left : 0 : timeout_us;
        nodes[n] = node;
        streams[n++] = node->conn->stream;
    }
    if (n == 0 && timeout_us > 20000)
        timeout_us = 20000; /* nobody could be asked: a retry is due soon */
    int rc = rw_dial_wait(c->cluster->dialer, streams, n, timeout_us, &ready);
    if (rc == RW_E_TIMEOUT)
        return 0;
    if (rc != RW_OK)
        return rw_client_fail(err, rc, "waiting for records: %s", rw_code_text(rc));
    rc = take_answer(c, nodes[ready], err);
    return rc == RW_OK ? 1 : rc;
}

int rw_consumer_next(struct rw_consumer *c, int64_t timeout_us, struct rw_consumed *ret,
                     struct rw_client_err *err)
{
    int64_t deadline = 0;
    for (;;) {
        int rc = next_buffered(c, ret, err);
        if (rc != 0)
            return rc;
        int64_t now = now_us(c);
        deadline = deadline ? deadline : now + timeout_us;
        rc = ask_all(c, err);
        if (rc != RW_OK)
            return rc;
        rc = wait_answer(c, deadline > now ? deadline - now : 0, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            /* The broker prepares the next answer while this one is read. Not when metadata is to be
             * asked for: that may close, or read from, the connection whose buffer is being read. */
            rc = c->stale ? RW_OK : ask_all(c, err);
            if (rc != RW_OK)
                return rc;
            rc = next_buffered(c, ret, err);
            if (rc != 0)
                return rc;
        }
        if (now_us(c) >= deadline)
            return 0;
    }
}
