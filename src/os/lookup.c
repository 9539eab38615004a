/*
 * Names to addresses, without waiting: a resolver that does not answer may take half a minute, and a
 * broker neither starts nor stops that much later for it. Each lookup has a thread of its own, which
 * nobody joins; whoever lets go last, thread or owner, frees what they share.
 */
#include "os/lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/mem.h"

#define STACK_BYTES (256u * 1024u) /* what resolvers need, with room to spare */

struct rw_lookup {
    atomic_int refs;
    atomic_bool done; /* result and code may be read */
    int code;
    struct rw_net_lookup result;
    char host[RW_NET_NAME_MAX];
};

static void unref(struct rw_lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) == 1)
        rw_free(l);
}

static bool is_localhost(const char *name)
{
    return strncasecmp(name, "localhost", 9) == 0 && (!name[9] || name[9] == '.');
}

static void add_address(struct rw_net_lookup *r, const struct sockaddr *a)
{
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};
    if (a->sa_family == AF_INET)
        memcpy(ip + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    else if (a->sa_family == AF_INET6)
        memcpy(ip, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    else
        return;
    if (r->n < RW_COUNT(r->ip))
        memcpy(r->ip[r->n++], ip, sizeof(ip));
}

static void *resolve(void *arg)
{
    struct rw_lookup *l = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *all;
    if (getaddrinfo(l->host, NULL, &hints, &all) == 0) {
        /* A machine that calls itself localhost in its own hosts file is not called so by others. */
        const char *name = all->ai_canonname;
        if (!name || (is_localhost(name) && !is_localhost(l->host)))
            name = l->host;
        snprintf(l->result.name, sizeof(l->result.name), "%s", name);
        for (const struct addrinfo *a = all; a; a = a->ai_next)
            add_address(&l->result, a->ai_addr);
        freeaddrinfo(all);
    } else {
        l->code = RW_E_DNS;
    }
    atomic_store(&l->done, true);
    unref(l);
    return NULL;
}

int rw_os_lookup(struct rw_net *net, const char *host, struct rw_lookup **ret_lookup)
{
    (void)net;
    pthread_attr_t attr;
    pthread_t id;
    struct rw_lookup *l = rw_zalloc(sizeof(*l));
    if (!l || strlen(host) >= sizeof(l->host)) {
        rw_free(l);
        return l ? RW_E_TOO_BIG : RW_E_NOMEM;
    }
    snprintf(l->host, sizeof(l->host), "%s", host);
    atomic_init(&l->refs, 2);
    int rc = pthread_attr_init(&attr);
    if (rc == 0) {
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        rc = pthread_create(&id, &attr, resolve, l);
        pthread_attr_destroy(&attr);
    }
    if (rc) {
        rw_free(l);
        return RW_E_LIMIT;
    }
    *ret_lookup = l;
    return RW_OK;
}

int rw_os_lookup_result(const struct rw_lookup *l, const struct rw_net_lookup **ret_result)
{
    if (!atomic_load(&l->done))
        return RW_E_AGAIN;
    if (l->code == RW_OK)
        *ret_result = &l->result;
    return l->code;
}

void rw_os_lookup_free(struct rw_lookup *l)
{
    unref(l);
}

int rw_os_net_host_name(struct rw_net *net, char *name, size_t size)
{
    (void)net;
    if (gethostname(name, size) || !memchr(name, 0, size) || !name[0])
        return RW_E_NOT_FOUND;
    return RW_OK;
}
