/*
 * What the two indexes share: a file of equal-sized ascending entries with a tail in memory, and the
 * search in it. Invariants: entries [0, file_n) lie in the file and never change; the tail continues
 * them; the map, once made, is as long as the index was meant to become. Entries beyond it (an index
 * that was rebuilt under a smaller limit) are not looked up: the index is sparse.
 *
 * The search interpolates: relative offsets and positions grow evenly in real logs, so that the first
 * guess is nearly always within a few entries; a bisection bounds the worst case.
 */
#include "log/index.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

#define INTERPOLATIONS 4 /* guesses before falling back to bisection */

void rw_index_init(struct rw_index *x, uint32_t entry_size, uint64_t bytes_max)
{
    uint64_t max = bytes_max / entry_size;
    *x = (struct rw_index){
        .entry_size = entry_size,
        .max = (uint32_t)(max > INT32_MAX / entry_size ? INT32_MAX / entry_size : max)};
}

void rw_index_attach(struct rw_index *x, struct rw_file *file, uint32_t n, bool may_map)
{
    x->file = file;
    x->file_n = n;
    x->map_refused = !may_map;
    if (x->max < n)
        x->max = n;
}

void rw_index_deinit(struct rw_index *x)
{
    if (x->map)
        x->file->ops->unmap(x->file, x->map, x->map_size);
    rw_file_close(x->file);
    rw_free(x->tail);
    *x = (struct rw_index){.entry_size = x->entry_size};
}

uint32_t rw_index_spill(struct rw_index *x)
{
    if (!x->tail_n || !x->file)
        return 0;
    uint64_t at = (uint64_t)x->file_n * x->entry_size;
    if (rw_file_write_at(x->file, at, x->tail, (size_t)x->tail_n * x->entry_size) == RW_OK)
        return x->tail_n;
    /* A piece of the tail may be there; when it can not be cut off, validation at the next open or
     * the next spill, which writes to the same place, deals with it. */
    (void)x->file->ops->truncate(x->file, at);
    return 0;
}

void rw_index_spilled(struct rw_index *x, uint32_t n)
{
    x->file_n += n;
    x->tail_n = 0;
    if (!x->map && x->max < x->file_n)
        x->max = x->file_n;
}

int rw_index_add(struct rw_index *x, const uint8_t *entry)
{
    RW_ASSERT(x->tail_n < RW_INDEX_TAIL);
    if (!x->tail) {
        x->tail = rw_alloc_array(RW_INDEX_TAIL, x->entry_size);
        if (!x->tail)
            return RW_E_NOMEM;
    }
    memcpy(x->tail + (size_t)x->tail_n * x->entry_size, entry, x->entry_size);
    x->tail_n++;
    return RW_OK;
}

void rw_index_view(struct rw_index *x, struct rw_index_view *ret_view)
{
    if (!x->map && !x->map_refused && x->file && x->file_n) {
        size_t size = (size_t)x->max * x->entry_size;
        const void *p = NULL;
        if (x->file->ops->map(x->file, size, &p) == RW_OK) {
            x->map = p;
            x->map_size = size;
        } else {
            x->map_refused = true;
        }
    }
    uint32_t n = x->file_n;
    if (x->map && n > x->map_size / x->entry_size)
        n = (uint32_t)(x->map_size / x->entry_size);
    *ret_view = (struct rw_index_view){x->map, x->file, x->entry_size, n};
}

bool rw_index_view_entry(const struct rw_index_view *v, uint32_t i, uint8_t *ret_entry)
{
    if (v->map) {
        memcpy(ret_entry, v->map + (size_t)i * v->entry_size, v->entry_size);
        return true;
    }
    size_t got = 0;
    return v->file &&
           rw_file_read_at(v->file, (uint64_t)i * v->entry_size, ret_entry, v->entry_size, &got) ==
               RW_OK &&
           got == v->entry_size;
}

bool rw_index_last(const struct rw_index *x, uint8_t *ret_entry)
{
    if (x->tail_n) {
        memcpy(ret_entry, x->tail + (size_t)(x->tail_n - 1) * x->entry_size, x->entry_size);
        return true;
    }
    /* Not through the map, which may be shorter. */
    const struct rw_index_view v = {NULL, x->file, x->entry_size, x->file_n};
    return x->file_n && rw_index_view_entry(&v, x->file_n - 1, ret_entry);
}

bool rw_index_tail_find(const struct rw_index *x, struct rw_index_field field, int64_t value,
                        uint8_t *ret_entry)
{
    uint32_t lo = 0, hi = x->tail_n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (rw_index_load(x->tail + (size_t)mid * x->entry_size, field) <= value)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo)
        return false;
    memcpy(ret_entry, x->tail + (size_t)(lo - 1) * x->entry_size, x->entry_size);
    return true;
}

static bool load_at(const struct rw_index_view *v, struct rw_index_field field, uint32_t i,
                    int64_t *ret_value)
{
    uint8_t entry[RW_TIME_ENTRY_SIZE];
    if (v->map) {
        *ret_value = rw_index_load(v->map + (size_t)i * v->entry_size, field);
        return true;
    }
    if (!rw_index_view_entry(v, i, entry))
        return false;
    *ret_value = rw_index_load(entry, field);
    return true;
}

/* Where value would be between two known entries, if they were evenly spaced; within (lo, hi). */
static uint32_t guess(uint32_t lo, uint32_t hi, int64_t at_lo, int64_t at_hi, int64_t value)
{
    if (at_hi <= at_lo)
        return lo + (hi - lo) / 2;
    double share = ((double)value - (double)at_lo) / ((double)at_hi - (double)at_lo);
    uint32_t g = lo + (uint32_t)(share * (double)(hi - lo));
    if (g <= lo)
        g = lo + 1;
    return g >= hi ? hi - 1 : g;
}

bool rw_index_view_find(const struct rw_index_view *v, struct rw_index_field field, int64_t value,
                        uint8_t *ret_entry)
{
    if (!v->n)
        return false;
    uint32_t lo = 0, hi = v->n - 1; /* invariant: entry lo <= value, entry hi > value */
    int64_t at_lo, at_hi;
    if (!load_at(v, field, lo, &at_lo) || !load_at(v, field, hi, &at_hi) || at_lo > value)
        return false;
    if (at_hi <= value)
        return rw_index_view_entry(v, hi, ret_entry);
    for (int round = 0; hi - lo > 1; round++) {
        uint32_t mid =
            round < INTERPOLATIONS ? guess(lo, hi, at_lo, at_hi, value) : lo + (hi - lo) / 2;
        int64_t at_mid;
        if (!load_at(v, field, mid, &at_mid))
            return false;
        if (at_mid <= value) {
            lo = mid;
            at_lo = at_mid;
        } else {
            hi = mid;
            at_hi = at_mid;
        }
    }
    return rw_index_view_entry(v, lo, ret_entry);
}
