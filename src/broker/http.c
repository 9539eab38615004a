/*
 * Sockets and time of the HTTP server. One request of a connection at a time; the next one is parsed
 * when the answer has left. Each state has a deadline: a peer that sends or reads a byte now and then
 * does not keep a connection.
 */
#include "broker/http.h"

#include "base/mem.h"
#include "broker/http_private.h"

#define BACKLOG    64
#define IDLE_US    (60 * INT64_C(1000000))
#define REQUEST_US (10 * INT64_C(1000000))
#define ANSWER_US  (30 * INT64_C(1000000))

static struct rw_loop *loop_of(const struct rw_http *h)
{
    return h->args.broker->shards[0]->loop;
}

static void check_closed(struct rw_http *h)
{
    if (!h->closing || h->count || !h->closed)
        return;
    void (*closed)(void *) = h->closed;
    h->closed = NULL;
    closed(h->closed_arg);
}

void rw_http_release(struct rw_http_conn *c)
{
    struct rw_http *h = c->http;
    rw_buf_deinit(&c->out);
    rw_free(c);
    h->count--;
    check_closed(h);
}

static void drop(struct rw_http_conn *c)
{
    rw_sock_close(c->sock);
    c->sock = NULL;
    rw_timer_stop(loop_of(c->http), &c->deadline);
    rw_list_remove(&c->link);
    if (!c->scraping)
        rw_http_release(c);
}

static void deadline(struct rw_timer *t)
{
    drop(RW_CONTAINER(t, struct rw_http_conn, deadline));
}

