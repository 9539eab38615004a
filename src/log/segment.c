/*
 * The life of one segment's files. Does not know about its neighbours, nor when to roll or delete.
 */
#include "log/segment.h"

#include "base/assert.h"
#include "base/mem.h"
#include "log/checkpoint.h"
#include "log/path.h"
#include "log/scan.h"

#define SAMPLES 8 /* index entries looked at when an index is opened */
/* How much of the log is looked at for the last time entry: at one place, and in pieces of. */
#define TIMES_LOOK  (256u << 10)
#define TIMES_CHUNK (8u << 10)

static int segment_new(const struct rw_env *env, int64_t base, const struct rw_log_config *config,
                       struct rw_segment **ret_segment)
{
    struct rw_segment *s = rw_zalloc(sizeof(*s));
    if (!s)
        return RW_E_NOMEM;
    s->env = env;
    atomic_init(&s->refs, 1);
    s->base = base;
    s->max_timestamp = s->max_timestamp_offset = s->first_timestamp = s->noted_timestamp = -1;
    s->created_ms = rw_wall_ms(env->clock);
    if (config->segment_jitter_ms > 0)
        s->jitter_ms = (int64_t)(rw_rand_u64(env->rand) % (uint64_t)config->segment_jitter_ms);
    rw_index_init(&s->offsets, RW_OFFSET_ENTRY_SIZE, (uint64_t)config->index_bytes_max);
    rw_index_init(&s->times, RW_TIME_ENTRY_SIZE, (uint64_t)config->index_bytes_max);
    *ret_segment = s;
    return RW_OK;
}

static int open_log_file(struct rw_segment *s, const char *dir, unsigned flags)
{
    struct rw_path path;
    int rc = rw_path_of(&path, dir, s->base, RW_SUFFIX_LOG, NULL);
    if (!rc)
        rc = rw_vfs_open(s->env->vfs, path.s, flags, &s->file);
    return rc;
}

int rw_segment_file_id(const struct rw_env *env, const char *dir, int64_t base, uint64_t *ret_id)
{
    struct rw_path path;
    struct rw_stat st;
    int rc = rw_path_of(&path, dir, base, RW_SUFFIX_LOG, NULL);
    if (!rc)
        rc = env->vfs->ops->stat(env->vfs, path.s, &st);
    if (!rc)
        *ret_id = st.id;
    return rc;
}

int rw_segment_create(const struct rw_env *env, const char *dir, int64_t base,
                      const struct rw_log_config *config, struct rw_segment **ret_segment)
{
    struct rw_segment *s;
    int rc = segment_new(env, base, config, &s);
    if (rc)
        return rc;
    rc = open_log_file(s, dir, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC);
    if (rc) {
        rw_segment_unref(s);
        return rc;
    }
    rw_segment_new_indexes(s, dir, config);
    *ret_segment = s;
    return RW_OK;
}

int rw_segment_open(const struct rw_env *env, const char *dir, int64_t base,
                    const struct rw_log_config *config, bool read_only,
                    struct rw_segment **ret_segment)
{
    struct rw_segment *s;
    int rc = segment_new(env, base, config, &s);
    if (rc)
        return rc;
    /* Before the file is opened: should it be replaced in between, it looks replaced later. */
    if (read_only)
        rc = rw_segment_file_id(env, dir, base, &s->file_id);
    if (!rc)
        rc = open_log_file(s, dir, read_only ? RW_OPEN_READ : RW_OPEN_WRITE);
    if (!rc)
        rc = s->file->ops->size(s->file, &s->size);
    if (rc) {
        rw_segment_unref(s);
        return rc;
    }
    s->synced = s->size;
    s->reserved = s->file_end = s->size;
    *ret_segment = s;
    return RW_OK;
}

