/*
 * The format mini-language, the other direction: records out of input.
 *
 * A text field ends at the literal text that follows it, or is as long as a length field before it said
 * (%K, %V, %T), or is what its regular expression matches, or goes to the end of the input when it is
 * the last token. The literal that ends the format ends the record: no field that is looked for by its
 * delimiter reaches across it, so that a line without the blank of "%k %v\n" is a mistake and takes
 * nothing of the next line. At the end of the input that last delimiter may be missing.
 */
#include "cli/format.h"
#include "cli/regex.h"

#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/base64.h"
#include "base/units.h"

#define LENGTH_MAX  (1 << 30)
#define REGEX_FIRST ((size_t)1 << 10)
#define REGEX_MAX   ((size_t)1 << 22)

static const char length_of[] = {'T', 'K', 'V'};
static const char text_of[] = {'t', 'k', 'v'};

static int slot(const char *table, char field)
{
    for (int i = 0; i < 3; i++)
        if (table[i] == field)
            return i;
    return -1;
}

int rw_format_check_input(const struct rw_format *f, char error[160])
{
    bool sized[3] = {false, false, false}, some = false;
    for (int i = 0; i < f->n_tokens; i++) {
        const struct rw_format_token *t = &f->tokens[i];
        int length = slot(length_of, t->field), text = slot(text_of, t->field);
        bool delimited = i + 1 == f->n_tokens || f->tokens[i + 1].field == 0;
        some |= t->field != 0;
        if (t->field && !strchr("tkvTKVpdhHo", t->field)) {
            snprintf(error, 160, "%%%c can not be read from input", t->field);
            return RW_E_INVAL;
        }
        if (t->mode == RW_FORMAT_STRFTIME || t->mode == RW_FORMAT_JSON ||
            t->mode == RW_FORMAT_BOOL || t->mode == RW_FORMAT_UNPACK) {
            snprintf(error, 160, "the words in braces after %%%c are for output only", t->field);
            return RW_E_INVAL;
        }
        bool binary =
            t->mode == RW_FORMAT_BIG || t->mode == RW_FORMAT_LITTLE || t->mode == RW_FORMAT_REGEX;
        if (length >= 0)
            sized[length] = true;
        if (t->field && !delimited && !binary && !(text >= 0 && sized[text]) && t->field != 'h') {
            snprintf(error, 160, "where does %%%c end? a delimiter or a length must tell",
                     t->field);
            return RW_E_INVAL;
        }
        if (t->inner) {
            int rc = rw_format_check_input(t->inner, error);
            int n = t->inner->n_tokens;
            if (rc == RW_OK && (n == 0 || t->inner->tokens[n - 1].field)) {
                snprintf(error, 160,
                         "where does a header end? a delimiter must tell inside of %%h{}");
                rc = RW_E_INVAL;
            }
            if (rc != RW_OK)
                return rc;
        }
    }
    if (!some)
        snprintf(error, 160, "a format to read needs a field, for example %%v");
    return some ? RW_OK : RW_E_INVAL;
}

struct cut {
    const uint8_t *at, *end;
    bool last;
    const struct rw_format_token *final; /* the literal that ends the format; NULL: there is none */
    int64_t sizes[3];                    /* of topic, key, value; -1: not told */
    int64_t n_headers;
    struct rw_format_input *in;
};

static const uint8_t *find(const struct rw_format_token *t, const uint8_t *p, size_t n)
{
    return t->literal_n == 1 ? memchr(p, t->literal[0], n) : memmem(p, n, t->literal, t->literal_n);
}

/* The bytes of a field up to the literal behind it (which is left in place). */
static int until(struct cut *c, const struct rw_format_token *next, struct rw_slice *ret)
{
    size_t left = (size_t)(c->end - c->at);
    const struct rw_format_token *final = c->final;
    const uint8_t *found = next ? find(next, c->at, left) : NULL;
    size_t n = found ? (size_t)(found - c->at) : left;
    /* A delimiter that has the record's end inside of it ends no record. */
    bool bounded = final && next && next != final &&
                   !find(final, (const uint8_t *)next->literal, next->literal_n);
    if (bounded && find(final, c->at, n))
        return RW_E_INVAL;
    if (!found && !c->last)
        return RW_E_SHORT;
    if (!found && next && next != final)
        return RW_E_INVAL;
    *ret = rw_slice(c->at, n);
    c->at += ret->n;
    return RW_OK;
}

static int fixed(struct cut *c, int64_t n, struct rw_slice *ret)
{
    if (n < 0 || n > LENGTH_MAX)
        return RW_E_INVAL;
    if (c->end - c->at < n)
        return c->last ? RW_E_INVAL : RW_E_SHORT;
    *ret = rw_slice(c->at, (size_t)n);
    c->at += n;
    return RW_OK;
}

