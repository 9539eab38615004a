/*
 * The life of a shard's partitions: found in the image, opened by jobs, closed or deleted by jobs.
 *
 * Invariants: a partition is in the map while it is OPENING or OPEN; it is freed only when no sync and
 * no job refers to it. At most `slots` open jobs run at a time, so that recovery after a crash does not
 * start thousands of scans at once.
 */
#include "broker/partitions_private.h"

#include "base/mem.h"
#include "broker/metrics.h"
#include "broker/node.h"

struct key {
    struct rw_uuid id;
    int32_t index;
};

static uint64_t hash_key(struct rw_uuid id, int32_t index)
{
    struct key k = {id, index};
    return rw_hash(&k, sizeof(k));
}

int rw_partition_shard(const struct rw_broker *b, struct rw_uuid topic_id, int32_t index)
{
    /* The high half: the map of a shard uses the low bits of the same hash. */
    return (int)((hash_key(topic_id, index) >> 32) % (uint64_t)b->n_shards);
}

static bool is_partition(const void *item, const void *key)
{
    const struct rw_partition *p = item;
    const struct key *k = key;
    return p->index == k->index && rw_uuid_eq(p->topic_id, k->id);
}

struct rw_partition *rw_partition_find(const struct rw_shard *s, struct rw_uuid topic_id,
                                       int32_t index)
{
    struct key k = {topic_id, index};
    return rw_map_get(&s->partitions->map, hash_key(topic_id, index), is_partition, &k);
}

struct rw_partition *rw_partitions_next(const struct rw_shard *s, size_t *at)
{
    struct rw_partition *p;
    while ((p = rw_map_next(&s->partitions->map, at)))
        if (p->state == RW_PARTITION_OPEN)
            return p;
    return NULL;
}

struct rw_partition *rw_partitions_each(const struct rw_shard *s, size_t *at)
{
    return rw_map_next(&s->partitions->map, at);
}

size_t rw_partitions_opening(const struct rw_shard *s)
{
    return s->partitions->opening;
}

int32_t rw_partitions_throttle_ms(const struct rw_shard *s)
{
    return s->partitions->disk.throttle_ms;
}

bool rw_partitions_disk_full(const struct rw_shard *s)
{
    return s->partitions->disk.refuse;
}

bool rw_partitions_stopping(const struct rw_shard *s)
{
    return s->partitions->stopped != NULL;
}

static void partition_free(struct rw_partition *p)
{
    if (!p)
        return;
    rw_free(p->topic);
    rw_free(p->dir);
    rw_free(p);
}

/* The partition has done what its batch waits for. */
static void batch_step(struct rw_partition *p)
{
    struct rw_batch_open *batch = p->batch;
    p->batch = NULL;
    if (batch && --batch->left == 0)
        batch->done(batch);
}

/* ---- open ---- */

void rw_partition_checkpoint(const struct rw_partition *p, int64_t ret_offsets[RW_CHECKPOINTS])
{
    bool opened = p->part.role != RW_PART_CLOSED && p->log;
    int64_t hw = p->part.high_watermark;
    if (p->part.role != RW_PART_LEADER && p->hw_checkpoint > hw)
        hw = p->hw_checkpoint;
    int64_t point = opened ? rw_log_recovery_point(p->log) : p->recovery_point;
    if (opened && point > p->part.durable)
        point = p->part.durable;
    ret_offsets[RW_CHECKPOINT_RECOVERY_POINT] = point;
    ret_offsets[RW_CHECKPOINT_LOG_START] = opened ? p->part.start : p->start_checkpoint;
    ret_offsets[RW_CHECKPOINT_HIGH_WATERMARK] = hw;
    for (int i = 0; i < RW_CHECKPOINTS; i++)
        if (ret_offsets[i] < 0) /* there was none */
            ret_offsets[i] = 0;
}

static int slots(const struct rw_partitions *ps)
{
    const struct rw_broker *b = ps->shard->broker;
    int n = rw_config_broker(b->config)->recovery_threads / b->n_shards;
    return n > 0 ? n : 1;
}

static void open_next(struct rw_partitions *ps);

