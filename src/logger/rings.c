/*
 * Rings and threads: who gets which, how a full one is dealt with, and how to be sure that nobody is inside one.
 *
 * A ring belongs to one thread. When the thread ends it is free for the next one, which goes on where the first stopped; what the
 * first has left in it is collected like everything else. Ring 0 is nobody's: signal handlers that come inside a call, threads that
 * are ending, and threads for which no ring is left share it under a lock that is tried for a bounded time.
 */
#include "logger/engine.h"

#include <errno.h>
#include <time.h>
#include "logger/context.h"
#include "logger/record.h"
#include "os/task.h"
#include "os/ticks.h"

struct rw_lg_now rw_lg_now;
struct rw_lg_caller rw_lg_caller;
struct rw_lg_counts rw_lg_counts;
__thread struct rw_lg_self rw_lg_self
    __attribute__((tls_model("initial-exec"))) = {.generation = UINT32_MAX};

void rw_lg_counts_reset(void)
{
    for (int l = 0; l < RW_LG_LEVELS; l++)
        atomic_store(&rw_lg_counts.dropped[l], 0);
    atomic_store(&rw_lg_counts.suppressed, 0);
}

void rw_lg_ring_enable(struct rw_lg_ring *r, uint32_t generation)
{
    r->tsc = rw_os_ticks_tsc;
    r->sync = atomic_load(&rw_lg_now.sync) != 0;
    atomic_store(&r->generation, generation);
}

/* The ring is the calling thread's from here on; busy, so that a close that comes now waits (rw_lg_rings_settle). */
static bool take_over(struct rw_lg_ring *r, uint32_t generation)
{
    atomic_store(&r->busy, 1);
    bool mine =
        atomic_load(&rw_lg_now.generation) == generation && rw_lg_ring_own(r, rw_os_task_id());
    atomic_store(&r->busy, 0);
    return mine;
}

struct rw_lg_ring *rw_lg_ring_acquire(uint32_t generation)
{
    struct rw_lg_map *m = &rw_lg_caller.map;
    unsigned rings = rw_lg_header(m)->rings;
    for (unsigned i = 1; i < rings; i++) {
        struct rw_lg_ring *r = rw_lg_ring(m, i);
        uint32_t nobody = 0;
        if (atomic_load_explicit(&r->used, memory_order_relaxed) ||
            !atomic_compare_exchange_strong(&r->used, &nobody, 1))
            continue;
        if (!atomic_load(&r->ready)) {
            if (!rw_lg_ring_populate(m, i)) {
                atomic_store(&r->used, 0);
                return NULL;
            }
            atomic_store(&r->ready, 1);
        }
        if (!take_over(r, generation)) {
            atomic_store(&r->used, 0); /* full to the last byte, or closed in this moment */
            continue;
        }
        rw_lg_ring_enable(r, generation);
        if (atomic_load(&rw_lg_now.generation) != generation) {
            atomic_store(&r->generation, RW_LG_NOBODY); /* closed in this moment */
            atomic_store(&r->used, 0);
            return NULL;
        }
        struct rw_lg_ring *before = rw_lg_self.ring;
        rw_lg_self.generation = generation;
        rw_lg_self.ring = r;
        rw_lg_self_changed(&rw_lg_self);
        if (before)
            atomic_store(&before->used, 0);
        rw_lg_self_register();
        return r;
    }
    return NULL;
}

/* ---- room ---- */

static uint64_t *at(struct rw_lg_ring *r, uint64_t position)
{
    return (uint64_t *)(void *)(r->data + (position & (r->bytes - 1)));
}

void *rw_lg_ring_make_room(struct rw_lg_ring *r, uint32_t size)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t to_end = r->bytes - (head & (r->bytes - 1));
    uint64_t need = size <= to_end ? size : to_end + size;
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (head + need - tail > r->bytes)
        return NULL;
    if (size > to_end) {
        *at(r, head) = RW_LG_RECORD_CONTROL | rw_lg_record_head(0, 0, (uint32_t)to_end);
        atomic_store_explicit(&r->head, head + to_end, memory_order_release);
        head += to_end;
    }
    uint64_t lap_end = head - (head & (r->bytes - 1)) + r->bytes;
    r->limit = tail + r->bytes < lap_end ? tail + r->bytes : lap_end;
    return at(r, head);
}

