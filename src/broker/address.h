/*
 * Under which address clients find this broker again: what Metadata and DescribeCluster say.
 *
 * advertised.listeners, or the listener's own address. A listener on every address has none: then
 *
 *   - this machine's canonical name, when it resolves to the address that the client came by: that is
 *     the proof that it leads here;
 *   - else the address that the client came by.
 *
 * The name is looked up in the background, so that a resolver without an answer delays nothing.
 */
#pragma once

#include "broker/config.h"
#include "broker/shard.h"

struct rw_addresses;

/* From any thread. NULL: out of memory. */
struct rw_addresses *rw_addresses_new(struct rw_broker *b);
void rw_addresses_free(struct rw_addresses *a); /* a may be NULL */
/* On shard 0: tells the operator, when it is known, what clients are told. */
void rw_addresses_start(struct rw_addresses *a);
void rw_addresses_stop(struct rw_addresses *a);

struct rw_address {
    char host[RW_HOST_MAX];
    int32_t port;
};

/* From any shard. sock: the client's connection; NULL: it is gone. */
void rw_addresses_of(const struct rw_addresses *a, int listener, struct rw_sock *sock,
                     struct rw_address *ret_address);
