/*
 * Control records: the markers that end a transaction (KIP-98), and others that a reader must know
 * to skip.
 *
 *   key    int16 version (0), int16 type
 *   value  int16 version (0), int32 coordinator epoch      (ABORT and COMMIT)
 *
 * Invariant: a control batch holds exactly one record; this file builds no other kind.
 * Not here: deciding when a marker is due (txn/).
 */
#include "batch/batch.h"

#define KEY_SIZE   4
#define VALUE_SIZE 6

int rw_control_type(const struct rw_record *record, int16_t *ret_type,
                    int32_t *ret_coordinator_epoch)
{
    /* Later versions may append fields: more bytes are fine, fewer are not. */
    if (record->key.n < KEY_SIZE || (int16_t)rw_load_be16(record->key.p) < 0)
        return RW_E_CORRUPT;
    int16_t type = (int16_t)rw_load_be16(record->key.p + 2);
    int32_t epoch = -1;
    if (type < 0)
        return RW_E_CORRUPT;
    if (type == RW_CONTROL_ABORT || type == RW_CONTROL_COMMIT) {
        if (record->value.n < VALUE_SIZE || (int16_t)rw_load_be16(record->value.p) < 0)
            return RW_E_CORRUPT;
        epoch = (int32_t)rw_load_be32(record->value.p + 2);
    }
    *ret_type = type;
    *ret_coordinator_epoch = epoch;
    return RW_OK;
}

int rw_control_build(struct rw_builder *b, enum rw_control_type type, int64_t now_ms,
                     int64_t producer_id, int16_t producer_epoch, int32_t coordinator_epoch)
{
    uint8_t key[KEY_SIZE] = {0}, value[VALUE_SIZE] = {0};
    if (type != RW_CONTROL_ABORT && type != RW_CONTROL_COMMIT)
        return RW_E_INVAL;
    rw_store_be16(key + 2, (uint16_t)type);
    rw_store_be32(value + 2, (uint32_t)coordinator_epoch);
    rw_builder_reset(b, b->base_offset);
    b->attributes = RW_ATTR_CONTROL | RW_ATTR_TRANSACTIONAL;
    b->codec = RW_CODEC_NONE;
    b->producer_id = producer_id;
    b->producer_epoch = producer_epoch;
    b->base_sequence = RW_NO_SEQUENCE;
    const struct rw_record record = {
        .offset = b->base_offset,
        .timestamp = now_ms,
        .key = rw_slice(key, sizeof(key)),
        .value = rw_slice(value, sizeof(value)),
    };
    return rw_builder_add(b, &record, NULL, 0);
}
