/*
 * The checkpoint files of the data directory: recovery points and log start offsets every minute, high
 * watermarks every five seconds. A message walks through the shards and collects the numbers, a job
 * writes the file, then the timer starts anew; so there is one writer at a time. DeleteRecords asks for
 * a round of its own and waits for it: what was deleted must not come back after a crash.
 *
 * A recovery point is the durable offset (rw_log_recovery_point() has the exception): nothing below it
 * needs to be scanned after a crash.
 */
#include "base/mem.h"
#include "broker/node.h"

struct rw_checkpointer {
    struct rw_shard *home;
    struct rw_timer timer;
    struct rw_msg tour;
    struct rw_job job;
    int at;
    int64_t due_us[RW_CHECKPOINTS]; /* per file */
    int64_t period_us[RW_CHECKPOINTS];
    unsigned wanted;     /* bits of the files that this round writes */
    uint64_t generation; /* of the directory, when the round began */
    bool busy;
    int code; /* of the last round's job */
    struct rw_checkpoint_set set;
    struct rw_link waiting; /* struct rw_checkpoint_wait, for the next round */
    struct rw_link served;  /* and for this one */
    void (*stopped)(struct rw_shard *s);
};

/* ---- a set of numbers ---- */

static bool grow(struct rw_checkpoint_set *set)
{
    size_t cap = set->cap ? set->cap * 2 : 64;
    for (int i = 0; i < RW_CHECKPOINTS; i++) {
        struct rw_checkpoint_entry *grown = rw_realloc_array(set->entries[i], cap, sizeof(*grown));
        if (!grown)
            return false;
        set->entries[i] = grown;
    }
    set->cap = cap;
    return true;
}

void rw_checkpoint_add(struct rw_checkpoint_set *set, const char *topic, int32_t partition,
                       const int64_t offsets[RW_CHECKPOINTS])
{
    const char *name = rw_arena_str(&set->arena, topic).p;
    if (!name || (set->n == set->cap && !grow(set))) {
        set->failed = true;
        return;
    }
    for (int i = 0; i < RW_CHECKPOINTS; i++)
        set->entries[i][set->n] = (struct rw_checkpoint_entry){name, partition, offsets[i]};
    set->n++;
}

void rw_checkpoint_set_deinit(struct rw_checkpoint_set *set)
{
    for (int i = 0; i < RW_CHECKPOINTS; i++)
        rw_free(set->entries[i]);
    rw_arena_deinit(&set->arena);
    *set = (struct rw_checkpoint_set){0};
}

int rw_checkpoint_write(struct rw_broker *b, const struct rw_checkpoint_set *set, unsigned wanted,
                        uint64_t generation)
{
    struct rw_node *node = b->node;
    int first = RW_OK;
    for (int i = 0; i < RW_CHECKPOINTS; i++) {
        if (!(wanted & 1u << i))
            continue;
        int rc = rw_log_dir_write_collected(node->dir, (enum rw_checkpoint)i, set->entries[i],
                                            set->n, generation);
        if (rc && rc != RW_E_AGAIN) /* an older checkpoint only means a longer scan after a crash */
            rw_diag(b->env->diag, RW_WARN, "checkpoint", "could not write a checkpoint",
                    rw_kv_int("file", i), rw_kv_code("error", rc));
        first = first ? first : rc;
    }
    return first;
}

/* ---- rounds ---- */

static void arm(struct rw_checkpointer *c);
static void start_round(struct rw_checkpointer *c);

static void write_work(struct rw_job *job)
{
    struct rw_checkpointer *c = RW_CONTAINER(job, struct rw_checkpointer, job);
    c->code = rw_checkpoint_write(c->home->broker, &c->set, c->wanted, c->generation);
}

static void checkpointer_free(struct rw_checkpointer *c)
{
    struct rw_node *node = c->home->broker->node;
    rw_checkpoint_set_deinit(&c->set);
    node->checkpointer = NULL;
    rw_free(c);
}

static void answer_back(struct rw_shard *self, struct rw_msg *m)
{
    (void)self;
    struct rw_checkpoint_wait *w = RW_CONTAINER(m, struct rw_checkpoint_wait, msg);
    w->done(w);
}

static void answer(struct rw_checkpoint_wait *w, int code)
{
    w->code = code;
    w->msg.run = answer_back;
    rw_shard_send(w->origin, &w->msg);
}

static void answer_all(struct rw_link *list, int code)
{
    while (!rw_list_empty(list))
        answer(RW_CONTAINER(rw_list_pop(list), struct rw_checkpoint_wait, link), code);
}

static void round_end(struct rw_checkpointer *c)
{
    c->busy = false;
    /* Outdated by a partition that was made meanwhile: once more. */
    while (c->code == RW_E_AGAIN && !rw_list_empty(&c->served))
        rw_list_push(&c->waiting, rw_list_pop(&c->served));
    answer_all(&c->served, c->code);
    if (!c->stopped && !rw_list_empty(&c->waiting)) {
        c->wanted = 0;
        start_round(c);
        return;
    }
    if (!c->stopped) {
        arm(c);
        return;
    }
    answer_all(&c->waiting, RW_E_CLOSED);
    struct rw_shard *home = c->home;
    void (*stopped)(struct rw_shard *) = c->stopped;
    checkpointer_free(c);
    stopped(home);
}

