/*
 * Merging the rings.
 *
 * A turn looks at how far each ring was filled when it began, and merges those records by time; of records that were being written
 * just then, one may come a turn later than a younger one of another thread. The order within a thread is always kept.
 *
 * Killed in between, nothing is lost and nothing is there twice: the journal's head moves first, then the rings' tails; what lies
 * in both is known by its place in the ring (shared.h: turn_from).
 */
#include "logger/collector.h"

#include <string.h>
#include "base/mem.h"
#include "logger/record.h"
#include "os/ticks.h"

/* A turn is not larger, so that appenders can begin. */
enum { TURN_BYTES = 1024 * 1024, POPULATE_BYTES = 256 * 1024 };

/* A ring with something in it, and where the merge stands. */
struct rw_lg_source {
    struct rw_lg_ring *ring;
    uint64_t at, end;
    uint64_t ticks;  /* of the record at `at` */
    uint32_t thread; /* whose it is */
    uint32_t taken;  /* records, in this turn */
};

int rw_lg_collector_init(struct rw_lg_collector *c, struct rw_lg_map *map)
{
    unsigned rings = rw_lg_header(map)->rings;
    memset(c, 0, sizeof(*c));
    c->map = map;
    c->last_ns = rw_alloc_array(rings, sizeof(*c->last_ns));
    c->sources = rw_alloc_array(rings, sizeof(*c->sources));
    if (!c->last_ns || !c->sources) {
        rw_lg_collector_deinit(c);
        return RW_E_NOMEM;
    }
    memset(c->last_ns, 0, rings * sizeof(*c->last_ns));
    rw_lg_clock_start(&rw_lg_header(map)->clock, &c->calibration);
    return RW_OK;
}

void rw_lg_collector_deinit(struct rw_lg_collector *c)
{
    rw_free(c->last_ns);
    rw_free(c->sources);
    c->last_ns = NULL;
    c->sources = NULL;
}

static const uint64_t *record_at(const struct rw_lg_ring *r, uint64_t position)
{
    return (const uint64_t *)(const void *)(r->data + (position & (r->bytes - 1)));
}

/* Where a ring was filled up to, and its next record. False: nothing there. */
static bool look(struct rw_lg_source *s)
{
    while (s->at != s->end) {
        const uint64_t *record = record_at(s->ring, s->at);
        if (__builtin_expect(!(record[0] & RW_LG_RECORD_CONTROL), 1)) {
            s->ticks = record[1];
            return true;
        }
        if (rw_lg_record_is_owner(record[0]))
            s->thread = (uint32_t)record[1];
        s->at += rw_lg_record_size(record[0]);
    }
    return false;
}

/* All before `at` is in the journal. Whose the rest is comes first: killed in between, what is passed once more says it again. */
static void leave(const struct rw_lg_collector *c, const struct rw_lg_source *s)
{
    struct rw_lg_ring *r = s->ring;
    uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed) + s->taken;
    atomic_store_explicit(&r->taken, taken, memory_order_relaxed);
    atomic_store_explicit(&r->thread_at_tail, s->thread, memory_order_release);
    atomic_store_explicit(&r->tail, s->at, memory_order_release);
    if (c->claims)
        rw_lg_ring_unclaim(r);
}

static unsigned find_sources(struct rw_lg_collector *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < rw_lg_header(c->map)->rings; i++) {
        struct rw_lg_ring *r = rw_lg_ring(c->map, i);
        uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
        if (head == atomic_load_explicit(&r->tail, memory_order_relaxed))
            continue;
        if (c->claims && !rw_lg_ring_claim(r))
            continue;
        uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        if (head - tail > atomic_load_explicit(&r->peak, memory_order_relaxed))
            atomic_store_explicit(&r->peak, head - tail, memory_order_relaxed);
        struct rw_lg_source s = {
            .ring = r,
            .at = tail,
            .end = head,
            .thread = atomic_load_explicit(&r->thread_at_tail, memory_order_relaxed)};
        if (look(&s))
            c->sources[n++] = s;
        else
            leave(c, &s); /* nothing but control */
    }
    return n;
}

