/* When to try again: see backoff.h. */
#include "logger/backoff.h"

int64_t rw_lg_backoff_us(unsigned failures, int64_t base_us, int64_t cap_us, uint64_t random)
{
    int64_t most = base_us;
    for (unsigned i = 0; i < failures && most < cap_us; i++)
        most *= 2;
    if (most > cap_us)
        most = cap_us;
    return most > 0 ? (int64_t)(random % ((uint64_t)most + 1)) : 0;
}

bool rw_lg_breaker_may(struct rw_lg_breaker *b, int64_t now_us)
{
    if (now_us < b->retry_us)
        return false;
    if (b->state == RW_LG_OPEN)
        b->state = RW_LG_HALF_OPEN;
    return true;
}

bool rw_lg_breaker_failed(struct rw_lg_breaker *b, int64_t now_us, uint64_t random)
{
    enum rw_lg_breaker_state before = b->state;
    b->retry_us = now_us + rw_lg_backoff_us(b->failures, b->base_us, b->cap_us, random);
    if (b->failures < UINT32_MAX)
        b->failures++;
    if (before == RW_LG_HALF_OPEN || b->failures >= b->limit)
        b->state = RW_LG_OPEN;
    return b->state == RW_LG_OPEN && before == RW_LG_CLOSED;
}

bool rw_lg_breaker_succeeded(struct rw_lg_breaker *b)
{
    bool was = b->state != RW_LG_CLOSED;
    b->state = RW_LG_CLOSED;
    b->failures = 0;
    b->retry_us = 0;
    return was;
}
