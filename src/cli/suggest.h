/* "Did you mean": the nearest of some words. Pure. */
#pragma once

#include <stddef.h>

/* Edit distance with insertions, deletions, changes and swaps of neighbours. Words over 63 bytes are
 * as far apart as they are long. */
int rw_suggest_distance(const char *a, const char *b);

/* Keeps the nearest word seen; start with {word, NULL, 0}. */
struct rw_suggest {
    const char *word;
    const char *best; /* NULL: nothing near enough */
    int distance;
};

void rw_suggest_offer(struct rw_suggest *s, const char *candidate);
