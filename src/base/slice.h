/* Views over bytes that somebody else owns. A view never outlives the buffer it points into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes; p == NULL means null (as opposed to empty). */
struct rw_slice {
    const uint8_t *p;
    size_t n;
};

/* Text, not NUL-terminated; n == -1 means null. The shape of a Kafka (nullable) string. */
struct rw_str {
    const char *p;
    int32_t n;
};

/* A setting: name and value, both somebody else's text. */
struct rw_pair {
    struct rw_str name, value;
};

#define RW_STR_NULL   ((struct rw_str){NULL, -1})
#define RW_STR_LIT(s) ((struct rw_str){(s), (int32_t)(sizeof(s) - 1)})

static inline struct rw_slice rw_slice(const void *p, size_t n)
{
    return (struct rw_slice){(const uint8_t *)p, n};
}

static inline struct rw_str rw_str(const char *s)
{
    return s ? (struct rw_str){s, (int32_t)strlen(s)} : RW_STR_NULL;
}

static inline bool rw_str_eq(struct rw_str a, struct rw_str b)
{
    return a.n == b.n && (a.n <= 0 || memcmp(a.p, b.p, (size_t)a.n) == 0);
}

static inline bool rw_str_is(struct rw_str a, const char *s)
{
    return rw_str_eq(a, rw_str(s));
}

static inline bool rw_slice_eq(struct rw_slice a, struct rw_slice b)
{
    return (a.p == NULL) == (b.p == NULL) && a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
