/*
 * A cluster as a client sees it.
 *
 * The first broker is found through options.brokers; from its metadata all others. A leader is always
 * spoken to under the address that it advertises, as every Kafka client does: when that address does
 * not work from here, the error tells both addresses and what to change.
 */
#include "client/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "wire/error.h"

#define PORT_DEFAULT     9092
#define METADATA_CAP     12
#define NEW_TOPIC_TRIES  40
#define CALL_TRIES       5
#define CONTROLLER_TRIES 8 /* an election takes a moment */
#define METADATA_MEMORY  (256u << 20)

void rw_cluster_options_init(struct rw_cluster_options *o)
{
    *o = (struct rw_cluster_options){.brokers = "127.0.0.1:9092",
                                     .client_id = "rollway",
                                     .connect_timeout_us = 5000000,
                                     .request_timeout_us = 30000000,
                                     .backoff_us = 50000};
}

int64_t rw_cluster_now(const struct rw_cluster *c)
{
    return rw_mono_us(c->env->clock);
}

static int64_t within_deadline(const struct rw_cluster *c, int64_t us)
{
    int64_t left = c->deadline_us == INT64_MAX ? INT64_MAX : c->deadline_us - rw_cluster_now(c);
    return left < 0 ? 0 : left < us ? left : us;
}

int64_t rw_cluster_request_us(const struct rw_cluster *c)
{
    return within_deadline(c, c->options.request_timeout_us);
}

bool rw_code_is_connection(int code)
{
    return code == RW_E_CLOSED || code == RW_E_REFUSED || code == RW_E_TIMEOUT || code == RW_E_DNS;
}

int rw_cluster_backoff(struct rw_cluster *c, int attempt)
{
    size_t none;
    int64_t us = c->options.backoff_us << (attempt < 4 ? attempt : 4);
    int64_t allowed = within_deadline(c, us);
    int rc = rw_dial_wait(c->dialer, NULL, 0, allowed, &none);
    return rc == RW_E_TIMEOUT ? allowed < us ? RW_E_TIMEOUT : RW_OK : rc;
}

int rw_cluster_new(const struct rw_env *env, struct rw_dialer *dialer,
                   const struct rw_cluster_options *options, struct rw_cluster **ret_cluster)
{
    struct rw_cluster *c = rw_zalloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    *c = (struct rw_cluster){.env = env,
                             .dialer = dialer,
                             .options = *options,
                             .controller = -1,
                             .deadline_us = INT64_MAX};
    c->options.brokers = rw_strdup(options->brokers);
    c->options.client_id = rw_strdup(options->client_id);
    if (!c->options.brokers || !c->options.client_id) {
        rw_cluster_free(c);
        return RW_E_NOMEM;
    }
    *ret_cluster = c;
    return RW_OK;
}

static void topic_free(struct rw_topic *t)
{
    rw_arena_deinit(&t->arena);
    rw_free(t->name);
    rw_free(t);
}

void rw_cluster_free(struct rw_cluster *c)
{
    if (!c)
        return;
    rw_conn_close(c->bootstrap);
    for (int i = 0; i < c->n_nodes; i++)
        rw_conn_close(c->nodes[i].conn);
    for (int i = 0; i < c->n_topics; i++)
        topic_free(c->topics[i]);
    rw_free(c->topics);
    rw_free(c->nodes);
    rw_free((void *)(uintptr_t)c->options.brokers);
    rw_free((void *)(uintptr_t)c->options.client_id);
    rw_free(c);
}

struct rw_node *rw_cluster_node(struct rw_cluster *c, int32_t id)
{
    for (int i = 0; i < c->n_nodes; i++)
        if (c->nodes[i].id == id)
            return &c->nodes[i];
    return NULL;
}

struct rw_topic *rw_cluster_topic(struct rw_cluster *c, const char *name)
{
    for (int i = 0; i < c->n_topics; i++)
        if (strcmp(c->topics[i]->name, name) == 0)
            return c->topics[i];
    return NULL;
}

void rw_cluster_drop(struct rw_cluster *c, struct rw_conn *conn)
{
    if (c->bootstrap == conn)
        c->bootstrap = NULL;
    for (int i = 0; i < c->n_nodes; i++)
        if (c->nodes[i].conn == conn)
            c->nodes[i].conn = NULL;
    rw_conn_close(conn);
}

/* ---- bootstrap ---- */

