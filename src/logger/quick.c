/*
 * The call when nothing is in its way: the thread has a ring with room in it, the call site is registered, the thread has no
 * context, nothing is limited, sampled or synchronous. Everything else is put.c's, which is asked whenever one of this is not so.
 *
 * What is read and written is kept to few cache lines: the logger's level, the beginning of the call site, the thread's own struct, the
 * owner's line of the ring, and the ring where the record goes.
 *
 * The same rules hold as in put.c: busy before generation is looked at (rw_lg_rings_settle), the record before the head.
 */
#include <string.h>
#include "base/copy.h"
#include "logger/engine.h"
#include "logger/record.h"
#include "logger/site.h"
#include "os/ticks.h"

#define QUICK static inline __attribute__((always_inline))

enum { LONG = RW_LG_ENTRY_MAX / 2 };

/* Valid once the site's id is of this generation. */
QUICK uint64_t follow_of(const struct rollway_site *site)
{
    return __atomic_load_n(&site->follow, __ATOMIC_RELAXED);
}

QUICK void leave(struct rw_lg_ring *r)
{
    atomic_store_explicit(&r->busy, 0, memory_order_release);
}

/* The thread's ring, entered, and the head of the site's records; NULL: put.c has to look at this call. */
QUICK struct rw_lg_ring *enter(const struct rollway_site *site, uint64_t *ret_head)
{
    struct rw_lg_ring *r = rw_lg_self.quick;
    if (__builtin_expect(!r, 0))
        return NULL;
    if (__builtin_expect(atomic_load_explicit(&r->busy, memory_order_relaxed), 0))
        return NULL;
    atomic_store_explicit(&r->busy, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t head = __atomic_load_n(&site->quick, __ATOMIC_ACQUIRE);
    *ret_head = head;
    if (__builtin_expect(head >> RW_LG_GENERATION_AT ==
                             atomic_load_explicit(&r->generation, memory_order_relaxed),
                         1))
        return r;
    leave(r);
    return NULL;
}

/* The two words of a record that are not its values. Volatile: compilers gather them in a vector otherwise, for which both have to be
 * there. */
QUICK void begin(uint64_t *record, uint64_t head, const struct rollway_logger *logger)
{
    volatile uint64_t *to = record;
    to[0] = head | (uint64_t)logger->id << RW_LG_LOGGER_AT;
    to[1] = rw_os_tsc();
}

/* One by one: see begin(). */
QUICK void put_values(uint64_t *to, const unsigned long long *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        *(volatile uint64_t *)&to[i] = values[i];
}

/* Where `size` bytes go, and the ring's head; NULL: put.c has to look for room. */
QUICK uint8_t *room(const struct rw_lg_ring *r, uint32_t size, uint64_t *ret_head)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    *ret_head = head;
    return __builtin_expect(head + size <= r->limit, 1) ? r->data + (head & (r->bytes - 1)) : NULL;
}

/* ---- text ---- */

struct piece {
    const char *p;
    size_t n;
};

QUICK struct piece piece_of(unsigned kind, unsigned long long value)
{
    const void *p = (const void *)(uintptr_t)value;
    if (__builtin_expect(!p, 0))
        return (struct piece){NULL, 0};
    if (__builtin_expect(kind == ROLLWAY_T_CSTR_, 1))
        return (struct piece){p, strlen(p)};
    const struct rollway_text *t = p; /* rollway_bytes is the same to the machine */
    return (struct piece){t->p, t->p ? t->n : 0};
}

/* Values, and behind them what they point to, up to `end` at most. Measured and copied at once: what lies above the head is nobody's
 * until the head has moved. Returns where it ends; NULL: there is no room. */
