/* "Did you mean": optimal string alignment distance over three rows. */
#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 64

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

int rw_suggest_distance(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na >= WORD_MAX || nb >= WORD_MAX)
        return na > nb ? (int)na : (int)nb;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int change = a[i - 1] != b[j - 1];
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[na % 3][nb];
}

void rw_suggest_offer(struct rw_suggest *s, const char *candidate)
{
    size_t n = strlen(s->word), m = strlen(candidate);
    int limit = n <= 3 ? 1 : n <= 6 ? 2 : 3;
    int d = rw_suggest_distance(s->word, candidate);
    /* What somebody began to type is meant even when much is missing. */
    if (n >= 3 && n < m && strncmp(s->word, candidate, n) == 0)
        d = 1;
    if (d <= limit && (!s->best || d < s->distance)) {
        s->best = candidate;
        s->distance = d;
    }
}