/* What the checkpoints say of this name may be about an earlier topic: its log start would delete the
 * records of this one, its recovery point would keep what a crash left torn. They must not only be
 * ignored but go, or they are found after the next crash. */
static int forget_namesake(struct rw_partition *p)
{
    const struct rw_node *node = p->shard->broker->node;
    struct rw_uuid id;
    if (!p->is_new && rw_log_dir_topic_id(p->shard->env, p->dir, &id) == RW_E_NOT_FOUND) {
        p->is_new = true; /* made by a change, and the broker died before the directory was there */
        p->hw_checkpoint = -1;
    }
    int rc = RW_OK;
    for (int i = 0; p->is_new && i < RW_CHECKPOINTS && rc == RW_OK; i++)
        rc = rw_log_dir_set_checkpoint(node->dir, (enum rw_checkpoint)i, p->topic, p->index, -1);
    return rc;
}

static void open_work(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    const struct rw_node *node = p->shard->broker->node;
    p->code = forget_namesake(p);
    if (p->code)
        return;
    struct rw_log_open_args args = {
        .clean = p->clean && !p->is_new,
        .recovery_point = p->is_new ? 0 : p->recovery_point,
        .start_offset = p->is_new ? 0 : p->start_checkpoint,
        .topic_id = p->topic_id,
        .topic_name = p->topic,
    };
    p->code = rw_log_open(p->shard->env, p->dir, &p->opening, &args, &p->opened);
    /* A recovery point above the end must go before the log grows past it with other records: after
     * the next crash it would be taken for their proof. */
    if (p->code == RW_OK && args.recovery_point > rw_log_end(p->opened))
        p->code = rw_log_dir_set_checkpoint(node->dir, RW_CHECKPOINT_RECOVERY_POINT, p->topic,
                                            p->index, rw_log_end(p->opened));
    /* After a crash the end of the log may be in the page cache only. It was shown and acknowledged
     * before; it must be durable before anybody is told where the log ends. */
    if (p->code == RW_OK && rw_log_durable(p->opened) < rw_log_end(p->opened))
        p->code = rw_log_flush_now(p->opened, NULL);
    if (p->code && p->opened) {
        (void)rw_log_close(p->opened, false); /* the first failure is the one to report */
        p->opened = NULL;
    }
}

/* Space, open files and memory come back without anybody touching this log. */
static bool is_shortage(int code)
{
    return code == RW_E_FULL || code == RW_E_LIMIT || code == RW_E_NOMEM;
}

/* It stays OPENING: producers wait, others are told to try again. Who made it need not wait. */
static void wait_for_room(struct rw_partition *p)
{
    rw_diag(p->shard->env->diag, RW_WARN, "partition",
            p->code == RW_E_FULL
                ? "no space to open a log: once more when there is some"
                : "no open files or memory left to open a log: once more in a while",
            rw_kv_str("dir", p->dir), rw_kv_code("error", p->code));
    rw_list_push(&p->shard->partitions->no_room, &p->link);
    if (p->code == RW_E_FULL)
        rw_partitions_found_full(p->shard);
    if (p->batch)
        p->batch->unopened = true;
    batch_step(p);
}

static void open_done(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    struct rw_partitions *ps = p->shard->partitions;
    p->busy = false;
    p->log = p->opened;
    p->opened = NULL;
    ps->running--;
    if (is_shortage(p->code) && p->state == RW_PARTITION_OPENING) {
        wait_for_room(p);
        open_next(ps);
        return;
    }
    ps->opening--;
    open_next(ps);
    if (p->state == RW_PARTITION_CLOSING) { /* deleted or stopped while it was being opened */
        rw_partition_retire_next(p);        /* the set itself may be gone now */
        return;
    }
    p->state = RW_PARTITION_OPEN;
    rw_partition_opened(p, p->code);
    batch_step(p);
}

static void open_next(struct rw_partitions *ps)
{
    while (ps->running < slots(ps) && !rw_list_empty(&ps->to_open)) {
        struct rw_partition *p = RW_CONTAINER(rw_list_pop(&ps->to_open), struct rw_partition, link);
        ps->running++;
        p->busy = true;
        p->opening = p->config.log;
        p->job = (struct rw_job){.work = open_work, .done = open_done};
        rw_shard_submit(ps->shard, RW_JOB_BACKGROUND, &p->job);
    }
}

