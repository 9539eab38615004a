/*
 * From a decision to every shard's image: commit and the tour through the shards.
 *
 * Invariants: a change is applied nowhere before its records are durable; all shards apply the same
 * batches in the same order; at most one change is between decide and the end of its tour. When the
 * metadata log fails, changes are refused from then on; what is there stays readable.
 */
#include "broker/metadata_private.h"

#include "base/assert.h"
#include "base/mem.h"
#include "broker/listener.h"
#include "broker/node.h"

#define SCRATCH_MAX (256u << 20)
#define RESERVE     (1u << 20)

/* ---- a shard's image ---- */

void rw_view_init(struct rw_view *v)
{
    *v = (struct rw_view){0};
    rw_meta_init(&v->meta);
    rw_arena_init(&v->scratch, SCRATCH_MAX);
}

void rw_view_deinit(struct rw_view *v)
{
    rw_meta_deinit(&v->meta);
    rw_config_free(v->config);
    rw_arena_deinit(&v->scratch);
}

/* Applies one batch of metadata records. */
static int apply_batch(struct rw_view *v, struct rw_slice batch, struct rw_meta_delta *delta)
{
    struct rw_records records = {0};
    struct rw_record record;
    int rc = rw_records_open(&records, batch.p, batch.n), more;
    while (rc == RW_OK && (more = rw_records_next(&records, &record)) != 0) {
        struct rw_meta_record r;
        rc = more < 0 ? more : rw_meta_record_decode(record.value, &v->scratch, &r);
        if (rc == RW_OK)
            rc = rw_meta_apply(&v->meta, r.type, r.m, delta);
    }
    rw_records_deinit(&records);
    rw_arena_reset(&v->scratch);
    return rc;
}

int rw_view_apply_batches(struct rw_view *v, struct rw_slice bytes)
{
    while (bytes.n > 0) {
        struct rw_batch b;
        int rc = rw_batch_decode(bytes.p, bytes.n, &b);
        if (rc)
            return rc;
        rc = apply_batch(v, rw_slice(bytes.p, rw_batch_size(&b)), NULL);
        if (rc)
            return rc;
        bytes = rw_slice(bytes.p + rw_batch_size(&b), bytes.n - rw_batch_size(&b));
    }
    return RW_OK;
}

/* What the image says of this broker's configuration becomes the shard's. */
static int configure(struct rw_shard *s)
{
    static const struct rw_meta_broker_configs none;
    struct rw_view *v = s->view;
    const struct rw_config *base = s->broker->config;
    const struct rw_meta_broker_configs *all =
        rw_meta_broker_configs(&v->meta, RW_META_ALL_BROKERS);
    const struct rw_meta_broker_configs *own =
        rw_meta_broker_configs(&v->meta, rw_config_broker(base)->node_id);
    struct rw_config *made;
    all = all ? all : &none;
    own = own ? own : &none;
    int rc =
        rw_config_overlay(base, all->configs, all->n_configs, own->configs, own->n_configs, &made);
    if (rc)
        return rc;
    rw_config_free(v->config);
    s->config = v->config = made;
    const struct rw_broker_config *b = rw_config_broker(made);
    if (s->index == 0)
        rw_acceptor_limit(s->broker->acceptor, b->connections_max, b->connections_max_per_ip);
    return RW_OK;
}

static bool is_configured(const struct rw_meta_delta *delta)
{
    for (size_t i = 0; i < delta->n; i++)
        if (delta->changes[i].kind == RW_META_BROKERS_CONFIGURED)
            return true;
    return false;
}

int rw_view_start(struct rw_shard *s, const struct rw_controller *c)
{
    struct rw_view *v = rw_alloc(sizeof(*v));
    if (!v)
        return RW_E_NOMEM;
    rw_view_init(v);
    s->view = v;
    int rc = rw_view_apply_batches(v, rw_slice(c->boot.p, c->boot.n));
    return rc == RW_OK && v->meta.n_broker_configs > 0 ? configure(s) : rc;
}

void rw_view_stop(struct rw_shard *s)
{
    if (!s->view)
        return;
    s->config = s->broker->config;
    rw_view_deinit(s->view);
    rw_free(s->view);
    s->view = NULL;
}

/* ---- the tour ---- */

static void pump(struct rw_controller *c);

static struct rw_controller *controller_of(const struct rw_shard *s)
{
    struct rw_node *n = s->broker->node;
    return &n->controller;
}

static void answer_back(struct rw_shard *self, struct rw_msg *m)
{
    (void)self;
    struct rw_change *change = RW_CONTAINER(m, struct rw_change, msg);
    change->done(change);
}

