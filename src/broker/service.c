/*
 * The broker's content as the runtime sees it: open, start, stop, close. See service.h for who calls
 * what on which thread.
 *
 * Order at start: data directory (lock, identity), metadata log, then on every shard its image and its
 * partitions, whose logs are opened by jobs while the listeners are already there. Order at the end:
 * checkpointer, partitions, images, metadata log, final checkpoints, clean-shutdown mark.
 */
#include "broker/service.h"

#include <stdio.h>
#include "base/mem.h"
#include "broker/api/table.h"
#include "broker/metrics.h"
#include "broker/node.h"

void rw_node_unclean(struct rw_node *n)
{
    atomic_store(&n->unclean, true);
}

void rw_node_recovery_of(const struct rw_node *n, struct rw_partition *p)
{
    p->clean = n->was_clean;
    p->hw_checkpoint =
        rw_log_dir_checkpoint(n->dir, RW_CHECKPOINT_HIGH_WATERMARK, p->topic, p->index);
    int64_t recovery =
        rw_log_dir_checkpoint(n->dir, RW_CHECKPOINT_RECOVERY_POINT, p->topic, p->index);
    int64_t start = rw_log_dir_checkpoint(n->dir, RW_CHECKPOINT_LOG_START, p->topic, p->index);
    p->recovery_point = recovery < 0 ? 0 : recovery;
    p->start_checkpoint = start < 0 ? 0 : start;
}

static void node_free(struct rw_node *n)
{
    for (int i = 0; n->finals && i < n->broker->n_shards; i++)
        rw_checkpoint_set_deinit(&n->finals[i]);
    for (int i = 0; i <= RW_API_VERSIONS_LAST; i++)
        rw_buf_deinit(&n->api_versions[i]);
    rw_free(n->finals);
    rw_free(n->stops);
    rw_addresses_free(n->addresses);
    rw_free(n);
}

static int open_dir(struct rw_node *n, struct rw_err *ret_err)
{
    const struct rw_env *env = n->broker->env;
    const struct rw_broker_config *b = rw_config_broker(n->broker->config);
    struct rw_log_dir_identity want = {.node_id = b->node_id};
    uint8_t random[16];
    char made_up[RW_UUID_TEXT_SIZE];
    env->rand->fill(env->rand, random, sizeof(random));
    rw_uuid_format(rw_uuid_v4(random), made_up);
    (void)snprintf(want.cluster_id, sizeof(want.cluster_id), "%s",
                   b->cluster_id ? b->cluster_id : made_up);
    env->rand->fill(env->rand, random, sizeof(random));
    want.directory_id = rw_uuid_v4(random);
    int rc = rw_log_dir_open(env, b->log_dirs, &want, &n->dir, ret_err);
    if (rc)
        return rc;
    rw_log_dir_identity(n->dir, &n->identity);
    n->was_clean = rw_log_dir_was_clean(n->dir);
    if (b->cluster_id && strcmp(b->cluster_id, n->identity.cluster_id) != 0) {
        (void)rw_err_set(ret_err, RW_E_INVAL, "%s belongs to cluster %s, but cluster.id says %s",
                         b->log_dirs, n->identity.cluster_id, b->cluster_id);
        rw_log_dir_close(n->dir, n->was_clean);
        return RW_E_INVAL;
    }
    return RW_OK;
}

static int service_open(struct rw_broker *b, struct rw_err *ret_err)
{
    struct rw_node *n = rw_zalloc(sizeof(*n));
    if (!n)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    n->broker = b;
    n->finals = rw_alloc_array((size_t)b->n_shards, sizeof(*n->finals));
    n->stops = rw_alloc_array((size_t)b->n_shards, sizeof(*n->stops));
    n->addresses = rw_addresses_new(b);
    int rc = n->finals && n->stops && n->addresses ? rw_node_encode_api_versions(n) : RW_E_NOMEM;
    if (rc)
        (void)rw_err_set(ret_err, rc, "out of memory");
    for (int i = 0; rc == RW_OK && i < b->n_shards; i++) {
        n->finals[i] = (struct rw_checkpoint_set){0};
        rw_arena_init(&n->finals[i].arena, 0);
    }
    if (rc == RW_OK)
        rc = open_dir(n, ret_err);
    if (rc == RW_OK) {
        rc = rw_controller_open(&n->controller, b, n->was_clean, n->dir, ret_err);
        if (rc)
            rw_log_dir_close(n->dir, n->was_clean);
    }
    if (rc) {
        node_free(n);
        return rc;
    }
    b->node = n;
    rw_diag(b->env->diag, RW_INFO, "broker", "data directory is open",
            rw_kv_str("dir", rw_log_dir_path(n->dir)), rw_kv_bool("clean", n->was_clean),
            rw_kv_str("cluster", n->identity.cluster_id));
    return RW_OK;
}

