/*
 * What clients are told about where this broker is; see address.h for the rule. The lookups are read by
 * every shard and changed by none.
 */
#include "broker/address.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"

#define LOOK_EVERY_US 100000

struct rw_addresses {
    struct rw_broker *broker;
    char host[RW_HOST_MAX];                    /* what this machine calls itself; "": it does not */
    struct rw_lookup *own;                     /* of that name; NULL: no listener needs it */
    struct rw_lookup *given[RW_LISTENERS_MAX]; /* of advertised.listeners, for a warning */
    struct rw_timer timer;
    bool told_own, told_given[RW_LISTENERS_MAX];
};

static struct rw_lookup *look_up(const struct rw_addresses *a, const char *host)
{
    struct rw_lookup *l;
    return rw_net_look_up(a->broker->net, host, &l) == RW_OK ? l : NULL;
}

struct rw_addresses *rw_addresses_new(struct rw_broker *b)
{
    const struct rw_broker_config *config = rw_config_broker(b->config);
    struct rw_addresses *a = rw_zalloc(sizeof(*a));
    if (!a)
        return NULL;
    a->broker = b;
    if (rw_net_host_name(b->net, a->host, sizeof(a->host)) != RW_OK)
        a->host[0] = 0;
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct rw_endpoint *e = &config->advertised[i];
        if (!rw_endpoint_is_any(e) && strcmp(e->host, config->listeners[i].host) != 0)
            a->given[i] = look_up(a, e->host);
        else if (rw_endpoint_is_any(e) && a->host[0] && !a->own)
            a->own = look_up(a, a->host);
    }
    return a;
}

void rw_addresses_free(struct rw_addresses *a)
{
    if (!a)
        return;
    rw_net_lookup_free(a->broker->net, a->own);
    for (size_t i = 0; i < RW_LISTENERS_MAX; i++)
        rw_net_lookup_free(a->broker->net, a->given[i]);
    rw_free(a);
}

/* ---- the operator ---- */

static bool tell_own(const struct rw_addresses *a)
{
    const struct rw_net_lookup *found;
    int rc = rw_net_lookup_result(a->broker->net, a->own, &found);
    if (rc == RW_OK)
        rw_diag(a->broker->env->diag, RW_INFO, "address",
                "without advertised.listeners clients are told this machine's name",
                rw_kv_str("name", found->name));
    else if (rc != RW_E_AGAIN)
        rw_diag(a->broker->env->diag, RW_WARN, "address",
                "this machine's name does not resolve: clients are told the address that they came "
                "by; set advertised.listeners if that is not the one to use",
                rw_kv_str("name", a->host));
    return rc != RW_E_AGAIN;
}

static bool tell_given(const struct rw_addresses *a, size_t i)
{
    const struct rw_endpoint *e = &rw_config_broker(a->broker->config)->advertised[i];
    const struct rw_net_lookup *found;
    int rc = rw_net_lookup_result(a->broker->net, a->given[i], &found);
    if (rc != RW_OK && rc != RW_E_AGAIN)
        rw_diag(a->broker->env->diag, RW_WARN, "address",
                "advertised.listeners names a host that does not resolve here: can clients?",
                rw_kv_str("listener", e->name), rw_kv_str("host", e->host));
    return rc != RW_E_AGAIN;
}

static void look(struct rw_timer *t)
{
    struct rw_addresses *a = RW_CONTAINER(t, struct rw_addresses, timer);
    bool all = true;
    if (a->own && !a->told_own)
        all &= a->told_own = tell_own(a);
    for (size_t i = 0; i < RW_LISTENERS_MAX; i++)
        if (a->given[i] && !a->told_given[i])
            all &= a->told_given[i] = tell_given(a, i);
    if (!all)
        rw_timer_start_in(a->broker->shards[0]->loop, &a->timer, LOOK_EVERY_US);
}

void rw_addresses_start(struct rw_addresses *a)
{
    a->timer.fire = look;
    rw_timer_start_in(a->broker->shards[0]->loop, &a->timer, 0);
}

void rw_addresses_stop(struct rw_addresses *a)
{
    rw_timer_stop(a->broker->shards[0]->loop, &a->timer);
}

/* ---- clients ---- */

static bool leads_to(const struct rw_net_lookup *name, const struct rw_net_peer *here)
{
    for (size_t i = 0; i < name->n; i++)
        if (memcmp(name->ip[i], here->ip, sizeof(here->ip)) == 0)
            return true;
    return false;
}

/* "127.0.0.1:9092", "[::1]:9092" without port and brackets. */
static void host_of(const struct rw_net_peer *here, char host[RW_HOST_MAX])
{
    const char *text = here->text, *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    bool brackets = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    snprintf(host, RW_HOST_MAX, "%.*s", (int)(n - 2 * (size_t)brackets), text + brackets);
}

void rw_addresses_of(const struct rw_addresses *a, int listener, struct rw_sock *sock,
                     struct rw_address *ret_address)
{
    const struct rw_endpoint *e = &rw_config_broker(a->broker->config)->advertised[listener];
    const struct rw_net_lookup *name = NULL;
    struct rw_net_peer here = {0};
    ret_address->port = e->port ? e->port : a->broker->ports[listener];
    if (!rw_endpoint_is_any(e)) {
        snprintf(ret_address->host, RW_HOST_MAX, "%s", e->host);
        return;
    }
    bool known = a->own && rw_net_lookup_result(a->broker->net, a->own, &name) == RW_OK;
    bool came = sock && rw_sock_local(sock, &here) == RW_OK;
    if (known && (!came || leads_to(name, &here)))
        snprintf(ret_address->host, RW_HOST_MAX, "%s", name->name);
    else if (came)
        host_of(&here, ret_address->host);
    else
        snprintf(ret_address->host, RW_HOST_MAX, "%s", a->host[0] ? a->host : "localhost");
}