static void answer(struct rw_controller *c, int code)
{
    struct rw_change *change = c->current;
    c->current = NULL;
    change->code = code;
    change->msg.run = answer_back;
    rw_shard_send(change->origin, &change->msg);
}

static void tour_end(struct rw_shard *self, struct rw_msg *m)
{
    (void)self;
    struct rw_controller *c = RW_CONTAINER(m, struct rw_controller, tour);
    answer(c, RW_OK);
    pump(c);
}

static void tour_visit(struct rw_shard *self, struct rw_msg *m);

static void tour_next(struct rw_batch_open *opened)
{
    struct rw_controller *c = RW_CONTAINER(opened, struct rw_controller, opening);
    struct rw_broker *b = c->broker;
    bool last = ++c->at == b->n_shards;
    c->tour.run = last ? tour_end : tour_visit;
    rw_shard_send(b->shards[last ? 0 : c->at], &c->tour);
}

static void tour_visit(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_controller *c = RW_CONTAINER(m, struct rw_controller, tour);
    struct rw_meta_delta delta = {0};
    int rc = apply_batch(self->view, c->batch, &delta);
    if (rc == RW_OK && is_configured(&delta))
        rc = configure(self);
    c->opening.done = tour_next;
    int rc2 = rw_partitions_apply(self, &self->view->meta, &delta, &c->opening);
    rw_meta_delta_deinit(&delta);
    /* Committed records that can not be applied leave a shard with a wrong image: better no broker. */
    RW_ASSERT(rc == RW_OK && rc2 == RW_OK);
}

/* ---- commit ---- */

static void committed(struct rw_flusher *f, int code, int64_t durable)
{
    struct rw_controller *c = RW_CONTAINER(f, struct rw_controller, flusher);
    (void)durable;
    if (!c->current)
        return;
    if (code) {
        c->code = code;
        rw_diag(c->broker->env->diag, RW_ERROR, "metadata",
                "the metadata log failed; changes are refused from now on",
                rw_kv_code("error", code));
        answer(c, code);
        pump(c);
        return;
    }
    c->at = 0;
    c->tour.run = tour_visit;
    rw_shard_send(c->broker->shards[0], &c->tour);
}

static int build_batch(struct rw_controller *c, const struct rw_meta_records *list, int64_t now_ms)
{
    struct rw_buf value;
    rw_buf_init(&value);
    rw_builder_reset(&c->builder, 0);
    int rc = RW_OK;
    for (size_t i = 0; i < list->n && rc == RW_OK; i++) {
        rw_buf_clear(&value);
        rc = rw_meta_record_encode(&list->items[i], &value);
        struct rw_record r = {.offset = -1, .timestamp = now_ms, .value = {value.p, value.n}};
        if (rc == RW_OK)
            rc = rw_builder_add(&c->builder, &r, NULL, 0);
    }
    rw_buf_deinit(&value);
    return rc ? rc : rw_builder_finish(&c->builder, &c->batch);
}

static int append_batch(struct rw_controller *c, int64_t now_ms)
{
    struct rw_append_info info;
    struct rw_append_args args = {.leader_epoch = 0,
                                  .as_leader = true,
                                  .allow_zstd = true,
                                  .internal = true,
                                  .now_ms = now_ms};
    return rw_log_append(c->log, (uint8_t *)(uintptr_t)c->batch.p, c->batch.n, &args, &info);
}

static void not_stored(struct rw_controller *c, int code)
{
    rw_diag(c->broker->env->diag, RW_WARN, "metadata", "a change could not be stored",
            rw_kv_code("error", code));
    if (rw_log_state(c->log))
        c->code = code;
    else if (code == RW_E_FULL)
        rw_partitions_found_full(c->broker->shards[0]);
}

static void pump(struct rw_controller *c)
{
    struct rw_shard *s = c->broker->shards[0];
    while (!c->current && !rw_list_empty(&c->queue)) {
        c->current = RW_CONTAINER(rw_list_pop(&c->queue), struct rw_change, link);
        struct rw_change *change = c->current;
        int64_t now_ms = rw_shard_wall_ms(s);
        int rc = c->code ? c->code : change->decide(change, &s->view->meta, &c->policy);
        if (rc == RW_OK && change->list.n > 0) {
            rc = build_batch(c, &change->list, now_ms);
            if (rc == RW_OK)
                rc = append_batch(c, now_ms);
            if (rc == RW_OK) {
                rw_flusher_request(&c->flusher);
                return;
            }
            not_stored(c, rc);
        }
        answer(c, rc);
    }
}

static void arrive(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_controller *c = controller_of(self);
    rw_list_push(&c->queue, &RW_CONTAINER(m, struct rw_change, msg)->link);
    if (!c->flusher.shard)
        rw_flusher_init(&c->flusher, self, c->log, committed);
    pump(c);
}

