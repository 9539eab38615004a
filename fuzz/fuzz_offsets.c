/* The language of -o: what parses has ends that mean something. */
#include "cli/offsets.h"
#include "fuzz.h"

static void check(struct rw_offset_point p)
{
    RW_ASSERT(p.kind >= RW_POINT_NONE && p.kind <= RW_POINT_TIME);
    if (p.kind == RW_POINT_EXACT || p.kind == RW_POINT_FROM_START || p.kind == RW_POINT_FROM_END)
        RW_ASSERT(p.value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_offset_range range;
    char *text = malloc(size + 1);
    RW_ASSERT(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = 0;
    if (rw_parse_offsets(text, 1700000000000, &range)) {
        check(range.from);
        check(range.to);
        RW_ASSERT(range.from.kind != RW_POINT_NONE);
    }
    free(text);
    return 0;
}