QUICK uint8_t *put_pieces(uint8_t *at, const uint8_t *end, const unsigned long long *values,
                          unsigned n, uint64_t follow)
{
    uint64_t *to = (uint64_t *)(void *)at;
    uint8_t *p = at + 8 * n;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++, follow >>= 4) {
        unsigned kind = follow & 15;
        if (!kind) {
            to[i] = values[i];
            continue;
        }
        if (__builtin_expect(kind == ROLLWAY_T_ERRNO_, 0)) {
            /* By value: what it points to is gone later. */
            to[i] = (uint64_t)((const struct rollway_errno *)(uintptr_t)values[i])->value;
            continue;
        }
        struct piece piece = piece_of(kind, values[i]);
        if (__builtin_expect(piece.n + sizeof(uint64_t) > (size_t)(end - p), 0))
            return NULL;
        to[i] = __builtin_expect(piece.p != NULL, 1) ? piece.n : RW_LG_NULL;
        rw_copy_short(p, (const uint8_t *)piece.p, piece.n);
        p += piece.n;
    }
    return p;
}

/* The ring is entered, and left. False: put.c has to. */
QUICK bool put_text(const struct rollway_site *site, const struct rollway_logger *logger,
                    const unsigned long long *values, unsigned n)
{
    struct rw_lg_ring *r = rw_lg_self.quick;
    uint32_t fixed = RW_LG_RECORD + 8 * n + (uint32_t)sizeof(uint64_t);
    uint64_t at, size = 0;
    uint8_t *record = room(r, fixed, &at), *p = NULL;
    if (__builtin_expect(record != NULL, 1))
        p = put_pieces(record + RW_LG_RECORD, record + (r->limit - at), values, n, follow_of(site));
    if (__builtin_expect(p != NULL, 1)) {
        uint64_t zeros = 0; /* the padding, with more behind it */
        memcpy(p, &zeros, sizeof(zeros));
        size = rw_lg_align((size_t)(p - record));
    }
    if (__builtin_expect(!p || size > LONG, 0)) { /* what is so long may have to be cut */
        leave(r);
        return false;
    }
    uint64_t head = __atomic_load_n(&site->quick, __ATOMIC_RELAXED);
    begin((uint64_t *)(void *)record, head | size / 8, logger);
    rw_lg_ring_commit(r, (uint32_t)size);
    leave(r);
    return true;
}

/* ---- the call ---- */

void rw_lg_site_quicken(struct rollway_site *site)
{
    unsigned char limited;
    do { /* somebody may be changing the limits just now: who comes last sees both */
        limited = __atomic_load_n(&site->limited, __ATOMIC_SEQ_CST);
        uint32_t id = __atomic_load_n(&site->id, __ATOMIC_SEQ_CST);
        /* Without a size: there is text, which has to be measured. */
        uint32_t size = follow_of(site) ? 0 : RW_LG_RECORD + 8u * site->n_fields;
        bool quick = id && site->fields && !limited;
        __atomic_store_n(&site->quick, quick ? rw_lg_record_head(id, site->level, size) : 0,
                         __ATOMIC_SEQ_CST);
    } while (limited != __atomic_load_n(&site->limited, __ATOMIC_SEQ_CST));
}

enum outcome { DONE, TEXT, OTHER };

/* n is a constant where this is compiled into the functions below, and `values` are registers. TEXT: the ring is entered. */
QUICK enum outcome put(const struct rollway_site *site, const struct rollway_logger *logger,
                       const unsigned long long *values, unsigned n)
{
    uint64_t head, at;
    struct rw_lg_ring *r = enter(site, &head);
    if (__builtin_expect(!r, 0))
        return OTHER;
    if (n && !(head & RW_LG_RECORD_UNITS))
        return TEXT;
    uint32_t size = RW_LG_RECORD + 8 * n;
    uint64_t *record = (uint64_t *)(void *)room(r, size, &at);
    if (__builtin_expect(!record, 0)) {
        leave(r);
        return OTHER;
    }
    put_values(record + 2, values, n);
    begin(record, head, logger);
    rw_lg_ring_commit(r, size);
    leave(r);
    return DONE;
}

