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
#include "broker/conn.h"
#include "broker/files.h"
#include "broker/listener.h"
#include "broker/node.h"

#define SCRATCH_MAX (256u << 20)

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
        if (rc == RW_OK && !rw_batch_is_control(&b)) /* a snapshot's header and footer */
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

int rw_view_start(struct rw_shard *s, struct rw_controller *c)
{
    struct rw_view *v = rw_alloc(sizeof(*v));
    if (!v)
        return RW_E_NOMEM;
    rw_view_init(v);
    s->view = v;
    int rc = rw_view_apply_batches(v, rw_slice(c->boot.p, c->boot.n));
    if (s->index != 0 || !c->leftovers) /* else open deleted what was left of them */
        rw_meta_forget_removed(&v->meta, 0);
    if (atomic_fetch_sub(&c->shards_to_start, 1) == 1)
        rw_buf_deinit(&c->boot);
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
static bool snapshot_begin(struct rw_controller *c);

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
    struct rw_controller *c = RW_CONTAINER(m, struct rw_controller, tour);
    struct rw_node *n = c->broker->node;
    /* Directories that could not be deleted are tried again at the next start. */
    if (atomic_load(&n->undeleted) == c->undeleted)
        rw_meta_forget_removed(&self->view->meta, c->removed);
    answer(c, c->unopened ? RW_E_AGAIN : RW_OK);
    if (!snapshot_begin(c))
        pump(c);
}

static void tour_visit(struct rw_shard *self, struct rw_msg *m);

static void tour_next(struct rw_batch_open *opened)
{
    struct rw_controller *c = RW_CONTAINER(opened, struct rw_controller, opening);
    struct rw_broker *b = c->broker;
    c->unopened |= opened->unopened;
    bool last = ++c->at == b->n_shards;
    c->tour.run = last ? tour_end : tour_visit;
    rw_shard_send(b->shards[last ? 0 : c->at], &c->tour);
}

static void tour_visit(struct rw_shard *self, struct rw_msg *m)
{
    struct rw_controller *c = RW_CONTAINER(m, struct rw_controller, tour);
    struct rw_meta_delta delta = {0};
    if (self->index == 0) {
        struct rw_node *n = c->broker->node;
        c->removed = self->view->meta.n_removed;
        c->undeleted = atomic_load(&n->undeleted);
    }
    int rc = apply_batch(self->view, c->store.batch, &delta);
    if (rc == RW_OK && is_configured(&delta))
        rc = configure(self);
    c->opening.done = tour_next;
    int rc2 = rw_partitions_apply(self, &self->view->meta, &delta, &c->opening);
    rw_meta_delta_deinit(&delta);
    if (self->index != 0) /* shard 0 keeps them for the snapshot */
        rw_meta_forget_removed(&self->view->meta, 0);
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
    c->unopened = false;
    c->tour.run = tour_visit;
    rw_shard_send(c->broker->shards[0], &c->tour);
}

static void not_stored(struct rw_controller *c, int code)
{
    rw_diag(c->broker->env->diag, RW_WARN, "metadata", "a change could not be stored",
            rw_kv_code("error", code));
    if (rw_log_state(c->store.log))
        c->code = code;
    else if (code == RW_E_FULL)
        rw_partitions_found_full(c->broker->shards[0]);
}

