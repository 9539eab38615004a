/* compress.c and snappy.c: round trips, limits, bombs, other framings, and the libraries as oracles. */
#include "sample.h"
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#include "batch/snappy.h"

static uint32_t random_next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* kind 0: one letter, 1: text that repeats, 2: noise, 3: short periods with noise between. */
static uint8_t *make(int kind, size_t n, uint32_t seed)
{
    uint8_t *p = malloc(n ? n : 1);
    assert_non_null(p);
    uint32_t x = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = random_next(&x);
        p[i] = kind == 0 ? 'a'
               : kind == 1
                   ? (uint8_t) "the quick brown fox jumps over it; "[(i * 7 + (r < 99)) % 35]
               : kind == 2 ? (uint8_t)(r >> 11)
                           : (i > 80 && r % 64 ? p[i - 1 - seed % 80] : (uint8_t)r);
    }
    return p;
}

static const size_t sizes[] = {0,     1,     2,     7,     15,    16,     17,    59,
                               60,    61,    255,   256,   257,   4095,   32767, 32768,
                               32769, 65535, 65536, 65537, 98304, 131073, 700001};

static void there_and_back(void **state)
{
    (void)state;
    struct rw_codecs *codecs = NULL;
    struct rw_buf packed = {0}, back = {0};
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++)
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (int kind = 0; kind < 4; kind++) {
                enum rw_codec c = (enum rw_codec)codec;
                size_t n = sizes[s];
                uint8_t *in = make(kind, n, (uint32_t)s);
                rw_buf_clear(&packed), rw_buf_clear(&back);
                rw_buf_add_str(&packed, "kept");
                rw_buf_add_str(&back, "kept");
                assert_int_equal(
                    rw_compress_with(&codecs, c, RW_LEVEL_DEFAULT, rw_slice(in, n), &packed),
                    RW_OK);
                uint8_t *exact = copy_of(rw_slice(packed.p + 4, packed.n - 4));
                struct rw_slice z = rw_slice(exact, packed.n - 4);
                assert_int_equal(rw_decompress_with(&codecs, c, z, n, &back), RW_OK);
                assert_int_equal(back.n, n + 4);
                assert_memory_equal(back.p, "kept", 4);
                assert_memory_equal(back.p + 4, in, n);
                if (n > 0) { /* one byte less is too little, and leaves nothing behind */
                    assert_int_equal(rw_decompress_with(&codecs, c, z, n - 1, &back), RW_E_TOO_BIG);
                    assert_int_equal(back.n, n + 4);
                    assert_int_equal(rw_decompress(c, z, n, &back), RW_OK);
                    assert_int_equal(back.n, 2 * n + 4);
                }
                free(exact);
                free(in);
            }
    rw_buf_deinit(&packed);
    rw_buf_deinit(&back);
    rw_codecs_free(codecs);
}

static void levels(void **state)
{
    (void)state;
    static const struct {
        enum rw_codec codec;
        int level, code;
    } cases[] = {
        {RW_CODEC_GZIP, 1, RW_OK},       {RW_CODEC_GZIP, 9, RW_OK},
        {RW_CODEC_GZIP, -1, RW_OK},      {RW_CODEC_GZIP, 10, RW_E_INVAL},
        {RW_CODEC_LZ4, 1, RW_OK},        {RW_CODEC_LZ4, 9, RW_OK},
        {RW_CODEC_LZ4, 17, RW_OK},       {RW_CODEC_LZ4, 18, RW_E_INVAL},
        {RW_CODEC_LZ4, 0, RW_E_INVAL},   {RW_CODEC_ZSTD, 1, RW_OK},
        {RW_CODEC_ZSTD, -5, RW_OK},      {RW_CODEC_ZSTD, 19, RW_OK},
        {RW_CODEC_ZSTD, 23, RW_E_INVAL}, {RW_CODEC_SNAPPY, 5, RW_OK},
    };
    struct rw_codecs *codecs = NULL;
    uint8_t *in = make(1, 50000, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rw_buf packed = {0}, back = {0};
        assert_int_equal(
            rw_compress_with(&codecs, cases[i].codec, cases[i].level, rw_slice(in, 50000), &packed),
            cases[i].code);
        if (cases[i].code == RW_OK) {
            assert_int_equal(rw_decompress_with(&codecs, cases[i].codec,
                                                rw_slice(packed.p, packed.n), 50000, &back),
                             RW_OK);
            assert_memory_equal(back.p, in, 50000);
        }
        rw_buf_deinit(&packed);
        rw_buf_deinit(&back);
    }
    rw_codecs_free(codecs);
    free(in);
}

