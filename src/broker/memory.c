/*
 * Chunks come in size classes, four to each doubling from 16 KiB, so that at most a fifth is wasted.
 * A chunk that comes back is kept for the next taker: memory that was touched before is several times
 * cheaper than fresh pages. What a class did not need between two trims is freed, so that a burst is
 * not paid for ever.
 *
 * It does not know about connections; broker/input.c decides who reads how much.
 */
#include "broker/memory.h"

#include "base/assert.h"
#include "base/mem.h"

#define CLASSES 68 /* up to 16 KiB << 16 = 1 GiB */

struct class
{
    struct rw_chunk *free;
    uint32_t n_free;
    uint32_t n_low; /* the smallest n_free since the last trim */
};

struct rw_memory {
    size_t limit, used;
    size_t pooled;   /* free chunks; with `used` not above the limit */
    bool excess_out; /* the chunk that was let through is not back */
    uint32_t n_over; /* requests over the limit */
    bool released;   /* something came back since the last wake */
    bool waking;     /* who asks now has waited for its turn */
    struct rw_link waiters;
    struct class classes[CLASSES];
};

struct rw_memory *rw_memory_new(size_t limit)
{
    struct rw_memory *m = rw_zalloc(sizeof(*m));
    if (!m)
        return NULL;
    m->limit = limit;
    rw_list_init(&m->waiters);
    return m;
}

static void free_some(struct class *c, uint32_t n)
{
    while (n-- > 0) {
        struct rw_chunk *chunk = c->free;
        c->free = chunk->next;
        c->n_free--;
        chunk->owner->pooled -= chunk->cap;
        rw_free(chunk);
    }
}

static void free_pools(struct rw_memory *m)
{
    for (int i = 0; i < CLASSES; i++) {
        free_some(&m->classes[i], m->classes[i].n_free);
        m->classes[i].n_low = 0;
    }
}

void rw_memory_free(struct rw_memory *m)
{
    if (!m)
        return;
    RW_ASSERT(m->used == 0);
    free_pools(m);
    rw_free(m);
}

static size_t class_size(unsigned class)
{
    size_t base = (size_t)RW_CHUNK_MIN << (class / 4);
    return base + base / 4 * (class % 4);
}

static unsigned class_of(size_t size)
{
    if (size <= RW_CHUNK_MIN)
        return 0;
    /* The largest power of two below size gives the doubling, the next two bits the quarter. */
    unsigned top = 63u - (unsigned)__builtin_clzll(size - 1);
    unsigned quarter = (unsigned)((size - 1) >> (top - 2)) & 3;
    return (top - 14) * 4 + quarter + 1;
}

static bool has_room(const struct rw_memory *m, size_t cap)
{
    return m->used <= m->limit && cap <= m->limit - m->used;
}

bool rw_memory_fits(const struct rw_memory *m, size_t size)
{
    unsigned class = class_of(size);
    return class < CLASSES && has_room(m, class_size(class));
}

bool rw_memory_full(const struct rw_memory *m)
{
    return m->used >= m->limit;
}

/* Who comes new is not let through before those who wait. */
static bool in_turn(const struct rw_memory *m)
{
    return m->waking || rw_list_empty(&m->waiters);
}

bool rw_memory_admits(const struct rw_memory *m)
{
    return m->used < m->limit || (m->n_over == 0 && in_turn(m));
}

bool rw_memory_is_over(struct rw_memory *m)
{
    if (m->used < m->limit)
        return false;
    m->n_over++;
    return true;
}

void rw_memory_over_ended(struct rw_memory *m)
{
    m->n_over--;
    m->released = true;
}

bool rw_memory_scarce(const struct rw_memory *m)
{
    return !rw_list_empty(&m->waiters);
}

void rw_memory_charge(struct rw_memory *m, size_t *charged, size_t now)
{
    m->used = m->used - *charged + now;
    m->released |= now < *charged;
    *charged = now;
}

