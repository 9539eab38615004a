/*
 * The producer: what becomes of a batch that was sent.
 *
 * Three things may be known of it. It is stored: reported and freed. It is surely not stored: tried
 * again, also under another identity, or given up. Or nobody knows (`unknown`): no answer came, or one
 * that may have been given after the append. Such a batch is only ever sent again under the identity
 * and the sequence number that it had, so that the broker can tell a repetition.
 *
 * OUT_OF_ORDER_SEQUENCE_NUMBER for the first in line is no answer for an unknown batch: the broker may
 * have stored it and remember only younger ones (after a clean restart it knows one batch for each
 * producer). It is `doubted`, and the unknown ones behind it are asked for: a sequence number is only
 * ever taken after the one before it, so that if one of them is stored, all before it are. Doubted
 * batches are always the first of their queue.
 */
#include <stdio.h>
#include "base/mem.h"
#include "client/producer_private.h"
#include "wire/error.h"

#define ANSWER_MIN_US 1000000 /* an answer has this long, also when the time of its batch is over */

void rw_producer_give_up_late(struct rw_producer *p, struct batch *b)
{
    struct rw_client_err err;
    const struct rw_client_err *why = b->part->why.text[0] ? &b->part->why : &p->last_err;
    rw_client_fail(
        &err, RW_E_TIMEOUT, "writing to %s, partition %d: not acknowledged in time%s%s%s",
        b->part->topic->name, b->part->index, may_be_stored(b) ? ", it may be stored or not" : "",
        why->text[0] ? ": " : "", why->text);
    err.kafka = why->kafka;
    rw_producer_finish(p, b, -1, RW_E_TIMEOUT, &err);
}

/* A batch comes back: try again, or give it up. */
static void came_back(struct rw_producer *p, struct batch *b, const struct rw_client_err *err)
{
    b->part->retrying = true;
    p->stale = true;
    if (err)
        b->part->why = *err;
    if (rw_producer_now(p) - b->created_us > p->options.delivery_timeout_us)
        rw_producer_give_up_late(p, b);
    else
        rw_producer_enqueue(p, b);
}

void rw_producer_delay_retry(struct rw_producer *p)
{
    int shift = p->failures < 4 ? p->failures : 4;
    p->failures++;
    p->retry_at_us = rw_producer_now(p) + (p->cluster->options.backoff_us << shift);
}

/* Nothing before it can still change what the broker says to it. */
static bool first_in_line(const struct batch *b)
{
    if (b->part->in_flight > 0)
        return false;
    RW_LIST_EACH (link, &b->part->queue)
        if (!batch_of(link)->doubted)
            return batch_of(link)->serial > b->serial;
    return true;
}

/* The broker waits for another sequence number. */
static void out_of_order(struct rw_producer *p, struct batch *b, const struct rw_client_err *err)
{
    if (first_in_line(b)) {
        if (may_be_stored(b)) {
            b->doubted = true;
        } else {
            /* What comes before it will not come: it goes under a new identity. */
            b->part->broken_at = b->serial < b->part->broken_at ? b->serial : b->part->broken_at;
            p->renew = true;
        }
    }
    if (!b->doubted)
        rw_producer_delay_retry(p);
    came_back(p, b, err);
}

/* b is stored, and so is all before it. */
static void stored(struct rw_producer *p, struct batch *b, int64_t base_offset)
{
    struct rw_link *queue = &b->part->queue;
    p->failures = 0;
    while (!rw_list_empty(queue) && batch_of(queue->next)->doubted) {
        struct batch *before = batch_of(rw_list_pop(queue));
        p->n_queued--;
        rw_producer_finish(p, before, -1, RW_OK, NULL);
    }
    rw_producer_finish(p, b, base_offset, RW_OK, NULL);
}

void rw_producer_give_up_doubted(struct rw_producer *p, struct part *part)
{
    struct rw_client_err err;
    if (part->in_flight > 0)
        return;
    RW_LIST_EACH (link, &part->queue)
        if (!batch_of(link)->doubted && may_be_stored(batch_of(link)))
            return;
    while (!rw_list_empty(&part->queue) && batch_of(part->queue.next)->doubted) {
        struct batch *b = batch_of(rw_list_pop(&part->queue));
        p->n_queued--;
        rw_client_fail(&err, RW_E_BROKER,
                       "writing to %s, partition %d: the broker can not tell any more whether it "
                       "is stored",
                       part->topic->name, part->index);
        err.kafka = RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        rw_producer_finish(p, b, -1, RW_E_BROKER, &err);
    }
}