/* A megabyte of zeros, refused at 64 KiB whatever it announces. */
static void bombs(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, 64u << 20);
    assert_non_null(zeros);
    for (int codec = RW_CODEC_GZIP; codec <= RW_CODEC_ZSTD; codec++) {
        struct rw_buf packed = {0}, back = {0};
        assert_int_equal(rw_compress((enum rw_codec)codec, RW_LEVEL_DEFAULT,
                                     rw_slice(zeros, 64u << 20), &packed),
                         RW_OK);
        assert_int_equal(
            rw_decompress((enum rw_codec)codec, rw_slice(packed.p, packed.n), 64u << 10, &back),
            RW_E_TOO_BIG);
        assert_int_equal(back.n, 0);
        assert_true(back.cap <= 4u << 20);
        rw_buf_deinit(&packed);
        rw_buf_deinit(&back);
    }
    free(zeros);
    /* Raw snappy that announces 4 GiB in eight bytes; and the most that eight bytes could hold. */
    struct rw_buf back = {0};
    static const uint8_t liar[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0, 'a', 0};
    assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(liar, 8), SIZE_MAX, &back),
                     RW_E_CORRUPT);
    assert_int_equal(back.cap, 0);
}

static void gzip_of_any_shape(void **state)
{
    (void)state;
    /* Two members, the second with a name in its header, as `gzip -c a b` makes them. */
    uint8_t a[100], z[400];
    struct rw_buf back = {0};
    memset(a, 'x', sizeof(a));
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        z_stream s = {.next_in = a, .avail_in = sizeof(a), .next_out = z + at, .avail_out = 200};
        gz_header head = {.name = (Bytef *)(uintptr_t) "file", .os = 3};
        assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        if (i)
            assert_int_equal(deflateSetHeader(&s, &head), Z_OK);
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        at += s.total_out;
        deflateEnd(&s);
    }
    assert_int_equal(rw_decompress(RW_CODEC_GZIP, rw_slice(z, at), 1000, &back), RW_OK);
    assert_int_equal(back.n, 200);
    assert_int_equal(rw_decompress(RW_CODEC_GZIP, rw_slice(z, at), 199, &back), RW_E_TOO_BIG);
    assert_int_equal(rw_decompress(RW_CODEC_GZIP, rw_slice(z, at - 1), 1000, &back), RW_E_CORRUPT);
    z[at] = 'g';
    assert_int_equal(rw_decompress(RW_CODEC_GZIP, rw_slice(z, at + 1), 1000, &back), RW_E_CORRUPT);
    z[at - 1] ^= 1; /* the trailer's size */
    assert_int_equal(rw_decompress(RW_CODEC_GZIP, rw_slice(z, at), 1000, &back), RW_E_CORRUPT);
    assert_int_equal(back.n, 200);
    rw_buf_deinit(&back);
}

