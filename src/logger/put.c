/*
 * The call itself: from the arguments to a record in the thread's ring, whatever may come in between. Fields of a thread without a
 * context that has room in its ring do not come here (quick.c); formats do.
 *
 * The fast path takes no lock, makes no system call, allocates nothing and writes only to the ring. What happens once in a call site's
 * or a thread's life, and what goes wrong, is apart (slow_path). A signal handler that logs while its thread is inside a call finds
 * the ring busy and uses the common one. errno stays as it was.
 */
#include "logger/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "logger/context.h"
#include "logger/record.h"
#include "logger/limit.h"
#include "logger/site.h"
#include "logger/site_list.h"
#include "os/task.h"
#include "os/ticks.h"

enum { TEXT_MAX = RW_LG_ENTRY_MAX - 4096 };

struct text {
    const char *p;
    size_t n;
};

/* Everything of a call but where it goes. */
struct call {
    struct rollway_site *site;
    const struct rollway_logger *logger;
    const unsigned long long *values;
    unsigned n_values;
    uint64_t follow;        /* rw_lg_site_follow() */
    const uint32_t *limits; /* of a format: how much of a text may be read; NULL: up to its NUL */
    uint8_t flags;
    unsigned long long extra; /* with SUPPRESSED or SAMPLED */
};

static uint32_t site_id(const struct rollway_site *site)
{
    return __atomic_load_n(&site->id, __ATOMIC_ACQUIRE);
}

/* Valid once the site's id is of this generation. */
static uint64_t follow_of(const struct rollway_site *site)
{
    return __atomic_load_n(&site->follow, __ATOMIC_RELAXED);
}

static struct text text_of(unsigned type, unsigned long long value, size_t most)
{
    const void *p = (const void *)(uintptr_t)value;
    if (!p)
        return (struct text){NULL, 0};
    if (type == ROLLWAY_T_CSTR_)
        return (struct text){p, most == UINT32_MAX ? strlen(p) : strnlen(p, most)};
    if (type == ROLLWAY_T_TEXT_) {
        const struct rollway_text *t = p;
        return (struct text){t->p, t->p ? t->n : 0};
    }
    const struct rollway_bytes *b = p;
    return (struct text){b->p, b->p ? b->n : 0};
}

/* The next value that is to be followed: its number, and its bits go. */
static inline unsigned next_of(uint64_t *follow, unsigned *ret_type)
{
    unsigned at = (unsigned)__builtin_ctzll(*follow) & ~3u;
    *ret_type = *follow >> at & 15;
    *follow &= ~((uint64_t)15 << at);
    return at / 4;
}

/* Follows the values that are more than their bits: measures text, and cuts it so that all fits into a record. Returns the bytes of
 * all text. */
static size_t measure(struct call *c, struct text texts[])
{
    size_t total = 0;
    unsigned t = 0, type;
    for (uint64_t follow = c->follow; follow;) {
        unsigned i = next_of(&follow, &type);
        if (type < ROLLWAY_T_CSTR_)
            continue;
        struct text text = text_of(type, c->values[i], c->limits ? c->limits[i] : UINT32_MAX);
        if (__builtin_expect(total + text.n > TEXT_MAX, 0)) {
            text.n = TEXT_MAX - total;
            c->flags |= RW_LG_TRUNCATED;
        }
        total += text.n;
        texts[t++] = text;
    }
    return total;
}

/* Short text, as most is, without a call. */
static inline void copy(uint8_t *to, const char *from, size_t n)
{
    if (n >= 16 && n <= 32) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8 && n < 16) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4 && n < 8) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        memcpy(to, from, n);
    }
}

/* One by one: the caller has just written them one by one, and a load of two at once would have to wait for both. */
static inline void put_values(uint64_t *to, const unsigned long long *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = from[i];
        __asm__("" : "+r"(v));
        to[i] = v;
    }
}

/* Values and texts of a call that has some. */
static void put_followed(const struct call *c, const struct text texts[], uint64_t *values,
                         uint8_t *p)
{
    unsigned t = 0, type;
    put_values(values, c->values, c->n_values);
    for (uint64_t follow = c->follow; follow;) {
        unsigned i = next_of(&follow, &type);
        if (type >= ROLLWAY_T_CSTR_) {
            values[i] = texts[t].p ? texts[t].n : RW_LG_NULL;
            if (texts[t].n)
                copy(p, texts[t].p, texts[t].n);
            p += texts[t++].n;
        } else {
            /* By value: what it points to is gone later. */
            values[i] = (uint64_t)((const struct rollway_errno *)(uintptr_t)c->values[i])->value;
        }
    }
}

