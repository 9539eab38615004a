/* Log levels by logger. Lists are short and lines are rare: a linear search is enough. */
#include "base/levels.h"

#include <string.h>

/* One of "level" and "logger=level", n bytes long. */
static bool take(struct rw_levels *l, const char *item, size_t n)
{
    char word[RW_LEVELS_NAME_MAX];
    const char *sign = memchr(item, '=', n);
    size_t name = sign ? (size_t)(sign - item) : 0;
    const char *level = sign ? sign + 1 : item;
    size_t rest = n - (size_t)(level - item);
    enum rw_level parsed;
    if (rest >= sizeof(word) || name >= sizeof(l->of[0].logger))
        return false;
    memcpy(word, level, rest);
    word[rest] = 0;
    if (!rw_level_parse(word, &parsed))
        return false;
    if (!sign) {
        l->other = parsed;
        return true;
    }
    if (name == 0 || l->n == RW_LEVELS_MAX)
        return false;
    memcpy(l->of[l->n].logger, item, name);
    l->of[l->n].logger[name] = 0;
    l->of[l->n++].level = parsed;
    return true;
}

bool rw_levels_parse(const char *text, struct rw_levels *ret_levels)
{
    struct rw_levels l = {.other = RW_INFO};
    for (const char *p = text;;) {
        size_t n = strcspn(p, ",");
        if (!take(&l, p, n))
            return false;
        if (!p[n])
            break;
        p += n + 1;
    }
    l.least = l.other;
    for (int i = 0; i < l.n; i++)
        if (l.of[i].level < l.least)
            l.least = l.of[i].level;
    *ret_levels = l;
    return true;
}

enum rw_level rw_levels_of(const struct rw_levels *l, const char *logger)
{
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->of[i].logger, logger))
            return l->of[i].level;
    return l->other;
}
