/*
 * From socket to frames. Bytes are received into a chunk from the shard's memory; requests are views
 * into it and hold a reference, so nothing is copied but the beginning of a frame that lies across the
 * end of a chunk. The size of the next chunk follows the frames seen last: a producer of 1 MB batches
 * gets chunks into which they are received whole.
 *
 * A whole frame stays where it is until the memory admits one more request: decoded, it may be many times
 * as large. The connection waits for that as it waits for a chunk, in the same queue.
 *
 * An idle connection owns no chunk. One receive per readiness, so that a busy connection does not
 * starve the others of its shard.
 */
#include "broker/conn.h"

#include <string.h>
#include "base/bytes.h"
#include "broker/metrics.h"

/* Where the hint stops to grow: by guessing, and by frames seen. Larger frames get a chunk of their
 * own size as soon as their size is known. */
#define HINT_GUESS_MAX 262144u
#define HINT_FRAME_MAX 4194304u
/* Given to a frame that does not fit, before more of it is here. */
#define GROW_MIN 65536u

static size_t frame_need(const struct rw_conn *c)
{
    size_t left = c->n - c->at;
    return left < 4 ? RW_CHUNK_MIN : 4 + (size_t)rw_load_be32(c->in->data + c->at);
}

bool rw_input_partial(const struct rw_conn *c)
{
    return c->in && c->n > c->at;
}

static void wait_for_memory(struct rw_conn *c)
{
    if (c->mute & RW_MUTE_MEMORY)
        return;
    rw_metric_add(c->shard->metrics, RW_METRIC_MUTED_TOTAL, 1);
    rw_conn_mute(c, RW_MUTE_MEMORY, true);
    rw_memory_wait(c->shard->memory, &c->waiter);
}

/* Gives back a chunk that holds nothing unread. */
static void drop_empty(struct rw_conn *c)
{
    if (c->in && c->at == c->n) {
        rw_chunk_unref(c->in);
        c->in = NULL;
        c->at = c->n = 0;
    }
}

/* A larger chunk for a frame of which `left` bytes are here. Memory follows what has arrived, not what
 * was announced: a peer that announces 100 MiB and sends little holds little. Only the one that is let
 * through when there is no room gets the whole at once, because it could not get more later. */
static struct rw_chunk *next_chunk(struct rw_conn *c, size_t need, size_t left)
{
    size_t want = left * 2 > GROW_MIN ? left * 2 : GROW_MIN;
    if (want < c->read_hint)
        want = c->read_hint;
    if (want > need && need > c->read_hint)
        want = need;
    if (rw_memory_fits(c->shard->memory, want))
        return rw_chunk_take(c->shard->memory, want);
    return rw_chunk_take(c->shard->memory, need);
}

/* Makes sure that there is room for at least one more byte. False: there is no memory now, and the
 * connection waits for it. */
static bool make_room(struct rw_conn *c)
{
    if (!c->in) {
        c->in = rw_chunk_take(c->shard->memory, c->read_hint);
        if (!c->in && c->read_hint > RW_CHUNK_MIN)
            c->in = rw_chunk_take(c->shard->memory, RW_CHUNK_MIN);
        c->at = c->n = 0;
        if (!c->in)
            wait_for_memory(c);
        return c->in != NULL;
    }
    size_t need = frame_need(c), left = c->n - c->at;
    if (c->in->cap - c->at >= need || (need > GROW_MIN && c->in->cap - c->at > left))
        return true;
    if (c->in->refs == 1 && c->in->cap >= need) {
        memmove(c->in->data, c->in->data + c->at, left);
    } else {
        struct rw_chunk *next = next_chunk(c, need, left);
        if (!next) {
            wait_for_memory(c);
            return false;
        }
        memcpy(next->data, c->in->data + c->at, left);
        rw_chunk_unref(c->in);
        c->in = next;
    }
    c->at = 0;
    c->n = left;
    return true;
}

