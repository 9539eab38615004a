/*
 * Messages between shards: the loop's inbox, with the shard as the address. Order between two shards
 * and one wake-up per batch come from the loop (env/loop.h).
 */
#include "broker/shard.h"

static void deliver(struct rw_loop *loop, struct rw_post *p)
{
    (void)loop;
    struct rw_msg *m = RW_CONTAINER(p, struct rw_msg, post);
    m->run(m->to, m);
}

void rw_shard_send(struct rw_shard *to, struct rw_msg *m)
{
    m->to = to;
    m->post.run = deliver;
    rw_loop_post(to->loop, &m->post);
}
