/*
 * Binary heap. Invariant: items[i] is not later than items[2i+1] and items[2i+2], and each item knows
 * its index.
 */
#include "base/heap.h"

#include "base/assert.h"
#include "base/mem.h"

void rw_heap_init(struct rw_heap *h)
{
    *h = (struct rw_heap){0};
}

void rw_heap_deinit(struct rw_heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->items[i]->index = 0;
    rw_free(h->items);
    rw_heap_init(h);
}

static bool before(const struct rw_heap_item *a, const struct rw_heap_item *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct rw_heap *h, size_t i, struct rw_heap_item *item)
{
    h->items[i] = item;
    item->index = i + 1;
}

static void rise(struct rw_heap *h, size_t i, struct rw_heap_item *item)
{
    while (i > 0 && before(item, h->items[(i - 1) / 2])) {
        put(h, i, h->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, item);
}

static void sink(struct rw_heap *h, size_t i, struct rw_heap_item *item)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && before(h->items[child + 1], h->items[child]))
            child++;
        if (!before(h->items[child], item))
            break;
        put(h, i, h->items[child]);
        i = child;
    }
    put(h, i, item);
}

/* Where it belongs, in whichever direction. */
static void settle(struct rw_heap *h, size_t i, struct rw_heap_item *item)
{
    if (i > 0 && before(item, h->items[(i - 1) / 2]))
        rise(h, i, item);
    else
        sink(h, i, item);
}

int rw_heap_add(struct rw_heap *h, struct rw_heap_item *item)
{
    RW_ASSERT(item->index == 0);
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 16;
        struct rw_heap_item **items =
            rw_realloc_array(h->items, cap, sizeof(struct rw_heap_item *));
        if (!items)
            return RW_E_NOMEM;
        h->items = items;
        h->cap = cap;
    }
    item->order = h->next_order++;
    rise(h, h->n++, item);
    return RW_OK;
}

void rw_heap_move(struct rw_heap *h, struct rw_heap_item *item, int64_t at)
{
    RW_ASSERT(item->index > 0 && item->index <= h->n && h->items[item->index - 1] == item);
    item->at = at;
    item->order = h->next_order++;
    settle(h, item->index - 1, item);
}

void rw_heap_remove(struct rw_heap *h, struct rw_heap_item *item)
{
    if (item->index == 0)
        return;
    size_t i = item->index - 1;
    RW_ASSERT(i < h->n && h->items[i] == item);
    item->index = 0;
    struct rw_heap_item *last = h->items[--h->n];
    if (last != item)
        settle(h, i, last);
}

struct rw_heap_item *rw_heap_first(const struct rw_heap *h)
{
    return h->n ? h->items[0] : NULL;
}
