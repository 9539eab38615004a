/*
 * Record batch v2 (KIP-98, KIP-32): the one format of the log file and of the wire.
 *
 *   off size field
 *     0    8  base_offset             outside the CRC: the broker writes it
 *     8    4  batch_length            bytes after this field
 *    12    4  partition_leader_epoch  outside the CRC: the broker writes it
 *    16    1  magic                   2
 *    17    4  crc                     CRC32C of bytes [21, end)
 *    21    2  attributes              bits: 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control,
 *                                     6 delete horizon
 *    23    4  last_offset_delta
 *    27    8  base_timestamp          the delete horizon when bit 6 is set
 *    35    8  max_timestamp
 *    43    8  producer_id
 *    51    2  producer_epoch
 *    53    4  base_sequence
 *    57    4  records_count
 *    61       records, compressed as one block
 *
 * Pure. Our own memory comes from rw_alloc; libzstd, liblz4 and libdeflate allocate their contexts by
 * themselves (kept in struct rw_codecs, so that this happens once per owner, not once per batch).
 * Nothing here is thread-safe on one object; different objects are independent.
 */
#pragma once

#include <stdbool.h>
#include "base/bytes.h"
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

#define RW_BATCH_HEADER_SIZE 61
#define RW_BATCH_PREFIX_SIZE 12 /* base_offset and batch_length: what batch_length does not count */
#define RW_BATCH_CRC_FROM    21
#define RW_BATCH_MAGIC       2
#define RW_NO_PRODUCER_ID    (-1)
#define RW_NO_PRODUCER_EPOCH (-1)
#define RW_NO_SEQUENCE       (-1)
#define RW_NO_TIMESTAMP      (-1)
#define RW_NO_LEADER_EPOCH   (-1)

enum rw_codec {
    RW_CODEC_NONE = 0,
    RW_CODEC_GZIP = 1,
    RW_CODEC_SNAPPY = 2,
    RW_CODEC_LZ4 = 3,
    RW_CODEC_ZSTD = 4
};

enum rw_batch_attr {
    RW_ATTR_CODEC_MASK = 0x07,
    RW_ATTR_LOG_APPEND_TIME = 0x08,
    RW_ATTR_TRANSACTIONAL = 0x10,
    RW_ATTR_CONTROL = 0x20,
    RW_ATTR_DELETE_HORIZON = 0x40
};

/* The header, decoded. */
struct rw_batch {
    int64_t base_offset;
    int32_t batch_length;
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    uint16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t records_count;
};

static inline size_t rw_batch_size(const struct rw_batch *b)
{
    return (size_t)b->batch_length + RW_BATCH_PREFIX_SIZE;
}

static inline int64_t rw_batch_last_offset(const struct rw_batch *b)
{
    return b->base_offset + b->last_offset_delta;
}

static inline enum rw_codec rw_batch_codec(const struct rw_batch *b)
{
    return (enum rw_codec)(b->attributes & RW_ATTR_CODEC_MASK);
}

static inline bool rw_batch_is_control(const struct rw_batch *b)
{
    return (b->attributes & RW_ATTR_CONTROL) != 0;
}

/* Sequence numbers wrap from INT32_MAX to 0. */
static inline int32_t rw_sequence_add(int32_t sequence, int32_t n)
{
    int64_t s = (int64_t)sequence + n;
    return (int32_t)(s > INT32_MAX ? s - INT32_MAX - 1 : s);
}

/* ---- header (batch/header.c) ---- */

/* Decodes the 61-byte header at p and checks what can be checked without the rest: length >= 49,
 * magic 2, counts and deltas not negative, known codec. `n` is what is there: RW_E_SHORT when fewer
 * than 61 bytes; the batch itself may be longer than n (compare rw_batch_size). RW_E_CORRUPT,
 * RW_E_UNSUPPORTED (magic 0 or 1, unknown codec). */
RW_MUST int rw_batch_decode(const void *p, size_t n, struct rw_batch *ret_batch);
/* CRC of a whole batch: p points at rw_batch_size() bytes. */
uint32_t rw_batch_crc(const void *p, size_t size);
/* Decodes and verifies the CRC; needs the whole batch (RW_E_SHORT otherwise). */
RW_MUST int rw_batch_check(const void *p, size_t n, struct rw_batch *ret_batch);
/* The two fields outside the CRC, patched in place. */
void rw_batch_set_base_offset(void *p, int64_t base_offset);
void rw_batch_set_leader_epoch(void *p, int32_t leader_epoch);
/* Sets max_timestamp and the LogAppendTime bit, and recomputes the CRC. */
void rw_batch_set_log_append_time(void *p, size_t size, int64_t now_ms);
/* Sets max_timestamp (CreateTime) and recomputes the CRC. */
void rw_batch_set_max_timestamp(void *p, size_t size, int64_t max_timestamp);

