/* What the tests of parsers share: a record as one line of text, "name:kind=text" with blanks between. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include "pipe/parse.h"

static inline void unit_show(const struct rw_pipe_record *r, struct rw_buf *out)
{
    static const char kinds[] = "zbnsj"; /* null, bool, number, string, JSON */
    rw_buf_clear(out);
    for (size_t i = 0; i < r->n; i++) {
        const struct rw_pipe_field *f = &r->fields[i];
        rw_buf_printf(out, "%s%.*s:%c=%.*s", i ? " " : "", (int)f->name.n, f->name.p,
                      kinds[f->value.kind], (int)f->value.text.n, f->value.text.p);
    }
}

/* The line comes out as `expected`. */
static inline void unit_parses(enum rw_pipe_parser parser, const char *line, const char *expected)
{
    struct rw_pipe_record r;
    struct rw_buf out;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    rw_buf_init(&out);
    int rc = rw_pipe_parse(parser, NULL, rw_str(line), &r, &err);
    if (rc)
        print_message("%s: %s\n", line, err.text);
    assert_int_equal(rc, RW_OK);
    unit_show(&r, &out);
    assert_string_equal(rw_buf_cstr(&out), expected);
    rw_buf_deinit(&out);
    rw_pipe_record_deinit(&r);
}

/* The line is refused with these words. */
static inline void unit_refuses(enum rw_pipe_parser parser, const char *line, const char *words)
{
    struct rw_pipe_record r;
    struct rw_err err = {0};
    rw_pipe_record_init(&r);
    assert_int_equal(rw_pipe_parse(parser, NULL, rw_str(line), &r, &err), RW_E_INVAL);
    assert_string_equal(err.text, words);
    rw_pipe_record_deinit(&r);
}