static void pump(struct rw_controller *c)
{
    struct rw_shard *s = c->broker->shards[0];
    while (!c->current && !c->busy && !rw_list_empty(&c->queue)) {
        c->current = RW_CONTAINER(rw_list_pop(&c->queue), struct rw_change, link);
        struct rw_change *change = c->current;
        int64_t now_ms = rw_shard_wall_ms(s);
        int rc = c->code ? c->code : change->decide(change, &s->view->meta, &c->policy);
        if (rc == RW_OK && change->list.n > 0) {
            rc = rw_metalog_append(&c->store, &change->list, now_ms);
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
        rw_flusher_init(&c->flusher, self, c->store.log, committed);
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

/* A quarter of what the process may have open is left to connections and what comes and goes. */
static int64_t partitions_room(void *arg)
{
    const struct rw_controller *c = arg;
    int64_t max = c->broker->shards[0]->conns->limits->files_max;
    uint64_t used = 0;
    int rc = max ? rw_open_files(c->broker->env, &used) : (int)RW_E_UNSUPPORTED;
    if (rc)
        return rc == RW_E_LIMIT ? 0 : INT64_MAX;
    return (max - (max / 4 > 32 ? max / 4 : 32) - (int64_t)used) / RW_LOG_FILES;
}

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
    if (rc == RW_OK &&
        text.n > INT16_MAX) /* appending makes values longer than a request can say */
        rc = rw_err_set(&err, RW_E_INVAL, "%s: a value is at most %d bytes long", key->name,
                        INT16_MAX);
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
        .partitions_room = partitions_room,
        .new_id = new_id,
        .check_value = check_value,
        .check_all = check_all,
        .is_list = is_list,
    };
}

/* ---- snapshots ---- */

static bool snapshot_due(const struct rw_controller *c)
{
    const struct rw_broker_config *b = rw_config_broker(c->broker->config);
    return c->store.since >= (uint64_t)b->metadata_snapshot_bytes;
}

static void tell(const struct rw_controller *c, int code)
{
    rw_diag(c->broker->env->diag, code ? RW_WARN : RW_INFO, "metadata",
            code ? "could not make a snapshot of the metadata" : "made a snapshot of the metadata",
            rw_kv_int("offset", c->store.snapshot), rw_kv_code("result", code));
}

/* No change is decided or applied meanwhile: shard 0's image stays as it is. */
static void snapshot_work(struct rw_job *job)
{
    struct rw_controller *c = RW_CONTAINER(job, struct rw_controller, job);
    const struct rw_shard *zero = c->broker->shards[0];
    c->job_code =
        rw_metalog_snapshot(&c->store, &zero->view->meta, rw_wall_ms(c->broker->env->clock));
}

static void snapshot_done(struct rw_job *job)
{
    struct rw_controller *c = RW_CONTAINER(job, struct rw_controller, job);
    void (*stopped)(struct rw_shard *) = c->stopped;
    c->busy = false;
    tell(c, c->job_code);
    if (c->job_code) {
        c->store.since = 0; /* not again with the next change, but with as many more */
        if (rw_log_state(c->store.log))
            c->code = c->job_code;
    }
    if (stopped)
        stopped(c->broker->shards[0]);
    else
        pump(c);
}

static bool snapshot_begin(struct rw_controller *c)
{
    if (!snapshot_due(c) || c->code || c->stopped)
        return false;
    c->busy = true;
    c->job = (struct rw_job){.work = snapshot_work, .done = snapshot_done};
    rw_shard_submit(c->broker->shards[0], RW_JOB_BACKGROUND, &c->job);
    return true;
}

void rw_controller_stop(struct rw_controller *c, void (*stopped)(struct rw_shard *zero))
{
    c->stopped = stopped;
    if (!c->busy)
        stopped(c->broker->shards[0]);
}

/* ---- start and stop ---- */

/* What the start itself changes: this broker's registration. Written before there are shards: by hand. */
static int note_start(struct rw_controller *c, struct rw_view *v, bool was_clean)
{
    const struct rw_broker_config *b = rw_config_broker(c->broker->config);
    struct rw_meta_records list = {.arena = &v->scratch};
    int rc = rw_decide_register_broker(&v->meta, b->node_id, rw_str(b->advertised[0].host),
                                       (uint16_t)b->advertised[0].port, rw_str(b->rack), !was_clean,
                                       &list);
    if (rc || list.n == 0)
        return rc;
    rc = rw_metalog_append(&c->store, &list, rw_wall_ms(c->broker->env->clock));
    if (rc == RW_OK)
        rc = rw_log_flush(c->store.log, NULL);
    if (rc == RW_OK)
        rw_buf_add(&c->boot, c->store.batch.p, c->store.batch.n);
    rw_arena_reset(&v->scratch);
    if (rc == RW_OK)
        rc = c->boot.failed ? (int)RW_E_NOMEM : apply_batch(v, c->store.batch, NULL);
    return rc;
}

int rw_controller_open(struct rw_controller *c, struct rw_broker *b, bool was_clean,
                       struct rw_log_dir *dir, struct rw_err *ret_err)
{
    const char *root = rw_config_broker(b->config)->log_dirs;
    struct rw_view v;
    *c = (struct rw_controller){.broker = b};
    atomic_init(&c->shards_to_start, b->n_shards);
    rw_list_init(&c->queue);
    rw_buf_init(&c->boot);
    init_policy(c);
    rw_view_init(&v);
    int rc = rw_metalog_open(&c->store, b->env, root, was_clean, &c->boot);
    if (rc == RW_OK)
        rc = rw_view_apply_batches(&v, rw_slice(c->boot.p, c->boot.n));
    if (rc)
        (void)rw_err_set(ret_err, rc, "cannot read the metadata log in %s: %s", root,
                         rw_code_text(rc));
    if (rc == RW_OK && (rc = rw_leftovers_remove(b->env, &v.meta, dir, &c->leftovers)) != RW_OK)
        (void)rw_err_set(ret_err, rc, "cannot tidy up %s: %s", root, rw_code_text(rc));
    if (rc == RW_OK) {
        if (!c->leftovers)
            rw_meta_forget_removed(&v.meta, 0);
        rc = note_start(c, &v, was_clean);
        if (rc)
            (void)rw_err_set(ret_err, rc, "cannot write the metadata log in %s: %s", root,
                             rw_code_text(rc));
    }
    if (rc == RW_OK && snapshot_due(c))
        tell(c, rw_metalog_snapshot(&c->store, &v.meta, rw_wall_ms(b->env->clock)));
    rw_view_deinit(&v);
    if (rc)
        (void)rw_controller_close(c);
    return rc;
}

int rw_controller_close(struct rw_controller *c)
{
    int rc = rw_metalog_close(&c->store);
    rw_buf_deinit(&c->boot);
    return rc;
}