static int service_start(struct rw_shard *s)
{
    struct rw_node *n = s->broker->node;
    int rc = rw_view_start(s, &n->controller);
    if (rc == RW_OK)
        rc = rw_partitions_new(s);
    if (rc == RW_OK)
        rc = rw_partitions_start(s, &s->view->meta);
    if (rc == RW_OK && s->index == 0)
        rc = rw_checkpointer_start(s);
    if (rc == RW_OK && s->index == 0)
        rw_addresses_start(n->addresses);
    return rc;
}

static void partitions_stopped(struct rw_shard *s)
{
    struct rw_node *n = s->broker->node;
    rw_view_stop(s);
    n->stops[s->index](s);
}

static void checkpointer_stopped(struct rw_shard *s)
{
    if (s->partitions)
        rw_partitions_stop(s, partitions_stopped);
    else
        partitions_stopped(s);
}

static void controller_stopped(struct rw_shard *zero)
{
    rw_checkpointer_stop(zero, checkpointer_stopped);
}

static void service_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s))
{
    struct rw_node *n = s->broker->node;
    n->stops[s->index] = stopped;
    if (s->index == 0)
        rw_addresses_stop(n->addresses);
    if (s->index == 0)
        rw_controller_stop(&n->controller, controller_stopped);
    else
        checkpointer_stopped(s);
}

/* All logs' last numbers in one set; what could not be closed has none and is scanned next time. */
static void write_finals(struct rw_node *n)
{
    struct rw_checkpoint_set all = {0};
    rw_arena_init(&all.arena, 0);
    for (int s = 0; s < n->broker->n_shards; s++) {
        const struct rw_checkpoint_set *f = &n->finals[s];
        all.failed |= f->failed;
        for (size_t i = 0; i < f->n; i++) {
            int64_t offsets[RW_CHECKPOINTS];
            for (int k = 0; k < RW_CHECKPOINTS; k++)
                offsets[k] = f->entries[k][i].offset;
            rw_checkpoint_add(&all, f->entries[0][i].topic, f->entries[0][i].partition, offsets);
        }
    }
    if (all.failed)
        rw_node_unclean(n);
    else
        (void)rw_checkpoint_write(n->broker, &all, ~0u,
                                  rw_log_dir_generation(n->dir)); /* reported there */
    rw_checkpoint_set_deinit(&all);
}

static void service_close(struct rw_broker *b, bool clean)
{
    struct rw_node *n = b->node;
    if (rw_controller_close(&n->controller))
        rw_node_unclean(n);
    write_finals(n);
    rw_log_dir_close(n->dir, clean && !atomic_load(&n->unclean));
    b->node = NULL;
    node_free(n);
}

static void service_unready(struct rw_shard *s, struct rw_buf *reasons)
{
    struct rw_node *n = s->broker->node;
    size_t opening = s->partitions ? rw_partitions_opening(s) : 0;
    if (opening > 0)
        rw_buf_printf(reasons, "%zu logs are being recovered\n", opening);
    if (n && n->controller.code)
        rw_buf_add_str(reasons, "the metadata log has failed\n");
}

static int service_measure(struct rw_shard *s, struct rw_metrics *sum)
{
    const struct rw_meta *meta = s->view ? &s->view->meta : NULL;
    int rc = meta && s->partitions ? rw_partitions_measure(s, meta, sum) : RW_OK;
    for (size_t i = 0; meta && s->index == 0 && i < meta->n_brokers && rc == RW_OK; i++)
        rc = rw_metrics_broker(sum, meta->brokers[i].id, meta->brokers[i].host,
                               meta->brokers[i].port);
    return rc;
}

const struct rw_service rw_service = {
    .handlers = rw_handlers,
    .n_handlers = RW_HANDLERS,
    .open = service_open,
    .start = service_start,
    .stop = service_stop,
    .close = service_close,
    .unready = service_unready,
    .measure = service_measure,
};
