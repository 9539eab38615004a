/* Inside os/ only: how sockets and listeners watch a descriptor on a loop. */
#pragma once

#include <uv.h>
#include "env/loop.h"

struct rw_fd_watch {
    uv_poll_t poll;
    unsigned wanted; /* UV_READABLE | UV_WRITABLE */
    /* status < 0: the descriptor failed or was hung up; nothing is wanted any more. */
    void (*ready)(struct rw_fd_watch *w, int status, int events);
    void (*closed)(struct rw_fd_watch *w);
};

/* RW_E_NOMEM, RW_E_LIMIT, RW_E_IO. */
int rw_fd_watch_open(struct rw_fd_watch *w, struct rw_loop *loop, int fd);
void rw_fd_watch_want(struct rw_fd_watch *w, unsigned events);
/* closed() is called on a later turn; the descriptor may be closed at once. */
void rw_fd_watch_close(struct rw_fd_watch *w);
