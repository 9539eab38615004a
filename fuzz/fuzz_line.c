/*
 * The parsers, filters and formats of rollway pipe. The first byte chooses: a parser for the rest, a filter, a pattern, or a checkpoint.
 * What was parsed and written as JSON is parsed again, to the same number of fields.
 */
#include "fuzz.h"
#include "pipe/filter.h"
#include "pipe/format.h"
#include "pipe/json.h"
#include "pipe/parse.h"
#include "pipe/progress.h"

static void *compile(const char *pattern, char error[120])
{
    (void)pattern;
    error[0] = 0;
    return malloc(1);
}

static int match(void *regex, struct rw_str text)
{
    (void)regex;
    return text.n > 3;
}

static const struct rw_pipe_regex regex = {compile, match, free};

/* Formats of whatever was parsed. */
static void formats(struct rw_pipe_record *r, struct rw_str line)
{
    struct rw_buf out;
    struct rw_pipe_record again;
    struct rw_err err = {0};
    rw_buf_init(&out);
    rw_pipe_record_init(&again);
    rw_pipe_format(RW_PIPE_AS_TEXT, r, rw_slice(line.p, (size_t)line.n), &out);
    rw_buf_clear(&out);
    rw_pipe_format(RW_PIPE_AS_LOGFMT, r, rw_slice(line.p, (size_t)line.n), &out);
    RW_ASSERT(out.n == 0 || !memchr(out.p, '\n', out.n));
    rw_buf_clear(&out);
    rw_pipe_format(RW_PIPE_AS_JSON, r, rw_slice(line.p, (size_t)line.n), &out);
    struct rw_str json = {(const char *)out.p, (int32_t)out.n};
    RW_ASSERT(!memchr(out.p, '\n', out.n));
    RW_ASSERT(rw_pipe_json_object(json, &again, &err) == RW_OK);
    RW_ASSERT(again.n == r->n);
    rw_pipe_record_deinit(&again);
    rw_buf_deinit(&out);
}

static void parse(enum rw_pipe_parser parser, const struct rw_pipe_pattern *pattern,
                  struct rw_str line)
{
    static const char text[] = "level>=warn and not (a.b.c=1 or time<2026) or message~x or n>3.5";
    struct rw_pipe_record r;
    struct rw_pipe_filter *f = NULL;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    int rc = rw_pipe_parse(parser, pattern, line, &r, &err);
    RW_ASSERT(rc == RW_OK || err.text[0]);
    RW_ASSERT(rc == RW_OK || parser != RW_PIPE_AUTO);
    if (rc == RW_OK) {
        RW_ASSERT(rw_pipe_filter_new(RW_STR_LIT(text), &regex, &f, &err) == RW_OK);
        RW_ASSERT(rw_pipe_filter_match(f, &r) >= 0);
        formats(&r, line);
        rw_pipe_filter_free(f);
    }
    rw_pipe_record_deinit(&r);
}

static void filter(struct rw_str text)
{
    struct rw_pipe_filter *f = NULL;
    struct rw_pipe_record r;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    int rc = rw_pipe_filter_new(text, &regex, &f, &err);
    RW_ASSERT(rc == RW_OK || err.text[0]);
    if (rc == RW_OK) {
        RW_ASSERT(rw_pipe_parse(RW_PIPE_LOGFMT, NULL, RW_STR_LIT("level=info a=1 b=x"), &r, &err) ==
                  RW_OK);
        RW_ASSERT(rw_pipe_filter_match(f, &r) >= 0);
    }
    rw_pipe_filter_free(f);
    rw_pipe_record_deinit(&r);
}

static void pattern(struct rw_str text)
{
    struct rw_pipe_pattern *p = NULL;
    struct rw_err err = {0};
    int rc = rw_pipe_pattern_new(text, &p, &err);
    RW_ASSERT(rc == RW_OK || err.text[0]);
    if (rc == RW_OK)
        parse(RW_PIPE_PATTERN, p, RW_STR_LIT("10.0.0.1 - - [23/Nov/2026] \"GET / HTTP/1.1\" 200"));
    rw_pipe_pattern_free(p);
}

static void progress(struct rw_str text)
{
    struct rw_pipe_progress p;
    struct rw_buf out;
    rw_pipe_progress_init(&p);
    rw_buf_init(&out);
    if (rw_pipe_progress_read(text, &p) == RW_OK) {
        struct rw_pipe_progress again;
        rw_pipe_progress_init(&again);
        rw_pipe_progress_write(&p, &out);
        RW_ASSERT(rw_pipe_progress_read((struct rw_str){(const char *)out.p, (int32_t)out.n},
                                        &again) == RW_OK);
        RW_ASSERT(again.n == p.n && again.length == p.length);
        rw_pipe_progress_deinit(&again);
    }
    rw_buf_deinit(&out);
    rw_pipe_progress_deinit(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 20)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct rw_str text = {(const char *)copy, (int32_t)(size - 1)};
    switch (data[0] % 8) {
    case 5:
        filter(text);
        break;
    case 6:
        pattern(text);
        break;
    case 7:
        progress(text);
        break;
    default:
        parse((enum rw_pipe_parser)(data[0] % 8), NULL, text);
    }
    free(copy);
    return 0;
}
