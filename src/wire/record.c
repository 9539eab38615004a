/* Metadata records: the frame around the fields, and the look-up by type id. */
#include "wire/record.h"

#include "wire/tables.h"

#define FRAME_VERSION 1

const struct rw_record_type *rw_record_type_find(int16_t id)
{
    for (size_t i = 0; i < rw_record_rows_count; i++)
        if (rw_record_rows[i].id == id)
            return &rw_record_rows[i];
    return NULL;
}

const struct rw_record_type *rw_record_type_table(size_t *ret_n)
{
    *ret_n = rw_record_rows_count;
    return rw_record_rows;
}

void rw_record_write(struct rw_writer *w, const struct rw_record_type *type, int16_t version,
                     const void *m)
{
    rw_write_uvarint(w, FRAME_VERSION);
    rw_write_uvarint(w, (uint32_t)type->id);
    rw_write_uvarint(w, (uint32_t)version);
    rw_message_write(type->desc, w, version, m);
}

int rw_record_read(struct rw_reader *r, const struct rw_record_type **ret_type,
                   int16_t *ret_version, void **ret_m)
{
    uint32_t frame = rw_read_uvarint(r), id = rw_read_uvarint(r), version = rw_read_uvarint(r);
    if (r->code)
        return r->code;
    const struct rw_record_type *type = id > INT16_MAX ? NULL : rw_record_type_find((int16_t)id);
    if (frame != FRAME_VERSION || !type || version > INT16_MAX) {
        rw_reader_fail(r, RW_E_UNSUPPORTED);
        return r->code;
    }
    void *m = rw_arena_alloc(r->arena, type->size);
    if (!m)
        rw_reader_fail(r, RW_E_NOMEM);
    else if (rw_message_read(type->desc, r, (int16_t)version, m) == RW_OK) {
        *ret_type = type;
        *ret_version = (int16_t)version;
        *ret_m = m;
    }
    return r->code;
}
