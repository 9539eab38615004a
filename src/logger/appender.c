/*
 * From the journal to the sink.
 *
 * What was formatted is counted as done only when the sink has it: `cursor->done` is where the next process goes on after a kill. Before each
 * write it is noted what will be written and where (cursor->intent), so that it can be told afterwards whether it was.
 */
#include "logger/appender.h"

#include <string.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "env/env.h"
#include "logger/consumers.h"
#include "os/os.h"
#include "os/ticks.h"

enum {
    FIRST_CHUNK = RW_LG_ENTRY_MAX,
    CHUNK_MAX = 1024 * 1024,
    LINES_AT_ONCE = 8192,
    SOON_US = 50000
};
#define MS         1000000ll
#define BACKOFF_US (100 * 1000)
#define TICK_NS    (1000 * MS)

int rw_lg_appender_init(struct rw_lg_appender *a, struct rw_lg_map *map,
                        struct rw_lg_cursor *cursor, struct rw_lg_sink *sink,
                        const struct rw_lg_appender_options *options)
{
    memset(a, 0, sizeof(*a));
    a->o = *options;
    a->map = map;
    a->cursor = cursor;
    a->slot = (unsigned)(cursor - rw_lg_header(map)->cursors);
    a->sink = sink;
    a->known.map = map;
    a->read = a->upto = atomic_load(&cursor->done);
    a->breaker = (struct rw_lg_breaker){.limit = (unsigned)options->breaker_failures,
                                        .base_us = BACKOFF_US,
                                        .cap_us = options->breaker_pause_ms * 1000};
    a->cap = FIRST_CHUNK;
    a->text = rw_alloc(a->cap);
    if (!a->text || pthread_mutex_init(&a->lock, NULL) != 0) {
        rw_free(a->text);
        return RW_E_NOMEM;
    }
    memcpy(cursor->name, options->name, sizeof(cursor->name));
    /* A formatter of the program need not be ready for several threads. */
    int rc = RW_OK;
    if (options->consumers > 1 && sink->ops->lines && options->format.kind != RW_LG_CUSTOM)
        rc = rw_lg_consumers_new(a, (unsigned)options->consumers, &a->consumers);
    if (rc) {
        pthread_mutex_destroy(&a->lock);
        rw_free(a->text);
    }
    return rc;
}

void rw_lg_appender_deinit(struct rw_lg_appender *a)
{
    rw_lg_consumers_free(a->consumers);
    if (a->sink)
        a->sink->ops->free(a->sink);
    rw_lg_knowledge_deinit(&a->known);
    pthread_mutex_destroy(&a->lock);
    rw_free(a->text);
    rw_free(a->index);
    rw_free(a->kept.p);
}

/* ---- reading ---- */

bool rw_lg_appender_wants(const struct rw_lg_appender *a, const struct rw_lg_entry *e)
{
    if ((int)rw_lg_entry_level(e) < a->o.level || e->skip >> a->slot & 1)
        return false;
    const char *logger = a->o.n_loggers ? rw_lg_logger_name(a->map, e->logger) : "";
    for (unsigned i = 0; i < a->o.n_loggers; i++)
        if (rw_lg_name_below(logger, a->o.loggers[i]))
            return true;
    return a->o.n_loggers == 0;
}

static bool grow(struct rw_lg_appender *a, size_t need)
{
    size_t cap = a->cap;
    while (cap < need)
        cap *= 2;
    char *p = rw_realloc(a->text, cap);
    if (!p)
        return false;
    a->text = p;
    a->cap = cap;
    return true;
}

/* One line behind the others. False: no memory. */
static bool format(struct rw_lg_appender *a)
{
    for (;;) {
        struct rw_lg_out o = {.p = a->text + a->n, .cap = a->cap - a->n};
        rw_lg_format_line(&a->o.format, &o, &a->view);
        if (o.n <= o.cap) {
            a->n += o.n;
            return true;
        }
        if (!grow(a, a->n + o.n))
            return false;
    }
}

static bool index_room(struct rw_lg_appender *a)
{
    struct rw_lg_line *p = rw_array_grow(a->index, a->lines, &a->index_cap, sizeof(*a->index));
    a->index = p ? p : a->index;
    return p;
}

static void note_line(struct rw_lg_appender *a, const struct rw_lg_entry *e, size_t from)
{
    if (a->sink->ops->index)
        a->index[a->lines] = (struct rw_lg_line){.at = from,
                                                 .n = a->n - from,
                                                 .time_ns = (int64_t)e->ticks,
                                                 .thread = e->thread,
                                                 .logger = e->logger,
                                                 .level = (uint8_t)rw_lg_entry_level(e)};
}

