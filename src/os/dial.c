/*
 * env/dial.h over TCP: non-blocking sockets and poll(), so that every wait has its limit.
 *
 * getaddrinfo() can not be interrupted and may take as long as the resolver likes; it runs on a thread
 * of its own that is abandoned (and frees what it found by itself) when the limit passes. Numeric
 * addresses need no thread.
 *
 * Does not speak TLS and does not keep connections: that is the caller's.
 */
#include "os/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/os.h"

#define SLICE_US    250000 /* a signal that comes just before poll() is seen this much later */
#define STREAMS_MAX 1024   /* in one wait */

struct tcp {
    struct rw_stream stream;
    int fd;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is_canceled(const struct rw_dialer *d)
{
    return d->canceled && d->canceled(d->canceled_arg);
}

/* poll() until an event, the deadline or cancellation. RW_OK, RW_E_TIMEOUT, RW_E_CANCELED. */
static int wait_for(const struct rw_dialer *d, struct pollfd *fds, nfds_t n, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now_us();
        int64_t slice = left < 0 ? 0 : left < SLICE_US ? left : SLICE_US;
        int r = poll(fds, n, (int)((slice + 999) / 1000));
        if (r > 0)
            return RW_OK;
        if (is_canceled(d))
            return RW_E_CANCELED;
        if (r < 0 && errno != EINTR)
            return rw_os_fail(errno, "poll", NULL);
        if (left <= 0)
            return RW_E_TIMEOUT;
    }
}

/* ---- names ---- */

