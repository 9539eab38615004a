/*
 * Fan-out of a request to the shards of its partitions. Invariants: `waiting` counts messages on their
 * way, go and stop alike, so that nothing refers to the request's memory when done() runs; each leg is
 * answered exactly once per round. Messages between two shards keep their order, so a stop can not
 * overtake its go.
 */
#include "broker/fan.h"

#include "base/assert.h"
#include "broker/partitions.h"
#include "wire/error.h"

int rw_fan_init(struct rw_fan *f, struct rw_request *req)
{
    int n = req->shard->broker->n_shards;
    *f = (struct rw_fan){.req = req};
    f->legs = rw_arena_array(&req->arena, (size_t)n, sizeof(*f->legs));
    if (!f->legs)
        return RW_E_NOMEM;
    for (int i = 0; i < n; i++) {
        f->legs[i].fan = f;
        f->legs[i].shard = i;
    }
    return RW_OK;
}

void rw_fan_add(struct rw_fan *f, struct rw_fan_item *item)
{
    struct rw_fan_leg *leg =
        &f->legs[rw_partition_shard(f->req->shard->broker, item->topic_id, item->index)];
    item->next = NULL;
    if (leg->last)
        leg->last->next = item;
    else
        leg->first = item;
    leg->last = item;
}

void *rw_fan_new_item(struct rw_fan *f, size_t size, struct rw_uuid topic_id, int32_t index,
                      int32_t leader_epoch)
{
    struct rw_fan_item *item = rw_arena_zalloc(&f->req->arena, size);
    if (!item)
        return NULL;
    *item =
        (struct rw_fan_item){.topic_id = topic_id, .index = index, .leader_epoch = leader_epoch};
    rw_fan_add(f, item);
    return item;
}

static void settle(struct rw_fan *f)
{
    if (--f->waiting > 0)
        return;
    rw_timer_stop(f->req->shard->loop, &f->timer);
    f->done(f);
}

static void go_back(struct rw_shard *self, struct rw_msg *m)
{
    (void)self;
    struct rw_fan *f = RW_CONTAINER(m, struct rw_fan_leg, go)->fan;
    if (f->first_ends && f->waiting > 1)
        rw_fan_stop(f);
    settle(f);
}

static void stop_back(struct rw_shard *self, struct rw_msg *m)
{
    (void)self;
    settle(RW_CONTAINER(m, struct rw_fan_leg, stop)->fan);
}

static void leg_run(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_fan_leg *leg = RW_CONTAINER(m, struct rw_fan_leg, go);
    leg->fan->run(self, leg);
}

static void leg_stop(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_fan_leg *leg = RW_CONTAINER(m, struct rw_fan_leg, stop);
    if (!leg->answered && !leg->reading) {
        RW_ASSERT(leg->fan->halt);
        leg->fan->halt(self, leg);
    }
    leg->stop.run = stop_back;
    rw_shard_send(leg->fan->req->shard, &leg->stop);
}

void rw_fan_leg_done(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    (void)owner;
    RW_ASSERT(!leg->answered);
    leg->answered = true;
    leg->go.run = go_back;
    rw_shard_send(leg->fan->req->shard, &leg->go);
}

static void read_work(struct rw_job *job)
{
    struct rw_fan_leg *leg = RW_CONTAINER(job, struct rw_fan_leg, job);
    leg->read(leg);
}

static void read_done(struct rw_job *job)
{
    struct rw_fan_leg *leg = RW_CONTAINER(job, struct rw_fan_leg, job);
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        if (!i->reads)
            continue;
        i->reads = false;
        if (rw_partition_release(i->partition))
            i->partition = NULL;
    }
    leg->reading = false;
    leg->then(leg->owner, leg);
}

void rw_fan_leg_read(struct rw_shard *owner, struct rw_fan_leg *leg,
                     void (*read)(struct rw_fan_leg *leg),
                     void (*then)(struct rw_shard *owner, struct rw_fan_leg *leg))
{
    RW_ASSERT(!leg->reading && !leg->answered);
    for (struct rw_fan_item *i = leg->first; i; i = i->next)
        if (i->reads)
            i->partition->held++;
    leg->owner = owner;
    leg->read = read;
    leg->then = then;
    leg->reading = true;
    leg->job = (struct rw_job){.work = read_work, .done = read_done};
    rw_shard_submit(owner, RW_JOB_READ, &leg->job);
}

