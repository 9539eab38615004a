/* What a broker does with a produced batch: the whole validation next to its CRC alone, which no broker
 * can leave out; for compressed batches next to CRC and decompression. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "batch/batch.h"
#include "rounds.h"

struct work {
    uint8_t *p;
    size_t n, plain; /* size of the batch, and of its records when uncompressed */
    struct rw_records scratch;
    struct rw_codecs *codecs;
    struct rw_buf out;
};

static const struct rw_validate_rules rules = {
    .now_ms = 1700000000000,
    .timestamp_before_max_ms = INT64_MAX,
    .timestamp_after_max_ms = INT64_MAX,
    .batch_bytes_max = 64u << 20,
    .allow_zstd = true,
    .from_client = true,
};

static void one_limit(struct work *w, enum rw_codec codec)
{
    bench_use(rw_batch_crc(w->p, w->n));
    if (codec == RW_CODEC_NONE)
        return;
    rw_buf_clear(&w->out);
    if (rw_decompress_with(&w->codecs, codec,
                           rw_slice(w->p + RW_BATCH_HEADER_SIZE, w->n - RW_BATCH_HEADER_SIZE),
                           RW_DECOMPRESSED_MAX, &w->out))
        bench_die("decompress");
}

static double limit(void *arg, double seconds)
{
    struct work *w = arg;
    enum rw_codec codec = (enum rw_codec)(w->p[22] & RW_ATTR_CODEC_MASK);
    uint64_t turns = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds; now = bench_now())
        for (int i = 0; i < 8; i++, turns++)
            one_limit(w, codec);
    return (double)turns * (double)w->plain / (now - start);
}

static double subject(void *arg, double seconds)
{
    struct work *w = arg;
    struct rw_validate_result result;
    uint64_t turns = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds; now = bench_now())
        for (int i = 0; i < 8; i++, turns++)
            if (rw_batch_validate(w->p, w->n, &rules, &w->scratch, &result))
                bench_die("validate");
    return (double)turns * (double)w->plain / (now - start);
}

static void one(struct bench *b, enum rw_codec codec, int count, size_t value_size)
{
    struct rw_builder builder;
    struct rw_slice batch;
    struct work w = {0};
    char value[4096], name[64];
    rw_builder_init(&builder);
    builder.codec = codec;
    for (int i = 0; i < count; i++) {
        snprintf(value, sizeof(value), "%08d ", i * 7919);
        for (size_t k = 9; k < value_size; k++)
            value[k] = "a line of some log, as they are: "[(k + (size_t)i * 3) % 33];
        const struct rw_record record = {.timestamp = 1700000000000 + i,
                                         .value = rw_slice(value, value_size)};
        if (rw_builder_add(&builder, &record, NULL, 0))
            bench_die("build");
    }
    w.plain = builder.records.n;
    if (rw_builder_finish(&builder, &batch))
        bench_die("build");
    w.p = malloc(batch.n);
    if (!w.p)
        bench_die("malloc");
    w.n = batch.n;
    memcpy(w.p, batch.p, batch.n);
    snprintf(name, sizeof(name), "validate %d x %zu B, %s", count, value_size,
             rw_codec_name(codec));
    bench_run(b, &(struct bench_case){name, "GB/s", codec ? "CRC and decompression" : "CRC alone",
                                      1e9, 0, limit, subject, &w});
    free(w.p);
    rw_records_deinit(&w.scratch);
    rw_codecs_free(w.codecs);
    rw_buf_deinit(&w.out);
    rw_builder_deinit(&builder);
}

int main(int argc, char **argv)
{
    struct bench b;
    bench_init(&b, argc, argv);
    one(&b, RW_CODEC_NONE, 10000, 100);
    one(&b, RW_CODEC_NONE, 160, 100);
    one(&b, RW_CODEC_NONE, 1000, 1000);
    for (int codec = RW_CODEC_GZIP; codec <= RW_CODEC_ZSTD; codec++)
        one(&b, (enum rw_codec)codec, 640, 100);
    return 0;
}