void rw_metadata_submit(struct rw_shard *s, struct rw_change *change)
{
    change->origin = s;
    change->code = RW_OK;
    change->msg.run = arrive;
    rw_shard_send(s->broker->shards[0], &change->msg);
}

/* ---- what decisions may know of the configuration ---- */

static struct rw_uuid new_id(void *arg)
{
    const struct rw_controller *c = arg;
    uint8_t random[16];
    c->broker->env->rand->fill(c->broker->env->rand, random, sizeof(random));
    return rw_uuid_v4(random);
}

static struct rw_str unknown_key(enum rw_config_scope scope, struct rw_str name,
                                 struct rw_arena *arena)
{
    const char *near = rw_config_nearest(scope, name);
    return rw_str(rw_arena_printf(
        arena, "Unknown %s config name: %.*s%s%s%s", scope == RW_SCOPE_TOPIC ? "topic" : "broker",
        name.n > 100 ? 100 : (int)name.n, name.p, near ? "; did you mean " : "", near ? near : "",
        near ? "?" : ""));
}

static enum rw_config_scope scope_of(enum rw_meta_setting kind)
{
    return kind == RW_META_TOPIC_SETTING ? RW_SCOPE_TOPIC : RW_SCOPE_BROKER;
}

static int check_value(void *arg, enum rw_meta_setting kind, struct rw_str name,
                       struct rw_str value, struct rw_arena *arena, struct rw_str *ret_value,
                       struct rw_str *ret_why)
{
    (void)arg;
    const struct rw_config_key *key = rw_config_find(scope_of(kind), name);
    if (!key) {
        *ret_why = unknown_key(scope_of(kind), name, arena);
        return RW_E_INVAL;
    }
    if (kind == RW_META_BROKER_SETTING && !(key->flags & RW_CONFIG_DYNAMIC)) {
        *ret_why =
            rw_str(rw_arena_printf(arena,
                                   "Cannot update %s dynamically: it is read when the broker "
                                   "starts, from its configuration file",
                                   key->name));
        return RW_E_INVAL;
    }
    struct rw_buf text;
    struct rw_err err;
    rw_buf_init(&text);
    int rc = rw_config_canonical(key, value, &text, &err);
    *(rc ? ret_why : ret_value) = rw_arena_str(arena, rc ? err.text : rw_buf_cstr(&text));
    rw_buf_deinit(&text);
    return rc == RW_OK && ret_value->n < 0 ? RW_E_NOMEM : rc;
}

static int check_all(void *arg, enum rw_meta_setting kind, const struct rw_pair *own, size_t n_own,
                     struct rw_arena *arena, struct rw_str *ret_why)
{
    const struct rw_controller *c = arg;
    const struct rw_shard *zero = c->broker->shards[0];
    struct rw_err err;
    int rc = kind == RW_META_TOPIC_SETTING
                 ? rw_topic_config_check(zero->config, own, n_own, &err)
                 : rw_config_overlay_check(c->broker->config, own, n_own, &err);
    if (rc)
        *ret_why = rw_arena_str(arena, err.text);
    return rc;
}

static bool is_list(void *arg, enum rw_meta_setting kind, struct rw_str name,
                    struct rw_str *ret_value)
{
    const struct rw_controller *c = arg;
    enum rw_config_source source;
    const struct rw_config_key *key = rw_config_find(scope_of(kind), name);
    if (!key || key->type != RW_CONFIG_LIST)
        return false;
    *ret_value =
        rw_str(kind == RW_META_TOPIC_SETTING ? key->fallback
                                             : rw_config_value(c->broker->config, key, &source));
    return true;
}

static void init_policy(struct rw_controller *c)
{
    const struct rw_broker_config *b = rw_config_broker(c->broker->config);
    c->policy = (struct rw_meta_policy){
        .default_partitions = b->num_partitions,
        .default_replication = (int16_t)b->default_replication_factor,
        .request_partitions_max = (int32_t)b->topic_partitions_max,
        .partitions_max = (size_t)b->partitions_max,
        .delete_enabled = b->delete_topics,
        .arg = c,
        .new_id = new_id,
        .check_value = check_value,
        .check_all = check_all,
        .is_list = is_list,
    };
}

/* ---- start and stop ---- */

static int read_range(const struct rw_log_range *range, struct rw_buf *into)
{
    size_t got = 0;
    uint8_t *p = rw_buf_extend(into, range->n);
    if (!p)
        return RW_E_NOMEM;
    int rc = rw_file_read_at(range->file, range->at, p, range->n, &got);
    return rc ? rc : got == range->n ? RW_OK : RW_E_CORRUPT;
}

