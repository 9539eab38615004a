/*
 * The sparse indexes of a segment.
 *
 *   .index      8-byte entries:  int32 relative offset, int32 position      (index_offset.c)
 *   .timeindex  12-byte entries: int64 timestamp, int32 relative offset     (index_time.c)
 *
 * Both are ascending in both of their fields. New entries gather in a tail in memory; a full tail is
 * written to the file in one piece. So an append dirties no page of an index, a full disk costs
 * entries but never a signal, and the file only ever grows: whoever must shorten an index replaces
 * the file (rw_index_create), so that a map of the old one stays valid.
 *
 * Locking: the owner of the log's mutex calls what is marked [L]; the one writer calls [W] without
 * it. A view is used without the mutex while the segment is referenced.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/code.h"
#include "env/env.h"

#define RW_INDEX_TAIL        512
#define RW_OFFSET_ENTRY_SIZE 8
#define RW_TIME_ENTRY_SIZE   12

struct rw_index {
    struct rw_file *file; /* NULL: no file; entries beyond the tail are dropped */
    uint32_t entry_size;
    uint32_t max;    /* full at this many entries */
    uint32_t file_n; /* entries in the file */
    uint32_t tail_n; /* entries in the tail, after those of the file */
    uint8_t *tail;   /* RW_INDEX_TAIL entries, allocated with the first */
    const uint8_t *map;
    size_t map_size;
    bool map_refused; /* mapping failed or is not wanted (another process may cut the file) */
};

/* The entries of the file, as far as they were written when the view was taken. */
struct rw_index_view {
    const uint8_t *map; /* NULL: read from the file */
    struct rw_file *file;
    uint32_t entry_size;
    uint32_t n;
};

void rw_index_init(struct rw_index *x, uint32_t entry_size, uint64_t bytes_max);
/* Opens an existing file with `n` valid entries (the caller checked them). */
void rw_index_attach(struct rw_index *x, struct rw_file *file, uint32_t n, bool may_map);
/* Unmaps, closes, frees. Entries in the tail that were not written are lost. */
void rw_index_deinit(struct rw_index *x);

static inline uint32_t rw_index_count(const struct rw_index *x)
{
    return x->file_n + x->tail_n;
}

/* [W] Writes the tail behind the entries of the file. Returns how many entries are safe there now; the
 * caller then calls rw_index_spilled() with it under the mutex. 0: the write failed, the entries are
 * dropped (the index is sparse; nothing needs them). */
uint32_t rw_index_spill(struct rw_index *x);
/* [L] */
void rw_index_spilled(struct rw_index *x, uint32_t n);
/* [L] Adds an entry to the tail, which must have room (spill first). RW_E_NOMEM: dropped. */
int rw_index_add(struct rw_index *x, const uint8_t *entry);
/* [L] Maps the file when that was not done yet. */
void rw_index_view(struct rw_index *x, struct rw_index_view *ret_view);
/* [L] The last entry; false when there is none, or it can not be read. */
bool rw_index_last(const struct rw_index *x, uint8_t *ret_entry);

/* A field of an entry, as a number that is searched for. */
struct rw_index_field {
    uint32_t at;   /* byte offset in the entry */
    uint32_t size; /* 4 or 8 */
};

static inline int64_t rw_index_load(const uint8_t *entry, struct rw_index_field field)
{
    return field.size == 8 ? (int64_t)rw_load_be64(entry + field.at)
                           : (int32_t)rw_load_be32(entry + field.at);
}

/* [L] Greatest entry of the tail whose field is <= value; false when the tail has none. */
bool rw_index_tail_find(const struct rw_index *x, struct rw_index_field field, int64_t value,
                        uint8_t *ret_entry);
/* Greatest entry of the view whose field is <= value; false when there is none or it can not be read
 * (the caller scans from the start of the segment: the index is never needed). */
bool rw_index_view_find(const struct rw_index_view *v, struct rw_index_field field, int64_t value,
                        uint8_t *ret_entry);
bool rw_index_view_entry(const struct rw_index_view *v, uint32_t i, uint8_t *ret_entry);

/* ---- offset index (index_offset.c) ---- */

#define RW_OFFSET_FIELD   ((struct rw_index_field){0, 4})
#define RW_POSITION_FIELD ((struct rw_index_field){4, 4})

struct rw_offset_entry {
    int32_t relative; /* last offset of the batch, minus the segment's base */
    int32_t position; /* where that batch starts */
};

void rw_offset_entry_encode(struct rw_offset_entry e, uint8_t ret_bytes[RW_OFFSET_ENTRY_SIZE]);
struct rw_offset_entry rw_offset_entry_decode(const uint8_t *p);
/* Number of leading entries that can be right: ascending, inside [0, size). Equal to `n` when fine. */
uint32_t rw_offset_index_valid(const uint8_t *p, uint32_t n, uint64_t size);
/* Does the entry point at a batch that ends with its offset? */
bool rw_offset_entry_is_true(struct rw_offset_entry e, int64_t base, struct rw_file *log,
                             uint64_t size);

/* ---- time index (index_time.c) ---- */

#define RW_TIME_FIELD ((struct rw_index_field){0, 8})

struct rw_time_entry {
    int64_t timestamp; /* largest timestamp up to and including the batch ... */
    int32_t relative;  /* ... with this last offset, minus the segment's base */
};

void rw_time_entry_encode(struct rw_time_entry e, uint8_t ret_bytes[RW_TIME_ENTRY_SIZE]);
struct rw_time_entry rw_time_entry_decode(const uint8_t *p);
/* Number of leading entries that can be right: ascending, offsets inside [0, relative_end). */
uint32_t rw_time_index_valid(const uint8_t *p, uint32_t n, int64_t relative_end);
