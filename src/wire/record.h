/*
 * Records of the cluster metadata log, with Kafka's type ids, versions and framing, so that dumps are
 * comparable. The structs (struct rw_topic_record ...) and their typed functions are generated from
 * schema/metadata/ into wire/messages.h; this is the dispatch by type id.
 *
 * One record value on disk: frame version uvarint (1), type uvarint, version uvarint, the fields.
 */
#pragma once

#include "wire/message.h"

struct rw_record_type {
    int16_t id;       /* RW_TOPIC_RECORD ... (wire/messages.h) */
    const char *name; /* "TopicRecord" */
    int16_t min, max; /* versions */
    size_t size;      /* of the struct */
    const struct rw_desc *desc;
};

/* NULL when the id is unknown. */
const struct rw_record_type *rw_record_type_find(int16_t id);
/* All types in order of their ids. */
const struct rw_record_type *rw_record_type_table(size_t *ret_n);

/* Frame and fields in one go. */
void rw_record_write(struct rw_writer *w, const struct rw_record_type *type, int16_t version,
                     const void *m);
/* Reads the frame and then the fields into a new struct in the reader's arena. RW_E_UNSUPPORTED for a
 * frame version, type or record version that this build does not know. */
RW_MUST int rw_record_read(struct rw_reader *r, const struct rw_record_type **ret_type,
                           int16_t *ret_version, void **ret_m);