void rw_fan_stop(struct rw_fan *f)
{
    if (f->stopped || f->waiting == 0)
        return;
    f->stopped = true;
    struct rw_broker *b = f->req->shard->broker;
    for (int i = 0; i < b->n_shards; i++) {
        if (!f->legs[i].first)
            continue;
        f->waiting++;
        f->legs[i].stop.run = leg_stop;
        rw_shard_send(b->shards[i], &f->legs[i].stop);
    }
}

static void expired(struct rw_timer *t)
{
    struct rw_fan *f = RW_CONTAINER(t, struct rw_fan, timer);
    f->given_up = true;
    rw_fan_stop(f);
}

static void canceled(struct rw_request *req)
{
    struct rw_fan *f = req->state;
    f->given_up = true;
    rw_fan_stop(f);
}

void rw_fan_start(struct rw_fan *f, int64_t timeout_us)
{
    struct rw_shard *s = f->req->shard;
    rw_request_parks(f->req);
    f->stopped = false;
    f->waiting = 1; /* ours, so that nothing ends while legs are still being sent */
    f->timer.fire = expired;
    f->req->state = f;
    f->req->cancel = canceled;
    for (int i = 0; i < s->broker->n_shards; i++) {
        struct rw_fan_leg *leg = &f->legs[i];
        if (!leg->first)
            continue;
        f->waiting++;
        leg->answered = false;
        leg->go.run = leg_run;
        rw_shard_send(s->broker->shards[i], &leg->go);
    }
    if (timeout_us >= 0 && f->halt)
        rw_timer_start_in(s->loop, &f->timer, timeout_us);
    settle(f);
}

void rw_fan_again(struct rw_fan *f, int64_t timeout_us)
{
    rw_fan_start(f, timeout_us);
}

static void each_look(struct rw_fan_leg *leg)
{
    for (struct rw_fan_item *i = leg->first; i; i = i->next)
        if (i->reads)
            leg->fan->look(leg->fan, i);
}

static void each_run(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    bool reads = false;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        if (rw_fan_resolve(owner, i))
            leg->fan->work(leg->fan, i);
        reads |= i->reads;
    }
    if (reads)
        rw_fan_leg_read(owner, leg, each_look, rw_fan_leg_done);
    else
        rw_fan_leg_done(owner, leg);
}

static void each_done(struct rw_fan *f)
{
    for (int s = 0; s < f->req->shard->broker->n_shards; s++)
        for (struct rw_fan_item *i = f->legs[s].first; i; i = i->next)
            f->answer(f, i);
    if (f->finish)
        f->finish(f);
    else
        rw_request_done(f->req);
}

void rw_fan_each(struct rw_fan *f, void (*work)(struct rw_fan *fan, struct rw_fan_item *item),
                 void (*look)(struct rw_fan *fan, struct rw_fan_item *item),
                 void (*answer)(struct rw_fan *fan, struct rw_fan_item *item))
{
    f->run = each_run;
    f->done = each_done;
    f->work = work;
    f->look = look;
    f->answer = answer;
    rw_fan_start(f, -1);
}

bool rw_fan_resolve(struct rw_shard *owner, struct rw_fan_item *item)
{
    struct rw_partition *p = rw_partition_find(owner, item->topic_id, item->index);
    item->partition = p;
    item->error = p ? rw_partition_error(p) : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (item->error)
        return false;
    switch (rw_part_check_epoch(&p->part, item->leader_epoch)) {
    case RW_EPOCH_FINE:
        return true;
    case RW_EPOCH_FENCED:
        item->error = RW_KERR_FENCED_LEADER_EPOCH;
        return false;
    case RW_EPOCH_UNKNOWN:
        item->error = RW_KERR_UNKNOWN_LEADER_EPOCH;
        return false;
    }
    return false;
}
