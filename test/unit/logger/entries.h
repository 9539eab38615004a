/* What the tests of records share: a dictionary in memory, and entries as a call would put them. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "logger/context.h"
#include "logger/format.h"
#include "base/mem.h"
#include "rollway/logger.h"

#define TIME_NS  INT64_C(1795362001123456789) /* 2026-11-22T15:40:01.123456789Z */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct entries {
    struct rw_lg_map map;
    struct rw_lg_knowledge knowledge;
    union {
        struct rw_lg_entry entry;
        char bytes[8192];
    };
    struct rw_lg_view view;
    struct rw_lg_context context;
    uint16_t logger;
    uint8_t flags;
    uint64_t extra;
};

static inline void entries_init(struct entries *t)
{
    memset(t, 0, sizeof(*t));
    const struct rw_lg_shape shape = {.name = "test",
                                      .ring_bytes = 4096,
                                      .journal_bytes = 4096,
                                      .dictionary_bytes = 1 << 20,
                                      .rings = 1};
    assert_int_equal(rw_lg_map_new(&shape, 1, &t->map, NULL), RW_OK);
    t->knowledge.map = &t->map;
}

static inline void entries_deinit(struct entries *t)
{
    rw_lg_knowledge_deinit(&t->knowledge);
    rw_lg_map_free(&t->map);
}

/* The entries of the whole program. */
static struct entries entries;

static inline int entries_setup(void **state)
{
    (void)state;
    entries_init(&entries);
    return 0;
}

static inline int entries_teardown(void **state)
{
    (void)state;
    entries_deinit(&entries);
    return 0;
}

/* Texts are given as pointers to struct rollway_text, NULL ones as 0; the others by their bits. */
static inline void entries_put(struct entries *t, struct rollway_site *site, const uint64_t *values)
{
    if (!site->id)
        site->id = rw_lg_site_register(&t->map, site);
    assert_int_not_equal(site->id, 0);
    const struct rw_lg_site *s = rw_lg_site_find(&t->map, site->id);
    assert_non_null(s);
    bool extra = (t->flags & (RW_LG_SUPPRESSED | RW_LG_SAMPLED)) != 0;
    char *p = t->bytes + sizeof(t->entry), *text;
    memset(t->bytes, 0, sizeof(t->bytes));
    t->entry = (struct rw_lg_entry){.site = site->id,
                                    .thread = 77,
                                    .logger = t->logger,
                                    .context = t->context.n,
                                    .flags = (uint8_t)(s->level | t->flags)};
    memcpy(p, t->context.bytes, t->context.n);
    p += t->context.n;
    text = p + 8 * ((size_t)s->n_fields + extra);
    for (unsigned i = 0; i < s->n_fields; i++, p += 8) {
        uint64_t v = values[i];
        if (rw_lg_site_types(s)[i] >= ROLLWAY_T_CSTR_) {
            const struct rollway_text *given = (const void *)(uintptr_t)v;
            v = given ? given->n : RW_LG_NULL;
            if (given && given->n) {
                assert_true(given->n < (size_t)(t->bytes + sizeof(t->bytes) - text));
                memcpy(text, given->p, given->n);
                text += given->n;
            }
        }
        memcpy(p, &v, 8);
    }
    if (extra)
        memcpy(p, &t->extra, 8);
    t->entry.size = (uint32_t)rw_lg_align((size_t)(text - t->bytes));
    assert_true(rw_lg_view(&t->knowledge, &t->entry, TIME_NS, &t->view));
}

#define TEXT(s) ((uint64_t)(uintptr_t) & (struct rollway_text){(s), strlen(s)})
#define INT(v)  ((uint64_t)(int64_t)(v))
static inline uint64_t DOUBLE(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, 8);
    return bits;
}

/* The line of the view, NUL-terminated, made with exactly the room that it takes, and with every smaller one: what is
 * there then is its beginning, and its size is told all the same. */
static inline char *line_of(struct rw_lg_format *f, const struct rw_lg_view *v)
{
    static char line[16384];
    struct rw_lg_out o = {line, sizeof(line) - 1, 0};
    rw_lg_format_line(f, &o, v);
    assert_true(o.n < sizeof(line));
    for (size_t cap = 0; cap <= o.n; cap++) {
        char *small = malloc(cap + 1); /* that one, so that it is never NULL */
        struct rw_lg_out again = {small, cap, 0};
        assert_non_null(small);
        small[cap] = '~';
        rw_lg_format_line(f, &again, v);
        assert_int_equal(again.n, o.n);
        assert_memory_equal(small, line, cap);
        assert_int_equal(small[cap], '~');
        free(small);
    }
    line[o.n] = 0;
    return line;
}