void rw_segment_ref(struct rw_segment *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

void rw_segment_unref(struct rw_segment *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    rw_index_deinit(&s->offsets);
    rw_index_deinit(&s->times);
    rw_file_close(s->file);
    rw_free(s);
}

/* Opens one index file and hands it over when its size is a whole number of entries. */
static struct rw_file *open_index(struct rw_segment *s, const char *dir, const char *suffix,
                                  bool read_only, uint32_t entry_size, uint32_t *ret_n)
{
    struct rw_path path;
    struct rw_file *f;
    uint64_t size;
    if (rw_path_of(&path, dir, s->base, suffix, NULL) ||
        rw_vfs_open(s->env->vfs, path.s, read_only ? RW_OPEN_READ : RW_OPEN_WRITE, &f))
        return NULL;
    if (f->ops->size(f, &size) || size % entry_size || size > INT32_MAX) {
        rw_file_close(f);
        return NULL;
    }
    *ret_n = (uint32_t)(size / entry_size);
    return f;
}

/* Evenly spaced entries, always with the first and the last, into `ret`. Returns how many. */
static uint32_t sample(const struct rw_index_view *v, uint8_t *ret)
{
    uint32_t n = v->n < SAMPLES ? v->n : SAMPLES;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = n < 2 ? 0 : (uint32_t)((uint64_t)i * (v->n - 1) / (n - 1));
        if (!rw_index_view_entry(v, at, ret + (size_t)i * v->entry_size))
            return 0;
    }
    return n;
}

static bool offsets_look_right(const struct rw_segment *s, const struct rw_index_view *v,
                               int64_t end)
{
    uint8_t got[SAMPLES * RW_OFFSET_ENTRY_SIZE];
    if (!v->n)
        return true;
    uint32_t n = sample(v, got);
    if (!n || rw_offset_index_valid(got, n, s->size) != n)
        return false;
    for (uint32_t i = 0; i<n; i += n> 2 ? n / 2 : 1) {
        struct rw_offset_entry e = rw_offset_entry_decode(got + (size_t)i * RW_OFFSET_ENTRY_SIZE);
        if (!rw_offset_entry_is_true(e, s->base, s->file, s->size))
            return false;
    }
    struct rw_offset_entry last =
        rw_offset_entry_decode(got + (size_t)(n - 1) * RW_OFFSET_ENTRY_SIZE);
    return s->base + last.relative < end &&
           rw_offset_entry_is_true(last, s->base, s->file, s->size);
}

/* Walks to the batch that the last time entry names. 1: there. 0: it is further than one looks. */
static int walk_to_newest(struct rw_scan *scan, int64_t offset)
{
    const uint64_t stop = scan->next + TIMES_LOOK;
    int rc;
    while ((rc = rw_scan_next(scan)) == 1 && rw_batch_last_offset(&scan->batch) < offset)
        if (scan->next >= stop)
            return 0;
    return rc ? rc : RW_E_CORRUPT;
}

/* Walks on while no batch is newer than ts. False: one is. Damage ends the walk and is told elsewhere. */
static bool none_is_newer(struct rw_scan *scan, int64_t ts)
{
    const uint64_t stop = scan->next + TIMES_LOOK;
    while (scan->next < stop && rw_scan_next(scan) == 1)
        if (scan->batch.max_timestamp > ts)
            return false;
    return true;
}

/*
 * The last time entry says what the largest timestamp of the segment is, and searches believe it: it is
 * compared with the batch that it names, and that one with what lies behind it and at the end of the
 * segment, as far as a look is cheap. So it is found out when the entry is damaged or others behind it are
 * missing, but for segments whose largest timestamp lies before an end without large ones: those stay
 * `times_trusted`. `growing`: the entries of a writer in another process come late.
 */
static bool last_time_is_true(struct rw_segment *s, const struct rw_index_view *offsets,
                              struct rw_time_entry last, int64_t end, bool growing)
{
    uint8_t room[TIMES_CHUNK], bytes[RW_OFFSET_ENTRY_SIZE];
    const int64_t offset = s->base + last.relative;
    struct rw_scan scan;
    uint64_t at = 0;
    if (rw_index_view_find(offsets, RW_OFFSET_FIELD, last.relative, bytes))
        at = (uint64_t)rw_offset_entry_decode(bytes).position;
    rw_scan_init(&scan, s->file, at, s->size, room, sizeof(room));
    rw_scan_expect(&scan, s->base, end, false);
    int rc = walk_to_newest(&scan, offset);
    bool right = rc == 0 || (rc == 1 && scan.batch.base_offset <= offset &&
                             scan.batch.max_timestamp == last.timestamp);
    if (right && rc == 1 && !growing)
        right = none_is_newer(&scan, last.timestamp);
    s->times_trusted = scan.next != s->size;
    if (right && s->times_trusted && !growing && offsets->n &&
        rw_index_view_entry(offsets, offsets->n - 1, bytes)) {
        scan.next = (uint64_t)rw_offset_entry_decode(bytes).position;
        scan.offset = s->base;
        scan.has_batch = false;
        right = none_is_newer(&scan, last.timestamp);
    }
    rw_scan_deinit(&scan);
    return right;
}

