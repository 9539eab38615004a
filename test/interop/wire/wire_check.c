/*
 * The C half of the wire check (see WireCheck.java). Lines on both sides are "name version hex dump".
 *
 *   wire_check list                      "name first last" of every message
 *   wire_check generate SEED ROUNDS SIZE random messages of every version
 *   wire_check check                     decodes lines, compares the dump, encodes, compares the bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "wire/api.h"
#include "wire_messages.h"

static void list(void)
{
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    for (size_t i = 0; i < n; i++)
        printf("%s %d %d\n", all[i]->name, all[i]->first, all[i]->last);
}

static void print_line(const struct rw_desc *d, int version, const struct rw_writer *w,
                       struct rw_buf *dump)
{
    printf("%s %d %s", d->name, version, w->buf.n ? "" : "-");
    for (size_t i = 0; i < w->buf.n; i++)
        printf("%02x", w->buf.p[i]);
    printf(" %s\n", rw_buf_cstr(dump));
}

static int generate(uint64_t seed, int rounds, unsigned size)
{
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    struct rw_test_rand rand = {seed * 2 + 1};
    struct rw_arena arena;
    struct rw_writer w;
    struct rw_buf dump;
    int failed = 0;
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    rw_buf_init(&dump);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < rounds * (all[i]->last - all[i]->first + 1); k++) {
            int16_t version = (int16_t)(all[i]->first + k / rounds);
            rw_arena_reset(&arena);
            rw_writer_clear(&w);
            rw_buf_clear(&dump);
            const void *m = rw_test_random_message(all[i], version, &rand, size, &arena);
            if (m)
                rw_message_write(all[i], &w, version, m);
            if (!m || rw_writer_failed(&w)) {
                fprintf(stderr, "%s %d: can not write: %s\n", all[i]->name, version,
                        rw_code_name(rw_writer_code(&w)));
                failed++;
                continue;
            }
            rw_test_dump_message(all[i], version, m, &dump);
            print_line(all[i], version, &w, &dump);
        }
    }
    rw_arena_deinit(&arena);
    rw_writer_deinit(&w);
    rw_buf_deinit(&dump);
    return failed;
}

/* NULL, or what is wrong. */
static const char *check_line(const struct rw_test_line *line)
{
    const char *problem = NULL;
    struct rw_arena arena;
    struct rw_reader r;
    struct rw_writer w;
    struct rw_buf dump;
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    rw_buf_init(&dump);
    rw_reader_init(&r, line->bytes, line->n, &arena);
    void *m = rw_arena_alloc(&arena, line->desc->size);
    if (!m || rw_message_read(line->desc, &r, line->version, m) != RW_OK) {
        problem = rw_code_name(r.code);
    } else if (rw_reader_left(&r)) {
        problem = "bytes left over";
    } else {
        rw_test_dump_message(line->desc, line->version, m, &dump);
        rw_message_write(line->desc, &w, line->version, m);
        if (rw_writer_failed(&w))
            problem = "can not encode it again";
        else if (w.buf.n != line->n || (line->n && memcmp(w.buf.p, line->bytes, line->n) != 0))
            problem = "encodes to other bytes";
        else if (!line->dump || strcmp(rw_buf_cstr(&dump), line->dump) != 0)
            problem = "means something else";
    }
    rw_arena_deinit(&arena);
    rw_writer_deinit(&w);
    rw_buf_deinit(&dump);
    return problem;
}

static int check(void)
{
    struct rw_test_line line;
    int got, seen = 0, failed = 0;
    while ((got = rw_test_next_line(stdin, &line)) != 0) {
        const char *problem = got < 0 ? "malformed line" : check_line(&line);
        seen++;
        if (problem) {
            fprintf(stderr, "%s %d: %s\n", line.desc ? line.desc->name : "?", line.version,
                    problem);
            failed++;
        }
        rw_test_line_deinit(&line);
    }
    rw_test_line_deinit(&line);
    fprintf(stderr, "C: %d messages, %d differ\n", seen, failed);
    return seen ? failed : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check() != 0;
    if (argc == 5 && strcmp(argv[1], "generate") == 0)
        return generate(strtoull(argv[2], NULL, 10), atoi(argv[3]), (unsigned)atoi(argv[4])) != 0;
    fprintf(stderr, "usage: wire_check list | check | generate SEED ROUNDS SIZE\n");
    return 2;
}
