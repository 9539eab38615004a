/* Batches that several tests of batch/ start from. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "batch/batch.h"

#define SAMPLE_TIME INT64_C(1700000000000)

static inline struct rw_slice text(const char *s)
{
    return rw_slice(s, strlen(s));
}

/* `count` records with keys, values and a header on each third one, timestamps ascending by 10 ms.
 */
static inline void sample_fill(struct rw_builder *b, int count)
{
    for (int i = 0; i < count; i++) {
        char key[32], value[64];
        snprintf(key, sizeof(key), "key-%d", i);
        snprintf(value, sizeof(value), "value number %d of a batch, a little repetitive", i);
        const struct rw_record record = {
            .timestamp = SAMPLE_TIME + i * 10, .key = text(key), .value = text(value)};
        const struct rw_record_header header = {RW_STR_LIT("h"), text("x")};
        assert_int_equal(rw_builder_add(b, &record, &header, i % 3 == 0 ? 1 : 0), RW_OK);
    }
}

/* A malloc'ed copy, so that the sanitizers see every byte read beyond it. */
static inline uint8_t *copy_of(struct rw_slice s)
{
    uint8_t *p = malloc(s.n ? s.n : 1);
    assert_non_null(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

/* A finished batch of `count` sample records in heap memory of exactly its size. */
static inline uint8_t *sample_batch(enum rw_codec codec, int count, size_t *ret_n)
{
    struct rw_builder b;
    struct rw_slice out;
    rw_builder_init(&b);
    b.codec = codec;
    sample_fill(&b, count);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    uint8_t *p = copy_of(out);
    *ret_n = out.n;
    rw_builder_deinit(&b);
    return p;
}

/* Recomputes the CRC after a test changed a field on purpose. */
static inline void seal(uint8_t *p, size_t n)
{
    rw_store_be32(p + 17, rw_batch_crc(p, n));
}
