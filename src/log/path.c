/*
 * Names and paths. Kafka names every file of a segment by its base offset in 20 digits, so that
 * sorting names sorts offsets.
 */
#include "log/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OFFSET_DIGITS 20

static int fits(int n)
{
    return n >= 0 && (size_t)n < sizeof(((struct rw_path *)0)->s) ? RW_OK : RW_E_TOO_BIG;
}

int rw_path_join(struct rw_path *p, const char *dir, const char *name, const char *suffix)
{
    return fits(snprintf(p->s, sizeof(p->s), "%s/%s%s", dir, name, suffix ? suffix : ""));
}

int rw_path_of(struct rw_path *p, const char *dir, int64_t offset, const char *suffix,
               const char *suffix2)
{
    return fits(snprintf(p->s, sizeof(p->s), "%s/%020" PRId64 "%s%s", dir, offset, suffix,
                         suffix2 ? suffix2 : ""));
}

int rw_path_parent(struct rw_path *p, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0)
        return fits(snprintf(p->s, sizeof(p->s), "."));
    return fits(snprintf(p->s, sizeof(p->s), "%.*s", (int)n, path));
}

bool rw_name_ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && memcmp(name + n - m, suffix, m) == 0;
}

bool rw_name_parse(const char *name, int64_t *ret_offset, const char **ret_suffix)
{
    uint64_t v = 0;
    for (int i = 0; i < OFFSET_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(name[i] - '0');
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    if (name[OFFSET_DIGITS] != '.' || v > INT64_MAX)
        return false;
    *ret_offset = (int64_t)v;
    *ret_suffix = name + OFFSET_DIGITS;
    return true;
}

bool rw_name_partition(const char *name, char *ret_topic, int32_t *ret_partition)
{
    const char *dash = strrchr(name, '-');
    if (!dash || dash == name || !dash[1])
        return false;
    int64_t v = 0;
    for (const char *c = dash + 1; *c; c++) {
        if (*c < '0' || *c > '9' || v > INT32_MAX / 10)
            return false;
        v = v * 10 + (*c - '0');
    }
    if (v > INT32_MAX)
        return false;
    memcpy(ret_topic, name, (size_t)(dash - name));
    ret_topic[dash - name] = 0;
    *ret_partition = (int32_t)v;
    return true;
}