void rw_partitions_open_rest(struct rw_partitions *ps)
{
    while (!rw_list_empty(&ps->no_room))
        rw_list_push(&ps->to_open, rw_list_pop(&ps->no_room));
    open_next(ps);
}

static char *make_dir(const struct rw_broker *b, const char *topic, int32_t index)
{
    const char *root = rw_config_broker(b->config)->log_dirs;
    struct rw_buf path;
    rw_buf_init(&path);
    rw_buf_printf(&path, "%s/%s-%d", root, topic, index);
    char *dir = path.failed ? NULL : rw_strdup(rw_buf_cstr(&path));
    rw_buf_deinit(&path);
    return dir;
}

static int add(struct rw_partitions *ps, const struct rw_meta_topic *t, int32_t index, bool is_new,
               struct rw_batch_open *batch)
{
    struct rw_shard *s = ps->shard;
    struct rw_partition *p = rw_zalloc(sizeof(*p));
    if (!p)
        return RW_E_NOMEM;
    p->shard = s;
    p->topic_id = t->id;
    p->index = index;
    p->is_new = is_new;
    p->leader_epoch = t->partitions[index].leader_epoch;
    p->topic = rw_strdup(t->name);
    p->dir = make_dir(s->broker, t->name, index);
    rw_part_init(&p->part);
    rw_list_init(&p->starters);
    rw_list_init(&p->appends);
    rw_list_init(&p->due);
    rw_list_init(&p->acks);
    rw_list_init(&p->readers);
    rw_list_init(&p->link);
    p->hw_checkpoint = p->recovery_point = -1;
    if (!p->topic || !p->dir ||
        rw_topic_config_resolve(s->config, t->configs, t->n_configs, &p->config) ||
        rw_map_put(&ps->map, hash_key(p->topic_id, index), p)) {
        partition_free(p);
        return RW_E_NOMEM;
    }
    if (!is_new)
        rw_node_recovery_of(s->broker->node, p);
    p->metrics = rw_metrics_topic(s->metrics, p->topic);
    p->batch = batch;
    if (batch)
        batch->left++;
    ps->opening++;
    rw_list_push(&ps->to_open, &p->link);
    rw_metric_add(s->metrics, RW_METRIC_PARTITIONS, 1);
    return RW_OK;
}

static bool is_mine(const struct rw_shard *s, const struct rw_meta_topic *t, int32_t index)
{
    const struct rw_meta_partition *p = &t->partitions[index];
    int32_t node_id = rw_config_broker(s->broker->config)->node_id;
    bool is_replica = false;
    for (int32_t i = 0; i < p->n_replicas; i++)
        is_replica |= p->replicas[i] == node_id;
    return is_replica && rw_partition_shard(s->broker, t->id, index) == s->index;
}

int rw_partitions_new(struct rw_shard *s)
{
    struct rw_partitions *ps = rw_zalloc(sizeof(*ps));
    if (!ps)
        return RW_E_NOMEM;
    ps->shard = s;
    rw_list_init(&ps->to_open);
    rw_list_init(&ps->no_room);
    rw_list_init(&ps->appends_due);
    s->partitions = ps;
    return RW_OK;
}

int rw_partitions_start(struct rw_shard *s, const struct rw_meta *meta)
{
    struct rw_meta_topic *t;
    size_t at = 0;
    while ((t = rw_map_next(&meta->by_id, &at)))
        for (int32_t i = 0; i < t->n_partitions; i++)
            if (is_mine(s, t, i)) {
                int rc = add(s->partitions, t, i, false, NULL);
                if (rc)
                    return rc;
            }
    open_next(s->partitions);
    rw_retention_start(s->partitions);
    rw_disk_watch_start(&s->partitions->disk, s);
    return RW_OK;
}

/* ---- close and delete ---- */

/* Deleted while it waited to be opened, or because it could not be. What lies there under its name may
 * be somebody else's, which was the reason then. */
