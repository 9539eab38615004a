/*
 * TCP sockets that never block, watched by a loop of loop_uv.c. The calls on a socket are ours, not
 * libuv's streams: those copy what they can not write at once and know no sendfile.
 *
 * A closed socket's memory lives until libuv has let go of its handle, on a later turn of the loop.
 * Every send has MSG_NOSIGNAL; sendfile has no such flag, so a program must ignore SIGPIPE
 * (os/signals.h does).
 */
#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/mem.h"
#include "os/lookup.h"
#include "os/loop_uv.h"
#include "os/os.h"

#define ACCEPTS_PER_TURN 64
#define IOV_MAX_HERE     64
#define COPY_BYTES       16384
/* How long accepting rests after the OS refused a descriptor. */
#define REST_US 100000

struct os_sock {
    struct rw_sock base;
    struct rw_fd_watch watch;
    int fd;
    bool attached;
    void (*ready)(void *arg, unsigned events);
    void *arg;
};

struct os_listener {
    struct rw_listener base;
    struct rw_fd_watch watch;
    int fd;
    struct rw_loop *loop; /* NULL: not open yet */
    struct rw_timer rest;
    bool paused, closed;
    void (*accepted)(void *arg, struct rw_sock *take_sock);
    void *arg;
};

static struct os_sock *sock_of(struct rw_sock *s)
{
    return (struct os_sock *)(void *)s;
}

static struct os_listener *listener_of(struct rw_listener *l)
{
    return (struct os_listener *)(void *)l;
}

/* ---- sockets ---- */

static int io_code(int err)
{
    if (err == EAGAIN || err == EWOULDBLOCK || err == EINTR)
        return RW_E_AGAIN;
    if (err == ENOMEM || err == ENOBUFS)
        return RW_E_NOMEM;
    return RW_E_CLOSED; /* ECONNRESET, EPIPE, ETIMEDOUT: to us all the same */
}

static void on_ready(struct rw_fd_watch *w, int status, int events)
{
    struct os_sock *s = RW_CONTAINER(w, struct os_sock, watch);
    unsigned e = 0;
    if (status < 0)
        e = RW_NET_READ | RW_NET_WRITE | RW_NET_HANGUP;
    if (events & UV_READABLE)
        e |= RW_NET_READ;
    if (events & UV_WRITABLE)
        e |= RW_NET_WRITE;
    s->ready(s->arg, e);
}

static void on_sock_closed(struct rw_fd_watch *w)
{
    rw_free(RW_CONTAINER(w, struct os_sock, watch));
}

static int net_attach(struct rw_sock *sock, struct rw_loop *loop,
                      void (*ready)(void *arg, unsigned events), void *arg)
{
    struct os_sock *s = sock_of(sock);
    RW_ASSERT(!s->attached);
    s->watch.ready = on_ready;
    s->watch.closed = on_sock_closed;
    s->ready = ready;
    s->arg = arg;
    int code = rw_fd_watch_open(&s->watch, loop, s->fd);
    s->attached = code == RW_OK;
    return code;
}

static void net_want(struct rw_sock *sock, unsigned events)
{
    unsigned e = 0;
    if (events & RW_NET_READ)
        e |= UV_READABLE;
    if (events & RW_NET_WRITE)
        e |= UV_WRITABLE;
    rw_fd_watch_want(&sock_of(sock)->watch, e);
}

static int net_recv(struct rw_sock *sock, void *p, size_t n, size_t *ret_n)
{
    ssize_t got = recv(sock_of(sock)->fd, p, n, MSG_DONTWAIT);
    if (got < 0)
        return io_code(errno);
    *ret_n = (size_t)got;
    return RW_OK;
}

static int net_send(struct rw_sock *sock, const struct rw_iov *iov, size_t n_iov, bool more,
                    size_t *ret_n)
{
    struct iovec v[IOV_MAX_HERE];
    if (n_iov > IOV_MAX_HERE) {
        n_iov = IOV_MAX_HERE;
        more = true;
    }
    for (size_t i = 0; i < n_iov; i++) {
        /* sendmsg does not write through it; POSIX forgot the const. */
        v[i].iov_base = (void *)(uintptr_t)iov[i].p;
        v[i].iov_len = iov[i].n;
    }
    struct msghdr m = {.msg_iov = v, .msg_iovlen = n_iov};
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
    ssize_t put = n_iov == 1 ? send(sock_of(sock)->fd, v[0].iov_base, v[0].iov_len, flags)
                             : sendmsg(sock_of(sock)->fd, &m, flags);
    if (put < 0)
        return io_code(errno);
    *ret_n = (size_t)put;
    return RW_OK;
}

