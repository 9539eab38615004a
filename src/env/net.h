/*
 * Stream sockets that never block. Listening addresses are claimed first (bind: a port in use is
 * found out before anything else happens) and opened later. An accepted socket belongs to no loop
 * until it is attached; from then on it is used on that loop's thread only. Implementations:
 * os/net.c and the simulator's network; each embeds the structs as first members.
 *
 * Connecting out is not here yet; it comes with the first part of the broker that dials.
 */
#pragma once

#include "base/code.h"
#include "env/loop.h"
#include "env/vfs.h"

struct rw_net;
struct rw_sock;
struct rw_listener;

enum rw_net_event {
    RW_NET_READ =
        1, /* recv will not answer RW_E_AGAIN (there may be an end or an error to learn) */
    RW_NET_WRITE = 2, /* there is room to send */
    RW_NET_HANGUP = 4 /* both directions are gone; reported whatever was wanted */
};

struct rw_net_peer {
    uint8_t ip[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
    char text[56]; /* "127.0.0.1:53412", "[::1]:53412" */
};

enum { RW_NET_NAME_MAX = 256 };

/* What a name stands for. */
struct rw_net_lookup {
    char name[RW_NET_NAME_MAX]; /* canonical, as the resolver says */
    uint8_t ip[16][16];         /* IPv4 as ::ffff:a.b.c.d */
    size_t n;
};

struct rw_lookup;

struct rw_net_ops {
    int (*host_name)(struct rw_net *n, char *name, size_t size);
    int (*look_up)(struct rw_net *n, const char *host, struct rw_lookup **ret_lookup);
    int (*lookup_result)(const struct rw_lookup *l, const struct rw_net_lookup **ret_result);
    void (*lookup_free)(struct rw_lookup *l);
    int (*bind)(struct rw_net *n, const char *host, uint16_t port,
                struct rw_listener **ret_listener, struct rw_err *ret_err);
    uint16_t (*listener_port)(struct rw_listener *l);
    /* NULL: it has none. */
    void (*listener_buffers)(struct rw_listener *l, int send_bytes, int receive_bytes);
    int (*listener_open)(struct rw_listener *l, struct rw_loop *loop, int backlog,
                         void (*accepted)(void *arg, struct rw_sock *take_sock), void *arg);
    void (*listener_pause)(struct rw_listener *l, bool paused);
    void (*listener_close)(struct rw_listener *l);