static int read_log(struct rw_controller *c)
{
    int64_t at = rw_log_start(c->log), end = rw_log_end(c->log);
    while (at < end) {
        struct rw_log_range range;
        size_t from = c->boot.n;
        int rc = rw_log_read(c->log, at, INT64_MAX, 1u << 20, true, &range);
        if (rc)
            return rc;
        if (range.n == 0)
            return RW_E_CORRUPT;
        rc = read_range(&range, &c->boot);
        rw_log_range_release(&range);
        while (rc == RW_OK && from < c->boot.n) {
            struct rw_batch b;
            rc = rw_batch_check(c->boot.p + from, c->boot.n - from, &b);
            if (rc == RW_OK) {
                from += rw_batch_size(&b);
                at = rw_batch_last_offset(&b) + 1;
            }
        }
        if (rc)
            return rc;
    }
    return RW_OK;
}

/* Space for changes to come: on a disk without one free byte topics can still be deleted. */
static void reserve(struct rw_controller *c)
{
    int rc = rw_log_reserve(c->log, RESERVE);
    if (rc && rc != RW_E_UNSUPPORTED)
        rw_diag(c->broker->env->diag, RW_WARN, "metadata",
                "no space is reserved for changes of topics", rw_kv_code("error", rc));
}

/* What the start itself changes: this broker's address, and after an unclean stop the leader epochs.
 * Written before there are shards: by hand. */
static int note_start(struct rw_controller *c, bool was_clean)
{
    const struct rw_broker_config *b = rw_config_broker(c->broker->config);
    struct rw_view v;
    struct rw_meta_records list = {.arena = &v.scratch};
    rw_view_init(&v);
    int rc = rw_view_apply_batches(&v, rw_slice(c->boot.p, c->boot.n));
    if (rc == RW_OK)
        rc = rw_decide_register_broker(&v.meta, b->node_id, rw_str(b->advertised[0].host),
                                       (uint16_t)b->advertised[0].port, rw_str(b->rack), &list);
    if (rc == RW_OK && !was_clean)
        rc = rw_decide_new_epochs(&v.meta, b->node_id, &list);
    if (rc == RW_OK && list.n > 0) {
        int64_t now_ms = rw_wall_ms(c->broker->env->clock);
        rc = build_batch(c, &list, now_ms);
        if (rc == RW_OK)
            rc = append_batch(c, now_ms);
        if (rc == RW_OK)
            rc = rw_log_flush(c->log, NULL);
        if (rc == RW_OK)
            rw_buf_add(&c->boot, c->batch.p, c->batch.n);
        if (rc == RW_OK && c->boot.failed)
            rc = RW_E_NOMEM;
    }
    rw_view_deinit(&v);
    return rc;
}

int rw_controller_open(struct rw_controller *c, struct rw_broker *b, bool was_clean,
                       struct rw_err *ret_err)
{
    const char *root = rw_config_broker(b->config)->log_dirs;
    struct rw_log_config config;
    struct rw_log_open_args args = {.clean = was_clean, .topic_name = "__cluster_metadata"};
    struct rw_buf path;
    rw_log_config_init(&config);
    config.retention_ms = config.retention_bytes = -1;
    config.timestamp_after_max_ms = config.timestamp_before_max_ms = INT64_MAX;
    config.batch_bytes_max = 64 << 20;
    config.preallocate = true;
    rw_buf_init(&path);
    rw_buf_printf(&path, "%s/__cluster_metadata-0", root);
    c->broker = b;
    rw_list_init(&c->queue);
    rw_builder_init(&c->builder);
    rw_buf_init(&c->boot);
    init_policy(c);
    int rc =
        path.failed ? RW_E_NOMEM : rw_log_open(b->env, rw_buf_cstr(&path), &config, &args, &c->log);
    rw_buf_deinit(&path);
    /* What only the cache kept over a crash is about to be told to everybody. */
    if (rc == RW_OK)
        rc = rw_log_flush(c->log, NULL);
    if (rc == RW_OK)
        rc = read_log(c);
    if (rc == RW_OK)
        reserve(c);
    if (rc == RW_OK)
        rc = note_start(c, was_clean);
    if (rc == RW_OK)
        return RW_OK;
    (void)rw_controller_close(c);
    return rw_err_set(ret_err, rc, "cannot read the metadata log in %s: %s", root,
                      rw_code_text(rc));
}

int rw_controller_close(struct rw_controller *c)
{
    int rc = c->log ? rw_log_close(c->log, true) : RW_OK;
    rw_builder_deinit(&c->builder);
    rw_buf_deinit(&c->boot);
    *c = (struct rw_controller){0};
    return rc;
}