/* "host:port", "[v6]:port", "host". Advances *at past the comma. */
static int next_address(const char **at, char host[256], uint16_t *ret_port,
                        struct rw_client_err *err)
{
    size_t n = strcspn(*at, ",");
    const char *text = *at, *colon = NULL, *end = text + n;
    *at = *end ? end + 1 : end;
    while (n && *text == ' ') {
        text++;
        n--;
    }
    const char *host_at = text;
    size_t host_n = n;
    if (n && text[0] == '[') {
        const char *close = memchr(text, ']', n);
        host_at = text + 1;
        host_n = close ? (size_t)(close - host_at) : 0;
        colon = close && close + 1 < end && close[1] == ':' ? close + 1 : NULL;
    } else {
        colon = memchr(text, ':', n);
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
            colon = NULL; /* a bare IPv6 address */
        host_n = colon ? (size_t)(colon - text) : n;
    }
    long port = PORT_DEFAULT;
    char *stop = NULL;
    if (colon)
        port = strtol(colon + 1, &stop, 10);
    if (host_n == 0 || host_n > 255 || port < 1 || port > 65535 || (colon && stop != end)) {
        rw_client_fail(err, RW_E_INVAL, "\"%.*s\" is no broker address", (int)n, text);
        rw_client_hint(err, "write host:port, several separated by commas");
        return RW_E_INVAL;
    }
    memcpy(host, host_at, host_n);
    host[host_n] = 0;
    *ret_port = (uint16_t)port;
    return RW_OK;
}

int rw_cluster_check_addresses(const char *brokers, struct rw_client_err *err)
{
    char host[256];
    uint16_t port;
    int rc = *brokers ? RW_OK : rw_client_fail(err, RW_E_INVAL, "no broker address given");
    while (rc == RW_OK && *brokers)
        rc = next_address(&brokers, host, &port, err);
    return rc;
}

/* Brokers that never said their address: words for a wrong --brokers. */
static int hint_bootstrap(int rc, struct rw_client_err *err)
{
    if (err && err->hint[0] == 0 && rc == RW_E_REFUSED)
        rw_client_hint(err, "is a broker running there? `rollway dev` starts one; --brokers or "
                            "ROLLWAY_BROKERS names another");
    else if (err && err->hint[0] == 0 && (rc == RW_E_DNS || rc == RW_E_TIMEOUT))
        rw_client_hint(err, "check --brokers (or ROLLWAY_BROKERS), and the network in between");
    return rc;
}

static int bootstrap(struct rw_cluster *c, struct rw_client_err *err)
{
    const char *at = c->options.brokers;
    int rc = RW_E_INVAL;
    if (!*at)
        return rw_client_fail(err, rc, "no broker address given");
    while (*at) {
        char host[256];
        uint16_t port;
        rc = next_address(&at, host, &port, err);
        if (rc != RW_OK)
            return rc;
        rc = rw_conn_open(c->env, c->dialer, host, port, c->options.client_id,
                          within_deadline(c, c->options.connect_timeout_us), &c->bootstrap, err);
        if (rc == RW_OK || rc == RW_E_CANCELED)
            return rc;
    }
    return hint_bootstrap(rc, err);
}

int rw_cluster_connect(struct rw_cluster *c, struct rw_client_err *err)
{
    return c->n_nodes > 0 ? RW_OK : rw_cluster_refresh(c, NULL, 0, false, err);
}

/* The address that a broker advertises does not work from here. */
static int advertised_wrong(struct rw_cluster *c, const struct rw_node *n, int rc,
                            struct rw_client_err *err)
{
    char address[320], why[sizeof(err->text)];
    const char *words = rc == RW_E_DNS       ? "does not resolve here"
                        : rc == RW_E_REFUSED ? "refuses connections from here"
                        : rc == RW_E_TIMEOUT ? "does not answer from here"
                                             : NULL;
    snprintf(address, sizeof(address), "%s:%d", n->host, n->port);
    if (!err || !words || !c->bootstrap || strcmp(c->bootstrap->address, address) == 0)
        return rc;
    snprintf(why, sizeof(why), "%s", err->text);
    rw_client_fail(err, rc, "connected to %s, but broker %d advertises %s, which %s",
                   c->bootstrap->address, n->id, address, words);
    rw_client_hint(
        err, "set advertised.listeners of broker %d to an address that clients can reach", n->id);
    return rc;
}

