/* The part of rw_net_ops that asks for names; see env/net.h. */
#pragma once

#include "env/net.h"

RW_MUST int rw_os_net_host_name(struct rw_net *net, char *name, size_t size);
RW_MUST int rw_os_lookup(struct rw_net *net, const char *host, struct rw_lookup **ret_lookup);
RW_MUST int rw_os_lookup_result(const struct rw_lookup *l, const struct rw_net_lookup **ret_result);
void rw_os_lookup_free(struct rw_lookup *l);
