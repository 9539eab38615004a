/*
 * Accepts Kafka connections on shard 0, counts them, and hands them round to the shards. Used on shard
 * 0 only, but for new, bind and free, which come before the loops run and after.
 */
#pragma once

#include "broker/conn.h"

struct rw_acceptor;

enum { RW_DOORS_MAX = 16 };

struct rw_acceptor *rw_acceptor_new(struct rw_broker *b, const struct rw_limits *limits);
/* Claims an address; its index is the number of earlier calls. RW_E_TOO_BIG: too many listeners. */
RW_MUST int rw_acceptor_bind(struct rw_acceptor *a, const char *host, uint16_t port,
                             struct rw_err *ret_err);
/* The port of a listener: the one chosen when 0 was asked for. */
uint16_t rw_acceptor_port(const struct rw_acceptor *a, int index);
/* Starts to accept on all of them. */
RW_MUST int rw_acceptor_open(struct rw_acceptor *a, struct rw_err *ret_err);
/* max.connections and max.connections.per.ip have changed; connections that exist stay. */
void rw_acceptor_limit(struct rw_acceptor *a, int64_t connections, int64_t per_ip);
/* No more connections; those that exist go on. */
void rw_acceptor_close(struct rw_acceptor *a);
/* All connections must be gone. a may be NULL. */
void rw_acceptor_free(struct rw_acceptor *a);