/* For files without a descriptor of their own. */
static int send_copy(struct rw_sock *sock, struct rw_file *f, uint64_t at, size_t n, size_t *ret_n)
{
    uint8_t bytes[COPY_BYTES];
    size_t got, put;
    int code = f->ops->read_at(f, at, bytes, n < sizeof(bytes) ? n : sizeof(bytes), &got);
    if (code)
        return code;
    if (got == 0)
        return RW_E_SHORT;
    struct rw_iov iov = {bytes, got};
    code = net_send(sock, &iov, 1, got < n, &put);
    if (code)
        return code;
    *ret_n = put;
    return RW_OK;
}

static int net_send_file(struct rw_sock *sock, struct rw_file *f, uint64_t at, size_t n,
                         size_t *ret_n)
{
    int fd = rw_os_file_fd(f);
    if (fd < 0)
        return send_copy(sock, f, at, n, ret_n);
    off_t from = (off_t)at;
    ssize_t put = sendfile(sock_of(sock)->fd, fd, &from, n);
    if (put == 0)
        return RW_E_SHORT;
    if (put > 0) {
        *ret_n = (size_t)put;
        return RW_OK;
    }
    if (errno == EINVAL || errno == ENOSYS)
        return send_copy(sock, f, at, n, ret_n); /* a file system without it */
    return errno == EIO ? RW_E_IO : io_code(errno);
}

static void set_peer(struct rw_net_peer *p, const struct sockaddr_storage *a)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
        p->ip[10] = p->ip[11] = 0xff;
        memcpy(p->ip + 12, &in->sin_addr, 4);
        p->port = ntohs(in->sin_port);
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(p->text, sizeof(p->text), "%s:%u", host, p->port);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)a;
        memcpy(p->ip, &in6->sin6_addr, 16);
        p->port = ntohs(in6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            inet_ntop(AF_INET, p->ip + 12, host, sizeof(host));
            snprintf(p->text, sizeof(p->text), "%s:%u", host, p->port);
        } else {
            inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
            snprintf(p->text, sizeof(p->text), "[%s]:%u", host, p->port);
        }
    }
}

static int net_local(struct rw_sock *sock, struct rw_net_peer *ret_local)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);
    if (getsockname(sock_of(sock)->fd, (struct sockaddr *)&a, &n))
        return RW_E_CLOSED;
    *ret_local = (struct rw_net_peer){0};
    set_peer(ret_local, &a);
    return RW_OK;
}

static void net_shutdown_write(struct rw_sock *sock)
{
    shutdown(sock_of(sock)->fd, SHUT_WR);
}

static void net_close(struct rw_sock *sock)
{
    struct os_sock *s = sock_of(sock);
    if (s->attached)
        rw_fd_watch_close(&s->watch);
    close(s->fd);
    if (!s->attached)
        rw_free(s);
}

/* ---- listeners ---- */

static void accepted_one(struct os_listener *l, int fd, const struct sockaddr_storage *a)
{
    static const int on = 1;
    struct os_sock *s = rw_zalloc(sizeof(*s));
    if (!s) {
        close(fd); /* the peer sees a reset and comes back */
        return;
    }
    s->base.ops = l->base.ops;
    s->fd = fd;
    set_peer(&s->base.peer, a);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    l->accepted(l->arg, &s->base);
}

static void watch_listener(struct os_listener *l)
{
    bool want = !l->paused && !l->rest.armed;
    rw_fd_watch_want(&l->watch, want ? UV_READABLE : 0);
}

static void on_connect(struct rw_fd_watch *w, int status, int events)
{
    struct os_listener *l = RW_CONTAINER(w, struct os_listener, watch);
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && !l->paused && !l->closed; i++) {
        struct sockaddr_storage a = {0};
        socklen_t n = sizeof(a);
        int fd = accept4(l->fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accepted_one(l, fd, &a);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* The connection stays in the kernel's queue; without a rest we would spin on it. */
            rw_timer_start_in(l->loop, &l->rest, REST_US);
            watch_listener(l);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else: the peer gave up while it was queued */
    }
}

static void rested(struct rw_timer *t)
{
    watch_listener(RW_CONTAINER(t, struct os_listener, rest));
}

static void on_listener_closed(struct rw_fd_watch *w)
{
    rw_free(RW_CONTAINER(w, struct os_listener, watch));
}

