/*
 * A queue of timers: the item with the smallest `at` first, equal times in the order they were added
 * (so that a simulation under a seed repeats itself). Items are embedded in what they belong to; use
 * RW_CONTAINER to get there. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

struct rw_heap_item {
    int64_t at;
    uint64_t order; /* set by the heap */
    size_t index;   /* position in the heap + 1; 0: not in a heap */
};

struct rw_heap {
    struct rw_heap_item **items;
    size_t n, cap;
    uint64_t next_order;
};

void rw_heap_init(struct rw_heap *h);
void rw_heap_deinit(struct rw_heap *h);
/* item->at is set and the item is in no heap (index 0). RW_E_NOMEM: nothing changed. */
RW_MUST int rw_heap_add(struct rw_heap *h, struct rw_heap_item *item);
/* Moves an item that is in the heap to another time; it queues behind others of that time. */
void rw_heap_move(struct rw_heap *h, struct rw_heap_item *item, int64_t at);
/* Does nothing when the item is in no heap. */
void rw_heap_remove(struct rw_heap *h, struct rw_heap_item *item);
/* The first item, NULL when empty; it stays in. */
struct rw_heap_item *rw_heap_first(const struct rw_heap *h);
static inline bool rw_heap_holds(const struct rw_heap_item *item)
{
    return item->index != 0;
}