/* ---- records (batch/records.c) ---- */

struct rw_record_header {
    struct rw_str key;     /* never null in valid data */
    struct rw_slice value; /* p == NULL: null */
};

/* A record; key, value and headers are views into the batch or into the reader's scratch memory. */
struct rw_record {
    int64_t offset;
    int64_t timestamp; /* what a consumer sees: max_timestamp of the batch when LogAppendTime */
    struct rw_slice key;
    struct rw_slice value;
    int32_t headers_count;
    struct rw_slice headers; /* encoded; walk with rw_record_next_header() */
};

/* Contexts of the compression libraries, made when first needed (batch/compress.c). */
struct rw_codecs;

/* Iterates the records of one batch. Zero-initialise once, reuse over many batches, deinit at the
 * end: the scratch memory for decompression is kept between batches. */
struct rw_records {
    struct rw_batch batch;
    const uint8_t *at, *end;
    int32_t left;
    struct rw_buf scratch;
    struct rw_codecs *codecs;
};

/* Largest size one batch may decompress to; RW_E_TOO_BIG above. Guards against bombs. */
#define RW_DECOMPRESSED_MAX (256u << 20)

/* Starts on a batch whose CRC the caller trusts or has checked; decompresses when needed. */
RW_MUST int rw_records_open(struct rw_records *r, const void *p, size_t n);
/* 1: *ret_record is set. 0: no more. RW_E_CORRUPT: a record contradicts itself or the count. */
int rw_records_next(struct rw_records *r, struct rw_record *ret_record);
void rw_records_deinit(struct rw_records *r);
/* Takes one header off *headers. 1, 0 at the end, RW_E_CORRUPT. */
int rw_record_next_header(struct rw_slice *headers, struct rw_record_header *ret_header);

/* ---- building (batch/build.c) ---- */

/* Builds one batch into a buffer. All records first, then finish; deltas are computed as they come. */
struct rw_builder {
    struct rw_buf records;   /* room for the header, and uncompressed records so far */
    struct rw_buf out;       /* for a finished batch that is not in `records` */
    struct rw_buf *finished; /* which of the two holds it; may be taken, leaving an empty buffer */
    struct rw_batch header;  /* of the finished batch */
    int32_t count;
    int64_t base_offset; /* offset of the first record; later ones may leave gaps */
    int64_t last_offset;
    int64_t base_timestamp, max_timestamp;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t leader_epoch;
    uint16_t attributes; /* without the codec */
    enum rw_codec codec;
    int level; /* compression level; RW_LEVEL_DEFAULT */
    struct rw_codecs *codecs;
};

#define RW_LEVEL_DEFAULT INT32_MIN

void rw_builder_init(struct rw_builder *b); /* all fields at their "none" values, codec none */
void rw_builder_deinit(struct rw_builder *b);
/* Ready for the next batch with the same settings; keeps memory. */
void rw_builder_reset(struct rw_builder *b, int64_t base_offset);
/* record->offset is used when > last_offset (and for the first record when >= base_offset), else
 * last_offset + 1. `headers` may be NULL. RW_E_TOO_BIG: the batch would not fit its int32 length, or
 * the offsets their int32 delta; RW_E_NOMEM. After an error the batch is as it was before. */
RW_MUST int rw_builder_add(struct rw_builder *b, const struct rw_record *record,
                           const struct rw_record_header *headers, size_t headers_count);
/* The same with the headers already encoded in record->headers (copying from another batch). */
RW_MUST int rw_builder_copy(struct rw_builder *b, const struct rw_record *record);
/* Upper bound of the batch if finished now, uncompressed. */
static inline size_t rw_builder_size(const struct rw_builder *b)
{
    return b->records.n ? b->records.n : RW_BATCH_HEADER_SIZE;
}
/* Finishes: *ret_batch is valid until the next reset. An empty batch (count 0) is allowed. A caller
 * that keeps a batch's extent through compaction raises b->last_offset first. With
 * RW_ATTR_DELETE_HORIZON in attributes the caller sets b->base_timestamp (the horizon) before the
 * first record. With RW_ATTR_LOG_APPEND_TIME it sets b->max_timestamp before finish. */