/* Shared by the caller and the resolving thread; the last one to let go frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    int holders;
    bool done;
    int error;
    struct addrinfo *found;
    char port[8];
    char host[256];
};

static void lookup_release(struct lookup *l)
{
    pthread_mutex_lock(&l->lock);
    int left = --l->holders;
    pthread_mutex_unlock(&l->lock);
    if (left > 0)
        return;
    if (l->found)
        freeaddrinfo(l->found);
    pthread_cond_destroy(&l->done_cond);
    pthread_mutex_destroy(&l->lock);
    rw_free(l);
}

static void *lookup_thread(void *arg)
{
    struct lookup *l = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(l->host, l->port, &hints, &found);
    pthread_mutex_lock(&l->lock);
    l->error = error;
    l->found = found;
    l->done = true;
    pthread_cond_signal(&l->done_cond);
    pthread_mutex_unlock(&l->lock);
    lookup_release(l);
    return NULL;
}

static int lookup_new(const char *host, uint16_t port, struct lookup **ret)
{
    struct lookup *l = rw_zalloc(sizeof(*l));
    if (!l)
        return RW_E_NOMEM;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    l->holders = 1;
    snprintf(l->host, sizeof(l->host), "%s", host);
    snprintf(l->port, sizeof(l->port), "%u", port);
    *ret = l;
    return RW_OK;
}

/* Starts the thread and waits for it. RW_OK: l->done. */
static int lookup_wait(struct rw_dialer *d, struct lookup *l, int64_t deadline)
{
    pthread_t thread;
    l->holders = 2;
    if (pthread_create(&thread, NULL, lookup_thread, l) != 0) {
        l->holders = 1;
        return RW_E_LIMIT;
    }
    pthread_detach(thread);
    int rc = RW_OK;
    pthread_mutex_lock(&l->lock);
    while (!l->done && rc == RW_OK) {
        int64_t now = now_us(),
                until = now + SLICE_US / 2 < deadline ? now + SLICE_US / 2 : deadline;
        struct timespec t = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
        pthread_cond_timedwait(&l->done_cond, &l->lock, &t);
        if (!l->done && is_canceled(d))
            rc = RW_E_CANCELED;
        else if (!l->done && now_us() >= deadline)
            rc = RW_E_TIMEOUT;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* On RW_OK *ret holds the addresses; release it. */
static int resolve(struct rw_dialer *d, const char *host, uint16_t port, int64_t deadline,
                   struct lookup **ret, struct rw_err *ret_err)
{
    struct lookup *l = NULL;
    struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    int rc = lookup_new(host, port, &l);
    if (rc != RW_OK)
        return rw_err_set(ret_err, rc, "out of memory");
    if (getaddrinfo(l->host, l->port, &numeric, &l->found) != 0) {
        l->found = NULL;
        rc = lookup_wait(d, l, deadline);
    }
    if (rc == RW_OK && l->error == 0) {
        *ret = l;
        return RW_OK;
    }
    if (rc == RW_OK)
        rc = rw_err_set(ret_err, RW_E_DNS, "%s does not resolve: %s", host, gai_strerror(l->error));
    else if (rc == RW_E_TIMEOUT)
        rw_err_set(ret_err, rc, "resolving %s took too long", host);
    else
        rw_err_set(ret_err, rc, "resolving %s: %s", host, rw_code_text(rc));
    lookup_release(l);
    return rc;
}

/* ---- connecting ---- */

static int connect_code(int err)
{
    switch (err) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ECONNRESET:
    case EADDRNOTAVAIL:
        return RW_E_REFUSED;
    case ETIMEDOUT:
        return RW_E_TIMEOUT;
    default:
        return rw_os_code(err);
    }
}

/* One address. RW_OK: *ret_fd is connected. */
static int connect_one(struct rw_dialer *d, const struct addrinfo *a, int64_t deadline, int *ret_fd,
                       int *ret_errno)
{
    int one = 1, err = 0;
    socklen_t len = sizeof(err);
    int fd = rw_os_fd_apart(socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0) {
        *ret_errno = errno;
        return connect_code(errno);
    }
    int rc = RW_OK;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        if (errno == EINPROGRESS) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            rc = wait_for(d, &p, 1, deadline);
            if (rc == RW_OK && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
                err = errno;
        } else {
            err = errno;
        }
    }
    if (rc == RW_OK && err)
        rc = connect_code(err);
    if (rc != RW_OK) {
        *ret_errno = err;
        close(fd);
        return rc;
    }
    /* Requests are written whole: waiting for more to send would only delay them. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *ret_fd = fd;
    return RW_OK;
}

static const struct rw_dial_ops ops;

static int tcp_connect(struct rw_dialer *d, const char *host, uint16_t port, int64_t timeout_us,
                       struct rw_stream **ret_stream, struct rw_err *ret_err)
{
    int64_t deadline = now_us() + timeout_us;
    struct lookup *l = NULL;
    int fd = -1, err = 0;
    int rc = resolve(d, host, port, deadline, &l, ret_err);
    if (rc != RW_OK)
        return rc;
    for (const struct addrinfo *a = l->found; a; a = a->ai_next) {
        rc = connect_one(d, a, deadline, &fd, &err);
        if (rc == RW_OK || rc == RW_E_CANCELED || now_us() >= deadline)
            break;
    }
    lookup_release(l);
    if (rc == RW_E_TIMEOUT)
        return rw_err_set(ret_err, rc, "%s:%u did not answer within %lld ms", host, port,
                          (long long)(timeout_us / 1000));
    if (rc != RW_OK)
        return rw_err_set(ret_err, rc, "%s:%u: %s", host, port,
                          err ? strerror(err) : rw_code_text(rc));
    struct tcp *t = rw_zalloc(sizeof(*t));
    if (!t) {
        close(fd);
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    }
    *t = (struct tcp){.stream = {.ops = &ops, .dialer = d}, .fd = fd};
    *ret_stream = &t->stream;
    return RW_OK;
}

static struct tcp *tcp_of(struct rw_stream *s)
{
    return (struct tcp *)(void *)s;
}

static void tcp_close(struct rw_stream *s)
{
    close(tcp_of(s)->fd);
    rw_free(s);
}

static int tcp_send(struct rw_stream *s, const void *p, size_t n, int64_t timeout_us)
{
    int64_t deadline = now_us() + timeout_us;
    const uint8_t *at = p;
    while (n > 0) {
        ssize_t r = send(tcp_of(s)->fd, at, n, MSG_NOSIGNAL);
        if (r >= 0) {
            at += r;
            n -= (size_t)r;
        } else if (errno == EAGAIN) {
            struct pollfd fd = {.fd = tcp_of(s)->fd, .events = POLLOUT};
            int rc = wait_for(s->dialer, &fd, 1, deadline);
            if (rc != RW_OK)
                return rc;
        } else if (errno != EINTR) {
            return RW_E_CLOSED;
        }
    }
    return RW_OK;
}

static int tcp_recv(struct rw_stream *s, void *p, size_t n, int64_t timeout_us, size_t *ret_n)
{
    int64_t deadline = now_us() + timeout_us;
    for (;;) {
        ssize_t r = recv(tcp_of(s)->fd, p, n, 0);
        if (r > 0) {
            *ret_n = (size_t)r;
            return RW_OK;
        }
        if (r == 0 || (errno != EAGAIN && errno != EINTR))
            return RW_E_CLOSED;
        struct pollfd fd = {.fd = tcp_of(s)->fd, .events = POLLIN};
        int rc = wait_for(s->dialer, &fd, 1, deadline);
        if (rc != RW_OK)
            return rc;
    }
}

static int tcp_wait(struct rw_dialer *d, struct rw_stream *const *streams, size_t n,
                    int64_t timeout_us, size_t *ret_i)
{
    struct pollfd fds[STREAMS_MAX];
    if (n > STREAMS_MAX)
        return RW_E_LIMIT;
    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = tcp_of(streams[i])->fd, .events = POLLIN};
    int rc = wait_for(d, fds, (nfds_t)n, now_us() + timeout_us);
    for (size_t i = 0; rc == RW_OK && i < n; i++) {
        if (fds[i].revents) {
            *ret_i = i;
            break;
        }
    }
    return rc;
}

static const struct rw_dial_ops ops = {.connect = tcp_connect,
                                       .close = tcp_close,
                                       .send = tcp_send,
                                       .recv = tcp_recv,
                                       .wait = tcp_wait};

void rw_os_dialer_init(struct rw_dialer *d)
{
    *d = (struct rw_dialer){.ops = &ops};
}
