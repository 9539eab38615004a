/* Messages to a daemon of this machine or another. Whoever calls decides about trying again. */
#include "os/socket_out.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "os/os.h"

static int fail(int err, const char *op, const char *to)
{
    int rc = rw_os_fail(err, op, to);
    switch (err) {
    case EAGAIN:
    case ENOBUFS:
    case EINTR:
        return RW_E_AGAIN;
    case EMSGSIZE:
        return RW_E_TOO_BIG;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return RW_E_REFUSED;
    case ECONNRESET:
    case ENOTCONN:
    case EPIPE:
    case EDESTADDRREQ:
        return RW_E_CLOSED;
    default:
        return rc;
    }
}

static int unix_as(const struct sockaddr_un *a, int type, const char *path,
                   struct rw_os_out *ret_out)
{
    int fd = rw_os_fd_apart(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0)
        return fail(errno, "socket", NULL);
    if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0) {
        int err = errno;
        close(fd);
        return err == EPROTOTYPE ? RW_E_UNSUPPORTED : fail(err, "connect", path);
    }
    *ret_out = (struct rw_os_out){.fd = fd, .stream = type == SOCK_STREAM};
    return RW_OK;
}

int rw_os_out_unix(const char *path, struct rw_os_out *ret_out)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(a.sun_path))
        return RW_E_INVAL;
    memcpy(a.sun_path, path, strlen(path) + 1);
    int rc = unix_as(&a, SOCK_DGRAM, path, ret_out);
    return rc == RW_E_UNSUPPORTED ? unix_as(&a, SOCK_STREAM, path, ret_out) : rc;
}

static int wait_room(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, wait_ms);
    return n < 0 ? fail(errno, "poll", NULL) : n == 0 ? RW_E_AGAIN : RW_OK;
}

static int connect_one(const struct addrinfo *a, const char *host, int wait_ms,
                       struct rw_os_out *ret_out)
{
    int fd = rw_os_fd_apart(
        socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol));
    if (fd < 0)
        return fail(errno, "socket", host);
    int rc = RW_OK, err = 0;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0)
        rc = errno == EINPROGRESS ? wait_room(fd, wait_ms) : fail(errno, "connect", host);
    socklen_t n = sizeof(err);
    if (!rc && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err))
        rc = fail(err ? err : errno, "connect", host);
    if (rc) {
        close(fd);
        return rc;
    }
    *ret_out = (struct rw_os_out){.fd = fd, .stream = a->ai_socktype == SOCK_STREAM};
    return RW_OK;
}

int rw_os_out_inet(const char *host, const char *port, bool tcp, int wait_ms,
                   struct rw_os_out *ret_out)
{
    struct addrinfo hints = {.ai_socktype = tcp ? SOCK_STREAM : SOCK_DGRAM}, *all;
    if (getaddrinfo(host, port, &hints, &all) != 0)
        return RW_E_DNS;
    int rc = RW_E_DNS;
    for (const struct addrinfo *a = all; a && rc; a = a->ai_next)
        rc = connect_one(a, host, wait_ms, ret_out);
    freeaddrinfo(all);
    return rc;
}

void rw_os_out_close(struct rw_os_out *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

/* A stream that ends at the other side is only seen by reading; what was sent meanwhile would be lost without a word. */
static bool ended(const struct rw_os_out *o)
{
    char c;
    return recv(o->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

int rw_os_out_send(struct rw_os_out *o, const void *p, size_t n, int wait_ms)
{
    size_t at = 0;
    if (o->stream && ended(o))
        return RW_E_CLOSED;
    while (at < n || n == 0) {
        ssize_t done = send(o->fd, (const char *)p + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done >= 0) {
            at += (size_t)done;
            if (!o->stream || n == 0)
                return RW_OK;
            continue;
        }
        int rc = fail(errno, "send", NULL);
        if (rc == RW_E_AGAIN)
            rc = wait_room(o->fd, wait_ms);
        if (rc == RW_E_AGAIN && at > 0)
            return RW_E_CLOSED; /* half a message is out, and no other may follow it */
        if (rc)
            return rc;
    }
    return RW_OK;
}

/* The descriptor behind nothing else. */
static int send_descriptor(struct rw_os_out *o, int fd, int wait_ms)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr m = {.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    for (;;) {
        if (sendmsg(o->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return RW_OK;
        int rc = fail(errno, "send", NULL);
        if (rc == RW_E_AGAIN)
            rc = wait_room(o->fd, wait_ms);
        if (rc)
            return rc;
    }
}

int rw_os_out_send_file(struct rw_os_out *o, const void *p, size_t n, int wait_ms)
{
    int fd = rw_os_fd_apart(memfd_create("rollway-log", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
        rc = RW_OK;
    if (fd < 0)
        return rw_os_fail(errno, "memfd", NULL);
    for (size_t at = 0; at < n && !rc;) {
        ssize_t done = write(fd, (const char *)p + at, n - at);
        if (done < 0 && errno != EINTR)
            rc = rw_os_fail(errno, "write", NULL);
        at += done > 0 ? (size_t)done : 0;
    }
    if (!rc &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        rc = rw_os_fail(errno, "seal", NULL);
    if (!rc)
        rc = send_descriptor(o, fd, wait_ms);
    close(fd);
    return rc;
}

void rw_os_host_name(char *ret, size_t n)
{
    if (gethostname(ret, n) != 0 || !ret[0])
        memcpy(ret, "-", 2);
    ret[n - 1] = 0;
}