/* As much as the regular expression matches. It is tried on a few bytes first, because matching takes
 * memory for all that it is given; what ends where these end might go on. */
static int match(struct cut *c, const struct rw_format_token *t, struct rw_slice *ret)
{
    size_t left = (size_t)(c->end - c->at);
    for (size_t n = REGEX_FIRST;; n *= 16) {
        bool all = n >= left;
        size_t end = 0;
        bool found = rw_regex_match(t->regex, c->at, all ? left : n, &end) == 1;
        bool whole = found && end < (all ? left : n);
        if (found && (whole || (all && c->last) || n >= REGEX_MAX)) {
            *ret = rw_slice(c->at, end);
            c->at += ret->n;
            return RW_OK;
        }
        if (n >= REGEX_MAX || (all && c->last))
            return RW_E_INVAL;
        if (all)
            return RW_E_SHORT;
    }
}

static int number(struct cut *c, const struct rw_format_token *t,
                  const struct rw_format_token *next, int64_t *ret)
{
    struct rw_slice s;
    char digits[32];
    bool binary = t->mode == RW_FORMAT_BIG || t->mode == RW_FORMAT_LITTLE;
    int rc = binary ? fixed(c, t->bits / 8, &s) : until(c, next, &s);
    if (rc != RW_OK)
        return rc;
    if (!binary) {
        if (s.n == 0 || s.n >= sizeof(digits))
            return RW_E_INVAL;
        memcpy(digits, s.p, s.n);
        digits[s.n] = 0;
        char *end = NULL;
        if (t->mode == RW_FORMAT_HEX) {
            *ret = (int64_t)strtoull(digits, &end, 16);
            return *end || !isxdigit((unsigned char)digits[0]) ? RW_E_INVAL : RW_OK;
        }
        return rw_units_parse_int(rw_str(digits), ret) ? RW_OK : RW_E_INVAL;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++)
        v = t->mode == RW_FORMAT_BIG ? v << 8 | s.p[i] : v | (uint64_t)s.p[i] << (8 * i);
    /* Numbers are signed as in Kafka: a 32-bit length of -1 is null. */
    *ret = s.n == 8 ? (int64_t)v : (int64_t)(v << (64 - 8 * s.n)) >> (64 - 8 * s.n);
    return RW_OK;
}

static int unhex(struct rw_buf *out, struct rw_slice s)
{
    if (s.n % 2)
        return RW_E_INVAL;
    for (size_t i = 0; i < s.n; i += 2) {
        char two[3] = {(char)s.p[i], (char)s.p[i + 1], 0};
        if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
            return RW_E_INVAL;
        rw_buf_add_u8(out, (uint8_t)strtoul(two, NULL, 16));
    }
    return RW_OK;
}

/* Decoded bytes are never more than what is left of the input: room for all of it is made before the
 * first field, so that scratch does not move under the views into it. */
static int text(struct cut *c, const struct rw_format_token *t, struct rw_slice raw,
                struct rw_slice *ret)
{
    if (t->mode == RW_FORMAT_PLAIN || t->mode == RW_FORMAT_REGEX) {
        *ret = raw;
        return RW_OK;
    }
    struct rw_buf *scratch = &c->in->scratch;
    int rc = RW_OK;
    if (scratch->n == 0 && !rw_buf_reserve(scratch, (size_t)(c->end - raw.p) + 1))
        return RW_E_NOMEM;
    size_t from = scratch->n;
    if (t->mode == RW_FORMAT_HEX)
        rc = unhex(scratch, raw);
    else
        rc = rw_base64_decode(RW_BASE64_RAW, (struct rw_str){(const char *)raw.p, (int32_t)raw.n},
                              scratch);
    if (rc == RW_OK)
        *ret = rw_slice(scratch->p + from, scratch->n - from);
    return rc;
}

static int literal(struct cut *c, const struct rw_format_token *t)
{
    size_t left = (size_t)(c->end - c->at), n = t->literal_n < left ? t->literal_n : left;
    if (memcmp(c->at, t->literal, n) != 0)
        return RW_E_INVAL;
    if (left < t->literal_n && !c->last)
        return RW_E_SHORT;
    if (left < t->literal_n && t != c->final)
        return RW_E_INVAL;
    c->at += n;
    return RW_OK;
}

static int one_header(struct cut *c, const struct rw_format *f, struct rw_format_header *h);

static int headers(struct cut *c, const struct rw_format_token *t)
{
    int64_t n = c->n_headers < 0 ? 1 : c->n_headers;
    if (n > RW_FORMAT_HEADERS_MAX - c->in->n_headers) /* a format may have %h more than once */
        return RW_E_INVAL;
    for (int64_t i = 0; i < n; i++) {
        struct rw_format_header *h = &c->in->headers[c->in->n_headers];
        int rc = one_header(c, t->inner, h);
        if (rc != RW_OK)
            return rc;
        c->in->n_headers++;
    }
    return RW_OK;
}

