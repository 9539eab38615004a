/*
 * The producer snapshot file, version 1, as Kafka's ProducerStateManager writes it. Big-endian:
 *
 *   off size field
 *     0    2  version = 1
 *     2    4  crc32c of bytes [6, end)
 *     6    4  count
 *    10   46  per producer: id 8, epoch 2, last_sequence 4, last_offset 8, offset_delta 4,
 *             timestamp 8, coordinator_epoch 4, current_txn_first_offset 8
 */
#include "log/producers.h"

#include "base/bytes.h"
#include "base/crc32c.h"

#define VERSION    1
#define CRC_FROM   6
#define HEADER     10
#define ENTRY_SIZE 46

static void encode_one(const struct rw_producer *p, struct rw_buf *out)
{
    static const struct rw_producer_batch none = {RW_NO_SEQUENCE, 0, -1, RW_NO_TIMESTAMP};
    const struct rw_producer_batch *last = p->batches_n ? &p->batches[p->batches_n - 1] : &none;
    rw_buf_add_be64(out, (uint64_t)p->id);
    rw_buf_add_be16(out, (uint16_t)p->epoch);
    rw_buf_add_be32(out, (uint32_t)last->last_sequence);
    rw_buf_add_be64(out, (uint64_t)last->last_offset);
    rw_buf_add_be32(out, (uint32_t)last->offset_delta);
    rw_buf_add_be64(out, (uint64_t)p->last_seen_ms);
    rw_buf_add_be32(out, (uint32_t)p->coordinator_epoch);
    rw_buf_add_be64(out, (uint64_t)p->txn_first_offset);
}

void rw_snapshot_encode(const struct rw_producers *ps, struct rw_buf *out)
{
    size_t start = out->n;
    rw_buf_add_be16(out, VERSION);
    rw_buf_add_be32(out, 0);
    rw_buf_add_be32(out, 0);
    uint32_t count = 0;
    for (size_t i = 0; i < ps->cap; i++) {
        /* Without an epoch: room was made, but the append then failed. */
        if (!ps->slots[i] || ps->slots[i]->epoch == RW_NO_PRODUCER_EPOCH)
            continue;
        encode_one(ps->slots[i], out);
        count++;
    }
    if (out->failed)
        return;
    rw_store_be32(out->p + start + CRC_FROM, count);
    rw_store_be32(out->p + start + 2,
                  rw_crc32c(0, out->p + start + CRC_FROM, out->n - start - CRC_FROM));
}

static int decode_one(struct rw_producers *ps, const uint8_t *p)
{
    int64_t id = (int64_t)rw_load_be64(p);
    if (id < 0 || rw_producers_find(ps, id))
        return RW_E_CORRUPT;
    int rc = rw_producers_reserve(ps, id);
    if (rc)
        return rc;
    struct rw_producer *out = rw_producers_find(ps, id);
    out->epoch = (int16_t)rw_load_be16(p + 8);
    struct rw_producer_batch last = {.last_sequence = (int32_t)rw_load_be32(p + 10),
                                     .last_offset = (int64_t)rw_load_be64(p + 14),
                                     .offset_delta = (int32_t)rw_load_be32(p + 22),
                                     .timestamp = (int64_t)rw_load_be64(p + 26)};
    out->last_seen_ms = last.timestamp;
    out->coordinator_epoch = (int32_t)rw_load_be32(p + 34);
    out->txn_first_offset = (int64_t)rw_load_be64(p + 38);
    if (last.last_offset >= 0 && last.last_sequence >= 0 && last.offset_delta >= 0)
        out->batches[out->batches_n++] = last;
    return RW_OK;
}

int rw_snapshot_decode(struct rw_producers *ps, struct rw_slice bytes)
{
    rw_producers_clear(ps);
    if (bytes.n < HEADER)
        return RW_E_CORRUPT;
    if (rw_load_be16(bytes.p) != VERSION)
        return RW_E_UNSUPPORTED;
    if (rw_load_be32(bytes.p + 2) != rw_crc32c(0, bytes.p + CRC_FROM, bytes.n - CRC_FROM))
        return RW_E_CORRUPT;
    uint32_t count = rw_load_be32(bytes.p + CRC_FROM);
    if ((bytes.n - HEADER) / ENTRY_SIZE != count || (bytes.n - HEADER) % ENTRY_SIZE)
        return RW_E_CORRUPT;
    int rc = RW_OK;
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = decode_one(ps, bytes.p + HEADER + (size_t)i * ENTRY_SIZE);
    if (rc)
        rw_producers_clear(ps);
    return rc;
}
