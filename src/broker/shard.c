/* Puts a shard together and takes it apart. Both happen while its loop does not run. */
#include "broker/shard.h"

#include "base/mem.h"
#include "broker/conn.h"
#include "broker/flusher.h"
#include "broker/memory.h"
#include "broker/metrics.h"

void rw_shard_free(struct rw_shard *s)
{
    if (!s)
        return;
    rw_conns_free(s);
    rw_loop_hook_remove(s->loop, &s->flush_hook);
    rw_metrics_free(s->metrics);
    rw_memory_free(s->memory);
    rw_free(s);
}

int rw_shard_new(struct rw_broker *b, int index, struct rw_loop *loop,
                 const struct rw_limits *limits, struct rw_shard **ret_shard)
{
    struct rw_shard *s = rw_zalloc(sizeof(*s));
    if (!s)
        return RW_E_NOMEM;
    s->broker = b;
    s->env = b->env;
    s->config = b->config;
    s->loop = loop;
    s->index = index;
    rw_list_init(&s->flushes_due);
    s->flush_hook.run = rw_flushers_begin_due;
    s->memory = rw_memory_new(limits->memory_bytes / (size_t)b->n_shards);
    s->metrics = rw_metrics_new();
    /* Connections first: what their requests append is flushed in the same turn. */
    if (!s->memory || !s->metrics || rw_conns_new(s, limits) != RW_OK) {
        rw_list_init(&s->flush_hook.link);
        rw_shard_free(s);
        return RW_E_NOMEM;
    }
    rw_loop_hook_add(loop, &s->flush_hook);
    *ret_shard = s;
    return RW_OK;
}
