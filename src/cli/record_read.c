/*
 * A record out of a line of JSON, the way back from record_json.c and `rollway log export -f json`. It reads one object of known
 * shape and steps over members it does not know. Decoded text is never longer than what it was decoded from.
 */
#include "cli/record_json.h"

#include <string.h>
#include "base/base64.h"
#include "base/json_scan.h"
#include "base/units.h"
#include "base/utf8.h"

struct reader {
    struct rw_json_scan scan; /* where errors are */
    struct rw_buf *out;
    struct rw_record_line *line;
};

/* Behind what was decoded before. `out` has room. */
static int string(const struct rw_json_scan *s, struct rw_buf *out, struct rw_str text,
                  struct rw_slice *ret)
{
    bool halves;
    uint8_t *p = out->p + out->n;
    size_t n = rw_json_decode(text, p, &halves);
    out->n += n;
    *ret = rw_slice(p, n);
    return halves ? rw_json_wrong(s, "half of a surrogate pair before this") : RW_OK;
}

static int name_of(struct reader *r, const struct rw_json_value *name, struct rw_str *ret)
{
    size_t before = r->out->n;
    struct rw_slice text;
    int rc = string(&r->scan, r->out, name->text, &text);
    r->out->n = before; /* looked at before more is decoded */
    *ret = (struct rw_str){(const char *)text.p, (int32_t)text.n};
    return rc;
}

/* {"base64": "..."} */
static int base64(struct reader *r, struct rw_json_scan s, struct rw_slice *ret)
{
    static const char shape[] = "an object in the place of text is {\"base64\":\"...\"}";
    struct rw_json_value name, v;
    size_t from = r->out->n;
    int rc = rw_json_next_member(&s, &name, &v);
    if (rc == RW_E_NOT_FOUND ||
        (!rc && (!rw_str_is(name.text, "base64") || v.kind != RW_JSON_STRING)))
        return rw_json_wrong(&s, shape);
    struct rw_slice text;
    if (!rc)
        rc = string(&s, r->out, v.text, &text); /* "/" may be escaped */
    if (rc)
        return rc;
    rc = rw_base64_decode(RW_BASE64_RAW, (struct rw_str){(const char *)text.p, (int32_t)text.n},
                          r->out);
    if (rc)
        return rc == RW_E_INVAL ? rw_json_wrong(&s, "no base64 before this") : rc;
    size_t n = r->out->n - from - text.n;
    memmove(r->out->p + from, r->out->p + from + text.n, n);
    r->out->n = from + n;
    *ret = rw_slice(r->out->p + from, n);
    rc = rw_json_next_member(&s, &name, &v);
    return rc == RW_E_NOT_FOUND ? RW_OK : rc ? rc : rw_json_wrong(&s, shape);
}

/* null, a string, or base64. */
static int bytes(struct reader *r, const struct rw_json_value *v, struct rw_slice *ret)
{
    *ret = rw_slice(NULL, 0);
    switch (v->kind) {
    case RW_JSON_NULL:
        return RW_OK;
    case RW_JSON_STRING:
        return string(&r->scan, r->out, v->text, ret);
    case RW_JSON_OBJECT:
        return base64(r, rw_json_inside(&r->scan, v), ret);
    case RW_JSON_BOOL:
    case RW_JSON_NUMBER:
    case RW_JSON_ARRAY:
        break;
    }
    return rw_json_wrong(&r->scan,
                         "a string, null or an object with base64 was expected before this");
}

static int header(struct reader *r, struct rw_json_scan s)
{
    if (r->line->n_headers == r->line->headers_max)
        return rw_json_wrong(&s, "too many headers");
    struct rw_record_header *h = &r->line->headers[r->line->n_headers++];
    struct rw_json_value name, v;
    struct rw_str is;
    int rc;
    *h = (struct rw_record_header){{NULL, -1}, {NULL, 0}};
    while ((rc = rw_json_next_member(&s, &name, &v)) == RW_OK) {
        struct rw_slice key;
        rc = name_of(r, &name, &is);
        if (!rc && rw_str_is(is, "value"))
            rc = bytes(r, &v, &h->value);
        else if (!rc && rw_str_is(is, "key")) {
            rc = bytes(r, &v, &key);
            if (!rc && key.p)
                h->key = (struct rw_str){(const char *)key.p, (int32_t)key.n};
        }
        if (rc)
            return rc;
    }
    if (rc != RW_E_NOT_FOUND)
        return rc;
    return h->key.n < 0 ? rw_json_wrong(&s, "a header without a key") : RW_OK;
}

static int headers(struct reader *r, const struct rw_json_value *v)
{
    r->line->n_headers = 0;
    if (v->kind == RW_JSON_NULL)
        return RW_OK;
    struct rw_json_scan s = rw_json_inside(&r->scan, v);
    struct rw_json_value element;
    int rc;
    while ((rc = rw_json_next_element(&s, &element)) == RW_OK)
        if ((rc = header(r, rw_json_inside(&s, &element))))
            return rc;
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

static int timestamp(struct reader *r, const struct rw_json_value *v)
{
    if (v->kind == RW_JSON_NULL)
        return RW_OK;
    r->line->has_timestamp = true;
    return v->kind == RW_JSON_NUMBER && rw_units_parse_int(v->text, &r->line->timestamp)
               ? RW_OK
               : rw_json_wrong(&r->scan, "no whole number before this");
}

static int members(struct reader *r)
{
    struct rw_json_value name, v;
    struct rw_str is;
    int rc;
    while ((rc = rw_json_next_member(&r->scan, &name, &v)) == RW_OK) {
        rc = name_of(r, &name, &is);
        if (!rc && rw_str_is(is, "key"))
            rc = bytes(r, &v, &r->line->key);
        else if (!rc && rw_str_is(is, "value"))
            rc = bytes(r, &v, &r->line->value);
        else if (!rc && rw_str_is(is, "timestamp"))
            rc = timestamp(r, &v);
        else if (!rc && rw_str_is(is, "headers"))
            rc = headers(r, &v);
        if (rc)
            return rc;
    }
    return rc == RW_E_NOT_FOUND ? rw_json_end_of_text(&r->scan) : rc;
}

int rw_record_json_read(struct rw_str text, struct rw_buf *scratch, struct rw_record_line *line,
                        struct rw_err *ret_err)
{
    struct reader r = {.scan = rw_json_scan(text, ret_err), .out = scratch, .line = line};
    line->key = line->value = rw_slice(NULL, 0);
    line->has_timestamp = false;
    line->n_headers = 0;
    size_t good = rw_utf8_prefix(text.p, (size_t)text.n);
    if (good < (size_t)text.n) {
        r.scan.at += good;
        return rw_json_wrong(&r.scan, "not UTF-8");
    }
    if (!rw_buf_reserve(scratch, 2 * (size_t)text.n + 1))
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    return members(&r);
}