static int bind_one(const struct addrinfo *ai, int *ret_fd)
{
    static const int on = 1, off = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen)) {
        int err = errno;
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

/* IPv4 first for a name that has both; IPv6 (which takes both) first for "every address". */
static int bind_any(const struct addrinfo *all, bool every, int *ret_fd)
{
    int err = EADDRNOTAVAIL;
    for (int pass = 0; pass < 2; pass++)
        for (const struct addrinfo *ai = all; ai; ai = ai->ai_next) {
            if ((ai->ai_family == AF_INET) == ((pass == 0) == every))
                continue;
            err = bind_one(ai, ret_fd);
            if (err == 0 || err == EADDRINUSE || err == EACCES)
                return err;
        }
    return err;
}

static int bind_code(int err, const char *host, uint16_t port, struct rw_err *ret_err)
{
    switch (err) {
    case EADDRINUSE:
        return rw_err_set(ret_err, RW_E_EXISTS, "%s:%u is already in use by another process", host,
                          port);
    case EACCES:
        return rw_err_set(ret_err, RW_E_PERM, "no permission to listen on %s:%u%s", host, port,
                          port < 1024 ? " (ports below 1024 need privileges)" : "");
    case EADDRNOTAVAIL:
        return rw_err_set(ret_err, RW_E_INVAL, "%s is not an address of this machine", host);
    default:
        return rw_err_set(ret_err, rw_os_code(err), "cannot listen on %s:%u: %s", host, port,
                          strerror(err));
    }
}

static const struct rw_net_ops ops;

static int net_bind(struct rw_net *net, const char *host, uint16_t port,
                    struct rw_listener **ret_listener, struct rw_err *ret_err)
{
    (void)net;
    bool every = !*host || !strcmp(host, "*");
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *all;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    int rc = getaddrinfo(every ? NULL : host, service, &hints, &all);
    if (rc)
        return rw_err_set(ret_err, RW_E_DNS, "cannot resolve the listen address '%s': %s", host,
                          gai_strerror(rc));
    int fd = -1;
    int err = bind_any(all, every, &fd);
    freeaddrinfo(all);
    if (err)
        return bind_code(err, every ? "*" : host, port, ret_err);
    struct os_listener *l = rw_zalloc(sizeof(*l));
    if (!l) {
        close(fd);
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    }
    l->base.ops = &ops;
    l->fd = fd;
    l->rest.fire = rested;
    *ret_listener = &l->base;
    return RW_OK;
}

static uint16_t net_listener_port(struct rw_listener *listener)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);
    if (getsockname(listener_of(listener)->fd, (struct sockaddr *)&a, &n))
        return 0;
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
}

/* Accepted sockets inherit them. The receive buffer must be set before listen(), because it decides
 * which window scale is offered. */
static void net_listener_buffers(struct rw_listener *listener, int send_bytes, int receive_bytes)
{
    int fd = listener_of(listener)->fd;
    if (send_bytes >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    if (receive_bytes >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
}

static int net_listener_open(struct rw_listener *listener, struct rw_loop *loop, int backlog,
                             void (*accepted)(void *arg, struct rw_sock *take_sock), void *arg)
{
    struct os_listener *l = listener_of(listener);
    RW_ASSERT(!l->loop);
    if (listen(l->fd, backlog))
        return errno == EADDRINUSE ? RW_E_EXISTS : rw_os_code(errno);
    l->watch.ready = on_connect;
    l->watch.closed = on_listener_closed;
    l->accepted = accepted;
    l->arg = arg;
    int code = rw_fd_watch_open(&l->watch, loop, l->fd);
    if (code)
        return code;
    l->loop = loop;
    watch_listener(l);
    return RW_OK;
}

static void net_listener_pause(struct rw_listener *listener, bool paused)
{
    struct os_listener *l = listener_of(listener);
    l->paused = paused;
    if (l->loop && !l->closed)
        watch_listener(l);
}

static void net_listener_close(struct rw_listener *listener)
{
    struct os_listener *l = listener_of(listener);
    if (!l->loop) {
        close(l->fd);
        rw_free(l);
        return;
    }
    l->closed = true;
    rw_timer_stop(l->loop, &l->rest);
    rw_fd_watch_close(&l->watch);
    close(l->fd);
}

static const struct rw_net_ops ops = {.host_name = rw_os_net_host_name,
                                      .look_up = rw_os_lookup,
                                      .lookup_result = rw_os_lookup_result,
                                      .lookup_free = rw_os_lookup_free,
                                      .bind = net_bind,
                                      .listener_port = net_listener_port,
                                      .listener_buffers = net_listener_buffers,
                                      .listener_open = net_listener_open,
                                      .listener_pause = net_listener_pause,
                                      .listener_close = net_listener_close,
                                      .attach = net_attach,
                                      .want = net_want,
                                      .recv = net_recv,
                                      .send = net_send,
                                      .send_file = net_send_file,
                                      .local = net_local,
                                      .shutdown_write = net_shutdown_write,
                                      .close = net_close};

struct rw_net *rw_os_net(void)
{
    static struct rw_net net = {&ops};
    return &net;
}
