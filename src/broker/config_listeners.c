/*
 * listeners, advertised.listeners, listener.security.protocol.map and rollway.http.listen, parsed into struct rw_endpoint.
 *
 * Every listener gets an advertised address: its own entry of advertised.listeners, else itself. What
 * clients are told instead of an address that binds everything is address.c's business.
 */
#include <stdio.h>
#include "base/units.h"
#include "broker/config_private.h"

static const char *value_of(const struct rw_config *c, const char *name)
{
    enum rw_config_source source;
    return rw_config_value(c, rw_config_find(RW_SCOPE_BROKER, rw_str(name)), &source);
}

static bool copy_text(char *into, size_t size, const char *p, size_t n)
{
    if (n >= size)
        return false;
    memcpy(into, p, n);
    into[n] = 0;
    return true;
}

/* "host:port", "[::1]:port", ":port". */
static bool parse_address(const char *host, const char *end, struct rw_endpoint *ret)
{
    const char *host_end, *colon = memrchr(host, ':', (size_t)(end - host));
    int64_t port;
    if (!colon ||
        !rw_units_parse_int((struct rw_str){colon + 1, (int32_t)(end - colon - 1)}, &port) ||
        port < 0 || port > 65535)
        return false;
    host_end = colon;
    if (host < host_end && *host == '[') {
        if (host_end[-1] != ']')
            return false;
        host++, host_end--;
    }
    ret->port = (int32_t)port;
    return copy_text(ret->host, sizeof(ret->host), host, (size_t)(host_end - host));
}

/* "NAME://host:port", "NAME://[::1]:9092", "NAME://:9092". */
static bool parse_one(struct rw_str text, struct rw_endpoint *ret)
{
    const char *sep = memmem(text.p, (size_t)text.n, "://", 3);
    return sep && sep != text.p &&
           copy_text(ret->name, sizeof(ret->name), text.p, (size_t)(sep - text.p)) &&
           parse_address(sep + 3, text.p + text.n, ret);
}

/* One entry, given those before it. */
static int parse_next(const char *key, struct rw_str text, struct rw_endpoint *into, size_t n,
                      struct rw_err *ret_err)
{
    if (n == RW_LISTENERS_MAX)
        return rw_err_set(ret_err, RW_E_TOO_BIG, "%s: more than %d listeners", key,
                          RW_LISTENERS_MAX);
    into[n] = (struct rw_endpoint){0};
    if (!parse_one(text, &into[n]))
        return rw_err_set(ret_err, RW_E_INVAL, "%s: '%.*s' is not NAME://host:port", key,
                          (int)text.n, text.p);
    for (size_t i = 0; i < n; i++)
        if (strcmp(into[i].name, into[n].name) == 0)
            return rw_err_set(ret_err, RW_E_INVAL, "%s: two listeners are called %s", key,
                              into[n].name);
    return RW_OK;
}

/* Where mistakes are collected: those entries that are none. */
static int parse_list(struct rw_config *c, const char *key, const char *text,
                      struct rw_endpoint *into, size_t *ret_n, struct rw_err *ret_err)
{
    size_t n = 0, mistakes = c->mistakes.n;
    for (const char *p = text; *p;) {
        const char *comma = strchr(p, ',');
        size_t length = comma ? (size_t)(comma - p) : strlen(p);
        int code = parse_next(key, (struct rw_str){p, (int32_t)length}, into, n, ret_err);
        if (code == RW_OK)
            n++;
        else if (rw_config_mistaken(c, code, ret_err))
            return code;
        p += length + (comma ? 1 : 0);
    }
    *ret_n = n;
    if (n == 0 && c->mistakes.n == mistakes)
        return rw_config_mistaken(c, rw_err_set(ret_err, RW_E_INVAL, "%s is empty", key), ret_err);
    return RW_OK;
}

