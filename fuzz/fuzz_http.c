/*
 * HTTP requests as a broker's metrics port gets them. The bytes are parsed twice, in one piece and in
 * pieces of the size that the first byte says: how TCP cuts them must not change what was asked.
 */
#include "base/buf.h"
#include "broker/http_private.h"
#include "fuzz.h"

static void keep(struct rw_buf *said, const struct rw_http_request *r)
{
    RW_ASSERT(strlen(r->path) < sizeof(r->path) && strlen(r->host) < sizeof(r->host) &&
              strlen(r->accept) < sizeof(r->accept));
    RW_ASSERT(r->refuse == 0 && !strpbrk(r->path, "?#"));
    rw_buf_add_u8(said, (uint8_t)(1 + r->head + 2 * r->known_method + 4 * r->keep_alive));
    rw_buf_add(said, r->path, strlen(r->path) + 1);
    rw_buf_add(said, r->host, strlen(r->host) + 1);
    rw_buf_add(said, r->accept, strlen(r->accept) + 1);
}

static void parse(const char *p, size_t n, size_t piece, struct rw_buf *said)
{
    struct rw_http_parser *parser = malloc(sizeof(*parser));
    RW_ASSERT(parser);
    rw_http_parser_init(parser);
    while (n > 0) {
        size_t given = n < piece ? n : piece, used = 0;
        enum rw_http_parse got = rw_http_parse(parser, p, given, &used);
        RW_ASSERT(used <= given);
        RW_ASSERT(parser->header_bytes <= RW_HTTP_HEADER_BYTES || got == RW_HTTP_BAD);
        RW_ASSERT(parser->body_bytes <= RW_HTTP_BODY_BYTES || got == RW_HTTP_BAD);
        if (got == RW_HTTP_BAD) {
            RW_ASSERT(parser->req.refuse >= 400 && parser->req.refuse < 500);
            RW_ASSERT(!parser->req.keep_alive);
            rw_buf_add_u8(said, 0);
            break;
        }
        RW_ASSERT(got == RW_HTTP_COMPLETE || used == given);
        if (got == RW_HTTP_COMPLETE) {
            keep(said, &parser->req);
            if (!parser->req.keep_alive)
                break; /* the broker closes: what follows is not read */
            rw_http_parser_next(parser);
        }
        p += used;
        n -= used;
    }
    free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_buf whole = {0}, pieces = {0};
    if (size < 1)
        return 0;
    size_t n = size - 1;
    char *p = (char *)fuzz_copy(data + 1, n);
    parse(p, n, SIZE_MAX, &whole);
    parse(p, n, 1 + data[0] % 64u, &pieces);
    RW_ASSERT(whole.n == pieces.n && (whole.n == 0 || !memcmp(whole.p, pieces.p, whole.n)));
    rw_buf_deinit(&whole);
    rw_buf_deinit(&pieces);
    free(p);
    return 0;
}