static bool times_look_right(struct rw_segment *s, const struct rw_index_view *v,
                             const struct rw_index_view *offsets, int64_t end, bool growing)
{
    uint8_t got[SAMPLES * RW_TIME_ENTRY_SIZE];
    /* No entry means no timestamps, which is so rare that a look at the batches can be afforded. */
    if (!v->n)
        return s->size == 0;
    uint32_t n = sample(v, got);
    if (!n || rw_time_index_valid(got, n, end - s->base) != n)
        return false;
    struct rw_time_entry last = rw_time_entry_decode(got + (size_t)(n - 1) * RW_TIME_ENTRY_SIZE);
    s->max_timestamp = s->noted_timestamp = last.timestamp;
    s->max_timestamp_offset = s->base + last.relative;
    return last_time_is_true(s, offsets, last, end, growing);
}

bool rw_segment_load_indexes(struct rw_segment *s, const char *dir, bool read_only, int64_t end)
{
    uint32_t offsets_n = 0, times_n = 0;
    struct rw_file *offsets =
        open_index(s, dir, RW_SUFFIX_INDEX, read_only, RW_OFFSET_ENTRY_SIZE, &offsets_n);
    struct rw_file *times =
        open_index(s, dir, RW_SUFFIX_TIMEINDEX, read_only, RW_TIME_ENTRY_SIZE, &times_n);
    const struct rw_index_view v = {NULL, offsets, RW_OFFSET_ENTRY_SIZE, offsets_n};
    const struct rw_index_view t = {NULL, times, RW_TIME_ENTRY_SIZE, times_n};
    const bool growing = read_only && end == INT64_MAX;
    if (!offsets || !times || !offsets_look_right(s, &v, end) ||
        !times_look_right(s, &t, &v, end, growing)) {
        rw_file_close(offsets);
        rw_file_close(times);
        s->max_timestamp = s->max_timestamp_offset = s->noted_timestamp = -1;
        s->times_trusted = false;
        return false;
    }
    /* Beside a writer in another process a map would not be safe: it may cut or replace the file. */
    rw_index_attach(&s->offsets, offsets, offsets_n, !read_only);
    rw_index_attach(&s->times, times, times_n, !read_only);
    uint8_t last[RW_OFFSET_ENTRY_SIZE];
    if (rw_index_last(&s->offsets, last))
        s->indexed_at = (uint64_t)rw_offset_entry_decode(last).position;
    return true;
}

static struct rw_file *create_index(struct rw_segment *s, const char *dir, const char *suffix,
                                    const char *aside)
{
    struct rw_path path;
    struct rw_file *f;
    if (rw_path_of(&path, dir, s->base, suffix, aside) || rw_file_remove(s->env, path.s) ||
        rw_vfs_open(s->env->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC, &f)) {
        rw_diag(s->env->diag, RW_WARN, "log", "no index file: reads will scan",
                rw_kv_str("dir", dir), rw_kv_int("segment", s->base), rw_kv_str("file", suffix));
        return NULL;
    }
    return f;
}

static void new_indexes(struct rw_segment *s, const char *dir, const struct rw_log_config *config,
                        const char *aside)
{
    rw_index_deinit(&s->offsets);
    rw_index_deinit(&s->times);
    rw_index_init(&s->offsets, RW_OFFSET_ENTRY_SIZE, (uint64_t)config->index_bytes_max);
    rw_index_init(&s->times, RW_TIME_ENTRY_SIZE, (uint64_t)config->index_bytes_max);
    rw_index_attach(&s->offsets, create_index(s, dir, RW_SUFFIX_INDEX, aside), 0, true);
    rw_index_attach(&s->times, create_index(s, dir, RW_SUFFIX_TIMEINDEX, aside), 0, true);
    s->indexed_at = 0;
    s->max_timestamp = s->max_timestamp_offset = s->first_timestamp = s->noted_timestamp = -1;
    s->times_trusted = false;
}

void rw_segment_new_indexes(struct rw_segment *s, const char *dir,
                            const struct rw_log_config *config)
{
    new_indexes(s, dir, config, NULL);
}

void rw_segment_new_indexes_aside(struct rw_segment *s, const char *dir,
                                  const struct rw_log_config *config)
{
    new_indexes(s, dir, config, RW_SUFFIX_TMP);
}