void rw_lg_appender_take(struct rw_lg_appender *a, const struct rw_lg_entry *e)
{
    if (!rw_lg_view(&a->known, e, (int64_t)e->ticks, &a->view)) {
        atomic_fetch_add_explicit(&a->counts.failed, 1, memory_order_relaxed);
        return;
    }
    size_t from = a->n;
    if ((a->sink->ops->index && !index_room(a)) || !format(a)) {
        atomic_fetch_add_explicit(&a->counts.failed, 1, memory_order_relaxed);
        return;
    }
    note_line(a, e, from);
    if (a->lines++ == 0)
        a->since_ns = rw_os_mono_coarse_ns();
    if (rw_lg_entry_level(e) > a->level)
        a->level = rw_lg_entry_level(e);
    uint32_t levels = atomic_load_explicit(&a->levels, memory_order_relaxed);
    if (!(levels >> rw_lg_entry_level(e) & 1))
        atomic_store_explicit(&a->levels, levels | 1u << rw_lg_entry_level(e),
                              memory_order_relaxed);
}

void rw_lg_appender_join(struct rw_lg_appender *a, struct rw_lg_appender *piece)
{
    uint32_t levels = atomic_load_explicit(&a->levels, memory_order_relaxed) |
                      atomic_load_explicit(&piece->levels, memory_order_relaxed);
    uint64_t lost = atomic_exchange(&piece->counts.failed, 0);
    bool fits = a->n + piece->n <= a->cap || grow(a, a->n + piece->n);
    if (a->lines == 0)
        a->since_ns = piece->since_ns;
    size_t n = 0; /* lines that have a place */
    for (bool index = a->sink->ops->index; fits && n < piece->lines; n++) {
        if (index && !index_room(a))
            break;
        if (index) {
            a->index[a->lines] = piece->index[n];
            a->index[a->lines].at += a->n;
        }
        a->lines++;
    }
    size_t bytes = n == piece->lines ? piece->n : piece->index && n ? piece->index[n].at : 0;
    memcpy(a->text + a->n, piece->text, bytes);
    a->n += bytes;
    lost += piece->lines - n;
    a->level = piece->level > a->level ? piece->level : a->level;
    atomic_store_explicit(&a->levels, levels, memory_order_relaxed);
    atomic_fetch_add_explicit(&a->counts.failed, lost, memory_order_relaxed);
    piece->n = piece->lines = 0;
    piece->level = 0;
    atomic_store_explicit(&piece->levels, 0, memory_order_relaxed);
}

/* Reads on until the chunk is large or the journal ends. True: there is more. */
static bool read_journal(struct rw_lg_appender *a)
{
    const struct rw_lg_shared *h = rw_lg_header(a->map);
    uint64_t head = atomic_load_explicit(&h->head, memory_order_acquire);
    int64_t most = a->o.flush_bytes < CHUNK_MAX ? a->o.flush_bytes : CHUNK_MAX;
    pthread_mutex_lock(&a->lock);
    uint64_t at = a->read;
    const struct rw_lg_entry *e;
    rw_lg_appender_note_orphans(a);
    while ((int64_t)a->n < most && a->lines < LINES_AT_ONCE && (e = rw_lg_kept_next(a))) {
        rw_lg_appender_take(a, e);
        a->orphans = a->lines;
    }
    while (at < head && (int64_t)a->n < most && a->lines < LINES_AT_ONCE) {
        if (a->consumers && head - at > 2 * RW_LG_CONSUMERS_SPAN) {
            at = rw_lg_consumers_take(a->consumers, a, at, head);
            continue;
        }
        e = rw_lg_journal(a->map, at);
        at += e->size & ~RW_LG_PAD;
        if (!(e->size & RW_LG_PAD) && rw_lg_appender_wants(a, e))
            rw_lg_appender_take(a, e);
    }
    a->read = at;
    bool more = at < head || a->kept.at < a->kept.n;
    pthread_mutex_unlock(&a->lock);
    a->upto = at;
    return more;
}

