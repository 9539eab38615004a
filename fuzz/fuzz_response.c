/*
 * Fuzz target: what a client or a tool decodes. The first byte chooses one of all messages of schema/
 * (responses, requests, metadata records, group and transaction data), the second its version; the rest
 * is the body. What can be decoded must encode, and decode to the same again.
 */
#include "fuzz.h"
#include "wire/api.h"
#include "wire/frame.h"
#include "wire/record.h"

static void check_message(const struct rw_desc *d, int16_t version, const uint8_t *p, size_t n)
{
    struct rw_arena arena;
    struct rw_reader r;
    struct rw_writer first, second;
    rw_arena_init(&arena, 1 << 20);
    rw_writer_init(&first);
    rw_writer_init(&second);
    rw_reader_init(&r, p, n, &arena);
    void *m = rw_arena_alloc(&arena, d->size);
    RW_ASSERT(m);
    if (rw_message_read(d, &r, version, m) == RW_OK) {
        rw_message_write(d, &first, version, m);
        RW_ASSERT(rw_writer_code(&first) == RW_OK);
        arena.limit = 0;
        rw_reader_init(&r, first.buf.p, first.buf.n, &arena);
        RW_ASSERT(rw_message_read(d, &r, version, m) == RW_OK);
        RW_ASSERT(rw_reader_left(&r) == 0);
        rw_message_write(d, &second, version, m);
        RW_ASSERT(first.buf.n == second.buf.n);
        RW_ASSERT(!first.buf.n || memcmp(first.buf.p, second.buf.p, first.buf.n) == 0);
    }
    rw_writer_deinit(&first);
    rw_writer_deinit(&second);
    rw_arena_deinit(&arena);
}

/* Whatever the bytes are, they must not make the smaller readers misbehave either. */
static void check_rest(const uint8_t *p, size_t n)
{
    struct rw_arena arena;
    struct rw_reader r;
    size_t frame, n_apis;
    int32_t correlation_id;
    const struct rw_record_type *type;
    int16_t version;
    void *m;
    if (rw_frame_check(p, n, 1 << 20, &frame) == RW_OK)
        RW_ASSERT(frame <= n);
    const struct rw_api *apis = rw_api_table(&n_apis);
    rw_reader_init(&r, p, n, NULL);
    if (rw_response_header_read(&r, &apis[0], apis[0].max, &correlation_id) == RW_OK)
        RW_ASSERT(rw_reader_left(&r) <= n - 4);
    rw_arena_init(&arena, 1 << 20);
    rw_reader_init(&r, p, n, &arena);
    if (rw_record_read(&r, &type, &version, &m) == RW_OK)
        RW_ASSERT(version <= type->max);
    rw_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    if (size < 2)
        return 0;
    const struct rw_desc *d = all[data[0] % n];
    int16_t version = (int16_t)(d->first + data[1] % (d->last - d->first + 1));
    uint8_t *p = fuzz_copy(data + 2, size - 2);
    check_message(d, version, p, size - 2);
    check_rest(p, size - 2);
    free(p);
    return 0;
}
