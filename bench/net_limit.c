/*
 * The least a server can do for the same bytes: the limit that the broker is compared with.
 *
 *   bench_net_limit PORT produce FILE [sync|fresh|own]   receive a frame, CRC32C over it, pwrite it, answer
 *   bench_net_limit PORT fetch FILE BYTES      answer every request with BYTES of FILE by sendfile
 *   bench_net_limit PORT echo                  answer every request with a few bytes
 *
 * One thread, epoll. `sync`: one fdatasync per turn of the loop covers all frames of that turn before
 * they are answered (group commit at its simplest). FILE is written over and over within 256 MiB, so
 * that its blocks and pages are warm. `fresh`: it goes round four files and empties each before it is
 * written again, as a log that keeps four segments has to: what new pages cost is then in the limit
 * too. `own`: a thread and a file for each connection, one fdatasync for each frame: what several
 * partitions cost that are synced at once. It answers in the shape that bench_net_load reads.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/crc32c.h"

#define FILE_BYTES (256u << 20)
#define BUF_BYTES  (2u << 20)
/* A page costs sendfile less when it belongs to a large folio, and how large folios become depends on
 * how the file was written: as a log is, by appends of this size. */
#define APPEND_BYTES 100000
#define MAX_CONNS    1024
#define OWN_BYTES    (4u << 20) /* of a file that one connection goes round in */

struct conn {
    int fd;
    uint8_t *buf;
    size_t n;
    int answers; /* frames to be answered after the sync */
    uint8_t correlation[4];
    uint8_t out[64 * 256]; /* small answers of one turn, sent together */
    size_t out_n;
    size_t out_left; /* fetch: bytes of the range still to send */
    off_t out_at;
};

static struct {
    char mode;
    int file, sync, fresh, own;
    const char *path;
    int part; /* fresh: which of the files is being written */
    size_t fetch_bytes;
    off_t at;
    atomic_uint crc;
} g;

static void flush(struct conn *c)
{
    if (c->out_n && send(c->fd, c->out, c->out_n, MSG_NOSIGNAL) != (ssize_t)c->out_n)
        perror("send");
    c->out_n = 0;
}

static void put(struct conn *c, const uint8_t *p, size_t n)
{
    if (c->out_n + n > sizeof(c->out))
        flush(c);
    memcpy(c->out + c->out_n, p, n);
    c->out_n += n;
}

/* Produce v7: one topic "t", one partition, no error; 53 zeros at r. */
static void produced(uint8_t *r, const uint8_t *frame)
{
    rw_store_be32(r, 4 + 4 + 3 + 4 + 4 + 2 + 24 + 4);
    memcpy(r + 4, frame + 8, 4);
    rw_store_be32(r + 8, 1);
    rw_store_be16(r + 12, 1);
    r[14] = 't';
    rw_store_be32(r + 15, 1);
}

static void answer(struct conn *c, const uint8_t *frame)
{
    uint8_t r[64] = {0};
    if (g.mode == 'p') {
        produced(r, frame);
        put(c, r, 53);
    } else if (g.mode == 'e') {
        rw_store_be32(r, 60);
        memcpy(r + 4, frame + 8, 4);
        put(c, r, 64);
    }
}

/* Fetch v11 answer: head, then the range; continued when the socket has room. */
static void send_range(struct conn *c)
{
    while (c->out_left) {
        ssize_t n = sendfile(c->fd, g.file, &c->out_at, c->out_left);
        if (n <= 0)
            return;
        c->out_left -= (size_t)n;
    }
}

static void start_fetch(struct conn *c, const uint8_t *frame)
{
    uint8_t r[128] = {0};
    size_t at = 4;
    memcpy(r + at, frame + 8, 4);
    at += 4 + 4 + 2 + 4;
    rw_store_be32(r + at, 1);
    at += 4;
    rw_store_be16(r + at, 1);
    r[at + 2] = 't';
    at += 3;
    rw_store_be32(r + at, 1);
    at += 4 + 4 + 2 + 24;
    rw_store_be32(r + at, 0);
    at += 4;
    rw_store_be32(r + at, 0xffffffffu);
    at += 4;
    rw_store_be32(r + at, (uint32_t)g.fetch_bytes);
    at += 4;
    rw_store_be32(r, (uint32_t)(at - 4 + g.fetch_bytes));
    if (send(c->fd, r, at, MSG_NOSIGNAL | MSG_MORE) != (ssize_t)at)
        perror("send");
    c->out_left = g.fetch_bytes;
    c->out_at = g.at;
    g.at += (off_t)g.fetch_bytes;
    if (g.at + (off_t)g.fetch_bytes > (off_t)FILE_BYTES)
        g.at = 0;
    send_range(c);
}

static void next_file(void)
{
    char path[4096];
    g.part = (g.part + 1) % 4;
    snprintf(path, sizeof(path), "%s.%d", g.path, g.part);
    close(g.file);
    g.file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (g.file < 0)
        perror(path);
}

static void frame(struct conn *c, const uint8_t *p, size_t n)
{
    if (g.mode == 'p') {
        g.crc ^= rw_crc32c(0, p + 4, n - 4);
        if (pwrite(g.file, p + 4, n - 4, g.at) < 0)
            perror("pwrite");
        g.at += (off_t)(n - 4);
        if (g.at > (off_t)(FILE_BYTES - BUF_BYTES)) {
            g.at = 0;
            if (g.fresh)
                next_file();
        }
        if (g.sync) {
            memcpy(c->correlation, p + 8, 4);
            c->answers++;
            return;
        }
    }
    if (g.mode == 'f')
        start_fetch(c, p);
    else
        answer(c, p);
}