QUICK void text(struct rollway_site *site, const struct rollway_logger *logger,
                const unsigned long long *values, unsigned n)
{
    if (__builtin_expect(!put_text(site, logger, values, n), 0))
        rw_lg_call(site, logger, values);
}

/* Apart, and called last, so that values become an array only here, and nothing is saved for it before. One for each number of fields: each
 * field has branches of its own then, which the processor foresees better than those of a loop. */
static __attribute__((noinline)) void text1(struct rollway_site *site,
                                            const struct rollway_logger *logger,
                                            unsigned long long a)
{
    text(site, logger, (const unsigned long long[]){a}, 1);
}

static __attribute__((noinline)) void text2(struct rollway_site *site,
                                            const struct rollway_logger *logger,
                                            unsigned long long a, unsigned long long b)
{
    text(site, logger, (const unsigned long long[]){a, b}, 2);
}

static __attribute__((noinline)) void text3(struct rollway_site *site,
                                            const struct rollway_logger *logger,
                                            unsigned long long a, unsigned long long b,
                                            unsigned long long c)
{
    text(site, logger, (const unsigned long long[]){a, b, c}, 3);
}

static __attribute__((noinline)) void text4(struct rollway_site *site,
                                            const struct rollway_logger *logger,
                                            unsigned long long a, unsigned long long b,
                                            unsigned long long c, unsigned long long d)
{
    text(site, logger, (const unsigned long long[]){a, b, c, d}, 4);
}

static ROLLWAY_COLD_ __attribute__((noinline)) void other(
    struct rollway_site *site, const struct rollway_logger *logger, unsigned long long a,
    unsigned long long b, unsigned long long c, unsigned long long d)
{
    const unsigned long long values[] = {a, b, c, d};
    rw_lg_call(site, logger, values);
}

void rollway_put_(struct rollway_site *site, const struct rollway_logger *logger,
                  const unsigned long long *values)
{
    enum outcome outcome = put(site, logger, values, site->n_fields);
    if (outcome == OTHER || (outcome == TEXT && !put_text(site, logger, values, site->n_fields)))
        rw_lg_call(site, logger, values);
}

void rollway_put0_(struct rollway_site *site, const struct rollway_logger *logger)
{
    if (__builtin_expect(put(site, logger, NULL, 0) == OTHER, 0))
        other(site, logger, 0, 0, 0, 0);
}

void rollway_put1_(struct rollway_site *site, const struct rollway_logger *logger,
                   unsigned long long a)
{
    enum outcome outcome = put(site, logger, (const unsigned long long[]){a}, 1);
    if (outcome == TEXT)
        text1(site, logger, a);
    else if (__builtin_expect(outcome == OTHER, 0))
        other(site, logger, a, 0, 0, 0);
}

void rollway_put2_(struct rollway_site *site, const struct rollway_logger *logger,
                   unsigned long long a, unsigned long long b)
{
    enum outcome outcome = put(site, logger, (const unsigned long long[]){a, b}, 2);
    if (outcome == TEXT)
        text2(site, logger, a, b);
    else if (__builtin_expect(outcome == OTHER, 0))
        other(site, logger, a, b, 0, 0);
}

void rollway_put3_(struct rollway_site *site, const struct rollway_logger *logger,
                   unsigned long long a, unsigned long long b, unsigned long long c)
{
    enum outcome outcome = put(site, logger, (const unsigned long long[]){a, b, c}, 3);
    if (outcome == TEXT)
        text3(site, logger, a, b, c);
    else if (__builtin_expect(outcome == OTHER, 0))
        other(site, logger, a, b, c, 0);
}

void rollway_put4_(struct rollway_site *site, const struct rollway_logger *logger,
                   unsigned long long a, unsigned long long b, unsigned long long c,
                   unsigned long long d)
{
    enum outcome outcome = put(site, logger, (const unsigned long long[]){a, b, c, d}, 4);
    if (outcome == TEXT)
        text4(site, logger, a, b, c, d);
    else if (__builtin_expect(outcome == OTHER, 0))
        other(site, logger, a, b, c, d);
}