/* The journal's own end of a lap, and pages that were never used. False: there is no room, or no page. */
static bool make_room(struct rw_lg_collector *c, uint64_t *at, uint64_t limit, uint32_t size)
{
    const struct rw_lg_shared *h = rw_lg_header(c->map);
    uint64_t to_end = h->journal_bytes - (*at & (h->journal_bytes - 1));
    uint64_t need = size <= to_end ? size : to_end + size;
    if (*at + need > limit)
        return false;
    while (c->populated < h->journal_bytes && c->populated < *at + need) {
        uint64_t n = h->journal_bytes - c->populated < POPULATE_BYTES
                         ? h->journal_bytes - c->populated
                         : POPULATE_BYTES;
        if (!rw_os_shared_populate(&c->map->mem, h->journal_at + c->populated, n))
            return false;
        c->populated += n;
    }
    if (size > to_end) {
        rw_lg_journal(c->map, *at)->size = (uint32_t)to_end | RW_LG_PAD;
        *at += to_end;
    }
    return true;
}

/* Moves the record at `s` to `at`. */
static bool move(struct rw_lg_collector *c, struct rw_lg_source *s, uint64_t *at, size_t *moved)
{
    const uint64_t *record = record_at(s->ring, s->at);
    struct rw_lg_entry *to = rw_lg_journal(c->map, *at);
    s->at += rw_lg_record_size(record[0]);
    rw_lg_record_expand(record, s->thread, s->ring->index, (uint32_t)(s->at / 8), to);
    int64_t ns = rw_lg_clock_ns(&rw_lg_header(c->map)->clock, to->ticks);
    int64_t *last = &c->last_ns[s->ring->index];
    if (ns < *last && *last - ns < RW_LG_STEP_NS)
        ns = *last;
    *last = ns;
    to->ticks = (uint64_t)ns;
    *at += to->size;
    s->taken++;
    (*moved)++;
    return look(s);
}

static unsigned oldest(const struct rw_lg_source *s, unsigned n, uint64_t *ret_next)
{
    unsigned best = 0;
    *ret_next = UINT64_MAX;
    for (unsigned i = 1; i < n; i++) {
        if (s[i].ticks < s[best].ticks) {
            *ret_next = s[best].ticks;
            best = i;
        } else if (s[i].ticks < *ret_next) {
            *ret_next = s[i].ticks;
        }
    }
    return best;
}

/* Records of one source, up to the next record of another one. */
static bool move_run(struct rw_lg_collector *c, struct rw_lg_source *s, uint64_t until,
                     uint64_t *at, uint64_t limit, size_t *moved, bool *ret_full)
{
    bool more = true;
    do {
        uint32_t size = rw_lg_record_entry_size(*record_at(s->ring, s->at));
        if (!make_room(c, at, limit, size)) {
            *ret_full = true;
            return true;
        }
        more = move(c, s, at, moved);
    } while (more && s->ticks <= until);
    return more;
}

size_t rw_lg_collect(struct rw_lg_collector *c, uint64_t floor, bool *ret_full)
{
    struct rw_lg_shared *h = rw_lg_header(c->map);
    rw_lg_clock_correct(&h->clock, &c->calibration, rw_os_mono_ns());
    *ret_full = false;
    unsigned n = find_sources(c), all = n;
    if (!n)
        return 0;
    uint64_t from = atomic_load_explicit(&h->head, memory_order_relaxed), at = from;
    uint64_t limit = floor + h->journal_bytes;
    if (limit > from + TURN_BYTES)
        limit = from + TURN_BYTES;
    size_t moved = 0;
    while (n && !*ret_full) {
        uint64_t next;
        unsigned i = oldest(c->sources, n, &next);
        if (move_run(c, &c->sources[i], next, &at, limit, &moved, ret_full))
            continue;
        /* Empty: out of the merge, but its tail is still to be moved. */
        struct rw_lg_source done = c->sources[i];
        c->sources[i] = c->sources[--n];
        c->sources[n] = done;
    }
    h->turn_from = from;
    atomic_store_explicit(&h->head, at, memory_order_release);
    for (unsigned i = 0; i < all; i++)
        leave(c, &c->sources[i]);
    return moved;
}

struct rw_lg_entry *rw_lg_collector_room(struct rw_lg_collector *c, uint64_t floor, uint32_t size)
{
    struct rw_lg_shared *h = rw_lg_header(c->map);
    uint64_t from = atomic_load_explicit(&h->head, memory_order_relaxed), at = from;
    if (!make_room(c, &at, floor + h->journal_bytes, size))
        return NULL;
    /* Nothing of it is in a ring. */
    h->turn_from = at;
    atomic_store_explicit(&h->head, at, memory_order_release);
    return rw_lg_journal(c->map, at);
}

void rw_lg_collector_publish(struct rw_lg_collector *c, uint32_t size)
{
    struct rw_lg_shared *h = rw_lg_header(c->map);
    h->turn_from = h->head + size;
    atomic_store_explicit(&h->head, h->head + size, memory_order_release);
}
