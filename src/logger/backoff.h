/*
 * When to try again, and when to stop trying for a while: backoff with full jitter and a circuit breaker. Pure: time and chance
 * are arguments.
 *
 * Closed: a failure makes the next try wait, longer each time. After `limit` failures in a row the breaker opens: nothing is
 * sent until the wait is over, then it is half open: one attempt, and only when it succeeds everything goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A random time up to min(cap, base * 2^failures): "full jitter", so that many who failed together do not come again together. */
int64_t rw_lg_backoff_us(unsigned failures, int64_t base_us, int64_t cap_us, uint64_t random);

enum rw_lg_breaker_state { RW_LG_CLOSED, RW_LG_OPEN, RW_LG_HALF_OPEN };

struct rw_lg_breaker {
    enum rw_lg_breaker_state state;
    unsigned limit;    /* failures in a row that open it */
    unsigned failures; /* so many there were */
    int64_t base_us, cap_us;
    int64_t retry_us; /* nothing before this time */
};

/* May something be sent? Moves from open to half open when the time has come. */
bool rw_lg_breaker_may(struct rw_lg_breaker *b, int64_t now_us);
/* True: it has just opened. */
bool rw_lg_breaker_failed(struct rw_lg_breaker *b, int64_t now_us, uint64_t random);
/* True: it was open before, and is closed now. */
bool rw_lg_breaker_succeeded(struct rw_lg_breaker *b);
