/*
 * Producers' batches on their way into the logs of a shard. What the messages of one round bring for a
 * partition is written with one system call: requests that arrived together cost little more than one.
 *
 * Invariants: a partition is in appends_due exactly while a turn is posted for it, and is not freed before;
 * its batches are in `appends` until they are written, in the order in which they came. Who gives up
 * earlier takes his own out, and it is not written.
 */
#include "broker/partitions_private.h"

#include "broker/metrics.h"

#define TOGETHER 64

static size_t take_some(struct rw_partition *p, struct rw_append **ret_appends)
{
    size_t n = 0;
    struct rw_link *it;
    while (n < TOGETHER && (it = rw_list_pop(&p->appends))) {
        struct rw_append *a = &RW_CONTAINER(it, struct rw_partition_append, link)->append;
        a->args.leader_epoch = p->part.leader_epoch;
        a->args.as_leader = true;
        ret_appends[n++] = a;
    }
    return n;
}

static void refuse_all(struct rw_append *const *appends, size_t n, int code)
{
    for (size_t i = 0; i < n; i++) {
        appends[i]->code = code;
        appends[i]->info = (struct rw_append_info){.bad_record = -1};
    }
}

static void append_all(struct rw_partition *p, struct rw_append *const *appends, size_t n)
{
    int64_t now_ms = rw_shard_wall_ms(p->shard);
    bool full = false;
    for (size_t i = 0; i < n; i++)
        appends[i]->args.now_ms = now_ms;
    rw_log_append_all(p->log, appends, n);
    for (size_t i = 0; i < n; i++)
        full |= appends[i]->code == RW_E_FULL;
    if (rw_log_state(p->log))
        rw_partition_failed(p, rw_log_state(p->log));
    else if (full)
        rw_partitions_found_full(p->shard);
    rw_partition_appended(p);
}

static void write_some(struct rw_partition *p)
{
    struct rw_append *appends[TOGETHER];
    size_t n = take_some(p, appends);
    if (rw_partition_error(p))
        refuse_all(appends, n, RW_E_OFFLINE);
    else if (p->shard->partitions->disk.refuse)
        refuse_all(appends, n, RW_E_FULL); /* before the disk is full; producers try again */
    else
        append_all(p, appends, n);
    for (size_t i = 0; i < n; i++) {
        struct rw_partition_append *a =
            RW_CONTAINER(appends[i], struct rw_partition_append, append);
        a->done(a);
    }
}

static void turn(struct rw_shard *s, struct rw_msg *m)
{
    (void)m;
    struct rw_link due, *it;
    rw_list_init(&due);
    while ((it = rw_list_pop(&s->partitions->appends_due)))
        rw_list_push(&due, it);
    while ((it = rw_list_pop(&due))) {
        struct rw_partition *p = RW_CONTAINER(it, struct rw_partition, due);
        while (!rw_list_empty(&p->appends))
            write_some(p);
        if (p->state == RW_PARTITION_CLOSING)
            rw_partition_retire_next(p); /* the set itself may be gone now */
    }
}

void rw_partition_append(struct rw_partition *p, struct rw_partition_append *a)
{
    struct rw_partitions *ps = p->shard->partitions;
    rw_list_push(&p->appends, &a->link);
    if (!rw_list_empty(&p->due))
        return;
    bool first = rw_list_empty(&ps->appends_due);
    rw_list_push(&ps->appends_due, &p->due);
    if (!first)
        return;
    ps->append_turn.run = turn;
    rw_shard_send(p->shard, &ps->append_turn);
}