RW_MUST int rw_builder_finish(struct rw_builder *b, struct rw_slice *ret_batch);

/* ---- control records (batch/control.c) ---- */

enum rw_control_type { RW_CONTROL_ABORT = 0, RW_CONTROL_COMMIT = 1, RW_CONTROL_LEADER_CHANGE = 2 };

/* Type of a control batch's record (also types newer than this list); the coordinator epoch for ABORT
 * and COMMIT, -1 for others. RW_E_CORRUPT. */
RW_MUST int rw_control_type(const struct rw_record *record, int16_t *ret_type,
                            int32_t *ret_coordinator_epoch);
/* Resets b to a batch with that one marker and adds it; b->base_offset and leader_epoch stay as they
 * are. RW_E_INVAL for other types than ABORT and COMMIT. */
RW_MUST int rw_control_build(struct rw_builder *b, enum rw_control_type type, int64_t now_ms,
                             int64_t producer_id, int16_t producer_epoch,
                             int32_t coordinator_epoch);

/* ---- what a broker demands of a producer's batch (batch/validate.c) ---- */

struct rw_validate_rules {
    bool compacted;       /* every record needs a key */
    bool log_append_time; /* message.timestamp.type = LogAppendTime */
    int64_t now_ms;
    int64_t timestamp_before_max_ms; /* message.timestamp.before.max.ms */
    int64_t timestamp_after_max_ms;
    size_t batch_bytes_max; /* max.message.bytes */
    bool allow_zstd;        /* false for Produce < 7 */
    bool from_client;       /* base_offset 0, no control bit, exactly one batch */
};

struct rw_validate_result {
    struct rw_batch batch;
    int64_t max_timestamp; /* the true one, from the records */
    int64_t max_timestamp_offset_delta;
    /* When the code is RW_E_RECORD or RW_E_TIMESTAMP: which record, -1 = the batch as a whole. */
    int32_t bad_record;
    const char *why; /* static words for the client, NULL when fine */
};

/*
 * Checks one batch that fills [p, p+n) exactly: CRC, record count, deltas, sizes, timestamps, keys.
 * Every record is walked, decompressing where needed into `scratch` (a struct rw_records kept by the
 * caller for its memory). May rewrite max_timestamp and attributes in place (CRC recomputed) where
 * the rules say so: LogAppendTime, or a producer's wrong max_timestamp.
 * RW_E_CORRUPT, RW_E_TOO_BIG, RW_E_RECORD, RW_E_TIMESTAMP, RW_E_UNSUPPORTED.
 */
RW_MUST int rw_batch_validate(uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                              struct rw_records *scratch, struct rw_validate_result *ret_result);
/* Its two halves, for who checks on one thread and appends on another: what can be wrong, without
 * touching the bytes, and the corrections of a batch that was found fine (they can not fail). */
RW_MUST int rw_batch_inspect(const uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                             struct rw_records *scratch, struct rw_validate_result *ret_result);
void rw_batch_correct(uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                      struct rw_validate_result *result);

/* ---- compression (batch/compress.c, batch/snappy.c) ---- */

/* Appends to out. level RW_LEVEL_DEFAULT: gzip 6, lz4 fast (9 as Kafka's default means HC 9 is NOT
 * used here unless asked), zstd 3. snappy writes the xerial framing that Java consumers expect. */
RW_MUST int rw_compress(enum rw_codec codec, int level, struct rw_slice in, struct rw_buf *out);
/* Appends to out; RW_E_TOO_BIG when it would grow by more than `max`. Snappy: raw and xerial
 * framing are told apart by the magic. */
RW_MUST int rw_decompress(enum rw_codec codec, struct rw_slice in, size_t max, struct rw_buf *out);
/* The same with contexts that are kept between calls: *codecs is NULL at first, made when needed, and
 * freed by rw_codecs_free(). */
RW_MUST int rw_compress_with(struct rw_codecs **codecs, enum rw_codec codec, int level,
                             struct rw_slice in, struct rw_buf *out);
RW_MUST int rw_decompress_with(struct rw_codecs **codecs, enum rw_codec codec, struct rw_slice in,
                               size_t max, struct rw_buf *out);
void rw_codecs_free(struct rw_codecs *codecs);  /* NULL is fine */
const char *rw_codec_name(enum rw_codec codec); /* "none", "gzip", ... */
bool rw_codec_parse(const char *name, enum rw_codec *ret_codec);
