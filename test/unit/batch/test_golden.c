/* Batches that other producers wrote are read, validated and, uncompressed, reproduced to the byte. */
#include "golden.h"

static const char *folder;

/* The bytes of a file of hexadecimal text, in heap memory of exactly that size. */
static uint8_t *load(const char *name, size_t *ret_n)
{
    char path[1024], text_of_file[8192];
    snprintf(path, sizeof(path), "%s/%s.hex", folder, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text_of_file, 1, sizeof(text_of_file), f), digits = 0;
    fclose(f);
    assert_true(n > 0 && n < sizeof(text_of_file));
    uint8_t *p = calloc(1, n / 2);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        static const char hex[] = "0123456789abcdef";
        const char *d = memchr(hex, text_of_file[i], 16);
        if (d) {
            p[digits / 2] = (uint8_t)(p[digits / 2] << 4 | (d - hex));
            digits++;
        }
    }
    *ret_n = digits / 2;
    return realloc(p, digits / 2);
}

static void same_slice(struct rw_slice a, struct rw_slice b)
{
    assert_int_equal(a.p == NULL, b.p == NULL);
    assert_int_equal(a.n, b.n);
    if (a.n)
        assert_memory_equal(a.p, b.p, a.n);
}

static void expect_golden(const uint8_t *p, size_t n)
{
    struct rw_records r = {0};
    struct rw_record got;
    struct rw_record_header h;
    assert_int_equal(rw_records_open(&r, p, n), RW_OK);
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        struct golden_record g;
        golden_record(&g, i);
        assert_int_equal(rw_records_next(&r, &got), 1);
        assert_int_equal(got.offset, i);
        assert_int_equal(got.timestamp, g.record.timestamp);
        same_slice(got.key, g.record.key);
        same_slice(got.value, g.record.value);
        assert_int_equal(got.headers_count, g.headers_count);
        for (size_t k = 0; k < g.headers_count; k++) {
            assert_int_equal(rw_record_next_header(&got.headers, &h), 1);
            assert_true(rw_str_eq(h.key, g.headers[k].key));
            same_slice(h.value, g.headers[k].value);
        }
    }
    assert_int_equal(rw_records_next(&r, &got), 0);
    rw_records_deinit(&r);
}

static void others_batches_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum rw_codec codec;
    } cases[] = {
        {"java-none", RW_CODEC_NONE},     {"java-gzip", RW_CODEC_GZIP},
        {"java-snappy", RW_CODEC_SNAPPY}, {"java-lz4", RW_CODEC_LZ4},
        {"java-zstd", RW_CODEC_ZSTD},     {"python-none", RW_CODEC_NONE},
        {"python-gzip", RW_CODEC_GZIP},
    };
    static const struct rw_validate_rules rules = {
        .now_ms = SAMPLE_TIME,
        .timestamp_before_max_ms = 1000,
        .timestamp_after_max_ms = 1000,
        .batch_bytes_max = 1048588,
        .allow_zstd = true,
        .from_client = true,
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n;
        struct rw_batch b;
        struct rw_records scratch = {0};
        struct rw_validate_result result;
        uint8_t *p = load(cases[i].name, &n), *before = copy_of(rw_slice(p, n));
        assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
        assert_int_equal(rw_batch_size(&b), n);
        assert_int_equal(rw_batch_codec(&b), cases[i].codec);
        assert_int_equal(rw_batch_validate(p, n, &rules, &scratch, &result), RW_OK);
        assert_memory_equal(p, before, n); /* nothing had to be corrected */
        assert_int_equal(result.max_timestamp, SAMPLE_TIME + (GOLDEN_COUNT - 1) * 10);
        expect_golden(p, n);
        rw_records_deinit(&scratch);
        free(before);
        free(p);
    }
}

static void ours_are_the_same_bytes(void **state)
{
    (void)state;
    struct rw_builder b;
    struct rw_slice out;
    size_t n;
    uint8_t *java = load("java-none", &n);
    rw_builder_init(&b);
    b.producer_id = 7001;
    b.producer_epoch = 2;
    b.base_sequence = 5;
    golden_fill(&b);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, java, n);
    free(java);

    java = load("java-commit", &n);
    b.base_offset = 500;
    b.leader_epoch = 3;
    assert_int_equal(rw_control_build(&b, RW_CONTROL_COMMIT, SAMPLE_TIME, 7001, 2, 9), RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, java, n);
    free(java);
    rw_builder_deinit(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_batches_are_read),
        cmocka_unit_test(ours_are_the_same_bytes),
    };
    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