static void library_decodes_ours(void **state)
{
    (void)state;
    uint8_t *in = make(1, 300000, 9), *out = malloc(300000);
    struct rw_buf z = {0};
    assert_non_null(out);
    assert_int_equal(rw_compress(RW_CODEC_ZSTD, RW_LEVEL_DEFAULT, rw_slice(in, 300000), &z), RW_OK);
    assert_int_equal(ZSTD_decompress(out, 300000, z.p, z.n), 300000);
    assert_memory_equal(out, in, 300000);

    rw_buf_clear(&z);
    assert_int_equal(rw_compress(RW_CODEC_LZ4, RW_LEVEL_DEFAULT, rw_slice(in, 300000), &z), RW_OK);
    LZ4F_dctx *d;
    LZ4F_frameInfo_t info;
    assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)));
    size_t used = z.n, got = 300000;
    assert_false(LZ4F_isError(LZ4F_getFrameInfo(d, &info, z.p, &used)));
    /* What Kafka's Java clients insist on. */
    assert_int_equal(info.blockMode, LZ4F_blockIndependent);
    size_t rest = z.n - used;
    assert_int_equal(LZ4F_decompress(d, out, &got, z.p + used, &rest, NULL), 0);
    assert_int_equal(got, 300000);
    assert_memory_equal(out, in, 300000);
    LZ4F_freeDecompressionContext(d);

    rw_buf_clear(&z);
    assert_int_equal(rw_compress(RW_CODEC_GZIP, RW_LEVEL_DEFAULT, rw_slice(in, 300000), &z), RW_OK);
    z_stream s = {.next_in = z.p, .avail_in = (uInt)z.n, .next_out = out, .avail_out = 300000};
    assert_int_equal(inflateInit2(&s, 31), Z_OK);
    assert_int_equal(inflate(&s, Z_FINISH), Z_STREAM_END);
    inflateEnd(&s);
    assert_memory_equal(out, in, 300000);
    rw_buf_deinit(&z);
    free(in);
    free(out);
}

static void streams_without_announced_size(void **state)
{
    (void)state;
    /* What Java's streaming compressor writes: no content size, and flushes in the middle. */
    uint8_t *in = make(1, 500000, 3), *z = malloc(600000);
    struct rw_buf back = {0};
    assert_non_null(z);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer zin = {in, 250000, 0};
    ZSTD_outBuffer zout = {z, 600000, 0};
    assert_int_equal(ZSTD_compressStream2(c, &zout, &zin, ZSTD_e_flush), 0);
    zin.size = 500000;
    assert_int_equal(ZSTD_compressStream2(c, &zout, &zin, ZSTD_e_end), 0);
    ZSTD_freeCCtx(c);
    assert_int_equal(rw_decompress(RW_CODEC_ZSTD, rw_slice(z, zout.pos), 500000, &back), RW_OK);
    assert_int_equal(back.n, 500000);
    assert_memory_equal(back.p, in, 500000);
    assert_int_equal(rw_decompress(RW_CODEC_ZSTD, rw_slice(z, zout.pos), 499999, &back),
                     RW_E_TOO_BIG);
    rw_buf_deinit(&back);
    free(in);
    free(z);
}

#ifdef HAVE_SNAPPY
static void snappy_oracle(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int kind = 0; kind < 4; kind++)
            for (uint32_t seed = 0; seed < 4; seed++) {
                size_t n = sizes[s], got = n, z_n = snappy_max_compressed_length(n);
                uint8_t *in = make(kind, n, seed), *out = malloc(n + 1), *z = malloc(z_n);
                struct rw_buf ours = {0}, back = {0};
                assert_int_equal(rw_snappy_compress_raw(rw_slice(in, n), &ours), RW_OK);
                assert_int_equal(snappy_uncompress((char *)ours.p, ours.n, (char *)out, &got),
                                 SNAPPY_OK);
                assert_int_equal(got, n);
                assert_memory_equal(out, in, n);
                assert_int_equal(snappy_compress((char *)in, n, (char *)z, &z_n), SNAPPY_OK);
                uint8_t *exact = copy_of(rw_slice(z, z_n));
                assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(exact, z_n), n, &back),
                                 RW_OK);
                assert_int_equal(back.n, n);
                assert_memory_equal(back.p, in, n);
                if (n > 100000 && kind != 2)
                    assert_true(ours.n < z_n * 5 / 4 + 64); /* about as small as theirs */
                rw_buf_deinit(&ours);
                rw_buf_deinit(&back);
                free(in), free(out), free(z), free(exact);
            }
}
#endif