static int destroy_unopened(const struct rw_partition *p)
{
    const struct rw_env *env = p->shard->env;
    struct rw_uuid id;
    int rc = rw_log_dir_topic_id(env, p->dir, &id);
    if (rc == RW_OK && !rw_uuid_eq(id, p->topic_id)) {
        rw_diag(env->diag, RW_WARN, "partition", "directory of an unknown topic, left alone",
                rw_kv_str("dir", p->dir));
        return RW_OK;
    }
    return rc && rc != RW_E_NOT_FOUND ? rc : rw_log_remove(env, p->dir);
}

static void retire_work(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    if (p->destroy) {
        p->code = p->log ? rw_log_destroy(p->log) : destroy_unopened(p);
        return;
    }
    int64_t end = rw_log_end(p->log);
    p->recovery_point = rw_log_recovery_point(p->log);
    p->start_checkpoint = rw_log_start(p->log);
    p->code = rw_log_close(p->log, true);
    if (p->code == RW_OK)
        p->recovery_point = end;
}

/* Without these numbers the next start would scan everything, and bring back what was trimmed. */
static void note_final(const struct rw_partition *p)
{
    struct rw_node *node = p->shard->broker->node;
    int64_t offsets[RW_CHECKPOINTS];
    rw_partition_checkpoint(p, offsets);
    rw_checkpoint_add(&node->finals[p->shard->index], p->topic, p->index, offsets);
    /* Never opened, and the shutdown before was not clean either: it is still to be recovered. */
    if (p->part.role == RW_PART_CLOSED && !p->clean && !p->is_new)
        rw_node_unclean(node);
}

static void retire_end(struct rw_partition *p)
{
    struct rw_partitions *ps = p->shard->partitions;
    if (!p->destroy)
        note_final(p);
    rw_metric_add(p->shard->metrics, RW_METRIC_PARTITIONS, -1);
    if (p->part.role == RW_PART_OFFLINE) {
        rw_metric_add(p->shard->metrics, RW_METRIC_PARTITIONS_OFFLINE, -1);
        rw_node_unclean(p->shard->broker->node);
    }
    batch_step(p);
    partition_free(p);
    ps->closing--;
    rw_partitions_stop_end(ps);
}

void rw_partitions_stop_end(struct rw_partitions *ps)
{
    if (!ps->stopped || ps->closing > 0 || ps->disk.busy)
        return;
    void (*stopped)(struct rw_shard *) = ps->stopped;
    struct rw_shard *s = ps->shard;
    rw_map_deinit(&ps->map);
    rw_precheck_deinit(&ps->precheck);
    s->partitions = NULL;
    rw_free(ps);
    stopped(s);
}

static void retire_done(struct rw_job *job)
{
    struct rw_partition *p = RW_CONTAINER(job, struct rw_partition, job);
    p->busy = false;
    p->log = NULL;
    if (p->code) {
        rw_diag(p->shard->env->diag, RW_ERROR, "partition",
                p->destroy ? "could not delete a log" : "could not close a log cleanly",
                rw_kv_str("dir", p->dir), rw_kv_code("error", p->code));
        struct rw_node *node = p->shard->broker->node;
        if (p->destroy)
            atomic_fetch_add(&node->undeleted, 1);
        else
            rw_node_unclean(node);
    }
    retire_end(p);
}

void rw_partition_retire_next(struct rw_partition *p)
{
    if (p->busy || p->held || !rw_list_empty(&p->due) || (p->log && !rw_flusher_idle(&p->flusher)))
        return;
    if (!p->log && !p->destroy) {
        retire_end(p);
        return;
    }
    p->busy = true;
    p->job = (struct rw_job){.work = retire_work, .done = retire_done};
    rw_shard_submit(p->shard, RW_JOB_BACKGROUND, &p->job);
}

bool rw_partition_release(struct rw_partition *p)
{
    bool closing = p->state == RW_PARTITION_CLOSING;
    p->held--;
    if (closing)
        rw_partition_retire_next(p);
    return closing;
}

void rw_partition_retire(struct rw_partition *p, bool destroy)
{
    struct rw_partitions *ps = p->shard->partitions;
    bool was_queued = p->state == RW_PARTITION_OPENING && !p->busy;
    bool was_open = p->state == RW_PARTITION_OPEN;
    rw_map_remove(&ps->map, hash_key(p->topic_id, p->index), p);
    p->state = RW_PARTITION_CLOSING;
    p->destroy = destroy;
    ps->closing++;
    rw_partition_wake_all(p);
    rw_timer_stop(p->shard->loop, &p->flush_timer);
    if (was_queued) {
        rw_list_remove(&p->link);
        ps->opening--;
    }
    if (was_open && p->log)
        rw_flusher_cancel(&p->flusher);
    rw_partition_retire_next(p);
}