/* The size that the next frames will probably want: grows at once, shrinks slowly. */
static void learn(struct rw_conn *c, size_t frame)
{
    /* A little more than the frame, so that the next one's size is seen in the same receive. */
    size_t want = frame + 64;
    size_t hint = c->read_hint - c->read_hint / 16;
    if (hint < want)
        hint = want < HINT_FRAME_MAX ? want : HINT_FRAME_MAX;
    c->read_hint = hint > RW_CHUNK_MIN ? hint : RW_CHUNK_MIN;
}

static bool bad_size(struct rw_conn *c, int32_t size)
{
    rw_metric_add(c->shard->metrics, RW_METRIC_BAD_FRAMES, 1);
    rw_diag(c->shard->env->diag, RW_WARN, "conn", "closed: impossible request size",
            rw_kv_str("peer", c->peer.text), rw_kv_int("bytes", size),
            rw_kv_uint("socket.request.max.bytes", c->shard->conns->limits->request_bytes_max),
            rw_kv_str("hint", size < 0 || size > 0x01000000
                                  ? "the peer may not speak the Kafka protocol, or speaks TLS"
                                  : "raise socket.request.max.bytes if the request is genuine"));
    rw_conn_abort(c, NULL);
    return false;
}

/* True when it handled a frame and there may be another. */
static bool next_frame(struct rw_conn *c)
{
    size_t left = c->n - c->at;
    if (left < 4)
        return false;
    const uint8_t *p = c->in->data + c->at;
    int32_t size = (int32_t)rw_load_be32(p);
    if (size < 0 || (size_t)size > c->shard->conns->limits->request_bytes_max)
        return bad_size(c, size);
    size_t whole = 4 + (size_t)size;
    if (left < whole)
        return false;
    if (!rw_memory_admits(c->shard->memory)) {
        wait_for_memory(c);
        return false;
    }
    c->at += whole;
    c->frame_from_us = 0;
    if (whole > RW_CHUNK_MIN || c->read_hint > RW_CHUNK_MIN)
        learn(c, whole);
    return rw_pipeline_frame(c, p + 4, (size_t)size);
}

static void note_partial(struct rw_conn *c)
{
    if (!rw_input_partial(c))
        c->frame_from_us = 0;
    else if (!c->frame_from_us)
        c->frame_from_us = rw_shard_now_us(c->shard);
}

/* True when it handled a frame. */
static bool pump(struct rw_conn *c)
{
    bool any = false;
    while (c->in && !c->mute && !c->closing && next_frame(c))
        any = true;
    if (!c->sock || !c->in)
        return any;
    drop_empty(c);
    note_partial(c);
    /* A frame that has begun: get the memory for the rest now, or be muted until there is some. */
    if (c->in && !c->mute)
        make_room(c);
    return any;
}

void rw_input_pump(struct rw_conn *c)
{
    (void)pump(c);
}

/* False: nothing came, or the connection is muted or gone. */
static bool receive(struct rw_conn *c)
{
    if (c->mute || !make_room(c))
        return false;
    size_t room = c->in->cap - c->n, got;
    int code = rw_sock_recv(c->sock, c->in->data + c->n, room, &got);
    if (code == RW_E_AGAIN || code == RW_E_NOMEM) {
        drop_empty(c);
        return false;
    }
    if (code) {
        rw_conn_abort(c, NULL);
        return false;
    }
    if (got == 0) {
        rw_conn_mute(c, RW_MUTE_END, true);
        rw_pipeline_hurry(c);
        drop_empty(c);
        rw_conn_dirty(c);
        return false;
    }
    c->n += got;
    if (got == room && room >= c->read_hint / 2 && c->read_hint < HINT_GUESS_MAX)
        c->read_hint *= 2;
    rw_conn_touch(c);
    rw_metric_add(c->shard->metrics, RW_METRIC_BYTES_IN, (int64_t)got);
    rw_conn_dirty(c);
    return true;
}

void rw_input_read(struct rw_conn *c)
{
    if (receive(c))
        (void)pump(c);
}

bool rw_input_again(struct rw_conn *c)
{
    bool any = (c->in || receive(c)) && pump(c);
    return any || !c->sock || !(c->mute & RW_MUTE_MEMORY);
}
