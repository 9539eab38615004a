/*
 * One compression codec, FUZZ_CODEC: the input is decompressed as foreign bytes, and compressed as
 * plain bytes, which must come back.
 */
#include "batch/batch.h"
#include "fuzz.h"

#define OUTPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_buf out = {0}, packed = {0}, back = {0};
    struct rw_codecs *codecs = NULL;
    uint8_t *p = fuzz_copy(data, size);
    int code = rw_decompress_with(&codecs, FUZZ_CODEC, rw_slice(p, size), OUTPUT_MAX, &out);
    RW_ASSERT(code == RW_OK ? out.n <= OUTPUT_MAX : out.n == 0);
    /* The limit is exact, and a context that failed works the next time. */
    if (code == RW_OK && out.n > 0)
        RW_ASSERT(rw_decompress_with(&codecs, FUZZ_CODEC, rw_slice(p, size), out.n - 1, &back) ==
                  RW_E_TOO_BIG);
    RW_ASSERT(rw_compress_with(&codecs, FUZZ_CODEC, RW_LEVEL_DEFAULT, rw_slice(p, size), &packed) ==
              RW_OK);
    RW_ASSERT(rw_decompress_with(&codecs, FUZZ_CODEC, rw_slice(packed.p, packed.n), size, &back) ==
              RW_OK);
    RW_ASSERT(back.n == size && (size == 0 || memcmp(back.p, p, size) == 0));
    rw_codecs_free(codecs);
    rw_buf_deinit(&out);
    rw_buf_deinit(&packed);
    rw_buf_deinit(&back);
    free(p);
    return 0;
}