/* A frame that announces its size and breaks off must not spoil the next one. */
static void a_failure_leaves_nothing_behind(void **state)
{
    (void)state;
    static const uint8_t with_size[] = {0x04, 0x22, 0x4d, 0x18, 0x6c, 0x40, 0xa7, 0x0c,
                                        0,    0,    0,    0,    0,    0x39, 0x61};
    struct rw_codecs *codecs = NULL;
    for (int codec = RW_CODEC_GZIP; codec <= RW_CODEC_ZSTD; codec++) {
        struct rw_buf z = {0}, back = {0};
        enum rw_codec c = (enum rw_codec)codec;
        assert_int_equal(rw_compress_with(&codecs, c, 3, text("abcabcabcabc"), &z), RW_OK);
        for (size_t cut = 1; cut < z.n; cut++) {
            int code = rw_decompress_with(&codecs, c, rw_slice(z.p, cut), 99, &back);
            assert_true(code == RW_E_CORRUPT || (c == RW_CODEC_SNAPPY && cut == 16));
            if (c == RW_CODEC_LZ4)
                assert_int_equal(rw_decompress_with(&codecs, c, rw_slice(with_size, 15), 99, &back),
                                 RW_E_CORRUPT);
            rw_buf_clear(&back);
            assert_int_equal(rw_decompress_with(&codecs, c, rw_slice(z.p, z.n), 99, &back), RW_OK);
            assert_string_equal(rw_buf_cstr(&back), "abcabcabcabc");
        }
        rw_buf_deinit(&z);
        rw_buf_deinit(&back);
    }
    rw_codecs_free(codecs);
}

static void snappy_by_hand(void **state)
{
    (void)state;
    /* "abcdabcdabcd" = literal abcd, copy of 8 from 4 back, in each of the three copy forms. */
    static const struct {
        uint8_t z[16];
        size_t n;
        int code;
    } cases[] = {
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 4 << 2 | 1, 4}, 8, RW_OK},
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 7 << 2 | 2, 4, 0}, 9, RW_OK},
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 7 << 2 | 3, 4, 0, 0, 0}, 11, RW_OK},
        {{12, 60 << 2, 3, 'a', 'b', 'c', 'd', 4 << 2 | 1, 4}, 9, RW_OK},
        {{12, 61 << 2, 3, 0, 'a', 'b', 'c', 'd', 4 << 2 | 1, 4}, 10, RW_OK},
        {{12, 63 << 2, 3, 0, 0, 0, 'a', 'b', 'c', 'd', 4 << 2 | 1, 4}, 12, RW_OK},
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 4 << 2 | 1, 0}, 8, RW_E_CORRUPT},    /* offset 0 */
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 4 << 2 | 1, 5}, 8, RW_E_CORRUPT},    /* before start */
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 8 << 2 | 2, 4, 0}, 9, RW_E_CORRUPT}, /* beyond end */
        {{12, 3 << 2, 'a', 'b', 'c', 'd', 4 << 2 | 1}, 7, RW_E_CORRUPT},       /* cut */
        {{12, 3 << 2, 'a', 'b', 'c', 'd'}, 6, RW_E_CORRUPT},                   /* too little */
        {{12, 11 << 2, 'a'}, 3, RW_E_CORRUPT},                                 /* literal cut */
        {{12, 63 << 2, 0xff, 0xff, 0xff, 0xff, 'a'}, 7, RW_E_CORRUPT},
        {{0x80}, 1, RW_E_CORRUPT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rw_buf back = {0};
        uint8_t *exact = copy_of(rw_slice(cases[i].z, cases[i].n));
        assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(exact, cases[i].n), 100, &back),
                         cases[i].code);
        if (cases[i].code == RW_OK)
            assert_memory_equal(back.p, "abcdabcdabcd", 12);
        else
            assert_int_equal(back.n, 0);
        rw_buf_deinit(&back);
        free(exact);
    }
}