struct rw_chunk *rw_chunk_take(struct rw_memory *m, size_t size)
{
    unsigned class = class_of(size);
    if (class >= CLASSES)
        return NULL;
    size_t cap = class_size(class);
    bool fits = has_room(m, cap);
    if (!fits && (m->excess_out || !in_turn(m)))
        return NULL;
    struct class *c = &m->classes[class];
    struct rw_chunk *chunk = c->free;
    if (chunk) {
        c->free = chunk->next;
        m->pooled -= cap;
        if (--c->n_free < c->n_low)
            c->n_low = c->n_free;
    } else {
        if (m->used + m->pooled + cap > m->limit)
            free_pools(m);
        chunk = rw_alloc(sizeof(*chunk) + cap);
        if (!chunk)
            return NULL;
        chunk->owner = m;
        chunk->cap = cap;
        chunk->class = (uint8_t) class;
    }
    chunk->next = NULL;
    chunk->refs = 1;
    chunk->excess = !fits;
    m->excess_out |= !fits;
    m->used += cap;
    return chunk;
}

void rw_chunk_unref(struct rw_chunk *chunk)
{
    if (!chunk || --chunk->refs > 0)
        return;
    struct rw_memory *m = chunk->owner;
    struct class *c = &m->classes[chunk->class];
    m->used -= chunk->cap;
    m->released = true;
    if (chunk->excess)
        m->excess_out = false;
    if (m->used + m->pooled + chunk->cap > m->limit) {
        rw_free(chunk);
        return;
    }
    m->pooled += chunk->cap;
    chunk->next = c->free;
    c->free = chunk;
    c->n_free++;
}

void rw_memory_wait(struct rw_memory *m, struct rw_memory_waiter *w)
{
    rw_list_push(&m->waiters, &w->link);
    /* It was refused only because others wait, perhaps for what it holds: they are asked, and it then. */
    if (!m->waking && (!m->excess_out || m->n_over == 0))
        m->released = true;
}

void rw_memory_leave(struct rw_memory_waiter *w)
{
    rw_list_remove(&w->link);
}

/* False: whoever asks is refused. */
static bool has_any(const struct rw_memory *m)
{
    return has_room(m, RW_CHUNK_MIN) || !m->excess_out || m->n_over == 0;
}

static void call_waiters(struct rw_memory *m)
{
    /* Each is asked once: who queues during this comes behind the end. */
    struct rw_link end, refused, *it;
    rw_list_init(&refused);
    rw_list_push(&m->waiters, &end);
    while (has_any(m) && (it = rw_list_pop(&m->waiters)) != &end) {
        struct rw_memory_waiter *w = RW_CONTAINER(it, struct rw_memory_waiter, link);
        if (w->retry(w) || rw_list_empty(&w->link))
            continue;
        rw_list_remove(&w->link);
        rw_list_push(&refused, &w->link);
    }
    rw_list_remove(&end);
    rw_list_push_all(&refused, &m->waiters);
    rw_list_push_all(&m->waiters, &refused);
}

bool rw_memory_wake(struct rw_memory *m)
{
    if (!m->released)
        return false;
    m->released = false;
    if (rw_list_empty(&m->waiters))
        return false;
    m->waking = true;
    call_waiters(m);
    m->waking = false;
    return true;
}

size_t rw_memory_idle(const struct rw_memory *m)
{
    return m->pooled;
}

size_t rw_memory_limit(const struct rw_memory *m)
{
    return m->limit;
}

size_t rw_memory_used(const struct rw_memory *m)
{
    return m->used;
}

void rw_memory_trim(struct rw_memory *m)
{
    for (int i = 0; i < CLASSES; i++) {
        struct class *c = &m->classes[i];
        free_some(c, c->n_low);
        c->n_low = c->n_free;
    }
    /* A waiter refused by malloc rather than by the limit gets another chance. */
    m->released = true;
}