/* One text field, by its length or up to the next literal. */
static int text_field(struct cut *c, const struct rw_format_token *t,
                      const struct rw_format_token *next, int64_t size, struct rw_slice *ret)
{
    struct rw_slice raw = {NULL, 0};
    if (size == -2) { /* a length of -1: null */
        *ret = raw;
        return RW_OK;
    }
    int rc = size >= 0                    ? fixed(c, size, &raw)
             : t->mode == RW_FORMAT_REGEX ? match(c, t, &raw)
                                          : until(c, next, &raw);
    return rc == RW_OK ? text(c, t, raw, ret) : rc;
}

/* A length was read: -1 is null, less than that is no length. */
static int take_size(int64_t v, int64_t *size)
{
    if (v < -1)
        return RW_E_INVAL;
    *size = v == -1 ? -2 : v;
    return RW_OK;
}

static int one_header(struct cut *c, const struct rw_format *f, struct rw_format_header *h)
{
    int64_t sizes[3] = {-1, -1, -1};
    *h = (struct rw_format_header){{NULL, 0}, {NULL, 0}};
    for (int i = 0; i < f->n_tokens; i++) {
        const struct rw_format_token *t = &f->tokens[i];
        const struct rw_format_token *next = i + 1 < f->n_tokens ? t + 1 : NULL;
        int s = slot(text_of, t->field), rc;
        int64_t v = 0;
        if (!t->field) {
            rc = literal(c, t);
        } else if (s >= 0) {
            rc = text_field(c, t, next, sizes[s], t->field == 'k' ? &h->key : &h->value);
        } else {
            rc = number(c, t, next, &v);
            if (rc == RW_OK)
                rc = take_size(v, &sizes[slot(length_of, t->field)]);
        }
        if (rc != RW_OK)
            return rc;
    }
    return RW_OK;
}

static int token(struct cut *c, const struct rw_format_token *t, const struct rw_format_token *next)
{
    struct rw_slice *texts[] = {&c->in->topic, &c->in->key, &c->in->value};
    int s = slot(text_of, t->field);
    int64_t v = 0;
    if (!t->field)
        return literal(c, t);
    if (s >= 0)
        return text_field(c, t, next, c->sizes[s], texts[s]);
    if (t->field == 'h')
        return headers(c, t);
    int rc = number(c, t, next, &v);
    if (rc != RW_OK)
        return rc;
    if (slot(length_of, t->field) >= 0)
        return take_size(v, &c->sizes[slot(length_of, t->field)]);
    if (t->field == 'H') {
        c->n_headers = v;
        return v < 0 ? RW_E_INVAL : RW_OK;
    } else if (t->field == 'p') {
        c->in->has_partition = true;
        c->in->partition = v;
    } else if (t->field == 'd') {
        c->in->has_timestamp = true;
        c->in->timestamp = v;
    }
    return RW_OK;
}

int rw_format_read(const struct rw_format *f, const uint8_t *p, size_t n, bool last,
                   struct rw_format_input *in, size_t *ret_used)
{
    const struct rw_format_token *end = &f->tokens[f->n_tokens - 1];
    struct cut c = {.at = p,
                    .end = p + n,
                    .last = last,
                    .final = end->field ? NULL : end,
                    .sizes = {-1, -1, -1},
                    .n_headers = -1,
                    .in = in};
    if (n == 0)
        return last ? 0 : RW_E_SHORT;
    in->topic = in->key = in->value = rw_slice(NULL, 0);
    in->has_partition = in->has_timestamp = false;
    in->n_headers = 0;
    rw_buf_clear(&in->scratch);
    for (int i = 0; i < f->n_tokens; i++) {
        int rc = token(&c, &f->tokens[i], i + 1 < f->n_tokens ? &f->tokens[i + 1] : NULL);
        if (rc != RW_OK)
            return rc;
    }
    *ret_used = (size_t)(c.at - p);
    return 1;
}

bool rw_format_reads_lines(const struct rw_format *f)
{
    const struct rw_format_token *end = &f->tokens[f->n_tokens - 1];
    if (end->field || end->literal_n != 1 || end->literal[0] != '\n')
        return false;
    for (const struct rw_format_token *t = f->tokens; t < end; t++) {
        bool by_delimiter = t->field && !t->inner && slot(length_of, t->field) < 0 &&
                            t->mode != RW_FORMAT_REGEX && t->mode != RW_FORMAT_BIG &&
                            t->mode != RW_FORMAT_LITTLE;
        if (t->field ? !by_delimiter : memchr(t->literal, '\n', t->literal_n) != NULL)
            return false;
    }
    return true;
}