/* A connection that has nothing under way: a call must not wait behind a long poll. */
static int any_conn(struct rw_cluster *c, struct rw_conn **ret_conn, struct rw_client_err *err)
{
    int rc = RW_OK;
    if (c->bootstrap && c->bootstrap->sent_n == 0) {
        *ret_conn = c->bootstrap;
        return RW_OK;
    }
    for (int i = 0; i < c->n_nodes; i++) {
        if (c->nodes[i].conn && c->nodes[i].conn->sent_n == 0) {
            *ret_conn = c->nodes[i].conn;
            return RW_OK;
        }
    }
    RW_ASSERT(c->bootstrap == NULL); /* it never has anything under way between two calls */
    /* The addresses given first may be gone after a while; a known broker is as good. */
    rc = bootstrap(c, err);
    for (int i = 0; rc != RW_OK && rc != RW_E_CANCELED && i < c->n_nodes; i++)
        rc = rw_conn_open(c->env, c->dialer, c->nodes[i].host, (uint16_t)c->nodes[i].port,
                          c->options.client_id, within_deadline(c, c->options.connect_timeout_us),
                          &c->bootstrap, NULL);
    *ret_conn = c->bootstrap;
    return rc;
}

int rw_cluster_conn(struct rw_cluster *c, int32_t node, struct rw_conn **ret_conn,
                    struct rw_client_err *err)
{
    if (node == RW_CONTROLLER)
        node = rw_cluster_node(c, c->controller) ? c->controller : RW_ANY_NODE;
    if (node == RW_ANY_NODE)
        return any_conn(c, ret_conn, err);
    struct rw_node *n = rw_cluster_node(c, node);
    if (!n)
        return rw_client_fail(err, RW_E_NOT_FOUND, "broker %d is not known to the cluster", node);
    if (!n->conn) {
        char address[320];
        snprintf(address, sizeof(address), "%s:%d", n->host, n->port);
        if (c->bootstrap && strcmp(c->bootstrap->address, address) == 0 &&
            c->bootstrap->sent_n == 0) {
            n->conn = c->bootstrap;
            c->bootstrap = NULL;
        } else {
            int rc =
                rw_conn_open(c->env, c->dialer, n->host, (uint16_t)n->port, c->options.client_id,
                             within_deadline(c, c->options.connect_timeout_us), &n->conn, err);
            if (rc != RW_OK)
                return advertised_wrong(c, n, rc, err);
        }
    }
    *ret_conn = n->conn;
    return RW_OK;
}

/* For a call to a broker whose connection has a fetch or batches under way. */
static int open_beside(struct rw_cluster *c, int32_t node, struct rw_conn **ret_conn,
                       struct rw_client_err *err)
{
    struct rw_node *n = rw_cluster_node(c, node);
    RW_ASSERT(n); /* the others have nothing under way between two calls */
    return rw_conn_open(c->env, c->dialer, n->host, (uint16_t)n->port, c->options.client_id,
                        within_deadline(c, c->options.connect_timeout_us), ret_conn, err);
}

int rw_cluster_call(struct rw_cluster *c, int32_t node, int16_t api_key, int16_t cap,
                    const void *request, bool once, struct rw_arena *arena, void **ret_response,
                    struct rw_client_err *err)
{
    for (int attempt = 0;; attempt++) {
        struct rw_conn *conn = NULL, *beside = NULL;
        int rc = rw_cluster_conn(c, node, &conn, err);
        if (rc == RW_OK && conn->sent_n > 0)
            rc = open_beside(c, node == RW_CONTROLLER ? c->controller : node, &beside, err);
        /* A connection that can not be made is told at once: a person is waiting. */
        if (rc != RW_OK)
            return rc;
        rc = rw_conn_call(beside ? beside : conn, api_key, cap, request, arena,
                          rw_cluster_request_us(c), ret_response, err);
        if (beside)
            rw_conn_close(beside);
        else if (rc != RW_OK && rc != RW_E_UNSUPPORTED)
            rw_cluster_drop(c, conn);
        /* One that worked before and broke may come back: a broker that restarts. */
        if (rc != RW_E_CLOSED || once || attempt + 1 >= CALL_TRIES)
            return rc;
        int waited = rw_cluster_backoff(c, attempt);
        if (waited != RW_OK)
            return waited == RW_E_CANCELED ? waited : rc;
    }
}

