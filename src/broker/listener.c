/*
 * One place accepts and counts, so that max.connections and max.connections.per.ip hold for the whole
 * broker without a lock. A shard that is done with a connection sends it back here to be freed.
 *
 * At max.connections accepting pauses and new connections wait in the kernel, as in Kafka; above
 * max.connections.per.ip they are closed at once.
 */
#include "broker/listener.h"

#include <string.h>
#include "base/mem.h"
#include "broker/metrics.h"

#define IP_CHAINS 256

struct ip_count {
    struct rw_link link;
    uint8_t ip[16];
    int32_t count;
};

struct door {
    struct rw_acceptor *acceptor;
    struct rw_listener *listener;
    int index;
};

struct rw_acceptor {
    struct rw_broker *broker;
    const struct rw_limits *limits;
    int32_t connections_max, connections_per_ip_max; /* of limits, or set meanwhile */
    struct door doors[RW_DOORS_MAX];
    int n_doors;
    int next_shard;
    int32_t count;
    bool paused, closed;
    struct rw_link ips[IP_CHAINS];
};

/* What a connection is while it is counted here. */
struct guest {
    struct rw_conn conn;
    struct rw_acceptor *acceptor;
    struct ip_count *from;
};

struct rw_acceptor *rw_acceptor_new(struct rw_broker *b, const struct rw_limits *limits)
{
    struct rw_acceptor *a = rw_zalloc(sizeof(*a));
    if (!a)
        return NULL;
    a->broker = b;
    a->limits = limits;
    a->connections_max = limits->connections_max;
    a->connections_per_ip_max = limits->connections_per_ip_max;
    for (int i = 0; i < IP_CHAINS; i++)
        rw_list_init(&a->ips[i]);
    return a;
}

static struct ip_count *ip_of(struct rw_acceptor *a, const uint8_t ip[16])
{
    uint32_t h = 2166136261u;
    for (int i = 0; i < 16; i++)
        h = (h ^ ip[i]) * 16777619u;
    struct rw_link *chain = &a->ips[h % IP_CHAINS];
    RW_LIST_EACH (it, chain) {
        struct ip_count *c = RW_CONTAINER(it, struct ip_count, link);
        if (!memcmp(c->ip, ip, 16))
            return c;
    }
    struct ip_count *c = rw_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    memcpy(c->ip, ip, 16);
    rw_list_push(chain, &c->link);
    return c;
}

static void pause_all(struct rw_acceptor *a, bool paused)
{
    a->paused = paused;
    for (int i = 0; i < a->n_doors && !a->closed; i++)
        rw_listener_pause(a->doors[i].listener, paused);
}

static void uncount(struct rw_acceptor *a, struct ip_count *from)
{
    a->count--;
    if (--from->count == 0) {
        rw_list_remove(&from->link);
        rw_free(from);
    }
    if (a->paused && a->count < a->connections_max)
        pause_all(a, false);
}

void rw_acceptor_limit(struct rw_acceptor *a, int64_t connections, int64_t per_ip)
{
    a->connections_max =
        (int32_t)(connections < a->limits->connections_room ? connections
                                                            : a->limits->connections_room);
    a->connections_per_ip_max = (int32_t)per_ip;
    bool full = a->count >= a->connections_max;
    if (full != a->paused)
        pause_all(a, full);
}

static void gone(struct rw_conn *c)
{
    struct guest *g = RW_CONTAINER(c, struct guest, conn);
    uncount(g->acceptor, g->from);
    rw_free(g);
}

static void adopt(struct rw_shard *s, struct rw_msg *m)
{
    rw_conns_adopt(s, RW_CONTAINER(m, struct rw_conn, msg));
}

static bool refused(struct rw_acceptor *a, struct ip_count *from, const struct rw_sock *sock)
{
    if (from->count <= a->connections_per_ip_max)
        return false;
    rw_metric_add(a->broker->shards[0]->metrics, RW_METRIC_CONNECTIONS_REJECTED, 1);
    rw_diag(a->broker->env->diag, RW_WARN, "listener",
            "refused a connection: max.connections.per.ip reached",
            rw_kv_str("peer", sock->peer.text),
            rw_kv_int("max.connections.per.ip", a->connections_per_ip_max));
    return true;
}

static void accepted(void *arg, struct rw_sock *take_sock)
{
    struct door *d = arg;
    struct rw_acceptor *a = d->acceptor;
    struct ip_count *from = ip_of(a, take_sock->peer.ip);
    if (!from) {
        rw_sock_close(take_sock);
        return;
    }
    a->count++;
    from->count++;
    if (refused(a, from, take_sock)) {
        rw_sock_close(take_sock);
        uncount(a, from);
        return;
    }
    struct guest *g = rw_zalloc(sizeof(*g));
    if (!g) {
        rw_sock_close(take_sock);
        uncount(a, from);
        return;
    }
    g->acceptor = a;
    g->from = from;
    g->conn.sock = take_sock;
    g->conn.listener = d->index;
    g->conn.gone = gone;
    g->conn.msg.run = adopt;
    rw_shard_send(a->broker->shards[a->next_shard], &g->conn.msg);
    a->next_shard = (a->next_shard + 1) % a->broker->n_shards;
    if (a->count >= a->connections_max) {
        rw_diag(a->broker->env->diag, RW_WARN, "listener",
                "max.connections or the limit of open files reached: new connections wait",
                rw_kv_int("max.connections", a->connections_max));
        pause_all(a, true);
    }
}

int rw_acceptor_bind(struct rw_acceptor *a, const char *host, uint16_t port, struct rw_err *ret_err)
{
    if (a->n_doors == RW_DOORS_MAX)
        return rw_err_set(ret_err, RW_E_TOO_BIG, "more than %d listeners", RW_DOORS_MAX);
    struct door *d = &a->doors[a->n_doors];
    int code = rw_net_bind(a->broker->net, host, port, &d->listener, ret_err);
    if (code)
        return code;
    rw_listener_buffers(d->listener, a->limits->socket_send_bytes, a->limits->socket_receive_bytes);
    d->acceptor = a;
    d->index = a->n_doors++;
    return RW_OK;
}

uint16_t rw_acceptor_port(const struct rw_acceptor *a, int index)
{
    return rw_listener_port(a->doors[index].listener);
}

int rw_acceptor_open(struct rw_acceptor *a, struct rw_err *ret_err)
{
    for (int i = 0; i < a->n_doors; i++) {
        struct door *d = &a->doors[i];
        int code = rw_listener_open(d->listener, a->broker->shards[0]->loop,
                                    a->limits->listen_backlog, accepted, d);
        if (code)
            return rw_err_set(ret_err, code, "cannot listen on port %u: %s",
                              rw_listener_port(d->listener), rw_code_text(code));
    }
    return RW_OK;
}

void rw_acceptor_close(struct rw_acceptor *a)
{
    if (a->closed)
        return;
    a->closed = true;
    for (int i = 0; i < a->n_doors; i++) {
        rw_listener_close(a->doors[i].listener);
        a->doors[i].listener = NULL;
    }
}

void rw_acceptor_free(struct rw_acceptor *a)
{
    if (!a)
        return;
    rw_acceptor_close(a);
    rw_free(a);
}
