/*
 * Bytes that Kafka's own classes wrote, one line per message and version (see the first lines of the
 * files): decoding and encoding must give them back, every shorter prefix must be refused, and so must
 * memory that ends at any point. Run under ASan the prefixes also prove that nothing reads past the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/mem.h"
#include "wire/api.h"
#include "wire_messages.h"

static const char *const files[] = {"request.txt", "response.txt", "other.txt"};

static void each_line(void (*check)(const struct rw_test_line *line))
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[1000];
        snprintf(path, sizeof(path), "%s/%s", GOLDEN_DIR, files[i]);
        FILE *f = fopen(path, "r");
        if (!f)
            fail_msg("can not open %s", path);
        struct rw_test_line line;
        int got, n = 0;
        while ((got = rw_test_next_line(f, &line)) == 1) {
            check(&line);
            rw_test_line_deinit(&line);
            n++;
        }
        rw_test_line_deinit(&line);
        fclose(f);
        assert_int_equal(got, 0);
        assert_true(n > 20);
    }
}

static int read_message(const struct rw_test_line *line, size_t n, struct rw_arena *arena,
                        void **ret)
{
    struct rw_reader r;
    *ret = rw_arena_alloc(arena, line->desc->size);
    if (!*ret)
        return RW_E_NOMEM;
    rw_reader_init(&r, line->bytes, n, arena);
    int code = rw_message_read(line->desc, &r, line->version, *ret);
    return code ? code : rw_reader_left(&r) ? RW_E_TOO_BIG : RW_OK;
}

static void check_same(const struct rw_test_line *line)
{
    struct rw_arena arena;
    struct rw_writer w;
    void *m;
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    if (read_message(line, line->n, &arena, &m) != RW_OK)
        fail_msg("%s %d: not read", line->desc->name, line->version);
    rw_message_write(line->desc, &w, line->version, m);
    if (rw_writer_failed(&w) || w.buf.n != line->n ||
        (line->n && memcmp(w.buf.p, line->bytes, line->n) != 0))
        fail_msg("%s %d: other bytes", line->desc->name, line->version);
    rw_writer_deinit(&w);
    rw_arena_deinit(&arena);
}

static void check_prefixes(const struct rw_test_line *line)
{
    struct rw_arena arena;
    rw_arena_init(&arena, 0);
    for (size_t n = 0; n < line->n; n++) {
        struct rw_test_line prefix = *line;
        void *m;
        /* A copy of exactly these bytes, so that ASan sees a read past the end. */
        prefix.bytes = rw_memdup(line->bytes, n);
        assert_non_null(prefix.bytes);
        int code = read_message(&prefix, n, &arena, &m);
        if (code != RW_E_SHORT && code != RW_E_CORRUPT)
            fail_msg("%s %d: %zu of %zu bytes: %s", line->desc->name, line->version, n, line->n,
                     rw_code_name(code));
        rw_free(prefix.bytes);
        rw_arena_reset(&arena);
    }
    rw_arena_deinit(&arena);
}

static void check_memory(const struct rw_test_line *line)
{
    struct rw_arena arena;
    struct rw_writer w;
    void *m;
    /* Every limit of the arena below what the message needs. */
    rw_arena_init(&arena, 0);
    assert_int_equal(read_message(line, line->n, &arena, &m), RW_OK);
    size_t need = arena.used;
    rw_arena_deinit(&arena);
    for (size_t limit = 8; limit < need; limit += 8) {
        rw_arena_init(&arena, limit);
        assert_int_equal(read_message(line, line->n, &arena, &m), RW_E_NOMEM);
        rw_arena_deinit(&arena);
    }
    /* The n-th allocation of the writer. */
    rw_arena_init(&arena, 0);
    assert_int_equal(read_message(line, line->n, &arena, &m), RW_OK);
    for (uint64_t i = 1;; i++) {
        rw_writer_init(&w);
        rw_mem_fail_at(i, 0);
        rw_message_write(line->desc, &w, line->version, m);
        bool refused = rw_mem_count() >= i;
        rw_mem_fail_at(0, 0);
        assert_int_equal(rw_writer_code(&w), refused ? RW_E_NOMEM : RW_OK);
        rw_writer_deinit(&w);
        if (!refused)
            break;
    }
    rw_arena_deinit(&arena);
}

static void test_same_bytes(void **state)
{
    (void)state;
    each_line(check_same);
}

static void test_prefixes(void **state)
{
    (void)state;
    each_line(check_prefixes);
}

static void test_memory(void **state)
{
    (void)state;
    each_line(check_memory);
}

/* A schema without golden bytes would be a schema that nothing checks. */
static uint8_t versions_seen[400][40];

static size_t index_of(const struct rw_desc *d)
{
    size_t n, i = 0;
    const struct rw_desc *const *all = rw_message_table(&n);
    while (i < n && all[i] != d)
        i++;
    assert_true(i < n && i < 400);
    return i;
}

static void mark(const struct rw_test_line *line)
{
    assert_in_range(line->version, 0, 39);
    versions_seen[index_of(line->desc)][line->version] = 1;
}

static void test_complete(void **state)
{
    (void)state;
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    each_line(mark);
    for (size_t i = 0; i < n; i++)
        for (int v = all[i]->first; v <= all[i]->last; v++)
            if (!versions_seen[i][v])
                fail_msg("no golden bytes for %s version %d", all[i]->name, v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
