/*
 * Which dead letters were replayed: a text file, replaced as a whole, with the offsets of each partition as ranges.
 *
 *   rollway dlq replay 1
 *   <partition> <first offset> <last offset>
 *
 * Beside it "<file>.lock" is held, so that two commands do not send the same letters.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "cli/dead_letter.h"
#include "log/checkpoint.h"
#include "os/os.h"

#define HEAD "rollway dlq replay 1\n"

/* The first range that ends at or behind the offset, or comes after. */
static size_t place_of(const struct rw_dead_progress *p, int32_t partition, int64_t offset)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct rw_dead_range *r = &p->at[mid];
        if (r->partition < partition || (r->partition == partition && r->to < offset))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool rw_dead_progress_has(const struct rw_dead_progress *p, int32_t partition, int64_t offset)
{
    size_t i = place_of(p, partition, offset);
    return i < p->n && p->at[i].partition == partition && p->at[i].from <= offset;
}

static int insert(struct rw_dead_progress *p, size_t i, struct rw_dead_range range)
{
    struct rw_dead_range *at = rw_array_grow(p->at, p->n, &p->cap, sizeof(*at));
    if (!at)
        return RW_E_NOMEM;
    p->at = at;
    memmove(at + i + 1, at + i, (p->n - i) * sizeof(*at));
    at[i] = range;
    p->n++;
    return RW_OK;
}

int rw_dead_progress_add(struct rw_dead_progress *p, int32_t partition, int64_t offset)
{
    size_t i = place_of(p, partition, offset);
    if (rw_dead_progress_has(p, partition, offset))
        return RW_OK;
    bool before = i > 0 && p->at[i - 1].partition == partition && p->at[i - 1].to == offset - 1;
    bool after = i < p->n && p->at[i].partition == partition && p->at[i].from == offset + 1;
    if (before && after) {
        p->at[i - 1].to = p->at[i].to;
        memmove(p->at + i, p->at + i + 1, (p->n - i - 1) * sizeof(*p->at));
        p->n--;
    } else if (before) {
        p->at[i - 1].to = offset;
    } else if (after) {
        p->at[i].from = offset;
    } else {
        return insert(p, i, (struct rw_dead_range){partition, offset, offset});
    }
    return RW_OK;
}

int64_t rw_dead_progress_until(const struct rw_dead_progress *p, int32_t partition, int64_t start)
{
    size_t i = place_of(p, partition, start);
    bool has = i < p->n && p->at[i].partition == partition && p->at[i].from <= start;
    return has ? p->at[i].to + 1 : start;
}

/* Sorted and apart, as it was written: anything else is somebody else's file. */
static int parse(struct rw_dead_progress *p, struct rw_buf *text)
{
    const char *at = rw_buf_cstr(text);
    if (strncmp(at, HEAD, sizeof(HEAD) - 1) != 0)
        return RW_E_CORRUPT;
    for (at += sizeof(HEAD) - 1; *at;) {
        struct rw_dead_range r;
        int used = 0;
        if (sscanf(at, "%" SCNd32 " %" SCNd64 " %" SCNd64 "%n", &r.partition, &r.from, &r.to,
                   &used) != 3 ||
            at[used] != '\n' || r.partition < 0 || r.from < 0 || r.to < r.from || r.to == INT64_MAX)
            return RW_E_CORRUPT;
        const struct rw_dead_range *last = p->n ? &p->at[p->n - 1] : NULL;
        if (last && (r.partition < last->partition ||
                     (r.partition == last->partition && r.from <= last->to)))
            return RW_E_CORRUPT;
        int rc = insert(p, p->n, r);
        if (rc)
            return rc;
        at += used + 1;
    }
    return RW_OK;
}

int rw_dead_progress_open(struct rw_dead_progress *p, const char *path)
{
    const struct rw_env *env = rw_os_env();
    struct rw_buf text;
    struct rw_path lock;
    *p = (struct rw_dead_progress){.n = 0};
    if (snprintf(p->path, sizeof(p->path), "%s", path) >= (int)sizeof(p->path) ||
        snprintf(lock.s, sizeof(lock.s), "%s.lock", path) >= (int)sizeof(lock.s))
        return RW_E_TOO_BIG;
    int rc = rw_vfs_open(env->vfs, lock.s, RW_OPEN_WRITE | RW_OPEN_CREATE, &p->lock);
    if (!rc)
        rc = p->lock->ops->lock(p->lock);
    rw_buf_init(&text);
    if (!rc) {
        rc = rw_file_load(env, path, &text);
        rc = rc == RW_E_NOT_FOUND ? RW_OK : rc ? rc : parse(p, &text);
    }
    rw_buf_deinit(&text);
    if (rc)
        rw_dead_progress_close(p);
    return rc;
}

int rw_dead_progress_save(struct rw_dead_progress *p)
{
    struct rw_buf text;
    rw_buf_init(&text);
    rw_buf_add_str(&text, HEAD);
    for (size_t i = 0; i < p->n; i++)
        rw_buf_printf(&text, "%" PRId32 " %" PRId64 " %" PRId64 "\n", p->at[i].partition,
                      p->at[i].from, p->at[i].to);
    int rc = text.failed ? RW_E_NOMEM : rw_file_replace(rw_os_env(), p->path, text.p, text.n, true);
    rw_buf_deinit(&text);
    return rc;
}

void rw_dead_progress_close(struct rw_dead_progress *p)
{
    rw_file_close(p->lock);
    rw_free(p->at);
    p->lock = NULL;
    p->at = NULL;
    p->n = p->cap = 0;
}