/* For sinks that want records: the next one is copied out, because a callback may take its time. False: there is none. */
static bool read_event(struct rw_lg_appender *a)
{
    const struct rw_lg_shared *h = rw_lg_header(a->map);
    uint64_t head = atomic_load_explicit(&h->head, memory_order_acquire);
    pthread_mutex_lock(&a->lock);
    uint64_t at = a->read;
    const struct rw_lg_entry *found = rw_lg_kept_next(a);
    while (at < head && !found) {
        const struct rw_lg_entry *e = rw_lg_journal(a->map, at);
        at += e->size & ~RW_LG_PAD;
        if (!(e->size & RW_LG_PAD) && rw_lg_appender_wants(a, e))
            found = e;
    }
    if (found) {
        memcpy(a->text, found, found->size);
        atomic_store_explicit(&a->levels, 1u << rw_lg_entry_level(found), memory_order_relaxed);
    }
    a->read = at;
    pthread_mutex_unlock(&a->lock);
    a->upto = at;
    return found;
}

/* ---- writing ---- */

static void advance(struct rw_lg_appender *a)
{
    /* The collector may have moved it further, when it dropped. */
    uint64_t done = atomic_load_explicit(&a->cursor->done, memory_order_relaxed);
    while (done < a->upto && !atomic_compare_exchange_weak(&a->cursor->done, &done, a->upto))
        ;
    atomic_store_explicit(&a->cursor->intent, 0, memory_order_release);
}

static void note_intent(struct rw_lg_appender *a)
{
    struct rw_lg_mark mark;
    if (!a->sink->ops->mark || !a->sink->ops->mark(a->sink, a->n, &mark))
        return;
    struct rw_lg_cursor *c = a->cursor;
    c->hash = rw_crc32c(0, a->text, a->n);
    c->upto = a->upto;
    c->device = mark.device;
    c->inode = mark.inode;
    c->offset = mark.offset;
    c->length = a->n;
    atomic_store_explicit(&c->intent, 1, memory_order_release);
}

static void failed(struct rw_lg_appender *a, int rc, int64_t now)
{
    atomic_fetch_add_explicit(&a->counts.errors, 1, memory_order_relaxed);
    atomic_store_explicit(&a->counts.last_error_ns, rw_os_wall_ns(), memory_order_relaxed);
    atomic_store_explicit(&a->counts.last_error, rc, memory_order_relaxed);
    (void)rw_lg_breaker_failed(&a->breaker, now / 1000, rw_rand_u64(rw_os_env()->rand));
    atomic_store(&a->breaker_state, a->breaker.state);
    if (rc == RW_E_FULL && a->sink->ops->empties && a->breaker.retry_us > now / 1000 + SOON_US)
        a->breaker.retry_us = now / 1000 + SOON_US;
    a->retry_ns = a->breaker.retry_us * 1000;
    if (a->error != rc)
        rw_lg_report("an appender can not write: it tries again", a->o.name, rc);
    a->error = rc;
}

/* Its time has not come yet. After a pause with the breaker open, what comes now is one attempt. */
static bool pauses(struct rw_lg_appender *a, int64_t now)
{
    if (!rw_lg_breaker_may(&a->breaker, now / 1000))
        return true;
    atomic_store(&a->breaker_state, a->breaker.state);
    return false;
}

static void succeeded(struct rw_lg_appender *a)
{
    if (a->error)
        rw_lg_report("an appender writes again", a->o.name, 0);
    a->error = 0;
    a->retry_ns = 0;
    (void)rw_lg_breaker_succeeded(&a->breaker);
    atomic_store(&a->breaker_state, a->breaker.state);
    atomic_store_explicit(&a->levels, 0, memory_order_relaxed);
    atomic_store_explicit(&a->full_ns, 0, memory_order_relaxed);
    a->unsynced = true;
}

static void count_written(struct rw_lg_appender *a, size_t lines, size_t bytes)
{
    atomic_fetch_add_explicit(&a->counts.written, lines, memory_order_relaxed);
    atomic_fetch_add_explicit(&a->counts.bytes, bytes, memory_order_relaxed);
}

/* The first n bytes are out. */
static void cut(struct rw_lg_appender *a, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += a->text[i] == '\n';
    for (size_t i = lines; a->sink->ops->index && i < a->lines; i++) {
        a->index[i - lines] = a->index[i];
        a->index[i - lines].at -= n;
    }
    memmove(a->text, a->text + n, a->n - n);
    a->n -= n;
    a->lines -= lines < a->lines ? lines : a->lines;
    a->orphans -= lines < a->orphans ? lines : a->orphans;
    count_written(a, lines, n);
}