void rw_partitions_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s))
{
    struct rw_partitions *ps = s->partitions;
    struct rw_partition *p;
    size_t at = 0;
    rw_timer_stop(s->loop, &ps->retention);
    rw_timer_stop(s->loop, &ps->disk.timer);
    ps->closing++; /* ours, until all are on their way */
    ps->stopped = stopped;
    while (at = 0, (p = rw_map_next(&ps->map, &at)))
        rw_partition_retire(p, false);
    /* Topics that were deleted just now end by themselves. */
    ps->closing--;
    rw_partitions_stop_end(ps);
}

/* ---- changes ---- */

/* The batch waits until the directories are out of the way: a topic of the same name may come next,
 * on other shards, and would find them. Changes come one at a time, so no other batch waits for these
 * partitions. */
static void remove_topic(struct rw_shard *s, struct rw_uuid id, int32_t n,
                         struct rw_batch_open *batch)
{
    struct rw_partition *p;
    const char *topic = NULL;
    /* First of all nobody counts any more: waking readers below may read their neighbours. */
    for (int32_t i = 0; i < n; i++)
        if ((p = rw_partition_find(s, id, i))) {
            p->metrics = NULL;
            topic = p->topic;
        }
    if (topic)
        rw_metrics_topic_forget(s->metrics, topic);
    for (int32_t i = 0; i < n; i++)
        if ((p = rw_partition_find(s, id, i))) {
            p->batch = batch;
            batch->left++;
            rw_partition_retire(p, true);
        }
}

static int configure_topic(struct rw_shard *s, const struct rw_meta_topic *t)
{
    struct rw_topic_config config;
    int rc = rw_topic_config_resolve(s->config, t->configs, t->n_configs, &config);
    for (int32_t i = 0; i < t->n_partitions && rc == RW_OK; i++) {
        struct rw_partition *p = rw_partition_find(s, t->id, i);
        if (p)
            rw_partition_configure(p, &config);
    }
    return rc;
}

/* Topics inherit what they do not set themselves. */
static int configure_all(struct rw_shard *s, const struct rw_meta *meta)
{
    const struct rw_meta_topic *t;
    size_t at = 0;
    int rc = RW_OK;
    rw_precheck_forget_all(&s->partitions->precheck);
    while (rc == RW_OK && (t = rw_map_next(&meta->by_id, &at)))
        rc = configure_topic(s, t);
    rw_disk_watch_configure(&s->partitions->disk);
    return rc;
}

int rw_partitions_apply(struct rw_shard *s, const struct rw_meta *meta,
                        const struct rw_meta_delta *delta, struct rw_batch_open *batch)
{
    int rc = RW_OK;
    batch->left = 1; /* ours, until all are queued */
    batch->unopened = false;
    for (size_t i = 0; i < delta->n && rc == RW_OK; i++) {
        const struct rw_meta_change *c = &delta->changes[i];
        const struct rw_meta_topic *t = rw_meta_topic_by_id(meta, c->topic_id);
        if (c->kind == RW_META_TOPIC_REMOVED || c->kind == RW_META_TOPIC_CONFIGURED)
            rw_precheck_forget(&s->partitions->precheck, c->topic_id);
        if (c->kind == RW_META_BROKERS_CONFIGURED)
            rc = configure_all(s, meta);
        else if (c->kind == RW_META_TOPIC_REMOVED)
            remove_topic(s, c->topic_id, c->partition, batch);
        else if (t && c->kind == RW_META_PARTITION_CREATED && is_mine(s, t, c->partition))
            rc = add(s->partitions, t, c->partition, true, batch);
        else if (t && c->kind == RW_META_TOPIC_CONFIGURED)
            rc = configure_topic(s, t);
    }
    open_next(s->partitions);
    if (--batch->left == 0)
        batch->done(batch);
    return rc;
}
