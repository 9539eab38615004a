/*
 * HTTP/1.1 requests, by llhttp (the parser of Node.js), which refuses ambiguous framing. What is kept
 * of a request: method, path, Host, Accept. Everything else is counted against the limits and dropped.
 */
#include <ctype.h>
#include <string.h>
#include "broker/http_private.h"

static struct rw_http_parser *self(llhttp_t *l)
{
    return l->data;
}

/* All header bytes count, wanted or not. */
static bool count(struct rw_http_parser *p, size_t n)
{
    p->header_bytes += n;
    if (p->header_bytes <= RW_HTTP_HEADER_BYTES)
        return true;
    p->req.refuse = 431;
    return false;
}

static int on_begin(llhttp_t *l)
{
    self(l)->begun = true;
    return 0;
}

static int on_url(llhttp_t *l, const char *at, size_t n)
{
    struct rw_http_parser *p = self(l);
    if (!count(p, n))
        return -1;
    if (p->url_n + n >= sizeof(p->req.path)) {
        p->req.refuse = 414;
        return -1;
    }
    memcpy(p->req.path + p->url_n, at, n);
    p->url_n += n;
    p->req.path[p->url_n] = 0;
    return 0;
}

static int on_field(llhttp_t *l, const char *at, size_t n)
{
    struct rw_http_parser *p = self(l);
    if (!count(p, n))
        return -1;
    for (size_t i = 0; i < n && p->name_n < sizeof(p->name) - 1; i++)
        p->name[p->name_n++] = (char)tolower((unsigned char)at[i]);
    p->name[p->name_n] = 0;
    return 0;
}

static int on_field_complete(llhttp_t *l)
{
    struct rw_http_parser *p = self(l);
    p->value = NULL;
    p->value_n = 0;
    if (!strcmp(p->name, "host")) {
        /* A second Host is how one server is made to see another name than its proxy. */
        if (p->req.host[0]) {
            p->req.refuse = 400;
            return -1;
        }
        p->value = p->req.host;
        p->value_cap = sizeof(p->req.host);
    } else if (!strcmp(p->name, "accept")) {
        p->value = p->req.accept;
        p->value_cap = sizeof(p->req.accept);
    }
    p->name_n = 0;
    p->name[0] = 0;
    return 0;
}

static int on_value(llhttp_t *l, const char *at, size_t n)
{
    struct rw_http_parser *p = self(l);
    if (!count(p, n))
        return -1;
    for (size_t i = 0; p->value && i < n && p->value_n < p->value_cap - 1; i++)
        p->value[p->value_n++] = at[i];
    if (p->value)
        p->value[p->value_n] = 0;
    return 0;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
    struct rw_http_parser *p = self(l);
    (void)at;
    p->body_bytes += n;
    if (p->body_bytes <= RW_HTTP_BODY_BYTES)
        return 0;
    p->req.refuse = 413;
    return -1;
}

static int on_complete(llhttp_t *l)
{
    struct rw_http_parser *p = self(l);
    uint8_t method = llhttp_get_method(l);
    p->complete = true;
    p->req.head = method == HTTP_HEAD;
    p->req.known_method = method == HTTP_GET || method == HTTP_HEAD;
    p->req.keep_alive = llhttp_should_keep_alive(l) && !llhttp_get_upgrade(l);
    p->req.path[strcspn(p->req.path, "#")] = 0;
    size_t end = strcspn(p->req.path, "?");
    p->req.query = p->req.path[end] ? p->req.path + end + 1 : "";
    p->req.path[end] = 0;
    bool wants_host = l->http_major != 1 || l->http_minor != 0;
    if (wants_host && !p->req.host[0]) { /* RFC 9112, 3.2 */
        p->req.refuse = 400;
        p->req.keep_alive = false;
    }
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_message_begin = on_begin,
                                           .on_url = on_url,
                                           .on_header_field = on_field,
                                           .on_header_field_complete = on_field_complete,
                                           .on_header_value = on_value,
                                           .on_body = on_body,
                                           .on_message_complete = on_complete};

void rw_http_parser_init(struct rw_http_parser *p)
{
    *p = (struct rw_http_parser){0};
    llhttp_init(&p->parser, HTTP_REQUEST, &settings);
    p->parser.data = p;
}

void rw_http_parser_next(struct rw_http_parser *p)
{
    llhttp_t parser = p->parser;
    *p = (struct rw_http_parser){.parser = parser};
    llhttp_resume(&p->parser);
}

enum rw_http_parse rw_http_parse(struct rw_http_parser *p, const char *bytes, size_t n,
                                 size_t *ret_used)
{
    llhttp_errno_t e = llhttp_execute(&p->parser, bytes, n);
    *ret_used = n;
    if (p->complete) {
        const char *end = llhttp_get_error_pos(&p->parser);
        if (end >= bytes && end <= bytes + n)
            *ret_used = (size_t)(end - bytes);
        return p->req.refuse ? RW_HTTP_BAD : RW_HTTP_COMPLETE;
    }
    if (e == HPE_OK)
        return RW_HTTP_MORE;
    if (!p->req.refuse)
        p->req.refuse = 400;
    p->req.keep_alive = false;
    return RW_HTTP_BAD;
}
