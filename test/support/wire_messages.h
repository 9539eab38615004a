/*
 * What tests do with any wire message, guided by its field table: fill it with random values, print it,
 * and read messages written as "name version hex [dump]" lines ("-" for no bytes).
 */
#pragma once

#include <stdio.h>
#include "wire/message.h"

struct rw_test_rand {
    uint64_t state; /* not 0 */
};

uint64_t rw_test_next(struct rw_test_rand *rand);

/* A value for every field that the version has, defaults for the others. Arrays have at most `size`
 * elements. Everything lives in the arena. Returns a struct of d->size bytes, NULL without memory. */
void *rw_test_random_message(const struct rw_desc *d, int version, struct rw_test_rand *rand,
                             unsigned size, struct rw_arena *arena);

/* "{name=value;...}": every field of the version by name; names without underscores, text and bytes in
 * hex. */
void rw_test_dump_message(const struct rw_desc *d, int version, const void *m, struct rw_buf *to);

struct rw_test_line {
    const struct rw_desc *desc;
    int16_t version;
    uint8_t *bytes; /* rw_free() */
    size_t n;
    char *dump; /* rest of the line, within `text` */
    char *text; /* free() */
};

/* The next line that is not a comment. 1: there is one; 0: end; -1: malformed or unknown name. */
int rw_test_next_line(FILE *file, struct rw_test_line *ret);
void rw_test_line_deinit(struct rw_test_line *line);