bool rw_lg_ring_own(struct rw_lg_ring *r, uint32_t thread)
{
    if (r->thread == thread)
        return true;
    uint64_t *record = rw_lg_ring_room(r, RW_LG_RECORD);
    if (!record)
        return false;
    record[0] = RW_LG_RECORD_CONTROL | rw_lg_record_head(0, RW_LG_OWNER, RW_LG_RECORD);
    record[1] = thread;
    r->thread = thread;
    rw_lg_ring_commit(r, RW_LG_RECORD);
    return true;
}

/* Drops records that were not collected until there is room. While the collector copies them, that is a matter of less than a
 * millisecond; if it takes longer, the new record is dropped instead. */
static void *drop_oldest(struct rw_lg_ring *r, uint32_t size)
{
    for (unsigned tries = 0; !rw_lg_ring_claim(r); tries++) {
        if (tries == 40)
            return NULL;
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
    void *p;
    while (!(p = rw_lg_ring_room(r, size))) {
        uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        const uint64_t *record = at(r, tail);
        if (rw_lg_record_is_owner(record[0]))
            atomic_store_explicit(&r->thread_at_tail, (uint32_t)record[1], memory_order_relaxed);
        else if (!(record[0] & RW_LG_RECORD_CONTROL))
            atomic_fetch_add_explicit(&r->dropped[rw_lg_record_level(record[0])], 1,
                                      memory_order_relaxed);
        atomic_store_explicit(&r->tail, tail + rw_lg_record_size(record[0]), memory_order_release);
    }
    rw_lg_ring_unclaim(r);
    return p;
}

/* The collector comes by at least every few milliseconds, so sleeping beats waking each other. */
static void *wait_for_room(struct rw_lg_ring *r, uint32_t size, int64_t wait_ns)
{
    uint32_t generation = atomic_load(&rw_lg_now.generation);
    int64_t from = rw_os_mono_ns(), now = from;
    void *p = NULL;
    while (!p && (wait_ns < 0 || now - from < wait_ns) &&
           atomic_load(&rw_lg_now.generation) == generation) {
        if (atomic_load(&rw_lg_now.sync))
            rw_lg_write_now();
        else
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        p = rw_lg_ring_room(r, size);
        now = rw_os_mono_ns();
    }
    atomic_fetch_add_explicit(&r->blocked, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->blocked_ns, (uint64_t)(now - from), memory_order_relaxed);
    return p;
}

void *rw_lg_ring_overflow(struct rw_lg_ring *r, uint32_t size, unsigned level)
{
    RW_OS_NOT_CANCELLED;
    int saved = errno;
    void *p = NULL;
    switch (rw_lg_caller.overflow[level]) {
    case RW_LG_DROP_OLD:
        p = drop_oldest(r, size);
        break;
    case RW_LG_BLOCK:
        p = rw_lg_self.collects ? NULL : wait_for_room(r, size, rw_lg_caller.wait_ns[level]);
        break;
    case RW_LG_DROP_NEW:
    case RW_LG_BREAKER:
    default:
        break;
    }
    if (!p)
        atomic_fetch_add_explicit(&r->dropped[level], 1, memory_order_relaxed);
    errno = saved;
    return p;
}

/* ---- the end of a thread ---- */

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void leave(void *unused)
{
    (void)unused;
    struct rw_lg_ring *r = rw_lg_self.ring;
    rw_lg_self.left = 1;
    rw_lg_self.ring = NULL;
    rw_lg_self.quick = NULL;
    if (r)
        atomic_store(&r->used, 0); /* of a start that was closed, too: then its map can go */
    rw_lg_context_free(&rw_lg_self);
}

static void make_key(void)
{
    (void)pthread_key_create(&key, leave);
}

void rw_lg_self_changed(struct rw_lg_self *self)
{
    const struct rw_lg_ring *r = self->ring;
    self->quick =
        r && r->tsc && !r->sync && !(self->context && self->context->n) ? self->ring : NULL;
}

void rw_lg_self_register(void)
{
    pthread_once(&key_once, make_key);
    (void)pthread_setspecific(key, &rw_lg_self);
}

void rw_lg_rings_settle(struct rw_lg_map *m)
{
    for (unsigned i = 0; i < rw_lg_header(m)->rings; i++)
        atomic_store(&rw_lg_ring(m, i)->generation, RW_LG_NOBODY);
    /* Every thread either sees that or has been seen inside. */
    rw_os_barrier_all_threads();
    for (unsigned i = 0, tries = 0; i < rw_lg_header(m)->rings; i++)
        for (; atomic_load(&rw_lg_ring(m, i)->busy) && tries < 20000; tries++)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}