/* Errors that may come after the append: of waiting for replicas, of a leader that moved meanwhile. */
static bool tells_nothing(int16_t error)
{
    return error == RW_KERR_UNKNOWN_SERVER_ERROR ||
           (rw_kerr_retriable(error) && error != RW_KERR_NOT_ENOUGH_REPLICAS &&
            error != RW_KERR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void answer_batch(struct rw_producer *p, struct batch *b,
                         const struct rw_produce_response_partition *m)
{
    struct rw_client_err err;
    char what[300];
    int16_t error = m->error_code;
    if (error == 0 || error == RW_KERR_DUPLICATE_SEQUENCE_NUMBER) {
        stored(p, b, error == 0 ? m->base_offset : -1);
        return;
    }
    bool sequence = error == RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER && p->options.idempotent;
    bool again = sequence || (rw_kerr_retriable(error) && p->options.acks != 0);
    if (again)
        snprintf(what, sizeof(what), "the broker answers");
    else
        snprintf(what, sizeof(what), "writing to %s, partition %d", b->part->topic->name,
                 b->part->index);
    int code = rw_client_fail_kafka(&err, error, m->error_message.p, m->error_message.n, what);
    if (error == RW_KERR_MESSAGE_TOO_LARGE && b->count > 1)
        rw_client_hint(&err, "this batch had %d records: smaller batches (--batch-size) may pass",
                       (int)b->count);
    b->unknown |= tells_nothing(error);
    if (sequence) {
        out_of_order(p, b, &err);
    } else if (again) {
        rw_producer_delay_retry(p);
        came_back(p, b, &err);
    } else {
        rw_producer_finish(p, b, -1, code, &err);
    }
}

static const struct rw_produce_response_partition *find_answer(const struct rw_produce_response *m,
                                                               const struct batch *b)
{
    for (int32_t i = 0; i < m->n_responses; i++) {
        if (!rw_str_is(m->responses[i].name, b->part->topic->name))
            continue;
        for (int32_t k = 0; k < m->responses[i].n_partition_responses; k++)
            if (m->responses[i].partition_responses[k].index == b->part->index)
                return &m->responses[i].partition_responses[k];
    }
    return NULL;
}

void rw_producer_take_answer(struct rw_producer *p, struct request *r,
                             const struct rw_produce_response *m)
{
    struct rw_link *link;
    while ((link = rw_list_pop(&r->batches))) {
        struct batch *b = batch_of(link);
        const struct rw_produce_response_partition *a = m ? find_answer(m, b) : NULL;
        struct rw_produce_response_partition none = {.base_offset = -1};
        p->n_in_flight--;
        b->part->in_flight--;
        if (m && !a)
            none.error_code = RW_KERR_UNKNOWN_SERVER_ERROR;
        answer_batch(p, b, a ? a : &none);
    }
    rw_free(r);
}

/* All that was under way on a connection comes back. */
static void take_back(struct rw_producer *p, struct rw_conn *c, const struct rw_client_err *err)
{
    rw_producer_delay_retry(p);
    for (; c->sent_n > 0; c->sent_n--) {
        struct request *r = c->sent[c->sent_head].tag;
        struct rw_link *link;
        while ((link = rw_list_pop(&r->batches))) {
            struct batch *b = batch_of(link);
            p->n_in_flight--;
            b->part->in_flight--;
            b->unknown = true;
            came_back(p, b, err);
        }
        rw_free(r);
        c->sent_head = (c->sent_head + 1) % RW_CONN_PIPELINE_MAX;
    }
}

void rw_producer_lost_connection(struct rw_producer *p, struct rw_conn *c,
                                 const struct rw_client_err *err)
{
    take_back(p, c, err);
    rw_cluster_drop(p->cluster, c);
}

void rw_producer_broker_left(void *arg, struct rw_conn *c)
{
    struct rw_client_err err;
    rw_client_fail(&err, RW_E_CLOSED, "%s is no broker of the cluster any more", c->address);
    take_back(arg, c, &err);
}

int64_t rw_producer_check_overdue(struct rw_producer *p, struct rw_conn *c)
{
    struct rw_client_err err;
    const struct rw_conn_sent *sent = &c->sent[c->sent_head];
    const struct request *r = sent->tag;
    int64_t created = INT64_MAX;
    if (c->sent_n == 0)
        return INT64_MAX;
    RW_LIST_EACH (link, &r->batches)
        if (batch_of(link)->created_us < created)
            created = batch_of(link)->created_us;
    int64_t at = created + p->options.delivery_timeout_us + 1;
    if (at < sent->sent_us + ANSWER_MIN_US)
        at = sent->sent_us + ANSWER_MIN_US;
    if (at > sent->sent_us + p->cluster->options.request_timeout_us)
        at = sent->sent_us + p->cluster->options.request_timeout_us;
    if (at > rw_producer_now(p))
        return at;
    rw_client_fail(&err, RW_E_TIMEOUT, "%s has not answered", c->address);
    rw_producer_lost_connection(p, c, &err);
    return INT64_MAX;
}

int rw_producer_receive(struct rw_producer *p, struct rw_conn *c, struct rw_client_err *err)
{
    struct rw_conn_reply reply;
    void *response;
    rw_arena_reset(&p->arena);
    int rc = rw_conn_receive(c, &p->arena, rw_cluster_request_us(p->cluster), &reply, err);
    if (rc == RW_E_CANCELED)
        return rc;
    if (rc == RW_OK) {
        rc = rw_conn_decode(c, &reply, &response, err);
        if (rc == RW_OK) {
            rw_producer_take_answer(p, reply.request.tag, response);
            return RW_OK;
        }
        /* It can not be told what happened: it is as if the connection had broken before. */
        c->sent_head = (c->sent_head + RW_CONN_PIPELINE_MAX - 1) % RW_CONN_PIPELINE_MAX;
        c->sent_n++;
    }
    rw_producer_lost_connection(p, c, err);
    return RW_OK;
}
