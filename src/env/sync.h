/*
 * Mutexes and condition variables, for the storage library, whose readers may run on other threads
 * than its writer. The broker has none of its own: its shards talk by mailbox. In the simulator,
 * which has one thread, these do nothing (and assert that nobody waits for ever).
 */
#pragma once

#include <stdint.h>
#include "base/code.h"

struct rw_mutex;
struct rw_cond;

struct rw_sync {
    int (*mutex_new)(struct rw_sync *s, struct rw_mutex **ret_mutex);
    void (*mutex_free)(struct rw_sync *s, struct rw_mutex *m);
    void (*lock)(struct rw_sync *s, struct rw_mutex *m);
    void (*unlock)(struct rw_sync *s, struct rw_mutex *m);
    int (*cond_new)(struct rw_sync *s, struct rw_cond **ret_cond);
    void (*cond_free)(struct rw_sync *s, struct rw_cond *c);
    void (*broadcast)(struct rw_sync *s, struct rw_cond *c);
    /* timeout_us < 0 waits without limit. RW_OK when woken (maybe spuriously), RW_E_TIMEOUT. */
    int (*wait)(struct rw_sync *s, struct rw_cond *c, struct rw_mutex *m, int64_t timeout_us);
};