/* The protocol that listener.security.protocol.map gives a name; false when it is not in it. */
static bool protocol_of(const char *map, const char *name, enum rw_security *ret_security)
{
    static const char *const protocols[] = {
        [RW_SECURITY_PLAINTEXT] = "PLAINTEXT",
        [RW_SECURITY_SSL] = "SSL",
        [RW_SECURITY_SASL_PLAINTEXT] = "SASL_PLAINTEXT",
        [RW_SECURITY_SASL_SSL] = "SASL_SSL",
    };
    size_t n = strlen(name);
    for (const char *p = map; p && *p;) {
        const char *comma = strchr(p, ',');
        size_t length = comma ? (size_t)(comma - p) : strlen(p);
        if (length > n && p[n] == ':' && strncmp(p, name, n) == 0)
            for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
                if (strlen(protocols[i]) == length - n - 1 &&
                    strncmp(p + n + 1, protocols[i], length - n - 1) == 0) {
                    *ret_security = (enum rw_security)i;
                    return true;
                }
        p += length + (comma ? 1 : 0);
    }
    return false;
}

bool rw_endpoint_is_any(const struct rw_endpoint *e)
{
    return !e->host[0] || strcmp(e->host, "0.0.0.0") == 0 || strcmp(e->host, "::") == 0;
}

/* What another broker listens on, or clients can not connect to, is not to be told to them. */
static int check_advertised(const struct rw_config *c, const struct rw_endpoint *given,
                            size_t listener, bool listeners_are_right, struct rw_err *ret_err)
{
    if (listener == c->broker.n_listeners && listeners_are_right)
        return rw_err_set(ret_err, RW_E_INVAL,
                          "advertised.listeners names %s, which is not in listeners", given->name);
    if (rw_endpoint_is_any(given))
        return rw_err_set(ret_err, RW_E_INVAL,
                          "advertised.listeners: clients can not connect to '%s'; name a host "
                          "that they can resolve",
                          given->host);
    return RW_OK;
}

static int advertise(struct rw_config *c, bool listeners_are_right, struct rw_err *ret_err)
{
    struct rw_broker_config *b = &c->broker;
    struct rw_endpoint given[RW_LISTENERS_MAX];
    size_t n_given = 0;
    const char *text = value_of(c, "advertised.listeners");
    if (text && *text) {
        int rc = parse_list(c, "advertised.listeners", text, given, &n_given, ret_err);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < b->n_listeners; i++)
        b->advertised[i] = b->listeners[i];
    for (size_t g = 0; g < n_given; g++) {
        size_t i = 0;
        while (i < b->n_listeners && strcmp(b->listeners[i].name, given[g].name) != 0)
            i++;
        int rc = rw_config_mistaken(
            c, check_advertised(c, &given[g], i, listeners_are_right, ret_err), ret_err);
        if (rc)
            return rc;
        if (i == b->n_listeners)
            continue;
        given[g].security = b->listeners[i].security;
        b->advertised[i] = given[g];
    }
    return RW_OK;
}

static int check_protocol(const char *map, struct rw_endpoint *l, struct rw_err *ret_err)
{
    if (!protocol_of(map, l->name, &l->security))
        return rw_err_set(ret_err, RW_E_INVAL,
                          "listener %s has no entry in listener.security.protocol.map", l->name);
    if (l->security != RW_SECURITY_PLAINTEXT)
        return rw_err_set(ret_err, RW_E_UNSUPPORTED,
                          "listener %s: this version speaks PLAINTEXT only", l->name);
    return RW_OK;
}

static int http(struct rw_config *c, struct rw_err *ret_err)
{
    struct rw_broker_config *b = &c->broker;
    const char *text = b->http_listen;
    b->has_http = text && *text && strcmp(text, "off") != 0;
    if (!b->has_http || parse_address(text, text + strlen(text), &b->http))
        return RW_OK;
    return rw_config_mistaken(
        c,
        rw_err_set(ret_err, RW_E_INVAL,
                   "rollway.http.listen: '%s' is not host:port, for example 127.0.0.1:9644", text),
        ret_err);
}

int rw_config_listeners(struct rw_config *c, struct rw_err *ret_err)
{
    struct rw_broker_config *b = &c->broker;
    size_t mistakes = c->mistakes.n;
    int rc = parse_list(c, "listeners", value_of(c, "listeners"), b->listeners, &b->n_listeners,
                        ret_err);
    bool right = c->mistakes.n == mistakes;
    const char *map = value_of(c, "listener.security.protocol.map");
    for (size_t i = 0; rc == RW_OK && i < b->n_listeners; i++)
        rc = rw_config_mistaken(c, check_protocol(map, &b->listeners[i], ret_err), ret_err);
    if (rc == RW_OK)
        rc = advertise(c, right, ret_err);
    return rc ? rc : http(c, ret_err);
}
