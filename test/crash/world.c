/* The workload: what is done to the log, and what the model must think of it. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

static uint64_t below(struct world *w, uint64_t n)
{
    return rw_sim_rand_below(&w->choice, n);
}

bool world_fail(struct world *w, const char *format, ...)
{
    if (w->why[0])
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(w->why, sizeof(w->why), format, args);
    va_end(args);
    return false;
}

void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){.m = {.cut_least = -1}};
    const struct rw_sim_disk_options disk = {.keeps_cache = seed % 4 == 3};
    rw_sim_env_init(&w->e, seed, &disk);
    rw_sim_rand_init(&w->choice, seed ^ 0x5eed);
    struct rw_log_config *c = &w->config;
    rw_log_config_init(c);
    c->segment_bytes = 4096 + (int64_t)below(w, 12000);
    c->index_interval_bytes = (int64_t)below(w, 1500);
    c->index_bytes_max = 120 + (int64_t)below(w, 2000);
    c->segment_ms = below(w, 2) ? 60000 : 604800000;
    c->retention_ms = below(w, 2) ? 300000 : -1;
    c->retention_bytes = below(w, 2) ? 60000 : -1;
    c->file_delete_delay_ms = below(w, 2) ? 0 : 20000;
    c->preallocate = below(w, 2);
    /* Not drawn: the seeds that once failed must stay what they are. */
    static const int64_t zeros[] = {256 << 10, 0, 900, 5000};
    c->zeros_ahead_bytes = zeros[seed & 3];
    w->together = seed % 5 == 2;
    c->timestamp_before_max_ms = c->timestamp_after_max_ms = INT64_MAX;
    w->flush_each = below(w, 3) == 0;
    w->last_ts = rw_wall_ms(w->e.env.clock);
}

void world_model_truncate(struct world *w, int64_t offset)
{
    struct model *m = &w->m;
    while (m->n && m->entries[m->n - 1].last >= offset)
        rw_free(m->entries[--m->n].bytes);
    if (m->promised > offset)
        m->promised = offset;
    if (m->start_most > offset)
        m->start_most = offset;
    if (m->start_least > offset)
        m->start_least = offset;
}

void world_deinit(struct world *w)
{
    world_close(w, false);
    world_model_truncate(w, INT64_MIN);
    rw_free(w->m.entries);
    rw_sim_env_deinit(&w->e);
}

static int checkpoint(struct world *w)
{
    int64_t durable = rw_log_durable(w->log), start = rw_log_start(w->log);
    const struct rw_checkpoint_entry point = {"t", 0, rw_log_recovery_point(w->log)},
                                     least = {"t", 0, start};
    if (durable > w->m.promised)
        w->m.promised = durable; /* whoever says so is held to it */
    int rc = rw_log_dir_write_checkpoint(w->dir, RW_CHECKPOINT_RECOVERY_POINT, &point, 1);
    if (!rc)
        rc = rw_log_dir_write_checkpoint(w->dir, RW_CHECKPOINT_LOG_START, &least, 1);
    if (!rc && start > w->m.start_least)
        w->m.start_least = start;
    return rc;
}

int world_open(struct world *w)
{
    struct rw_err err = {0};
    const struct rw_log_dir_identity want = {.cluster_id = "crash", .node_id = 1};
    int rc = rw_log_dir_open(&w->e.env, WORLD_DIR, &want, &w->dir, &err);
    if (rc)
        return rc;
    int64_t point = rw_log_dir_checkpoint(w->dir, RW_CHECKPOINT_RECOVERY_POINT, "t", 0);
    int64_t start = rw_log_dir_checkpoint(w->dir, RW_CHECKPOINT_LOG_START, "t", 0);
    const struct rw_log_open_args args = {.clean = rw_log_dir_was_clean(w->dir),
                                          .recovery_point = point > 0 ? point : 0,
                                          .start_offset = start > 0 ? start : 0,
                                          .topic_id = {{1, 2, 3}},
                                          .topic_name = "t"};
    rc = rw_log_open(&w->e.env, WORLD_LOG, &w->config, &args, &w->log);
    /* As the broker does: the recovery point must not lie above the end when writing goes on. */
    return rc || point <= rw_log_end(w->log) ? rc : checkpoint(w);
}

bool world_look(struct world *w)
{
    const struct rw_log_open_args args = {.clean = true, .read_only = true};
    struct rw_log *log = NULL;
    int rc = rw_log_open(&w->e.env, WORLD_LOG, &w->config, &args, &log);
    if (rc == RW_E_NOT_FOUND && w->m.promised == 0)
        return true;
    if (rc)
        return world_fail(w, "opening it to read: %s", rw_code_name(rc));
    int64_t end = rw_log_end(log);
    for (int64_t at = rw_log_start(log); at < w->m.promised && !w->why[0];) {
        struct rw_log_range r;
        rc = rw_log_read(log, at, INT64_MAX, 1, true, &r);
        if (rc || !r.n) {
            world_fail(w, "a reader finds nothing at %lld, flushed was %lld, it ends at %lld: %s",
                       (long long)at, (long long)w->m.promised, (long long)end, rw_code_name(rc));
            break;
        }
        uint8_t header[RW_BATCH_HEADER_SIZE];
        struct rw_batch batch;
        size_t n;
        rc = rw_file_read_at(r.file, r.at, header, sizeof(header), &n);
        if (!rc)
            rc = rw_batch_decode(header, n, &batch);
        if (rc)
            world_fail(w, "a reader finds no batch at %lld: %s", (long long)at, rw_code_name(rc));
        else
            at = rw_batch_last_offset(&batch) + 1;
        rw_log_range_release(&r);
    }
    return rw_log_close(log, false) == RW_OK && !w->why[0];
}

