/* env/loop.h on libuv, and the thread that runs it. */
#pragma once

#include "base/code.h"
#include "env/clock.h"
#include "env/loop.h"

struct rw_thread;

/* clock must outlive the loop. RW_E_NOMEM, RW_E_LIMIT. */
RW_MUST int rw_os_loop_new(struct rw_clock *clock, struct rw_loop **ret_loop);
/* Runs turns on the calling thread until rw_loop_stop(). */
void rw_os_loop_run(struct rw_loop *l);
/* Not while it runs. Sockets and listeners on it must have been closed. l may be NULL. */
void rw_os_loop_free(struct rw_loop *l);

/* Runs the loop on a new thread with this name (15 bytes at most). RW_E_LIMIT, RW_E_NOMEM. */
RW_MUST int rw_os_thread_start(struct rw_loop *l, const char *name, struct rw_thread **ret_thread);
/* Waits for its end and frees it. t may be NULL. */
void rw_os_thread_join(struct rw_thread *t);
