/* Every truncation and every single-byte flip of a batch of each codec is refused or harmless: no read
 * outside (the sanitizers watch heap blocks of exact size), no endless loop, no lie about offsets. */
#include "sample.h"

/* Walks whatever can be walked, as a consumer would that trusts the CRC. */
static void walk(struct rw_records *r, const uint8_t *p, size_t n)
{
    struct rw_record record;
    struct rw_record_header h;
    uint32_t sum = 0;
    int code = rw_records_open(r, p, n);
    if (code)
        return;
    while ((code = rw_records_next(r, &record)) == 1) {
        assert_true(record.offset >= r->batch.base_offset);
        assert_true(record.offset <= rw_batch_last_offset(&r->batch));
        for (size_t i = 0; i < record.key.n; i++)
            sum += record.key.p[i];
        for (size_t i = 0; i < record.value.n; i++)
            sum += record.value.p[i];
        struct rw_slice headers = record.headers;
        for (int32_t i = 0; i < record.headers_count; i++) {
            assert_int_equal(rw_record_next_header(&headers, &h), 1);
            for (int32_t k = 0; k < h.key.n; k++)
                sum += (uint8_t)h.key.p[k];
        }
        assert_int_equal(rw_record_next_header(&headers, &h), 0);
    }
    assert_true(code == 0 || code == RW_E_CORRUPT);
    assert_true(sum + 1 != 0 || sum == UINT32_MAX); /* uses what was read */
}

static void all_truncations(void **state)
{
    (void)state;
    struct rw_records r = {0};
    struct rw_batch b;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        size_t n;
        uint8_t *p = sample_batch((enum rw_codec)codec, 12, &n);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *exact = copy_of(rw_slice(p, cut));
            assert_int_equal(rw_batch_check(exact, cut, &b), RW_E_SHORT);
            assert_int_equal(rw_records_open(&r, exact, cut), RW_E_SHORT);
            /* The same bytes with a header that says they are all: the records end early. */
            if (cut >= RW_BATCH_HEADER_SIZE) {
                rw_store_be32(exact + 8, (uint32_t)(cut - RW_BATCH_PREFIX_SIZE));
                seal(exact, cut);
                walk(&r, exact, cut);
            }
            free(exact);
        }
        free(p);
    }
    rw_records_deinit(&r);
}

static void all_flips(void **state)
{
    (void)state;
    static const struct rw_validate_rules rules = {
        .now_ms = SAMPLE_TIME,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = INT64_MAX,
        .batch_bytes_max = 1u << 20,
        .allow_zstd = true,
        .from_client = true,
    };
    struct rw_records r = {0}, scratch = {0};
    struct rw_batch b;
    struct rw_validate_result result;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        size_t n;
        uint8_t *p = sample_batch((enum rw_codec)codec, 6, &n);
        for (size_t at = 0; at < n; at++)
            for (int bit = 0; bit < 256; bit = bit ? bit * 2 : 1) {
                p[at] ^= (uint8_t)bit;
                /* Bytes 0..15 are outside the CRC, and of them the length is checked by it anyway;
                 * everything else that differs must be noticed. */
                int code = rw_batch_check(p, n, &b);
                if (bit && at >= 8 && (at < 12 || at >= 16))
                    assert_true(code != RW_OK);
                uint8_t *sealed = copy_of(rw_slice(p, n));
                seal(sealed, n);
                walk(&r, sealed, n);
                code = rw_batch_validate(sealed, n, &rules, &scratch, &result);
                if (code == RW_OK) { /* then it is a batch that reads to its end */
                    struct rw_record record;
                    assert_int_equal(rw_records_open(&r, sealed, n), RW_OK);
                    for (int32_t i = 0; i < r.batch.records_count; i++) {
                        assert_int_equal(rw_records_next(&r, &record), 1);
                        assert_int_equal(record.offset, i);
                    }
                    assert_int_equal(rw_records_next(&r, &record), 0);
                }
                free(sealed);
                p[at] ^= (uint8_t)bit;
            }
        free(p);
    }
    rw_records_deinit(&r);
    rw_records_deinit(&scratch);
}

/* Records of hostile lengths, by hand: each with a valid header around it. */
static void hostile_records(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[24];
        size_t n;
    } cases[] = {
        {{0}, 7},                                            /* length 0 */
        {{1}, 7},                                            /* length -1 */
        {{12, 0, 0, 0, 3, 1, 0}, 7},                         /* key length -2 */
        {{12, 0, 0, 0, 1, 3, 0}, 7},                         /* value length -2 */
        {{12, 0, 0, 1, 1, 1, 0}, 7},                         /* offset delta -1 */
        {{12, 0, 0, 2, 1, 1, 0}, 7},                         /* offset delta 1 of 0 */
        {{12, 0, 0, 0, 1, 1, 1}, 7},                         /* headers -1 */
        {{12, 0, 0, 0, 1, 1, 2}, 7},                         /* a header without bytes */
        {{16, 0, 0, 0, 1, 1, 2, 1, 1}, 9},                   /* a null header key */
        {{16, 0, 0, 0, 1, 1, 0, 0, 0}, 9},                   /* bytes after the headers */
        {{0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0}, 10}, /* length INT32_MAX */
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0}, 9},  /* a varint that never ends */
        {{12, 0, 0, 0, 0xfe, 0xff, 0xff}, 7},                /* a varint that is cut */
        {{30, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 1, 1, 0}, 16},
    };
    struct rw_records r = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rw_builder b;
        struct rw_slice out;
        struct rw_record record;
        rw_builder_init(&b);
        assert_non_null(rw_buf_extend(&b.records, RW_BATCH_HEADER_SIZE));
        rw_buf_add(&b.records, cases[i].bytes, cases[i].n);
        b.count = 1;
        b.last_offset = 0;
        assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
        uint8_t *exact = copy_of(out);
        assert_int_equal(rw_records_open(&r, exact, out.n), RW_OK);
        assert_int_equal(rw_records_next(&r, &record), RW_E_CORRUPT);
        assert_int_equal(rw_records_next(&r, &record), 0);
        free(exact);
        rw_builder_deinit(&b);
    }
    rw_records_deinit(&r);
    struct rw_record_header h;
    static const uint8_t cut_header[] = {2, 'k', 9};
    struct rw_slice headers = rw_slice(cut_header, 3);
    assert_int_equal(rw_record_next_header(&headers, &h), RW_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_truncations),
        cmocka_unit_test(all_flips),
        cmocka_unit_test(hostile_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