static void xerial_frames(void **state)
{
    (void)state;
    /* Version numbers written by a little-endian client; two blocks, one of them empty. */
    uint8_t z[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y',    0,   1,   0, 0, 0, 1, 0, 0,
                   0,    0,   0,   0,   4,   2,   1 << 2, 'h', 'i', 0, 0, 0, 1, 0};
    struct rw_buf back = {0};
    assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(z, sizeof(z)), 2, &back), RW_OK);
    assert_string_equal(rw_buf_cstr(&back), "hi");
    assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(z, 16), 9, &back), RW_OK);
    for (size_t n = 8; n < sizeof(z); n++)
        if (n != 16 && n != 24) {
            uint8_t *exact = copy_of(rw_slice(z, n));
            assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(exact, n), 9, &back),
                             RW_E_CORRUPT);
            free(exact);
        }
    assert_int_equal(rw_decompress(RW_CODEC_SNAPPY, rw_slice(z, sizeof(z)), 1, &back),
                     RW_E_TOO_BIG);
    rw_buf_deinit(&back);
}

static void names_and_refusals(void **state)
{
    (void)state;
    enum rw_codec codec;
    struct rw_buf b = {0};
    for (int i = RW_CODEC_NONE; i <= RW_CODEC_ZSTD; i++) {
        assert_true(rw_codec_parse(rw_codec_name((enum rw_codec)i), &codec));
        assert_int_equal(codec, i);
        assert_int_equal(rw_decompress((enum rw_codec)i, rw_slice("", 0), 9, &b),
                         i ? RW_E_CORRUPT : RW_OK);
        if (i)
            assert_int_equal(
                rw_decompress((enum rw_codec)i, text("\xfe\xfe\xfe\xfe\xfe\xfe\xfe"), 99, &b),
                RW_E_CORRUPT);
    }
    assert_false(rw_codec_parse("brotli", &codec));
    assert_string_equal(rw_codec_name((enum rw_codec)7), "unknown");
    assert_int_equal(rw_compress((enum rw_codec)7, 0, text("x"), &b), RW_E_UNSUPPORTED);
    assert_int_equal(rw_decompress((enum rw_codec)7, text("x"), 9, &b), RW_E_UNSUPPORTED);
    b.failed = true;
    assert_int_equal(rw_compress(RW_CODEC_LZ4, 1, text("x"), &b), RW_E_NOMEM);
    assert_int_equal(rw_decompress(RW_CODEC_LZ4, text("x"), 9, &b), RW_E_NOMEM);
    rw_buf_deinit(&b);
}

static void memory_runs_out(void **state)
{
    (void)state;
    uint8_t *in = make(1, 100000, 2);
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        bool done = false;
        for (uint64_t fail = 1; !done; fail++) {
            struct rw_buf z = {0}, back = {0};
            rw_mem_fail_at(fail, 1);
            int code =
                rw_compress((enum rw_codec)codec, RW_LEVEL_DEFAULT, rw_slice(in, 100000), &z);
            if (code == RW_OK)
                code = rw_decompress((enum rw_codec)codec, rw_slice(z.p, z.n), 100000, &back);
            done = rw_mem_count() < fail;
            rw_mem_fail_at(0, 0);
            assert_int_equal(code, done ? RW_OK : RW_E_NOMEM);
            assert_int_equal(back.n, done ? 100000 : 0);
            rw_buf_deinit(&z);
            rw_buf_deinit(&back);
        }
    }
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(levels),
        cmocka_unit_test(bombs),
        cmocka_unit_test(gzip_of_any_shape),
        cmocka_unit_test(library_decodes_ours),
        cmocka_unit_test(streams_without_announced_size),
#ifdef HAVE_SNAPPY
        cmocka_unit_test(snappy_oracle),
#endif
        cmocka_unit_test(a_failure_leaves_nothing_behind),
        cmocka_unit_test(snappy_by_hand),
        cmocka_unit_test(xerial_frames),
        cmocka_unit_test(names_and_refusals),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