int rw_cluster_call_controller(struct rw_cluster *c, int16_t api_key, int16_t cap,
                               const void *request, struct rw_arena *arena,
                               bool (*moved)(const void *response), void **ret_response,
                               struct rw_client_err *err)
{
    for (int attempt = 0;; attempt++) {
        int rc = rw_cluster_call(c, RW_CONTROLLER, api_key, cap, request, false, arena,
                                 ret_response, err);
        if (rc != RW_OK || attempt + 1 >= CONTROLLER_TRIES || !moved(*ret_response))
            return rc;
        rc = rw_cluster_backoff(c, attempt);
        if (rc != RW_OK)
            return rw_client_fail(err, rc, "the controller has moved: %s", rw_code_text(rc));
        rc = rw_cluster_refresh(c, NULL, 0, false, err);
        if (rc != RW_OK)
            return rc;
    }
}

/* ---- metadata ---- */

static int take_nodes(struct rw_cluster *c, const struct rw_metadata_response *m)
{
    struct rw_node *nodes = rw_alloc_array((size_t)m->n_brokers + 1, sizeof(*nodes));
    if (!nodes)
        return RW_E_NOMEM;
    c->controller = m->controller_id;
    if (m->cluster_id.n >= 0)
        snprintf(c->cluster_id, sizeof(c->cluster_id), "%.*s", m->cluster_id.n, m->cluster_id.p);
    for (int32_t i = 0; i < m->n_brokers; i++) {
        const struct rw_metadata_response_broker *b = &m->brokers[i];
        struct rw_node *old = rw_cluster_node(c, b->node_id);
        nodes[i] = (struct rw_node){.id = b->node_id, .port = b->port};
        snprintf(nodes[i].host, sizeof(nodes[i].host), "%.*s", b->host.n, b->host.p);
        if (b->rack.n > 0)
            snprintf(nodes[i].rack, sizeof(nodes[i].rack), "%.*s", b->rack.n, b->rack.p);
        if (old && strcmp(old->host, nodes[i].host) == 0 && old->port == b->port) {
            nodes[i].conn = old->conn;
            old->conn = NULL;
        }
    }
    /* The answer's strings may lie in one of these connections: from here on they are not touched. */
    for (int i = 0; i < c->n_nodes; i++) {
        struct rw_conn *conn = c->nodes[i].conn;
        if (conn && conn->sent_n > 0 && c->lost)
            c->lost(c->lost_arg, conn);
        else if (conn && conn->sent_n == 0 && !c->bootstrap)
            c->bootstrap = conn;
        if (conn != c->bootstrap)
            rw_conn_close(conn);
    }
    rw_free(c->nodes);
    c->nodes = nodes;
    c->n_nodes = m->n_brokers;
    return RW_OK;
}

static int32_t *copy_ids(struct rw_arena *a, const int32_t *ids, int32_t n, bool *ok)
{
    int32_t *p = rw_arena_array(a, (size_t)(n > 0 ? n : 1), sizeof(*p));
    *ok &= p != NULL;
    if (p && n > 0)
        memcpy(p, ids, (size_t)n * sizeof(*p));
    return p;
}

static int take_partitions(struct rw_topic *t, const struct rw_metadata_response_topic *m)
{
    bool ok = true;
    rw_arena_reset(&t->arena);
    int32_t n = 0;
    for (int32_t i = 0; i < m->n_partitions; i++)
        if (m->partitions[i].partition_index >= n &&
            m->partitions[i].partition_index < m->n_partitions)
            n = m->partitions[i].partition_index + 1;
    t->n_partitions = 0;
    t->partitions = rw_arena_array(&t->arena, (size_t)n + 1, sizeof(*t->partitions));
    if (!t->partitions)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++)
        t->partitions[i].leader = -1;
    for (int32_t i = 0; i < m->n_partitions; i++) {
        const struct rw_metadata_response_partition *p = &m->partitions[i];
        if (p->partition_index < 0 || p->partition_index >= n)
            continue;
        t->partitions[p->partition_index] = (struct rw_topic_partition){
            .leader = p->leader_id,
            .leader_epoch = p->leader_epoch,
            .error = p->error_code,
            .n_replicas = p->n_replica_nodes,
            .n_isr = p->n_isr_nodes,
            .n_offline = p->n_offline_replicas,
            .replicas = copy_ids(&t->arena, p->replica_nodes, p->n_replica_nodes, &ok),
            .isr = copy_ids(&t->arena, p->isr_nodes, p->n_isr_nodes, &ok),
            .offline = copy_ids(&t->arena, p->offline_replicas, p->n_offline_replicas, &ok)};
    }
    t->n_partitions = n;
    return ok ? RW_OK : RW_E_NOMEM;
}