static void within(struct rw_http_conn *c, int64_t us)
{
    rw_timer_start_in(loop_of(c->http), &c->deadline, us);
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

void rw_http_answer(struct rw_http_conn *c, int status, const char *type, const void *body,
                    size_t n)
{
    struct rw_http_request *r = &c->parse.req;
    if (c->http->closing)
        r->keep_alive = false;
    rw_buf_printf(&c->out,
                  "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                  "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s\r\n",
                  status, reason(status), type, n, status == 405 ? "Allow: GET, HEAD\r\n" : "",
                  r->keep_alive ? "" : "Connection: close\r\n");
    if (!r->head)
        rw_buf_add(&c->out, body, n);
    c->sending = true;
    within(c, ANSWER_US);
    rw_sock_want(c->sock, RW_NET_WRITE);
}

/* Parses what has arrived, up to one request. */
static void take_in(struct rw_http_conn *c)
{
    while (c->in_at < c->in_n && !c->answering) {
        size_t used;
        enum rw_http_parse got =
            rw_http_parse(&c->parse, c->in + c->in_at, c->in_n - c->in_at, &used);
        c->in_at += used;
        if (got == RW_HTTP_MORE)
            continue;
        c->answering = true;
        rw_sock_want(c->sock, 0);
        within(c, ANSWER_US);
        rw_http_route(c);
    }
}

static void read_some(struct rw_http_conn *c)
{
    size_t n;
    bool idle = !c->parse.begun;
    int code = rw_sock_recv(c->sock, c->in, sizeof(c->in), &n);
    if (code == RW_E_AGAIN || code == RW_E_NOMEM)
        return;
    if (code || n == 0) {
        drop(c);
        return;
    }
    c->in_at = 0;
    c->in_n = n;
    if (idle) /* from the first byte on, not from the last */
        within(c, REQUEST_US);
    take_in(c);
}

static void sent_all(struct rw_http_conn *c)
{
    if (!c->parse.req.keep_alive) {
        /* The peer may still send; closing now could reset what it has not read yet. */
        rw_sock_shutdown_write(c->sock);
        c->sending = false;
        c->in_at = c->in_n = 0;
        rw_sock_want(c->sock, RW_NET_READ);
        return;
    }
    c->sending = c->answering = false;
    rw_buf_deinit(&c->out);
    c->sent = 0;
    rw_http_parser_next(&c->parse);
    within(c, IDLE_US);
    rw_sock_want(c->sock, RW_NET_READ);
    take_in(c);
}

static void send_some(struct rw_http_conn *c)
{
    struct rw_iov iov = {c->out.p + c->sent, c->out.n - c->sent};
    size_t n;
    if (c->out.failed) {
        drop(c);
        return;
    }
    int code = rw_sock_send(c->sock, &iov, 1, false, &n);
    if (code == RW_E_AGAIN || code == RW_E_NOMEM)
        return;
    if (code) {
        drop(c);
        return;
    }
    c->sent += n;
    if (c->sent == c->out.n)
        sent_all(c);
}

/* After the last answer: waits for the peer's end and throws away what it still says. */
static void drain(struct rw_http_conn *c)
{
    size_t n;
    int code = rw_sock_recv(c->sock, c->in, sizeof(c->in), &n);
    if (code != RW_E_AGAIN && (code || n == 0))
        drop(c);
}

static void on_ready(void *arg, unsigned events)
{
    struct rw_http_conn *c = arg;
    if (events & RW_NET_HANGUP)
        drop(c);
    else if (c->sending)
        send_some(c);
    else if (!c->answering)
        read_some(c);
    else if (!c->scraping)
        drain(c);
}

/* The oldest connection that is owed no answer makes room: a probe must come through although somebody
 * keeps all the others busy doing nothing. */
static void evict(struct rw_http *h)
{
    RW_LIST_EACH (it, &h->conns) {
        struct rw_http_conn *c = RW_CONTAINER(it, struct rw_http_conn, link);
        if (!c->answering || (!c->sending && !c->scraping)) {
            drop(c);
            return;
        }
    }
}

static void accepted(void *arg, struct rw_sock *take_sock)
{
    struct rw_http *h = arg;
    if (h->count >= RW_HTTP_CONNECTIONS)
        evict(h);
    struct rw_http_conn *c = h->count < RW_HTTP_CONNECTIONS ? rw_zalloc(sizeof(*c)) : NULL;
    if (!c) {
        rw_sock_close(take_sock);
        return;
    }
    c->http = h;
    c->sock = take_sock;
    c->deadline.fire = deadline;
    rw_buf_init(&c->out);
    rw_http_parser_init(&c->parse);
    rw_list_push(&h->conns, &c->link);
    h->count++;
    if (rw_sock_attach(c->sock, loop_of(h), on_ready, c) != RW_OK) {
        drop(c);
        return;
    }
    within(c, IDLE_US);
    rw_sock_want(c->sock, RW_NET_READ);
}

struct rw_http *rw_http_new(const struct rw_http_args *args)
{
    struct rw_http *h = rw_zalloc(sizeof(*h));
    if (!h)
        return NULL;
    h->args = *args;
    rw_list_init(&h->conns);
    return h;
}

int rw_http_bind(struct rw_http *h, const char *host, uint16_t port, struct rw_err *ret_err)
{
    return rw_net_bind(h->args.broker->net, host, port, &h->listener, ret_err);
}

uint16_t rw_http_port(const struct rw_http *h)
{
    return rw_listener_port(h->listener);
}

int rw_http_open(struct rw_http *h)
{
    return rw_listener_open(h->listener, loop_of(h), BACKLOG, accepted, h);
}

void rw_http_close(struct rw_http *h, void (*closed)(void *arg), void *arg)
{
    h->closing = true;
    h->closed = closed;
    h->closed_arg = arg;
    rw_listener_close(h->listener);
    h->listener = NULL;
    /* Those with a scrape under way are dropped too, and freed when it is back. */
    while (!rw_list_empty(&h->conns))
        drop(RW_CONTAINER(h->conns.next, struct rw_http_conn, link));
    check_closed(h);
}

void rw_http_free(struct rw_http *h)
{
    if (!h)
        return;
    rw_listener_close(h->listener);
    rw_free(h);
}
