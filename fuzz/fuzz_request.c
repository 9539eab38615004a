/*
 * Fuzz target: a request as a broker gets it, header and body of any API and version. What can be
 * decoded must encode, and the second decoding must mean the same (compared by encoding once more).
 */
#include "fuzz.h"
#include "wire/api.h"

/* Decodes from `from` and encodes into `to`; false when it can not be decoded. */
static bool again(const struct rw_desc *d, int16_t version, struct rw_reader *from,
                  struct rw_writer *to)
{
    void *m = rw_arena_alloc(from->arena, d->size);
    if (!m || rw_message_read(d, from, version, m) != RW_OK)
        return false;
    rw_writer_clear(to);
    rw_message_write(d, to, version, m);
    RW_ASSERT(rw_writer_code(to) == RW_OK);
    return true;
}

static void check_body(const struct rw_api *api, int16_t version, struct rw_reader *r)
{
    struct rw_writer first, second;
    rw_writer_init(&first);
    rw_writer_init(&second);
    if (again(api->request, version, r, &first)) {
        struct rw_reader reread;
        struct rw_arena arena;
        rw_arena_init(&arena, 0);
        rw_reader_init(&reread, first.buf.p, first.buf.n, &arena);
        RW_ASSERT(again(api->request, version, &reread, &second));
        RW_ASSERT(rw_reader_left(&reread) == 0);
        RW_ASSERT(first.buf.n == second.buf.n);
        RW_ASSERT(!first.buf.n || memcmp(first.buf.p, second.buf.p, first.buf.n) == 0);
        rw_arena_deinit(&arena);
    }
    rw_writer_deinit(&first);
    rw_writer_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_arena arena;
    struct rw_reader r;
    struct rw_request_header header;
    uint8_t *p = fuzz_copy(data, size);
    rw_arena_init(&arena, 1 << 20);
    rw_reader_init(&r, p, size, &arena);
    if (rw_request_header_read(&r, &header) == RW_OK) {
        const struct rw_api *api = rw_api_find(header.api_key);
        if (api)
            check_body(api, header.api_version, &r);
    }
    rw_arena_deinit(&arena);
    free(p);
    return 0;
}
