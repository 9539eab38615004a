/*
 * The leader epoch cache. Invariant: epochs and start offsets ascend strictly, except that two epochs
 * may never share a start (the later one replaces the earlier, which has no records).
 */
#include "log/epochs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "log/checkpoint.h"

void rw_epochs_init(struct rw_epochs *e)
{
    *e = (struct rw_epochs){.unsaved = INT64_MAX};
}

void rw_epochs_deinit(struct rw_epochs *e)
{
    rw_free(e->at);
    rw_epochs_init(e);
}

int rw_epochs_reserve(struct rw_epochs *e, size_t n)
{
    if (rw_epochs_room(e) >= n)
        return RW_OK;
    size_t cap = e->cap ? e->cap : 8;
    while (cap - e->n < n)
        cap *= 2;
    struct rw_epoch *at = rw_realloc_array(e->at, cap, sizeof(*at));
    if (!at)
        return RW_E_NOMEM;
    e->at = at;
    e->cap = cap;
    return RW_OK;
}

static void changed(struct rw_epochs *e, int64_t from)
{
    e->dirty = true;
    if (from < e->unsaved)
        e->unsaved = from;
}

void rw_epochs_assign(struct rw_epochs *e, int32_t epoch, int64_t offset)
{
    if (epoch < 0)
        return;
    if (e->n && e->at[e->n - 1].epoch == epoch && e->at[e->n - 1].start <= offset)
        return;
    while (e->n && (e->at[e->n - 1].epoch >= epoch || e->at[e->n - 1].start >= offset))
        changed(e, e->at[--e->n].start);
    RW_ASSERT(e->n < e->cap);
    e->at[e->n++] = (struct rw_epoch){epoch, offset};
    changed(e, offset);
}

void rw_epochs_clear(struct rw_epochs *e)
{
    e->n = 0;
    changed(e, 0);
}

/* From `end` on, not from the entries: what the file still says of them is found to be wrong only by who
 * recovers from there. */
void rw_epochs_truncate_end(struct rw_epochs *e, int64_t end)
{
    while (e->n && e->at[e->n - 1].start >= end) {
        e->n--;
        changed(e, end);
    }
}

void rw_epochs_truncate_start(struct rw_epochs *e, int64_t start)
{
    size_t drop = 0;
    while (drop + 1 < e->n && e->at[drop + 1].start <= start)
        drop++;
    if (drop) {
        memmove(e->at, e->at + drop, (e->n - drop) * sizeof(*e->at));
        e->n -= drop;
        e->dirty = true;
    }
    if (e->n && e->at[0].start < start) {
        e->at[0].start = start;
        e->dirty = true;
    }
}

void rw_epochs_end_of(const struct rw_epochs *e, int32_t epoch, int64_t log_end, int32_t *ret_epoch,
                      int64_t *ret_end)
{
    *ret_epoch = -1;
    *ret_end = -1;
    if (epoch < 0 || !e->n || epoch > rw_epochs_latest(e))
        return;
    if (epoch == rw_epochs_latest(e)) {
        *ret_epoch = epoch;
        *ret_end = log_end;
        return;
    }
    size_t higher = 0;
    while (e->at[higher].epoch <= epoch)
        higher++;
    *ret_epoch = higher ? e->at[higher - 1].epoch : epoch;
    *ret_end = e->at[higher].start;
}

void rw_epochs_format(const struct rw_epochs *e, struct rw_buf *out)
{
    rw_buf_printf(out, "0\n%zu\n", e->n);
    for (size_t i = 0; i < e->n; i++)
        rw_buf_printf(out, "%" PRId32 " %" PRId64 "\n", e->at[i].epoch, e->at[i].start);
}

static int parse_line(void *arg, char *line)
{
    struct rw_epochs *e = arg;
    char *end;
    long long epoch = strtoll(line, &end, 10);
    if (end == line || *end != ' ' || epoch < 0 || epoch > INT32_MAX)
        return RW_E_CORRUPT;
    char *second = end + 1;
    long long start = strtoll(second, &end, 10);
    if (end == second || *end || start < 0)
        return RW_E_CORRUPT;
    if (e->n && (e->at[e->n - 1].epoch >= epoch || e->at[e->n - 1].start >= start))
        return RW_E_CORRUPT;
    int rc = rw_epochs_reserve(e, 1);
    if (rc)
        return rc;
    e->at[e->n++] = (struct rw_epoch){(int32_t)epoch, start};
    return RW_OK;
}

int rw_epochs_parse(struct rw_epochs *e, const char *text, size_t n)
{
    e->n = 0;
    int rc = rw_checkpoint_parse(text, n, parse_line, e);
    if (rc)
        e->n = 0;
    e->dirty = false;
    return rc;
}
