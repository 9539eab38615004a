/* Context fields in the shape of an entry (context.h). Pure: whose they are, the caller knows. */
#include "logger/context.h"

#include <stdatomic.h>
#include <string.h>
#include "logger/entry.h"

bool rw_lg_context_next(const char *p, size_t n, size_t *at, struct rw_lg_context_field *ret_field)
{
    if (*at >= n || p[*at] == 0)
        return false;
    const char *key = p + *at, *end = memchr(key, 0, n - *at);
    if (!end || end + 1 == p + n)
        return false;
    const char *value = end + 1, *last = memchr(value, 0, (size_t)(p + n - value));
    if (!last)
        return false;
    *ret_field =
        (struct rw_lg_context_field){key, value, (size_t)(end - key), (size_t)(last - value)};
    *at = (size_t)(last + 1 - p);
    return true;
}

void rw_lg_context_clear(struct rw_lg_context *c)
{
    c->n = 0;
}

int rw_lg_context_set(struct rw_lg_context *c, const char *key, const char *value)
{
    struct rw_lg_context_field f;
    size_t key_n = strlen(key), value_n = value ? strlen(value) : 0;
    size_t n = c->n, at = 0, from = 0, used = 0, old_at = 0, old_n = 0;
    unsigned fields = 0;
    if (key_n == 0)
        return RW_E_INVAL;
    for (; rw_lg_context_next(c->bytes, n, &at, &f); from = at, fields++) {
        used = at;
        if (f.key_n == key_n && !memcmp(f.key, key, key_n)) {
            old_at = from;
            old_n = at - from;
        }
    }
    size_t more = value ? key_n + value_n + 2 : 0;
    if (more > RW_LG_CONTEXT_BYTES || used - old_n + more > RW_LG_CONTEXT_BYTES ||
        (value && fields - (old_n > 0) >= RW_LG_CONTEXT_MAX))
        return RW_E_INVAL;
    /* The value may be in here itself. */
    char add[RW_LG_CONTEXT_BYTES];
    if (value) {
        memcpy(add, key, key_n + 1);
        memcpy(add + key_n + 1, value, value_n + 1);
    }
    c->n = 0;
    atomic_signal_fence(memory_order_seq_cst);
    memmove(c->bytes + old_at, c->bytes + old_at + old_n, used - old_at - old_n);
    used -= old_n;
    if (value)
        memcpy(c->bytes + used, add, more);
    used += more;
    size_t whole = rw_lg_align(used);
    memset(c->bytes + used, 0, whole - used);
    atomic_signal_fence(memory_order_seq_cst);
    c->n = (uint16_t)whole;
    return RW_OK;
}