static int readable(struct conn *c)
{
    for (;;) {
        ssize_t got = recv(c->fd, c->buf + c->n, BUF_BYTES - c->n, MSG_DONTWAIT);
        if (got == 0)
            return -1;
        if (got < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        c->n += (size_t)got;
        size_t at = 0;
        while (c->n - at >= 4) {
            size_t size = (size_t)rw_load_be32(c->buf + at) + 4;
            if (size > BUF_BYTES)
                return -1;
            if (c->n - at < size)
                break;
            frame(c, c->buf + at, size);
            at += size;
        }
        memmove(c->buf, c->buf + at, c->n - at);
        c->n -= at;
    }
}

/* Writes the file once, so that its blocks and pages are warm. False: an error was printed. */
static bool prepare(int argc, char **argv)
{
    size_t piece = g.mode == 'f' ? APPEND_BYTES : 1 << 20;
    char *zero = calloc(1, piece);
    g.path = argv[3];
    g.file = open(g.path, O_RDWR | O_CREAT, 0644);
    for (off_t at = 0; at < (off_t)FILE_BYTES; at += (off_t)piece)
        if (!zero || g.file < 0 || pwrite(g.file, zero, piece, at) < 0) {
            perror(g.path);
            free(zero);
            return false;
        }
    free(zero);
    if (fdatasync(g.file))
        perror("fdatasync");
    const char *option = argc > 4 ? argv[4] : "";
    g.sync = g.mode == 'p' && strcmp(option, "sync") == 0;
    g.fresh = g.mode == 'p' && strcmp(option, "fresh") == 0;
    g.own = g.mode == 'p' && strcmp(option, "own") == 0;
    g.fetch_bytes = g.mode == 'f' && *option ? (size_t)atol(option) : 1 << 20;
    if (g.fresh)
        next_file();
    return true;
}

static int listen_on(int port)
{
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    if (bind(ls, (struct sockaddr *)&a, sizeof(a)) || listen(ls, 1024)) {
        perror("listen");
        return -1;
    }
    return ls;
}

/* One frame after the other, small ones: each is received with one call and is there as a whole. */
static void *serve_own(void *arg)
{
    static atomic_int n_files;
    int fd = (int)(intptr_t)arg;
    uint8_t *buf = calloc(1, OWN_BYTES);
    char path[4096];
    snprintf(path, sizeof(path), "%s.own.%d", g.path, atomic_fetch_add(&n_files, 1) % MAX_CONNS);
    int file = open(path, O_RDWR | O_CREAT, 0644);
    if (!buf || file < 0 || pwrite(file, buf, OWN_BYTES, 0) < 0 || fdatasync(file))
        perror(path);
    off_t at = 0;
    for (ssize_t n; buf && (n = recv(fd, buf, OWN_BYTES, 0)) > 8;) {
        uint8_t r[53] = {0};
        g.crc ^= rw_crc32c(0, buf + 4, (size_t)n - 4);
        if (pwrite(file, buf + 4, (size_t)n - 4, at) < 0 || fdatasync(file))
            perror(path);
        at = at + 2 * n > (off_t)OWN_BYTES ? 0 : at + n;
        produced(r, buf);
        if (send(fd, r, sizeof(r), MSG_NOSIGNAL) < 0)
            break;
    }
    free(buf);
    close(file);
    close(fd);
    return NULL;
}

static void accept_own(int ls)
{
    pthread_t thread;
    int fd = accept(ls, NULL, NULL), one = 1;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (pthread_create(&thread, NULL, serve_own, (void *)(intptr_t)fd))
        perror("pthread_create");
    else
        pthread_detach(thread);
}

static void accept_one(int ls, int ep, struct conn *conns)
{
    int fd = accept(ls, NULL, NULL), one = 1;
    uint32_t i = 0;
    while (i < MAX_CONNS && conns[i].fd)
        i++;
    if (fd < 0 || i == MAX_CONNS)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    conns[i] = (struct conn){.fd = fd, .buf = malloc(BUF_BYTES)};
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = i};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void serve(struct conn *c)
{
    send_range(c);
    int gone = readable(c);
    flush(c);
    if (gone) {
        close(c->fd);
        free(c->buf);
        *c = (struct conn){0};
    }
}

/* Group commit at its simplest: one sync for everything that came in this turn. */
static void sync_and_answer(struct conn *conns)
{
    int any = 0;
    for (int i = 0; i < MAX_CONNS; i++)
        any |= conns[i].answers;
    if (any && fdatasync(g.file))
        perror("fdatasync");
    for (int i = 0; any && i < MAX_CONNS; i++) {
        for (; conns[i].answers; conns[i].answers--) {
            uint8_t head[12] = {0};
            memcpy(head + 8, conns[i].correlation, 4);
            answer(&conns[i], head);
        }
        flush(&conns[i]);
    }
}

int main(int argc, char **argv)
{
    static struct conn conns[MAX_CONNS];
    if (argc < 3 || (argv[2][0] != 'e' && argc < 4)) {
        fprintf(stderr, "usage: bench_net_limit PORT produce FILE [sync|fresh|own] | fetch FILE "
                        "BYTES | echo\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* sendfile to a client that is gone */
    g.mode = argv[2][0];
    if (g.mode != 'e' && !prepare(argc, argv))
        return 1;
    int ls = listen_on(atoi(argv[1])), ep = epoll_create1(0);
    if (ls < 0)
        return 1;
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(ep, events, 64, -1);
        for (int k = 0; k < n; k++) {
            if (events[k].data.u32 == UINT32_MAX && g.own)
                accept_own(ls);
            else if (events[k].data.u32 == UINT32_MAX)
                accept_one(ls, ep, conns);
            else
                serve(&conns[events[k].data.u32]);
        }
        if (g.sync)
            sync_and_answer(conns);
    }
}
