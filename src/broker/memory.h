/*
 * The memory in which a shard keeps frames: reference-counted chunks, reused, and bounded. Not
 * thread-safe: one per shard, and a chunk stays on its shard.
 *
 * What requests need besides (arenas, encoded answers) is charged to the same bound.
 *
 * When the bound is reached nothing fails: who wants a chunk waits, its socket unread, until others
 * have given theirs back; and a frame that has been received waits to be decoded, because what is made
 * of it may be many times as large. So that the broker never stands still, one chunk is let through at
 * a time, and one request is decoded, however little room there is; the bound is therefore `limit` plus
 * one largest request and its answer. Where there is room everybody may take it; to be let through
 * goes by the order in which they queued.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rw_memory;

struct rw_chunk {
    struct rw_memory *owner;
    struct rw_chunk *next; /* in the pool */
    size_t cap;
    uint32_t refs;
    uint8_t class;
    bool excess; /* the one that was let through */
    uint8_t data[] __attribute__((aligned(16)));
};

struct rw_memory_waiter {
    struct rw_link link;
    /* Tries again what was refused, and queues again if it is refused again. False: it is no further, and
     * keeps its place in the queue. */
    bool (*retry)(struct rw_memory_waiter *w);
};

enum { RW_CHUNK_MIN = 16384 };

/* limit: bytes of chunks in use. NULL: out of memory. */
struct rw_memory *rw_memory_new(size_t limit);
/* All chunks must be back. m may be NULL. */
void rw_memory_free(struct rw_memory *m);

/* True when a chunk of `size` bytes can be had without exceeding the limit. */
bool rw_memory_fits(const struct rw_memory *m, size_t size);
/* True when the limit is reached: no new work should begin. */
bool rw_memory_full(const struct rw_memory *m);
/* True when one more request may be decoded; otherwise: wait. */
bool rw_memory_admits(const struct rw_memory *m);
/* A request was decoded and counted. It is over the limit when that is reached now: while there is one,
 * no other is let through. True when it is; then rw_memory_over_ended() must be called in the end. */
bool rw_memory_is_over(struct rw_memory *m);
void rw_memory_over_ended(struct rw_memory *m);
/* True when somebody waits. */
bool rw_memory_scarce(const struct rw_memory *m);
/* Counts memory that is not chunks: replaces what *charged says by `now`, and remembers it there. */
void rw_memory_charge(struct rw_memory *m, size_t *charged, size_t now);

/* A chunk of at least `size` bytes with one reference; NULL when there is none now: wait. */
struct rw_chunk *rw_chunk_take(struct rw_memory *m, size_t size);
static inline struct rw_chunk *rw_chunk_ref(struct rw_chunk *c)
{
    c->refs++;
    return c;
}
/* c may be NULL. */
void rw_chunk_unref(struct rw_chunk *c);

/* Queues w at the end; retry() is called, and w is out of the queue, from rw_memory_wake(). */
void rw_memory_wait(struct rw_memory *m, struct rw_memory_waiter *w);
/* Removes a waiter. Safe when it does not wait and its link was initialised. */
void rw_memory_leave(struct rw_memory_waiter *w);
/* Calls waiters, first come first served, if something came back since the last call, until nobody can
 * get anything. True when it called one. */
bool rw_memory_wake(struct rw_memory *m);

/* Kept for the next takers, and the limit of both together. */
size_t rw_memory_idle(const struct rw_memory *m);
size_t rw_memory_limit(const struct rw_memory *m);
size_t rw_memory_used(const struct rw_memory *m);
/* Frees pooled chunks that nobody needed since the last call. Call it about once a second. */
void rw_memory_trim(struct rw_memory *m);
