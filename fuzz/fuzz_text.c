/* Text that people and clients type: durations, sizes, dates, base64, ids, UTF-8, and JSON strings. */
#include "base/base64.h"
#include "base/datetime.h"
#include "base/json.h"
#include "base/units.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "fuzz.h"

static void numbers(struct rw_str s)
{
    int64_t v, again;
    char text[RW_TIME_SIZE];
    (void)rw_units_parse_ms(s, &v);
    (void)rw_units_parse_bytes(s, &v);
    (void)rw_units_parse_int(s, &v);
    if (rw_time_parse(s, &v) && v >= -62135596800000 && v < 253402300800000) {
        RW_ASSERT(rw_time_parse(rw_str(rw_time_format(text, v)), &again));
        RW_ASSERT(again == v);
    }
}

static void encodings(struct rw_str s)
{
    struct rw_buf bytes = {0}, text = {0};
    struct rw_uuid id;
    char id_text[RW_UUID_TEXT_SIZE];
    for (int a = RW_BASE64_STANDARD; a <= RW_BASE64_URL; a++) {
        rw_buf_clear(&bytes), rw_buf_clear(&text);
        if (rw_base64_decode((enum rw_base64)a, s, &bytes) == RW_OK) {
            rw_base64_encode((enum rw_base64)a, rw_slice(bytes.p, bytes.n), &text);
            /* The same but for padding, which the URL alphabet leaves out. */
            RW_ASSERT(text.n <= (size_t)s.n && (text.n == 0 || !memcmp(text.p, s.p, text.n)));
        }
    }
    if (rw_uuid_parse(s, &id)) {
        rw_uuid_format(id, id_text);
        RW_ASSERT(rw_str_is(s, id_text));
    }
    rw_buf_clear(&text);
    rw_json_escape(&text, s.p, (size_t)s.n);
    RW_ASSERT(rw_utf8_valid(text.p, text.n));
    for (size_t i = 0; i < text.n; i++)
        RW_ASSERT(text.p[i] >= 0x20 && text.p[i] != 0x7f);
    rw_buf_deinit(&bytes);
    rw_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1u << 16)
        return 0;
    uint8_t *p = fuzz_copy(data, size);
    struct rw_str s = {(const char *)p, (int32_t)size};
    size_t good = rw_utf8_prefix(p, size);
    RW_ASSERT(good <= size && rw_utf8_valid(p, good));
    numbers(s);
    encodings(s);
    free(p);
    return 0;
}
