/*
 * Writing to the descriptors of the process. They are shared with whoever else has them (the shell, the parent), so their flags are
 * not touched: O_NONBLOCK would be everybody's. It is polled instead, and no more is written at once than a pipe takes when poll
 * says that there is room (PIPE_BUF).
 */
#include "os/console.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "os/os.h"

/* SIGPIPE of a write goes to the thread that wrote: it is held back, and taken away again when there was none before. */
struct held {
    sigset_t before;
    bool pending;
};

static void hold(struct held *h)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    h->pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &h->before);
}

static void let_go(const struct held *h, bool came)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (came && !h->pending)
        while (sigtimedwait(&pipe, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &h->before, NULL);
}

/* Whether there is room within wait_ms. */
static int room(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, wait_ms);
    if (n < 0)
        return errno == EINTR ? RW_E_AGAIN : rw_os_fail(errno, "poll", NULL);
    if (n == 0)
        return RW_E_AGAIN;
    return p.revents & POLLNVAL ? RW_E_CLOSED : RW_OK;
}

int rw_os_console_write(int fd, const char *p, size_t n, int wait_ms, size_t *ret_n)
{
    struct held h;
    int rc = RW_OK;
    bool broken = false;
    *ret_n = 0;
    hold(&h);
    while (*ret_n < n && (rc = room(fd, wait_ms)) == RW_OK) {
        size_t piece = n - *ret_n < PIPE_BUF ? n - *ret_n : PIPE_BUF;
        ssize_t done = write(fd, p + *ret_n, piece);
        if (done >= 0) {
            *ret_n += (size_t)done;
            continue;
        }
        if (errno == EINTR || errno == EAGAIN) /* somebody else took the room */
            continue;
        broken = errno == EPIPE;
        rc = broken ? RW_E_CLOSED : rw_os_fail(errno, "write", NULL);
        break;
    }
    let_go(&h, broken);
    return rc;
}

bool rw_os_console_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *force = getenv("CLICOLOR_FORCE");
    if (force && *force && strcmp(force, "0") != 0)
        return !(no && *no);
    return isatty(fd) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}