/* Room for a record, by the policy where there is none. */
static inline uint64_t *room(struct rw_lg_ring *r, const struct rollway_site *site, uint32_t size)
{
    uint64_t *record = rw_lg_ring_room(r, size);
    return __builtin_expect(record != NULL, 1) ? record : rw_lg_ring_overflow(r, size, site->level);
}

static inline uint64_t head_of(const struct rollway_site *site, const struct rollway_logger *logger,
                               uint8_t flags, uint32_t size)
{
    return rw_lg_record_head(site_id(site), site->level | flags, size) | (uint64_t)logger->id
                                                                             << RW_LG_LOGGER_AT;
}

static inline uint64_t ticks_of(const struct rw_lg_ring *r)
{
    return __builtin_expect(r->tsc, 1) ? rw_os_tsc() : rw_os_ticks();
}

/* With text, context, or what was suppressed. */
static void put_long(struct rw_lg_ring *r, struct call *c)
{
    struct text texts[RW_LG_FIELDS];
    const struct rw_lg_context *context = rw_lg_self.context;
    size_t context_bytes = context ? context->n : 0;
    size_t text_bytes = c->follow ? measure(c, texts) : 0;
    bool more = c->flags & (RW_LG_SUPPRESSED | RW_LG_SAMPLED);
    size_t fixed =
        RW_LG_RECORD + (context_bytes ? 8 + context_bytes : 0) + 8 * (c->n_values + more);
    uint32_t size = (uint32_t)rw_lg_align(fixed + text_bytes);
    uint64_t *record = room(r, c->site, size), *values = record + 2;
    if (!record)
        return;
    record[size / 8 - 1] = 0; /* the padding, before what may lie over it */
    record[0] = head_of(c->site, c->logger, c->flags, size);
    if (context_bytes) {
        record[0] |= RW_LG_RECORD_CONTEXT;
        *values++ = context_bytes;
        memcpy(values, context->bytes, context_bytes);
        values += context_bytes / 8;
    }
    if (c->follow)
        put_followed(c, texts, values, (uint8_t *)record + fixed);
    else
        put_values(values, c->values, c->n_values);
    if (more)
        values[c->n_values] = c->extra;
    if (c->flags & RW_LG_TRUNCATED)
        atomic_fetch_add_explicit(&r->truncated, 1, memory_order_relaxed);
    record[1] = ticks_of(r);
    rw_lg_ring_commit(r, size);
}

/* Nothing but numbers. */
static inline void put_numbers(struct rw_lg_ring *r, const struct rollway_site *site,
                               const struct rollway_logger *logger,
                               const unsigned long long *values, unsigned n)
{
    uint32_t size = RW_LG_RECORD + 8 * n;
    uint64_t *record = room(r, site, size);
    if (__builtin_expect(!record, 0))
        return;
    record[0] = head_of(site, logger, 0, size);
    put_values(record + 2, values, n);
    record[1] = ticks_of(r);
    rw_lg_ring_commit(r, size);
}

static inline void put_record(struct rw_lg_ring *r, struct call *c)
{
    if (c->follow || c->flags || rw_lg_self.context)
        put_long(r, c);
    else
        put_numbers(r, c->site, c->logger, c->values, c->n_values);
}

/* ---- what is rare ---- */

