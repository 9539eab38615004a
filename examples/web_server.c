/*
 * A web server for files, with librollway-logger as a real program uses it: web_server PORT FOLDER LOGGER.CONF
 *
 * Worker threads take connections from one listening socket; one request, one answer. What is worth seeing:
 *   - loggers "http" and "files", whose levels web_server.conf sets apart; a source file's own is ROLLWAY_LOGGER;
 *   - the id of the request as context: every line of the thread carries it until the request is over;
 *   - ROLLWAY_ERRNO after a call that failed; rollway_every() for what a stranger can provoke at will;
 *   - SIGHUP reads the settings again, SIGTERM ends the server: the log is written before it does;
 *   - `kill -9`: a line whose request was answered is in the file and in the topic after the next start, once.
 *
 * What it does not do: keep connections open, anything but GET, folders, ranges, TLS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ROLLWAY_LOGGER http /* what rollway_info() and its like log to, in this file */
#include <rollway/logger.h>

enum { WORKERS = 4, REQUEST_MAX = 8192, TIMEOUT_S = 5 };

static struct rollway_logger *http, *files;

struct server {
    int listener, folder;
    atomic_bool stopping;
    atomic_ullong requests;
};

struct request {
    int client;
    char text[REQUEST_MAX];
    const char *path; /* in text */
    int status;
    long long bytes;
};

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* ---- answers ---- */

static void send_all(struct request *r, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(r->client, text, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            rollway_debug("client went away", ROLLWAY_ERRNO);
            return;
        }
        text += sent;
        n -= (size_t)sent;
    }
}

static void send_head(struct request *r, int status, const char *reason, long long bytes)
{
    char head[160];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nContent-Length: %lld\r\nConnection: close\r\n\r\n", status,
                     reason, bytes);
    r->status = status;
    r->bytes = bytes;
    send_all(r, head, (size_t)n);
}

static void refuse(struct request *r, int status, const char *reason)
{
    /* The line first: who has an answer has a line, whatever happens to this process. */
    r->status = status;
    rollway_info("request", "path", r->path, "status", status, "bytes", 0, "took_us", 0);
    send_head(r, status, reason, 0);
}

static void send_file(struct request *r, int fd, long long size)
{
    long long left = size;
    while (left > 0) {
        ssize_t sent = sendfile(r->client, fd, NULL, (size_t)left);
        if (sent <= 0) {
            rollway_to(files, ROLLWAY_WARN, "file sent in part", "path", r->path, "left", left,
                       ROLLWAY_ERRNO);
            return;
        }
        left -= sent;
    }
}

/* ---- requests ---- */

static void serve_file(struct server *s, struct request *r, long long began_us)
{
    struct stat st;
    int fd = openat(s->folder, r->path + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT)
            rollway_to(files, ROLLWAY_DEBUG, "no such file", "path", r->path);
        else
            rollway_to(files, ROLLWAY_WARN, "can not open a file", "path", r->path, ROLLWAY_ERRNO);
        refuse(r, 404, "Not Found");
        return;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        refuse(r, 403, "Forbidden");
    } else {
        rollway_to(files, ROLLWAY_DEBUG, "file opened", "path", r->path, "size", st.st_size);
        rollway_info("request", "path", r->path, "status", 200, "bytes", st.st_size, "took_us",
                     now_us() - began_us);
        send_head(r, 200, "OK", st.st_size);
        send_file(r, fd, st.st_size);
    }
    close(fd);
}

/* The value of a header of ours, at most `size` - 1 bytes; whatever a client sends may be logged: the library escapes it. */
static void header(const struct request *r, const char *name, char *out, size_t size)
{
    const char *p = strcasestr(r->text, name);
    p = p ? p + strlen(name) : "";
    p += strspn(p, " \t");
    snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
}

