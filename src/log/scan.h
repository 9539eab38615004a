/*
 * Walks the batches of a segment file from header to header. The file is read in chunks into one
 * buffer; hopping over large batches reads only their headers.
 */
#pragma once

#include <stdbool.h>
#include "base/code.h"
#include "batch/batch.h"
#include "env/env.h"

/* Batches above this are taken for damage: Kafka's request limit is 100 MiB. */
#define RW_SCAN_BATCH_MAX (256u << 20)

struct rw_scan {
    struct rw_file *file;
    uint64_t next;         /* where the next header starts */
    uint64_t limit;        /* the end of what may be looked at */
    uint64_t at;           /* where the current batch starts */
    struct rw_batch batch; /* the current one */
    int64_t offset;        /* lowest base offset that may come next */
    int64_t below;         /* no batch ends at or above it */
    bool contiguous;       /* offsets have no gaps */
    bool placed;           /* `offset` is where the next batch must start, when contiguous */
    bool has_batch;        /* at and batch are set, and `next` is its end */
    size_t chunk;          /* bytes per read */
    size_t batch_bytes;    /* of the last batch seen; 0: unknown */
    uint8_t *p;            /* what was read: [p_at, p_at + p_n) of the file */
    size_t p_cap, p_n;
    uint64_t p_at;
    bool p_owned;
};

/* `room` is memory of the caller for the chunks (chunk = its size), so that a short look-up does
 * not allocate; NULL: the scan allocates `chunk` bytes when it starts. */
void rw_scan_init(struct rw_scan *s, struct rw_file *file, uint64_t at, uint64_t limit, void *room,
                  size_t chunk);
void rw_scan_deinit(struct rw_scan *s);

/*
 * What is known of the offsets from outside of the file, for they are outside of a batch's CRC: batches
 * start at or above `offset`, ascend, and end below `below`. `contiguous`: and there are no gaps, so
 * that the first batch of a file starts exactly at `offset`. Without this call nothing is known but
 * that they ascend.
 */
void rw_scan_expect(struct rw_scan *s, int64_t offset, int64_t below, bool contiguous);
/*
 * Moves to the next batch: 1 and s->at, s->batch are set. 0: exactly at the limit. RW_E_SHORT: the
 * bytes up to the limit are not a whole batch. RW_E_CORRUPT: not a batch, or one whose offsets can not
 * be. RW_E_NOMEM, RW_E_IO. After an error `next` stays where the damage is.
 */
int rw_scan_next(struct rw_scan *s);
/* Is [from, to) of the file nothing but zeros? They are no damage behind the last batch: a writer puts
 * some there ahead of its appends (ahead.c). */
RW_MUST int rw_scan_is_zero(struct rw_file *file, uint64_t from, uint64_t to, bool *ret_zero);
/* Is there an intact message of a format before record batch v2 (magic 0 or 1, Kafka before 0.11) at `at`? */
RW_MUST int rw_scan_is_old_format(struct rw_file *file, uint64_t at, uint64_t limit, bool *ret_old);
/* The whole current batch in memory, valid until the next call. */
RW_MUST int rw_scan_body(struct rw_scan *s, const uint8_t **ret_p);
/* rw_scan_body() and the CRC. RW_E_CORRUPT when it is wrong. */
RW_MUST int rw_scan_check(struct rw_scan *s, const uint8_t **ret_p);
/*
 * Looks behind s->next (or, when the batch before is damaged, from its inside on: its length counts for
 * nothing) for the next intact batch, CRC included, whose offsets can be. 1: the scan stands before it.
 * 0: there is none.
 */
int rw_scan_resync(struct rw_scan *s);
