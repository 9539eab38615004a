/* The 40 records of every golden batch: null keys, null values, headers with null values. */
#pragma once

#include "sample.h"

#define GOLDEN_COUNT 40

struct golden_record {
    char key[16], value[48], header_key[8], header_value[8];
    struct rw_record record;
    struct rw_record_header headers[2];
    size_t headers_count;
};

static inline void golden_record(struct golden_record *g, int i)
{
    *g = (struct golden_record){.record = {.offset = i, .timestamp = SAMPLE_TIME + i * 10}};
    snprintf(g->key, sizeof(g->key), "key-%d", i);
    snprintf(g->value, sizeof(g->value), "value number %d of a golden batch", i);
    snprintf(g->header_key, sizeof(g->header_key), "h%d", i);
    snprintf(g->header_value, sizeof(g->header_value), "x%d", i);
    if (i % 5 != 4)
        g->record.key = text(g->key);
    if (i % 7 != 6)
        g->record.value = text(g->value);
    g->headers[0] = (struct rw_record_header){rw_str(g->header_key), text(g->header_value)};
    g->headers[1] = (struct rw_record_header){RW_STR_LIT("n"), {NULL, 0}};
    g->headers_count = i % 3 == 0 ? 2 : 0;
}

static inline void golden_fill(struct rw_builder *b)
{
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        struct golden_record g;
        golden_record(&g, i);
        assert_int_equal(rw_builder_add(b, &g.record, g.headers, g.headers_count), RW_OK);
    }
}