static void write_done(struct rw_job *job)
{
    round_end(RW_CONTAINER(job, struct rw_checkpointer, job));
}

static void tour_end(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_checkpointer *c = RW_CONTAINER(m, struct rw_checkpointer, tour);
    if (c->set.failed) {
        c->code = RW_E_NOMEM;
        round_end(c);
        return;
    }
    c->job = (struct rw_job){.work = write_work, .done = write_done};
    rw_shard_submit(self, RW_JOB_BACKGROUND, &c->job);
}

static void tour_visit(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_checkpointer *c = RW_CONTAINER(m, struct rw_checkpointer, tour);
    struct rw_broker *b = self->broker;
    struct rw_partition *p;
    size_t at = 0;
    if (!self->partitions || rw_partitions_stopping(self))
        c->set.failed = true;
    while (!c->set.failed && (p = rw_partitions_each(self, &at))) {
        int64_t offsets[RW_CHECKPOINTS];
        rw_partition_checkpoint(p, offsets);
        rw_checkpoint_add(&c->set, p->topic, p->index, offsets);
    }
    bool last = ++c->at == b->n_shards;
    c->tour.run = last ? tour_end : tour_visit;
    rw_shard_send(b->shards[last ? 0 : c->at], &c->tour);
}

static void start_round(struct rw_checkpointer *c)
{
    const struct rw_node *node = c->home->broker->node;
    rw_arena_reset(&c->set.arena);
    c->set.n = 0;
    c->set.failed = false;
    c->generation = rw_log_dir_generation(node->dir);
    c->busy = true;
    c->code = RW_OK;
    while (!rw_list_empty(&c->waiting)) {
        c->wanted |= 1u << RW_CHECKPOINT_LOG_START;
        rw_list_push(&c->served, rw_list_pop(&c->waiting));
    }
    c->at = 0;
    c->tour.run = tour_visit;
    rw_shard_send(c->home, &c->tour);
}

static void due(struct rw_timer *t)
{
    struct rw_checkpointer *c = RW_CONTAINER(t, struct rw_checkpointer, timer);
    int64_t now = rw_shard_now_us(c->home);
    c->wanted = 0;
    for (int i = 0; i < RW_CHECKPOINTS; i++)
        if (c->due_us[i] <= now) {
            c->wanted |= 1u << i;
            c->due_us[i] = now + c->period_us[i];
        }
    start_round(c);
}

static void arm(struct rw_checkpointer *c)
{
    int64_t first = c->due_us[0];
    for (int i = 1; i < RW_CHECKPOINTS; i++)
        first = c->due_us[i] < first ? c->due_us[i] : first;
    rw_timer_start_at(c->home->loop, &c->timer, first);
}

static int64_t period_us(int64_t ms)
{
    return ms > INT64_MAX / 4000 ? INT64_MAX / 4 : ms * 1000;
}

int rw_checkpointer_start(struct rw_shard *s)
{
    const struct rw_broker_config *b = rw_config_broker(s->broker->config);
    struct rw_node *node = s->broker->node;
    struct rw_checkpointer *c = rw_zalloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    c->home = s;
    c->timer.fire = due;
    rw_list_init(&c->waiting);
    rw_list_init(&c->served);
    rw_arena_init(&c->set.arena, 0);
    c->period_us[RW_CHECKPOINT_RECOVERY_POINT] = period_us(b->recovery_checkpoint_ms);
    c->period_us[RW_CHECKPOINT_LOG_START] = period_us(b->start_checkpoint_ms);
    c->period_us[RW_CHECKPOINT_HIGH_WATERMARK] = period_us(b->hw_checkpoint_ms);
    for (int i = 0; i < RW_CHECKPOINTS; i++)
        c->due_us[i] = rw_shard_now_us(s) + c->period_us[i];
    node->checkpointer = c;
    arm(c);
    return RW_OK;
}

void rw_checkpointer_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s))
{
    struct rw_node *node = s->broker->node;
    struct rw_checkpointer *c = node ? node->checkpointer : NULL;
    if (!c) {
        stopped(s);
        return;
    }
    rw_timer_stop(s->loop, &c->timer);
    c->stopped = stopped;
    if (!c->busy)
        round_end(c);
}

static void arrive(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_checkpoint_wait *w = RW_CONTAINER(m, struct rw_checkpoint_wait, msg);
    struct rw_node *node = self->broker->node;
    struct rw_checkpointer *c = node->checkpointer;
    if (!c || c->stopped) {
        answer(w, RW_E_CLOSED);
        return;
    }
    rw_list_push(&c->waiting, &w->link);
    if (c->busy)
        return;
    rw_timer_stop(self->loop, &c->timer);
    c->wanted = 0;
    start_round(c);
}

void rw_checkpoint_starts(struct rw_shard *s, struct rw_checkpoint_wait *w)
{
    w->origin = s;
    w->msg.run = arrive;
    rw_shard_send(s->broker->shards[0], &w->msg);
}