/* rollway_every and rollway_sample, and what settings say. */
static bool admit(struct rollway_site *site, struct call *c)
{
    uint32_t sample = 0;
    if (__atomic_load_n(&site->limited, __ATOMIC_RELAXED) & RW_LG_LIMITED_BY_SETTINGS &&
        !rw_lg_limits_admit(site, c->logger, &sample))
        return false;
    if (sample) {
        c->flags |= RW_LG_SAMPLED;
        c->extra = sample;
    }
    if (site->every_ms) {
        unsigned long long now = (unsigned long long)rw_os_mono_coarse_ns();
        unsigned long long due = __atomic_load_n(&site->due_ns, __ATOMIC_RELAXED);
        if (now < due ||
            !__atomic_compare_exchange_n(&site->due_ns, &due, now + site->every_ms * 1000000ull,
                                         false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            __atomic_fetch_add(&site->suppressed, 1, __ATOMIC_RELAXED);
            atomic_fetch_add_explicit(&rw_lg_counts.suppressed, 1, memory_order_relaxed);
            return false;
        }
        unsigned suppressed = __atomic_exchange_n(&site->suppressed, 0, __ATOMIC_RELAXED);
        if (suppressed) {
            c->flags = RW_LG_SUPPRESSED; /* there is room for one number */
            c->extra = suppressed;
        }
    }
    if (site->sample > 1) {
        if (__atomic_fetch_add(&site->counted, 1, __ATOMIC_RELAXED) % site->sample) {
            atomic_fetch_add_explicit(&rw_lg_counts.suppressed, 1, memory_order_relaxed);
            return false;
        }
        c->flags = RW_LG_SAMPLED;
        c->extra = site->sample;
    }
    return true;
}

/* A record of the ring that nobody owns says whose it is. False: there is no room for that, and the record is dropped. */
static bool own_common(struct rw_lg_ring *r, unsigned level)
{
    uint32_t thread = rw_os_task_id();
    return rw_lg_ring_own(r, thread) ||
           (rw_lg_ring_overflow(r, RW_LG_RECORD, level) && rw_lg_ring_own(r, thread));
}

/* The ring that nobody owns. Whoever has it may have been interrupted by this very call: not for ever. */
static void put_common(struct call *c)
{
    struct rw_lg_ring *r = rw_lg_ring(&rw_lg_caller.map, 0);
    if (rw_lg_self.common) {
        atomic_fetch_add(&rw_lg_counts.dropped[c->site->level], 1);
        return;
    }
    for (unsigned tries = 0; atomic_exchange_explicit(&r->busy, 1, memory_order_acquire); tries++)
        if (tries == 10000) {
            atomic_fetch_add(&rw_lg_counts.dropped[c->site->level], 1);
            return;
        }
    rw_lg_self.common = 1;
    atomic_signal_fence(memory_order_seq_cst);
    if (site_id(c->site) >> RW_LG_ID_BITS != atomic_load(&r->generation))
        atomic_fetch_add(&rw_lg_counts.dropped[c->site->level], 1); /* closed in this moment */
    else if (own_common(r, c->site->level))
        put_record(r, c);
    atomic_store_explicit(&r->busy, 0, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    rw_lg_self.common = 0;
}

/* Registers the site in this generation. False: it is switched off after all, or the dictionary is full. */
static bool know(struct rollway_site *site, const struct rollway_logger *logger,
                 uint32_t generation)
{
    if (site_id(site) >> RW_LG_ID_BITS != generation) {
        uint32_t id = rw_lg_site_register(&rw_lg_caller.map, site);
        if (!id) {
            atomic_fetch_add(&rw_lg_counts.dropped[site->level], 1);
            return false;
        }
        __atomic_store_n(&site->follow, rw_lg_site_follow(rw_lg_site_own(&rw_lg_caller.map, id)),
                         __ATOMIC_RELAXED);
        rw_lg_site_list_add(site);
        if (rw_lg_limits_concern(site))
            __atomic_fetch_or(&site->limited, RW_LG_LIMITED_BY_SETTINGS, __ATOMIC_RELAXED);
        __atomic_store_n(&site->gate, (signed char)rw_lg_gate(site), __ATOMIC_RELAXED);
        __atomic_store_n(&site->id, generation << RW_LG_ID_BITS | id, __ATOMIC_RELEASE);
        rw_lg_site_quicken(site);
    }
    return rollway_gate_(site, logger);
}

static const struct rw_lg_site *known_site(const struct rollway_site *site)
{
    return rw_lg_site_own(&rw_lg_caller.map, site_id(site) & ((1u << RW_LG_ID_BITS) - 1));
}

/* Makes ready what the fast path needs: true, and the thread's ring is entered (or *ret_common: the common one is to be used). */
static bool prepare(struct rollway_site *site, const struct rollway_logger *logger,
                    bool *ret_common)
{
    uint32_t generation = atomic_load(&rw_lg_now.generation);
    if (!generation || !know(site, logger, generation))
        return false;
    struct rw_lg_self *self = &rw_lg_self;
    /* There are 255 generations: what bears this number may be of a start long ago, whose rings are closed. */
    struct rw_lg_ring *r = self->generation == generation ? self->ring : NULL;
    if (r && atomic_load_explicit(&r->generation, memory_order_relaxed) != generation)
        r = NULL;
    bool nested = self->acquiring || (r && atomic_load_explicit(&r->busy, memory_order_relaxed));
    if (!r && !nested && !self->left) {
        self->acquiring = 1;
        r = rw_lg_ring_acquire(generation);
        self->acquiring = 0;
    }
    *ret_common = nested || !r;
    return true;
}

static bool enter(struct rw_lg_ring *r, const struct rollway_site *site)
{
    atomic_store_explicit(&r->busy, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(site_id(site) >> RW_LG_ID_BITS ==
                             atomic_load_explicit(&r->generation, memory_order_relaxed),
                         1))
        return true;
    atomic_store_explicit(&r->busy, 0, memory_order_release);
    return false;
}

static inline void leave(struct rw_lg_ring *r)
{
    atomic_store_explicit(&r->busy, 0, memory_order_release);
    if (__builtin_expect(r->sync, 0))
        rw_lg_write_now();
}

static inline bool usable(struct rw_lg_ring *r)
{
    return r && !atomic_load_explicit(&r->busy, memory_order_relaxed);
}

/* ---- fields ---- */

static ROLLWAY_COLD_ void put_slow(struct call *c)
{
    int saved = errno;
    bool common;
    if (!atomic_load(&rw_lg_now.generation) && !rw_lg_revive()) {
        rw_lg_direct(c->site, c->logger, c->values);
    } else if (prepare(c->site, c->logger, &common)) {
        struct rw_lg_ring *r = rw_lg_self.ring;
        c->follow = follow_of(c->site);
        if (common) {
            put_common(c);
        } else if (enter(r, c->site)) {
            put_record(r, c);
            leave(r);
        } else {
            atomic_fetch_add(&rw_lg_counts.dropped[c->site->level], 1); /* closed in this moment */
        }
    }
    errno = saved;
}

void rw_lg_call(struct rollway_site *site, const struct rollway_logger *logger,
                const unsigned long long *values)
{
    struct call c = {.site = site, .logger = logger, .values = values, .n_values = site->n_fields};
    if (__builtin_expect(__atomic_load_n(&site->limited, __ATOMIC_RELAXED), 0) && !admit(site, &c))
        return;
    struct rw_lg_ring *r = rw_lg_self.ring;
    if (__builtin_expect(!usable(r) || !enter(r, site), 0)) {
        put_slow(&c);
        return;
    }
    c.follow = follow_of(site);
    put_record(r, &c);
    leave(r);
}

/* ---- formats ---- */

static unsigned long long take_int(va_list *args, uint8_t length)
{
    if (length == 'l')
        return (unsigned long long)va_arg(*args, long);
    if (length == 'q')
        return (unsigned long long)va_arg(*args, long long);
    return (unsigned long long)(long long)va_arg(*args, int);
}

static unsigned long long take_uint(va_list *args, uint8_t length)
{
    if (length == 'l')
        return va_arg(*args, unsigned long);
    if (length == 'q')
        return va_arg(*args, unsigned long long);
    return va_arg(*args, unsigned);
}

static unsigned long long take(va_list *args, const struct rw_lg_part *part)
{
    double d;
    unsigned long long bits;
    switch (part->type) {
    case ROLLWAY_T_INT_:
    case ROLLWAY_T_CHAR_:
        return take_int(args, part->length);
    case ROLLWAY_T_UINT_:
        return take_uint(args, part->length);
    case ROLLWAY_T_DOUBLE_:
        d = va_arg(*args, double);
        memcpy(&bits, &d, sizeof(bits));
        return bits;
    case ROLLWAY_T_ERRNO_:
        return (unsigned long long)errno;
    default:
        return (unsigned long long)(uintptr_t)va_arg(*args, void *);
    }
}

/* How much of a %s may be read: its precision, written or given. */
static uint32_t precision(const char *format, const struct rw_lg_part *part, long long given)
{
    if (part->plain || part->type != ROLLWAY_T_CSTR_)
        return UINT32_MAX;
    if (part->stars & 2)
        return given < 0 ? UINT32_MAX : (uint32_t)given;
    const char *dot = memchr(format + part->spec_at, '.', part->spec_n);
    return dot ? (uint32_t)strtoul(dot + 1, NULL, 10) : UINT32_MAX;
}

static void take_all(struct call *c, const struct rw_lg_site *known, va_list *args,
                     unsigned long long values[], uint32_t limits[])
{
    const struct rw_lg_part *parts = (const void *)((const uint8_t *)known + known->parts_at);
    unsigned n = 0;
    for (unsigned i = 0; i < known->n_parts; i++) {
        long long given = -1;
        for (unsigned star = 1; star <= 2; star <<= 1)
            if (parts[i].stars & star) {
                limits[n] = UINT32_MAX;
                given = va_arg(*args, int);
                values[n++] = (unsigned long long)given;
            }
        if (!parts[i].type)
            continue;
        limits[n] = precision(c->site->message, &parts[i], parts[i].stars & 2 ? given : -1);
        values[n++] = take(args, &parts[i]);
    }
    c->values = values;
    c->n_values = n;
    c->follow = follow_of(c->site);
    c->limits = limits;
}

/* What of a format's arguments a call keeps, and room for text that had to be formatted at once. */
struct kept {
    unsigned long long values[RW_LG_FIELDS];
    uint32_t limits[RW_LG_FIELDS];
    char text[4096];
};

/* Formats at once. What printf refuses (a wide character that the locale lacks) is logged as the format itself. Returns the length, which
 * may be more than there is room for. */
static size_t format_now(const char *format, va_list *args, struct kept *kept)
{
    int n = vsnprintf(kept->text, sizeof(kept->text), format, *args);
    return n >= 0 ? (size_t)n : (size_t)snprintf(kept->text, sizeof(kept->text), "%s", format);
}

/* Formats that can not be kept have one argument in the dictionary: their text. */
static void take_text(struct call *c, va_list *args, struct kept *kept)
{
    if (format_now(c->site->message, args, kept) >= sizeof(kept->text))
        c->flags |= RW_LG_TRUNCATED;
    kept->values[0] = (unsigned long long)(uintptr_t)kept->text;
    kept->limits[0] = UINT32_MAX;
    c->values = kept->values;
    c->n_values = 1;
    c->follow = follow_of(c->site);
    c->limits = kept->limits;
}

static void take_args(struct call *c, va_list *args, struct kept *kept)
{
    const struct rw_lg_site *known = known_site(c->site);
    if (known->formatted)
        take_text(c, args, kept);
    else
        take_all(c, known, args, kept->values, kept->limits);
}

static ROLLWAY_COLD_ void putf_slow(struct call *c, va_list *args, struct kept *kept)
{
    bool common;
    if (!atomic_load(&rw_lg_now.generation) && !rw_lg_revive()) {
        size_t n = format_now(c->site->message, args, kept);
        rw_lg_direct_text(c->site, c->logger, kept->text,
                          n < sizeof(kept->text) ? n : sizeof(kept->text) - 1);
        return;
    }
    if (!prepare(c->site, c->logger, &common))
        return;
    struct rw_lg_ring *r = rw_lg_self.ring;
    if (common) {
        take_args(c, args, kept);
        put_common(c);
    } else if (enter(r, c->site)) {
        take_args(c, args, kept);
        put_record(r, c);
        leave(r);
    } else {
        atomic_fetch_add(&rw_lg_counts.dropped[c->site->level], 1);
    }
}

void rollway_putf_(struct rollway_site *site, const struct rollway_logger *logger,
                   const char *format, ...)
{
    int saved = errno;
    struct call c = {.site = site, .logger = logger};
    if (__builtin_expect(__atomic_load_n(&site->limited, __ATOMIC_RELAXED), 0) && !admit(site, &c))
        return;
    struct kept kept;
    va_list args;
    va_start(args, format);
    errno = saved;
    struct rw_lg_ring *r = rw_lg_self.ring;
    if (__builtin_expect(usable(r) && enter(r, site), 1)) {
        take_args(&c, &args, &kept);
        put_record(r, &c);
        leave(r);
    } else {
        putf_slow(&c, &args, &kept);
    }
    va_end(args);
    errno = saved;
}