/* Hands the chunk over. False: it stays, for later. */
static bool write_chunk(struct rw_lg_appender *a, int64_t now)
{
    if (a->n == 0) {
        advance(a);
        return true;
    }
    if (pauses(a, now))
        return false;
    struct rw_lg_chunk chunk = {
        .index = a->index, .p = a->text, .n = a->n, .lines = a->lines, .level = a->level};
    size_t out = 0;
    note_intent(a);
    int rc = a->sink->ops->write(a->sink, &chunk, &out);
    if (rc) {
        cut(a, out);
        atomic_store_explicit(&a->cursor->intent, 0, memory_order_release);
        failed(a, rc, now);
        return false;
    }
    count_written(a, a->lines, a->n);
    atomic_fetch_add_explicit(&a->counts.writes, 1, memory_order_relaxed);
    advance(a);
    a->n = a->lines = a->orphans = 0;
    a->level = 0;
    succeeded(a);
    return true;
}

static bool due(const struct rw_lg_appender *a, int64_t now)
{
    const struct rw_lg_shared *h = rw_lg_header(a->map);
    return a->n == 0 || (int64_t)a->n >= a->o.flush_bytes || (int64_t)a->n >= CHUNK_MAX ||
           (int64_t)a->lines >= a->o.flush_records || a->level >= (unsigned)a->o.flush_level ||
           now - a->since_ns >= a->o.flush_ms * MS ||
           a->upto - atomic_load_explicit(&a->cursor->done, memory_order_relaxed) >
               h->journal_bytes / 2;
}

static void sync_chunk(struct rw_lg_appender *a, bool all)
{
    if (!a->unsynced)
        return;
    int rc = a->sink->ops->sync ? a->sink->ops->sync(a->sink, all) : RW_OK;
    if (rc)
        failed(a, rc, rw_os_mono_ns());
    else
        a->unsynced = false;
}

/* False: the sink can not take it now; the record stays in `text`. */
static bool give_event(struct rw_lg_appender *a)
{
    const struct rw_lg_entry *e = (const void *)a->text;
    int rc = RW_E_CORRUPT;
    if (rw_lg_view(&a->known, e, (int64_t)e->ticks, &a->view))
        rc = a->sink->ops->event(a->sink, &a->view);
    a->pending = rc == RW_E_AGAIN;
    if (a->pending) {
        failed(a, rc, rw_os_mono_ns());
        return false;
    }
    if (rc)
        atomic_fetch_add_explicit(&a->counts.failed, 1, memory_order_relaxed);
    else
        count_written(a, 1, e->size);
    atomic_fetch_add_explicit(&a->counts.writes, 1, memory_order_relaxed);
    succeeded(a);
    advance(a);
    return true;
}

static bool give_events(struct rw_lg_appender *a, int64_t now)
{
    if (pauses(a, now))
        return false;
    while (a->pending || read_event(a))
        if (!give_event(a))
            return false;
    advance(a);
    return true;
}

/* True: what is due was written, and *ret_more says whether the journal has more. */
static bool write_lines(struct rw_lg_appender *a, int64_t now, bool all, bool *ret_more)
{
    do {
        *ret_more = read_journal(a);
        if (!all && !due(a, now))
            return true;
        if (!write_chunk(a, now))
            return false;
    } while (*ret_more);
    return true;
}

static int64_t step(struct rw_lg_appender *a, uint64_t want)
{
    int64_t now = rw_os_mono_ns();
    if (atomic_exchange(&a->reopen, false) && a->sink->ops->reopen)
        a->sink->ops->reopen(a->sink);
    bool more = false, all = atomic_load_explicit(&a->flushed, memory_order_relaxed) < want;
    if (!a->sink->ops->lines) {
        if (!give_events(a, now))
            return a->retry_ns;
    } else if (!write_lines(a, now, all, &more))
        return a->retry_ns;
    sync_chunk(a, all);
    if (all && a->n == 0 && !a->unsynced)
        atomic_store(&a->flushed, a->upto);
    if (now >= a->tick_ns && a->sink->ops->tick) {
        a->sink->ops->tick(a->sink, rw_os_wall_ns() / MS);
        a->tick_ns = now + TICK_NS;
    }
    if (more)
        return 0;
    if (a->n)
        return a->since_ns + a->o.flush_ms * MS;
    return a->sink->ops->tick ? a->tick_ns : INT64_MAX;
}

int64_t rw_lg_appender_step(struct rw_lg_appender *a, uint64_t want)
{
    int64_t next = step(a, want);
    atomic_store_explicit(&a->in_chunk, a->sink->ops->lines ? a->lines : a->pending,
                          memory_order_relaxed);
    return next;
}