static int take_topic(struct rw_cluster *c, const struct rw_metadata_response_topic *m)
{
    if (m->name.n < 0)
        return RW_OK;
    struct rw_topic *t = NULL;
    for (int i = 0; i < c->n_topics && !t; i++)
        if (rw_str_is(m->name, c->topics[i]->name))
            t = c->topics[i];
    if (!t) {
        struct rw_topic **topics =
            rw_realloc_array(c->topics, (size_t)c->n_topics + 1, sizeof(*topics));
        if (!topics)
            return RW_E_NOMEM;
        c->topics = topics;
        t = rw_zalloc(sizeof(*t));
        if (!t)
            return RW_E_NOMEM;
        rw_arena_init(&t->arena, METADATA_MEMORY);
        t->name = rw_zalloc((size_t)m->name.n + 1);
        if (!t->name) {
            topic_free(t);
            return RW_E_NOMEM;
        }
        memcpy(t->name, m->name.p, (size_t)m->name.n);
        c->topics[c->n_topics++] = t;
    }
    t->error = m->error_code;
    t->internal = m->is_internal;
    t->id = m->topic_id;
    /* An error answer has no partitions; the known ones stay, they may still be right. */
    if (m->error_code != 0 && m->n_partitions == 0)
        return RW_OK;
    return take_partitions(t, m);
}

int rw_cluster_refresh(struct rw_cluster *c, const char *const *names, int n, bool auto_create,
                       struct rw_client_err *err)
{
    struct rw_arena arena;
    struct rw_metadata_request request;
    void *response = NULL;
    rw_arena_init(&arena, METADATA_MEMORY);
    rw_metadata_request_init(&request);
    request.allow_auto_topic_creation = auto_create;
    request.n_topics = n;
    if (n >= 0)
        request.topics = rw_arena_array(&arena, (size_t)n + 1, sizeof(*request.topics));
    int rc = n >= 0 && !request.topics ? RW_E_NOMEM : RW_OK;
    for (int i = 0; rc == RW_OK && i < n; i++)
        request.topics[i].name = rw_str(names[i]);
    if (rc == RW_OK)
        rc = rw_cluster_call(c, RW_ANY_NODE, RW_API_METADATA, METADATA_CAP, &request, false, &arena,
                             &response, err);
    const struct rw_metadata_response *m = response;
    for (int32_t i = 0; rc == RW_OK && i < m->n_topics; i++)
        rc = take_topic(c, &m->topics[i]);
    if (rc == RW_OK)
        rc = take_nodes(c, m);
    if (rc == RW_E_NOMEM)
        rw_client_fail(err, rc, "out of memory");
    rw_arena_deinit(&arena);
    return rc;
}

static bool has_all_leaders(const struct rw_topic *t)
{
    for (int32_t i = 0; i < t->n_partitions; i++)
        if (t->partitions[i].leader < 0)
            return false;
    return t->n_partitions > 0;
}

int rw_cluster_get_topic(struct rw_cluster *c, const char *name, bool auto_create,
                         struct rw_topic **ret_topic, struct rw_client_err *err)
{
    struct rw_topic *t = rw_cluster_topic(c, name);
    for (int attempt = 0; !t || t->error != 0 || !has_all_leaders(t); attempt++) {
        if (attempt > 0) {
            int rc = rw_cluster_backoff(c, attempt - 1);
            if (rc != RW_OK)
                return rw_client_fail(err, rc, "topic %s: %s", name, rw_code_text(rc));
        }
        int rc = rw_cluster_refresh(c, &name, 1, auto_create, err);
        if (rc != RW_OK)
            return rc;
        t = rw_cluster_topic(c, name);
        if (!t)
            return rw_client_fail(err, RW_E_CORRUPT, "the broker's metadata lacks topic %s", name);
        bool missing = t->error == RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
        bool waits = t->error == 0 || rw_kerr_retriable(t->error);
        if ((missing && (!auto_create || attempt > 3)) || !waits || attempt >= NEW_TOPIC_TRIES) {
            char what[300];
            if (t->error == 0)
                break; /* some partitions have no leader: those that have may be used */
            snprintf(what, sizeof(what), "topic %s", name);
            rw_client_fail_kafka(err, t->error, NULL, 0, what);
            if (missing) {
                rw_client_fail(err, RW_E_NOT_FOUND, "there is no topic \"%s\"", name);
                rw_client_hint(
                    err, "rollway topic list shows the topics, rollway topic create %s makes it",
                    name);
                err->kafka = t->error;
            }
            return err ? err->code : RW_E_NOT_FOUND;
        }
    }
    *ret_topic = t;
    return RW_OK;
}
