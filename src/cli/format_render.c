/* The format mini-language: records to text. */
#include "cli/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/base64.h"
#include "base/json.h"

static void hex(struct rw_buf *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = rw_buf_extend(out, n * 2);
    for (size_t i = 0; to && i < n; i++) {
        to[2 * i] = (uint8_t)digits[p[i] >> 4];
        to[2 * i + 1] = (uint8_t)digits[p[i] & 15];
    }
}

static void text(struct rw_buf *out, const struct rw_format_token *t, struct rw_slice s)
{
    switch (t->mode) {
    case RW_FORMAT_HEX:
        hex(out, s.p, s.n);
        break;
    case RW_FORMAT_BASE64:
    case RW_FORMAT_BASE64_RAW:
        rw_base64_encode(t->mode == RW_FORMAT_BASE64 ? RW_BASE64_STANDARD : RW_BASE64_RAW, s, out);
        break;
    case RW_FORMAT_JSON:
        if (s.p)
            rw_json_quote(out, s.p, s.n);
        else
            rw_buf_add_str(out, "null");
        break;
    case RW_FORMAT_UNPACK:
        rw_format_unpack(t->literal, s, out);
        break;
    case RW_FORMAT_PLAIN:
    case RW_FORMAT_BIG:
    case RW_FORMAT_LITTLE:
    case RW_FORMAT_BOOL:
    case RW_FORMAT_STRFTIME:
    case RW_FORMAT_REGEX:
        rw_buf_add(out, s.p, s.n);
        break;
    }
}

static void decimal(struct rw_buf *out, int64_t v)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        digits[--at] = '-';
    rw_buf_add(out, digits + at, sizeof(digits) - at);
}

static void strf(struct rw_buf *out, const char *pattern, int64_t ms)
{
    struct tm tm;
    char result[256];
    time_t s = (time_t)(ms / 1000);
    if (!gmtime_r(&s, &tm))
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                     \
    "-Wformat-nonliteral" /* the pattern is the user's: that is the feature */
    size_t n = strftime(result, sizeof(result), pattern, &tm);
#pragma GCC diagnostic pop
    rw_buf_add(out, result, n);
}

static void number(struct rw_buf *out, const struct rw_format_token *t, int64_t v)
{
    uint64_t u = (uint64_t)v;
    int bytes = t->bits / 8;
    switch (t->mode) {
    case RW_FORMAT_HEX:
        if (t->bits < 64)
            u &= (1ull << t->bits) - 1;
        rw_buf_printf(out, "%0*" PRIx64, t->bits / 4, u);
        break;
    case RW_FORMAT_BIG:
        for (int i = bytes - 1; i >= 0; i--)
            rw_buf_add_u8(out, (uint8_t)(u >> (8 * i)));
        break;
    case RW_FORMAT_LITTLE:
        for (int i = 0; i < bytes; i++)
            rw_buf_add_u8(out, (uint8_t)(u >> (8 * i)));
        break;
    case RW_FORMAT_BOOL:
        rw_buf_add_str(out, v ? "true" : "false");
        break;
    case RW_FORMAT_STRFTIME:
        strf(out, t->literal, v);
        break;
    case RW_FORMAT_PLAIN:
    case RW_FORMAT_BASE64:
    case RW_FORMAT_BASE64_RAW:
    case RW_FORMAT_JSON:
    case RW_FORMAT_UNPACK:
    case RW_FORMAT_REGEX:
        decimal(out, v);
        break;
    }
}

static int64_t length(const struct rw_format *f, struct rw_slice s)
{
    return !s.p && f->kcat ? -1 : (int64_t)s.n;
}

static void headers(const struct rw_format_token *t, struct rw_slice encoded, struct rw_buf *out)
{
    struct rw_record_header h;
    while (rw_record_next_header(&encoded, &h) == 1) {
        struct rw_slice key = {(const uint8_t *)h.key.p, (size_t)h.key.n};
        for (int i = 0; i < t->inner->n_tokens; i++) {
            const struct rw_format_token *in = &t->inner->tokens[i];
            if (!in->field)
                rw_buf_add(out, in->literal, in->literal_n);
            else if (in->field == 'k' || in->field == 'v')
                text(out, in, in->field == 'k' ? key : h.value);
            else
                number(out, in, (int64_t)(in->field == 'K' ? key.n : h.value.n));
        }
    }
}

static void attribute(const struct rw_format_token *t, const struct rw_batch *b, struct rw_buf *out)
{
    uint16_t a = b ? b->attributes : 0;
    if (strcmp(t->literal, "compression") == 0)
        rw_buf_add_str(out, rw_codec_name((enum rw_codec)(a & RW_ATTR_CODEC_MASK)));
    else if (strcmp(t->literal, "timestamp-type") == 0)
        rw_buf_add_str(out, a & RW_ATTR_LOG_APPEND_TIME ? "LogAppendTime" : "CreateTime");
    else if (strcmp(t->literal, "transactional") == 0)
        rw_buf_add_str(out, a & RW_ATTR_TRANSACTIONAL ? "true" : "false");
    else
        rw_buf_add_str(out, a & RW_ATTR_CONTROL ? "true" : "false");
}

static int64_t number_of(const struct rw_format *f, char field, const struct rw_format_record *r)
{
    switch (field) {
    case 'T':
        return (int64_t)strlen(r->topic);
    case 'K':
        return length(f, r->record->key);
    case 'V':
        return length(f, r->record->value);
    case 'H':
        return r->record->headers_count;
    case 'p':
        return r->partition;
    case 'o':
        return r->record->offset;
    case 'e':
        return r->batch ? r->batch->leader_epoch : -1;
    case 'd':
        return r->record->timestamp;
    case 'x':
        return r->batch ? r->batch->producer_id : -1;
    case 'y':
        return r->batch ? r->batch->producer_epoch : -1;
    case '[':
        return r->log_start_offset;
    case '|':
        return r->last_stable_offset;
    case ']':
        return r->high_watermark;
    default:
        return r->number;
    }
}

void rw_format_render(const struct rw_format *f, const struct rw_format_record *r,
                      struct rw_buf *out)
{
    if (f->values_only) {
        rw_buf_add(out, r->record->value.p, r->record->value.n);
        rw_buf_add_u8(out, '\n');
        return;
    }
    for (int i = 0; i < f->n_tokens; i++) {
        const struct rw_format_token *t = &f->tokens[i];
        switch (t->field) {
        case 0:
            rw_buf_add(out, t->literal, t->literal_n);
            break;
        case 't':
            text(out, t, rw_slice(r->topic, strlen(r->topic)));
            break;
        case 'k':
            text(out, t, r->record->key);
            break;
        case 'v':
            text(out, t, r->record->value);
            break;
        case 'h':
            headers(t, r->record->headers, out);
            break;
        case 'a':
            attribute(t, r->batch, out);
            break;
        default:
            number(out, t, number_of(f, t->field, r));
            break;
        }
    }
}