static int place_index(struct rw_segment *s, const char *dir, const char *suffix, bool whole)
{
    struct rw_path from, to;
    int rc = rw_path_of(&from, dir, s->base, suffix, RW_SUFFIX_TMP);
    if (!rc)
        rc = rw_path_of(&to, dir, s->base, suffix, NULL);
    if (rc)
        return rc;
    return whole ? s->env->vfs->ops->rename(s->env->vfs, from.s, to.s)
                 : rw_file_remove(s->env, from.s);
}

int rw_segment_place_indexes(struct rw_segment *s, const char *dir, bool whole)
{
    int rc = whole ? rw_segment_sync_indexes(s) : RW_OK;
    if (!rc)
        rc = place_index(s, dir, RW_SUFFIX_INDEX, whole);
    return rc ? rc : place_index(s, dir, RW_SUFFIX_TIMEINDEX, whole);
}

static void add_time_entry(struct rw_segment *s)
{
    uint8_t bytes[RW_TIME_ENTRY_SIZE];
    if (s->max_timestamp < 0 || s->times.tail_n == RW_INDEX_TAIL)
        return;
    if (s->noted_timestamp >= s->max_timestamp)
        return;
    rw_time_entry_encode(
        (struct rw_time_entry){s->max_timestamp, (int32_t)(s->max_timestamp_offset - s->base)},
        bytes);
    /* Out of memory: one entry less in a sparse index. */
    if (rw_index_add(&s->times, bytes) == RW_OK)
        s->noted_timestamp = s->max_timestamp;
}

void rw_segment_note(struct rw_segment *s, const struct rw_batch *batch, uint64_t at,
                     int64_t index_interval)
{
    int64_t last = rw_batch_last_offset(batch);
    if (at == 0)
        s->first_timestamp = batch->max_timestamp;
    if (batch->max_timestamp > s->max_timestamp) {
        s->max_timestamp = batch->max_timestamp;
        s->max_timestamp_offset = last;
    }
    if ((int64_t)(at - s->indexed_at) <= index_interval || rw_segment_tails_full(s))
        return;
    uint8_t bytes[RW_OFFSET_ENTRY_SIZE];
    rw_offset_entry_encode((struct rw_offset_entry){(int32_t)(last - s->base), (int32_t)at}, bytes);
    (void)rw_index_add(&s->offsets, bytes);
    add_time_entry(s);
    s->indexed_at = at;
}

void rw_segment_note_end(struct rw_segment *s)
{
    add_time_entry(s);
}

static const char *const segment_suffixes[] = {RW_SUFFIX_LOG, RW_SUFFIX_INDEX, RW_SUFFIX_TIMEINDEX,
                                               RW_SUFFIX_TXNINDEX};

int rw_segment_rename_deleted(const struct rw_env *env, const char *dir, int64_t base)
{
    /* The .log file goes last: until then a crash leaves a segment that only lacks its indexes. */
    for (size_t i = RW_COUNT(segment_suffixes); i-- > 0;) {
        struct rw_path from, to;
        int rc = rw_path_of(&from, dir, base, segment_suffixes[i], NULL);
        if (!rc)
            rc = rw_path_of(&to, dir, base, segment_suffixes[i], RW_SUFFIX_DELETED);
        if (!rc)
            rc = env->vfs->ops->rename(env->vfs, from.s, to.s);
        /* On a disk that is full to the last block there is no room for a longer name. Whoever reads
         * the file has it open and does not need the name. */
        if (rc == RW_E_FULL)
            rc = env->vfs->ops->unlink(env->vfs, from.s);
        if (rc && !(rc == RW_E_NOT_FOUND && i > 0))
            return rc;
    }
    return RW_OK;
}

int rw_segment_unlink_deleted(const struct rw_env *env, const char *dir, int64_t base)
{
    int first = RW_OK;
    for (size_t i = 0; i < RW_COUNT(segment_suffixes); i++) {
        struct rw_path path;
        int rc = rw_path_of(&path, dir, base, segment_suffixes[i], RW_SUFFIX_DELETED);
        if (!rc)
            rc = rw_file_remove(env, path.s);
        if (rc && !first)
            first = rc;
    }
    return first;
}

int rw_segment_sync_indexes(struct rw_segment *s)
{
    struct rw_file *offsets = s->offsets.file, *times = s->times.file;
    int rc = offsets ? offsets->ops->sync_data(offsets) : RW_OK;
    return !rc && times ? times->ops->sync_data(times) : rc;
}