/* Reads up to the empty line. False: there is none. */
static int read_request(struct request *r)
{
    size_t n = 0;
    while (n < sizeof(r->text) - 1) {
        ssize_t got = recv(r->client, r->text + n, sizeof(r->text) - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        r->text[n] = 0;
        if (strstr(r->text, "\r\n\r\n"))
            return 1;
    }
    return 0;
}

static void handle(struct server *s, struct request *r, const char *ip)
{
    char id[40];
    long long began_us = now_us();
    if (!read_request(r)) {
        rollway_every(1000, ROLLWAY_WARN, "no request in time or too large", "ip", ip);
        return;
    }
    unsigned long long number = atomic_fetch_add(&s->requests, 1);
    header(r, "\r\nX-Request-Id:", id, sizeof(id));
    if (!id[0])
        snprintf(id, sizeof(id), "%d-%llu", (int)getpid(), number);
    rollway_context_set("request", id);
    rollway_context_set("ip", ip);
    char *path = strncmp(r->text, "GET /", 5) == 0 ? r->text + 4 : NULL;
    r->path = path ? path : "";
    if (path)
        path[strcspn(path, " \r\n")] = 0;
    if (!path) {
        rollway_every(1000, ROLLWAY_WARN, "not a GET", "begin",
                      ROLLWAY_TEXT(r->text, strnlen(r->text, 40)));
        refuse(r, 400, "Bad Request");
    } else if (strstr(path, "..") || !path[1] || path[1] == '/') {
        rollway_every(1000, ROLLWAY_WARN, "not a path to serve", "path", path);
        refuse(r, 403, "Forbidden");
    } else {
        serve_file(s, r, began_us);
    }
    rollway_context_clear();
}

static void *work(void *arg)
{
    struct server *s = arg;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    while (!atomic_load(&s->stopping)) {
        struct sockaddr_in from;
        socklen_t n = sizeof(from);
        struct request r = {0};
        char ip[INET_ADDRSTRLEN] = "";
        r.client = accept4(s->listener, (struct sockaddr *)&from, &n, SOCK_CLOEXEC);
        if (r.client < 0) {
            if (!atomic_load(&s->stopping))
                rollway_every(1000, ROLLWAY_ERROR, "accept", ROLLWAY_ERRNO);
            continue;
        }
        setsockopt(r.client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(r.client, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        inet_ntop(AF_INET, &from.sin_addr, ip, sizeof(ip));
        handle(s, &r, ip);
        close(r.client);
    }
    return NULL;
}

/* ---- life ---- */

static int listen_on(unsigned port)
{
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0) {
        rollway_fatal("can not listen", "port", port, ROLLWAY_ERRNO);
        return -1;
    }
    return fd;
}

/* SIGHUP reads the settings of the logger again; SIGTERM and SIGINT return. */
static void wait_for_signals(const sigset_t *signals)
{
    int sig;
    while (sigwait(signals, &sig) == 0 && sig == SIGHUP) {
        if (rollway_logger_reload() == 0)
            rollway_info("settings read again");
        else
            rollway_error("settings are as before", "why", rollway_logger_error());
    }
}

static int serve(struct server *s, const sigset_t *signals)
{
    pthread_t workers[WORKERS];
    unsigned started = 0;
    while (started < WORKERS && pthread_create(&workers[started], NULL, work, s) == 0)
        started++;
    if (started > 0) {
        rollway_info("serving", "workers", started);
        wait_for_signals(signals);
    } else {
        rollway_fatal("no thread");
    }
    atomic_store(&s->stopping, 1);
    shutdown(s->listener, SHUT_RDWR); /* wakes those in accept() */
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    rollway_info("served", "requests", atomic_load(&s->requests));
    return started > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: web_server PORT FOLDER LOGGER.CONF\n");
        return 2;
    }
    /* Before any thread is there, so that sigwait() is the only one who sees them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    struct rollway_logger_options options = {.size = sizeof(options), .file = argv[3]};
    if (rollway_logger_start(&options) != 0) {
        fprintf(stderr, "web_server: %s\n", rollway_logger_error());
        return 2;
    }
    http = rollway_logger_get("http");
    files = rollway_logger_get("files");

    int rc = 1;
    struct server s = {.folder = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (s.folder < 0)
        rollway_fatal("no such folder", "path", argv[2], ROLLWAY_ERRNO);
    else if ((s.listener = listen_on((unsigned)atoi(argv[1]))) >= 0)
        rc = serve(&s, &signals);
    return rollway_logger_close(5000) == 0 ? rc : 1;
}
