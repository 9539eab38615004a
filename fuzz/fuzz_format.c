/*
 * The format language of produce -f and consume -f, in both directions. Input: one byte of choices, the
 * format up to a NUL, and then what is read with it.
 */
#include "base/buf.h"
#include "cli/format.h"
#include "fuzz.h"

static const uint8_t header[] = "\x02k\x04"
                                "ab\x02q\x01"; /* two headers: k=ab, q=null */

static void render(const struct rw_format *f, bool nulls)
{
    struct rw_batch batch = {.attributes = 3, .producer_id = 9, .producer_epoch = 1};
    struct rw_record record = {.offset = 42, .timestamp = 1700000000123};
    struct rw_buf out = {0};
    if (!nulls) {
        record.key = rw_slice((const uint8_t *)"key", 3);
        record.value = rw_slice((const uint8_t *)"v\xff\"", 3);
        record.headers = rw_slice(header, sizeof(header) - 1);
        record.headers_count = 2;
    }
    rw_format_render(f,
                     &(struct rw_format_record){.topic = "logs",
                                                .partition = 7,
                                                .record = &record,
                                                .batch = nulls ? NULL : &batch,
                                                .last_stable_offset = 50,
                                                .high_watermark = 60},
                     &out);
    rw_buf_deinit(&out);
}

/* Records until the input ends or does not fit; each takes at least one byte. */
static void read_all(const struct rw_format *f, const uint8_t *p, size_t n)
{
    static struct rw_format_header headers[RW_FORMAT_HEADERS_MAX];
    struct rw_format_input in = {.headers = headers};
    for (int i = 0; i < 1000; i++) {
        size_t used = 0;
        int code = rw_format_read(f, p, n, true, &in, &used);
        RW_ASSERT(code == 1 || code == 0 || code == RW_E_INVAL || code == RW_E_SHORT);
        if (code != 1)
            break;
        RW_ASSERT(used > 0 && used <= n);
        RW_ASSERT(in.n_headers >= 0 && in.n_headers <= RW_FORMAT_HEADERS_MAX);
        uint64_t sum = 0;
        for (size_t k = 0; k < in.value.n; k++)
            sum += in.value.p[k];
        for (size_t k = 0; k < in.key.n; k++)
            sum += in.key.p[k];
        RW_ASSERT(sum < UINT64_MAX);
        p += used;
        n -= used;
    }
    rw_buf_deinit(&in.scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_format *format;
    char error[160] = "";
    const uint8_t *nul = size > 0 ? memchr(data + 1, 0, size - 1) : NULL;
    if (!nul)
        return 0;
    size_t text_n = (size_t)(nul - data), rest = size - text_n - 1;
    char *text = (char *)fuzz_copy(data + 1, text_n);
    uint8_t *input = fuzz_copy(nul + 1, rest);
    int code = rw_format_parse(text, data[0] & 1, &format, error);
    if (code == RW_OK) {
        render(format, false);
        render(format, true);
        if (rw_format_check_input(format, error) == RW_OK)
            read_all(format, input, rest);
        else
            RW_ASSERT(error[0] != 0);
        rw_format_free(format);
    } else {
        RW_ASSERT(code == RW_E_INVAL && error[0] != 0);
    }
    free(text);
    free(input);
    return 0;
}