int world_close(struct world *w, bool clean)
{
    int rc = rw_log_close(w->log, clean);
    w->log = NULL;
    rw_log_dir_close(w->dir, clean && !rc);
    w->dir = NULL;
    return rc;
}

int32_t world_next_sequence(const struct world *w, int64_t pid)
{
    for (size_t i = w->m.n; i-- > 0;) {
        const struct entry *e = &w->m.entries[i];
        if (e->pid == pid)
            return rw_sequence_add(e->sequence, (int32_t)(e->last - e->first) + 1);
    }
    return 0;
}

int world_build(struct world *w, struct rw_buf *out, struct entry *e, int32_t count)
{
    static const uint8_t zeros[3000];
    uint8_t value[3000];
    struct rw_builder b;
    rw_builder_init(&b);
    b.codec = below(w, 5) == 0 ? RW_CODEC_LZ4 : RW_CODEC_NONE;
    b.leader_epoch = e->epoch;
    if (e->pid >= 0) {
        b.producer_id = e->pid;
        b.producer_epoch = 0;
        b.base_sequence = e->sequence;
    }
    /* Zeros look like what a lost sector leaves; random bytes do not. */
    bool plain = below(w, 4) == 0;
    if (!plain)
        w->choice.rand.fill(&w->choice.rand, value, sizeof(value));
    int rc = RW_OK;
    for (int32_t i = 0; i < count && !rc; i++) {
        size_t n = (size_t)below(w, below(w, 4) ? 100 : sizeof(value));
        const struct rw_record r = {
            .offset = i, .timestamp = e->base_ts + i, .value = rw_slice(plain ? zeros : value, n)};
        rc = rw_builder_add(&b, &r, NULL, 0);
    }
    struct rw_slice batch;
    if (!rc)
        rc = rw_builder_finish(&b, &batch);
    if (!rc)
        rw_buf_add(out, batch.p, batch.n);
    rw_builder_deinit(&b);
    return rc;
}

static void remember(struct world *w, const struct entry *e, const struct rw_buf *bytes)
{
    struct model *m = &w->m;
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->entries = rw_realloc_array(m->entries, m->cap, sizeof(*m->entries));
        RW_ASSERT(m->entries);
    }
    m->entries[m->n] = *e;
    m->entries[m->n].bytes = rw_memdup(bytes->p, bytes->n);
    m->entries[m->n].n = bytes->n;
    rw_batch_set_base_offset(m->entries[m->n].bytes, e->first);
    rw_batch_set_leader_epoch(m->entries[m->n].bytes, e->epoch);
    m->n++;
}

static int flush(struct world *w)
{
    int64_t durable = -1, end = rw_log_end(w->log);
    int rc = rw_log_flush(w->log, &durable);
    if (rc && rw_log_state(w->log) == RW_OK)
        world_fail(w, "a flush failed (%s) and the log is still online", rw_code_name(rc));
    if (rc)
        return rc;
    if (durable < end)
        world_fail(w, "flush answered OK with durable %lld below end %lld", (long long)durable,
                   (long long)end);
    if (durable > w->m.promised)
        w->m.promised = durable;
    return RW_OK;
}

/* One more batch, of which the model is told before the outcome is known: a crash inside may leave it in
 * the log. */
static struct entry draw(struct world *w, int64_t offset, struct rw_buf *ret_bytes)
{
    rw_buf_init(ret_bytes);
    int32_t count = 1 + (int32_t)below(w, 5);
    w->last_ts += (int64_t)below(w, 2000) - (below(w, 10) ? 0 : 5000);
    struct entry e = {.first = offset,
                      .base_ts = w->last_ts,
                      .pid = below(w, 3) ? 1000 + (int64_t)below(w, WORLD_PRODUCERS) : -1,
                      .sequence = -1,
                      .epoch = w->epoch};
    e.last = e.first + count - 1;
    if (e.pid >= 0)
        e.sequence = world_next_sequence(w, e.pid);
    int rc = world_build(w, ret_bytes, &e, count);
    RW_ASSERT(rc == RW_OK);
    remember(w, &e, ret_bytes);
    return e;
}

/* The answer to one of them. */
static void judge(struct world *w, const struct entry *e, int rc, const struct rw_append_info *info)
{
    if (rc == RW_E_SEQUENCE)
        world_fail(w, "producer %lld: sequence %d at offset %lld was refused: %s",
                   (long long)e->pid, e->sequence, (long long)e->first, info->why);
    if (!rc && (info->first_offset != e->first || info->last_offset != e->last || info->duplicate))
        world_fail(w, "append at %lld answered %lld..%lld%s", (long long)e->first,
                   (long long)info->first_offset, (long long)info->last_offset,
                   info->duplicate ? " as a duplicate" : "");
}