    int (*attach)(struct rw_sock *s, struct rw_loop *loop,
                  void (*ready)(void *arg, unsigned events), void *arg);
    void (*want)(struct rw_sock *s, unsigned events);
    int (*recv)(struct rw_sock *s, void *p, size_t n, size_t *ret_n);
    int (*send)(struct rw_sock *s, const struct rw_iov *iov, size_t n_iov, bool more,
                size_t *ret_n);
    int (*send_file)(struct rw_sock *s, struct rw_file *f, uint64_t at, size_t n, size_t *ret_n);
    int (*local)(struct rw_sock *s, struct rw_net_peer *ret_local);
    void (*shutdown_write)(struct rw_sock *s);
    void (*close)(struct rw_sock *s);
};

struct rw_net {
    const struct rw_net_ops *ops;
};

struct rw_listener {
    const struct rw_net_ops *ops;
};

struct rw_sock {
    const struct rw_net_ops *ops;
    struct rw_net_peer peer; /* of an accepted socket */
};

/*
 * Claims host:port; connections are refused until rw_listener_open(). host: a name or an IPv4 or
 * IPv6 address; "" or "*": every address of the machine. Port 0 picks a free one. Resolves names,
 * so it may block. RW_E_EXISTS: the port is taken; RW_E_DNS; RW_E_PERM; RW_E_INVAL: not an address
 * of this machine.
 */
RW_MUST static inline int rw_net_bind(struct rw_net *n, const char *host, uint16_t port,
                                      struct rw_listener **ret_listener, struct rw_err *ret_err)
{
    return n->ops->bind(n, host, port, ret_listener, ret_err);
}

static inline uint16_t rw_listener_port(struct rw_listener *l)
{
    return l->ops->listener_port(l);
}

/* Sizes of the kernel's buffers of accepted sockets; before open. < 0: the system decides. */
static inline void rw_listener_buffers(struct rw_listener *l, int send_bytes, int receive_bytes)
{
    if (l->ops->listener_buffers)
        l->ops->listener_buffers(l, send_bytes, receive_bytes);
}

/* Starts to accept on `loop` (call on its thread). accepted() gets unattached sockets. When the OS
 * runs out of descriptors accepting pauses for a moment by itself. */
RW_MUST static inline int rw_listener_open(struct rw_listener *l, struct rw_loop *loop, int backlog,
                                           void (*accepted)(void *arg, struct rw_sock *take_sock),
                                           void *arg)
{
    return l->ops->listener_open(l, loop, backlog, accepted, arg);
}

/* Paused: new connections wait in the kernel's queue. */
static inline void rw_listener_pause(struct rw_listener *l, bool paused)
{
    l->ops->listener_pause(l, paused);
}

/* On the loop's thread, or before open. l may be NULL. */
static inline void rw_listener_close(struct rw_listener *l)
{
    if (l)
        l->ops->listener_close(l);
}

/* ready() is called on the loop's thread with the events that happened. Starts with no wish.
 * RW_E_NOMEM, RW_E_LIMIT: the socket is still the caller's to close. */
RW_MUST static inline int rw_sock_attach(struct rw_sock *s, struct rw_loop *loop,
                                         void (*ready)(void *arg, unsigned events), void *arg)
{
    return s->ops->attach(s, loop, ready, arg);
}

/* Which of READ and WRITE to report (level-triggered). Cheap when nothing changes. */
static inline void rw_sock_want(struct rw_sock *s, unsigned events)
{
    s->ops->want(s, events);
}

/* RW_OK with *ret_n == 0: the peer has finished sending. RW_E_AGAIN; RW_E_CLOSED: reset. */
RW_MUST static inline int rw_sock_recv(struct rw_sock *s, void *p, size_t n, size_t *ret_n)
{
    return s->ops->recv(s, p, n, ret_n);
}

/* Sends a prefix of the iov. more: the rest of the message follows at once, do not send a short
 * packet. RW_E_AGAIN, RW_E_CLOSED. */
RW_MUST static inline int rw_sock_send(struct rw_sock *s, const struct rw_iov *iov, size_t n_iov,
                                       bool more, size_t *ret_n)
{
    return s->ops->send(s, iov, n_iov, more, ret_n);
}

/* Sends a prefix of [at, at+n) of the file, without copying where the OS can. Waits for the disk
 * when the bytes are not cached. RW_E_SHORT: the file ends before; RW_E_AGAIN, RW_E_CLOSED,
 * RW_E_IO. */
RW_MUST static inline int rw_sock_send_file(struct rw_sock *s, struct rw_file *f, uint64_t at,
                                            size_t n, size_t *ret_n)
{
    return s->ops->send_file(s, f, at, n, ret_n);
}

/* The own end of the connection: the address that the peer reached. RW_E_CLOSED. */
RW_MUST static inline int rw_sock_local(struct rw_sock *s, struct rw_net_peer *ret_local)
{
    return s->ops->local(s, ret_local);
}

/* Tells the peer that nothing follows; what was sent before still arrives. */
static inline void rw_sock_shutdown_write(struct rw_sock *s)
{
    s->ops->shutdown_write(s);
}

/* On the loop's thread when attached; ready() is not called again. s may be NULL. */
static inline void rw_sock_close(struct rw_sock *s)
{
    if (s)
        s->ops->close(s);
}

/* ---- names ---- */

/* What this machine calls itself. Asks nobody. RW_E_NOT_FOUND. */
RW_MUST static inline int rw_net_host_name(struct rw_net *n, char *name, size_t size)
{
    return n->ops->host_name(n, name, size);
}

/* Begins to look a name up; never waits. RW_E_NOMEM, RW_E_LIMIT, RW_E_TOO_BIG. */
RW_MUST static inline int rw_net_look_up(struct rw_net *n, const char *host,
                                         struct rw_lookup **ret_lookup)
{
    return n->ops->look_up(n, host, ret_lookup);
}

/* From any thread, any number of times. RW_E_AGAIN: not known yet; RW_E_DNS: there is no such name.
 * The result lives as long as the lookup. */
RW_MUST static inline int rw_net_lookup_result(struct rw_net *n, const struct rw_lookup *l,
                                               const struct rw_net_lookup **ret_result)
{
    return n->ops->lookup_result(l, ret_result);
}

/* Also while it goes on. l may be NULL. */
static inline void rw_net_lookup_free(struct rw_net *n, struct rw_lookup *l)
{
    if (l)
        n->ops->lookup_free(l);
}
