/*
 * Idempotent producers (KIP-98): what each producer id wrote last, so that a retried batch is
 * recognised and a lost one noticed. Plain state without I/O; only the writer touches it.
 *
 * The last five batches are kept, because a client has at most five requests in flight.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"
#include "batch/batch.h"

#define RW_PRODUCER_BATCHES 5
/* Known at once in one log: about 12 MiB. Ids come from whoever sends them; beyond that those that wrote
 * longest ago are forgotten, as if they had expired. */
#define RW_PRODUCERS_MAX 65536

struct rw_producer_batch {
    int32_t last_sequence;
    int32_t offset_delta; /* also last minus first sequence */
    int64_t last_offset;
    int64_t timestamp;
};

struct rw_producer {
    int64_t id;
    int16_t epoch;
    uint8_t batches_n; /* oldest first */
    struct rw_producer_batch batches[RW_PRODUCER_BATCHES];
    int64_t last_seen_ms;
    int32_t coordinator_epoch;
    int64_t txn_first_offset; /* -1: no transaction is open */
    struct rw_producer *next; /* used while the table is rebuilt */
};

struct rw_producers {
    struct rw_producer **slots; /* open addressing over a power of two */
    size_t n, cap;
};

void rw_producers_init(struct rw_producers *ps);
void rw_producers_deinit(struct rw_producers *ps);
void rw_producers_clear(struct rw_producers *ps);
struct rw_producer *rw_producers_find(const struct rw_producers *ps, int64_t id);

struct rw_producer_verdict {
    bool duplicate;
    int64_t first_offset, last_offset, timestamp; /* of the original, when duplicate */
    const char *why;                              /* static words, when refused */
};

/*
 * May this batch be appended? RW_OK, also for a duplicate; RW_E_SEQUENCE: a gap or an old sequence
 * number; RW_E_FENCED: an epoch older than the current one. A producer that is not known may start
 * with any sequence: its state may have expired (KIP-360).
 */
RW_MUST int rw_producers_check(const struct rw_producers *ps, const struct rw_batch *batch,
                               struct rw_producer_verdict *ret_verdict);
/* Makes room for `id`, so that rw_producers_add() can not fail. May forget others (RW_PRODUCERS_MAX),
 * never one with an open transaction or one that was reserved and not added yet. */
RW_MUST int rw_producers_reserve(struct rw_producers *ps, int64_t id);
/* Notes an appended (or replayed) data batch of a known-reserved producer. Never refuses: on replay the
 * log is the truth. */
void rw_producers_add(struct rw_producers *ps, const struct rw_batch *batch, int64_t now_ms);
/* Notes an end-of-transaction marker. */
void rw_producers_end_txn(struct rw_producers *ps, const struct rw_batch *batch,
                          int32_t coordinator_epoch, int64_t now_ms);
/* Forgets who was not heard of for expiry_ms; never one with an open transaction. */
void rw_producers_expire(struct rw_producers *ps, int64_t now_ms, int64_t expiry_ms);
/* First offset of the earliest open transaction; -1 when there is none. */
int64_t rw_producers_first_txn(const struct rw_producers *ps);

/*
 * The .snapshot file, version 1 (snapshot.c): int16 version, uint32 CRC32C of what follows, int32
 * count, and per producer: id i64, epoch i16, last_sequence i32, last_offset i64, offset_delta i32,
 * timestamp i64, coordinator_epoch i32, current_txn_first_offset i64. Only the last batch is kept.
 */
void rw_snapshot_encode(const struct rw_producers *ps, struct rw_buf *out);
/* Replaces the state. RW_E_CORRUPT, RW_E_UNSUPPORTED (version), RW_E_NOMEM: the state is empty. */
RW_MUST int rw_snapshot_decode(struct rw_producers *ps, struct rw_slice bytes);