static int append(struct world *w)
{
    struct rw_append all[WORLD_TOGETHER], *list[WORLD_TOGETHER];
    struct rw_buf bytes[WORLD_TOGETHER];
    struct entry e[WORLD_TOGETHER];
    size_t n = w->together ? 1 + (size_t)below(w, WORLD_TOGETHER) : 1;
    const struct rw_append_args args = {.leader_epoch = w->epoch,
                                        .as_leader = true,
                                        .allow_zstd = true,
                                        .now_ms = rw_wall_ms(w->e.env.clock)};
    for (size_t i = 0; i < n; i++) {
        e[i] = draw(w, i ? e[i - 1].last + 1 : rw_log_end(w->log), &bytes[i]);
        all[i] = (struct rw_append){.bytes = bytes[i].p, .n = bytes[i].n, .args = args};
        list[i] = &all[i];
    }
    rw_log_append_all(w->log, list, n);
    size_t good = n; /* the first that the disk failed */
    for (size_t i = 0; i < n; i++) {
        rw_buf_deinit(&bytes[i]);
        judge(w, &e[i], all[i].code, &all[i].info);
        if (all[i].code && good == n)
            good = i;
        if (good < n && all[i].code != all[good].code)
            world_fail(w, "%s for one of %zu that came together, %s for a later one",
                       rw_code_name(all[good].code), n, rw_code_name(all[i].code));
    }
    if (good == n)
        return w->flush_each ? flush(w) : RW_OK;
    if (all[good].code != RW_E_FULL)
        return all[good].code;
    world_model_truncate(w, e[good].first); /* refused: promised not to be there */
    return rw_log_end(w->log) == e[good].first ? RW_OK : RW_E_FULL;
}

/* A batch boundary, usually near the end. */
static int64_t some_boundary(struct world *w)
{
    if (w->m.n == 0)
        return rw_log_end(w->log);
    uint64_t back = below(w, below(w, 3) ? 5 : 60);
    size_t i = back < w->m.n ? w->m.n - 1 - (size_t)back : 0;
    int64_t at = w->m.entries[i].first;
    return at < rw_log_start(w->log) ? rw_log_start(w->log) : at;
}

static int truncate_log(struct world *w)
{
    int64_t at = some_boundary(w);
    if (w->m.promised > at)
        w->m.promised = at;
    if (w->m.cut_least < 0 || at < w->m.cut_least)
        w->m.cut_least = at;
    int rc = rw_log_truncate(w->log, at);
    if (rc)
        return rc;
    world_model_truncate(w, at);
    w->m.cut_least = -1;
    if (rw_log_end(w->log) != at)
        world_fail(w, "truncated to %lld, but the end is %lld", (long long)at,
                   (long long)rw_log_end(w->log));
    /* As the broker does: the recovery point must not lie above the end when writing goes on. */
    return checkpoint(w);
}

static int trim(struct world *w)
{
    int64_t at = some_boundary(w);
    if (at > w->m.promised)
        at = w->m.promised; /* the high watermark bounds DeleteRecords */
    if (at < rw_log_start(w->log))
        return RW_OK;
    if (at > w->m.start_most)
        w->m.start_most = at;
    int rc = rw_log_trim(w->log, at);
    return rc ? rc : checkpoint(w);
}

static int retain(struct world *w)
{
    int deleted = 0;
    if (w->m.promised > w->m.start_most)
        w->m.start_most = w->m.promised;
    int rc = rw_log_retain(w->log, rw_wall_ms(w->e.env.clock), w->m.promised, &deleted);
    return rc;
}

static int reopen_clean(struct world *w)
{
    /* Closing cleanly flushes, but only a success promises anything. */
    int64_t end = rw_log_end(w->log);
    int rc = world_close(w, true);
    if (rc)
        return rc;
    if (end > w->m.promised)
        w->m.promised = end;
    rc = world_open(w);
    if (!rc && rw_log_end(w->log) != end)
        world_fail(w, "closed cleanly at %lld, opened at %lld", (long long)end,
                   (long long)rw_log_end(w->log));
    return rc;
}

int world_step(struct world *w)
{
    uint64_t dice = below(w, 100);
    if (dice < 66)
        return append(w);
    if (dice < 80)
        return flush(w);
    if (dice < 85)
        return checkpoint(w);
    if (dice < 87)
        return rw_log_roll(w->log);
    if (dice < 90)
        return truncate_log(w);
    if (dice < 92)
        return trim(w);
    if (dice < 94)
        return retain(w);
    if (dice < 97) {
        w->epoch += (int32_t)below(w, 2);
        rw_sim_clock_advance(&w->e.clock, (int64_t)below(w, 100) * 1000000);
        w->last_ts = rw_wall_ms(w->e.env.clock);
        rw_log_unlink_deleted(w->log, rw_wall_ms(w->e.env.clock));
        return RW_OK;
    }
    return reopen_clean(w);
}
