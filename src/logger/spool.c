/* The spool's directory: whose it is, its lanes, and what a kill has left unfinished. */
#include "logger/spool.h"

#include <stdio.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "log/path.h"

/* The same until the machine is started again: what was written and not synced is still there then. Zeros where the system does not
 * tell, which is the same for ever. */
static void read_boot(const struct rw_env *env, uint8_t boot[RW_LG_BOOT])
{
    char text[64] = {0};
    struct rw_file *f;
    size_t n = 0, at = 0;
    memset(boot, 0, RW_LG_BOOT);
    if (rw_vfs_open(env->vfs, "/proc/sys/kernel/random/boot_id", RW_OPEN_READ, &f))
        return;
    if (rw_file_read_at(f, 0, text, sizeof(text) - 1, &n))
        n = 0;
    rw_file_close(f);
    for (size_t i = 0; i < n && at < RW_LG_BOOT * 2; i++) {
        int digit = text[i] >= '0' && text[i] <= '9'   ? text[i] - '0'
                    : text[i] >= 'a' && text[i] <= 'f' ? text[i] - 'a' + 10
                                                       : -1;
        if (digit < 0)
            continue;
        boot[at / 2] = (uint8_t)(boot[at / 2] << 4 | digit);
        at++;
    }
}

static int path_of(const struct rw_lg_spool_options *o, unsigned n, char *ret)
{
    int len = n ? snprintf(ret, RW_LG_SPOOL_PATH, "%s/%s.%u", o->dir, o->name, n)
                : snprintf(ret, RW_LG_SPOOL_PATH, "%s/%s", o->dir, o->name);
    return len < 0 || len >= RW_LG_SPOOL_PATH ? RW_E_TOO_BIG : RW_OK;
}

/* With all that is above it. */
static int make_dirs(const struct rw_env *env, const char *path)
{
    char part[RW_LG_SPOOL_PATH];
    int rc = RW_OK;
    for (size_t i = 1; !rc && i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        struct rw_stat st;
        if (env->vfs->ops->stat(env->vfs, part, &st) == RW_OK)
            continue;
        rc = env->vfs->ops->mkdir(env->vfs, part);
        rc = rc == RW_E_EXISTS ? RW_OK : rc;
    }
    return rc;
}

static int take_lock(struct rw_lg_spool *s)
{
    struct rw_path path;
    int rc = rw_path_join(&path, s->path, ".lock", NULL);
    if (!rc)
        rc = rw_vfs_open(s->env->vfs, path.s, RW_OPEN_WRITE | RW_OPEN_CREATE, &s->held);
    if (!rc)
        rc = s->held->ops->lock(s->held);
    return rc;
}

static int open_intent(struct rw_lg_spool *s)
{
    struct rw_path path;
    struct rw_stat st;
    bool found;
    int rc = rw_path_join(&path, s->path, "intent", NULL);
    if (!rc)
        rc = rw_lg_slot_open(&s->slot, s->env, path.s, &s->intent, sizeof(s->intent), &found);
    if (!rc)
        rc = s->env->vfs->ops->stat(s->env->vfs, path.s, &st);
    if (!rc)
        s->id = st.id;
    return rc;
}

/* ---- lanes ---- */

static int see_lane(void *arg, const char *name)
{
    struct rw_lg_spool *s = arg;
    char topic[512];
    int32_t number;
    if (strlen(name) >= sizeof(topic) || !rw_name_partition(name, topic, &number) ||
        strlen(topic) >= RW_LG_TOPIC)
        return RW_OK;
    if (s->n_lanes == RW_LG_LANES)
        return RW_OK; /* of topics that were; it stays until others are gone */
    int rc = rw_lg_lane_open(s, topic, number, &s->lanes[s->n_lanes]);
    s->n_lanes += !rc;
    return rc;
}

int rw_lg_spool_lane(struct rw_lg_spool *s, const char *topic, int32_t number,
                     struct rw_lg_lane **ret_lane)
{
    int rc = RW_OK;
    pthread_mutex_lock(&s->lock);
    unsigned i = 0;
    while (i < s->n_lanes &&
           (s->lanes[i]->number != number || strcmp(s->lanes[i]->topic, topic) != 0))
        i++;
    if (i == s->n_lanes)
        rc = i == RW_LG_LANES ? RW_E_LIMIT : rw_lg_lane_open(s, topic, number, &s->lanes[i]);
    if (!rc) {
        s->n_lanes = i == s->n_lanes ? i + 1 : s->n_lanes;
        *ret_lane = s->lanes[i];
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* The last chunk: all of its lanes have what they were to have, or it is taken away from those that do. After a restart of the machine
 * nothing can be said of it, and what is there stays. */
static int finish_intent(struct rw_lg_spool *s)
{
    struct rw_lg_intent *in = &s->intent;
    bool whole = true;
    int rc = RW_OK;
    if (memcmp(in->boot, s->boot, RW_LG_BOOT) != 0 || in->n > RW_LG_LANES)
        return RW_OK;
    for (int pass = 0; pass < 2 && !rc; pass++) {
        for (uint32_t k = 0; k < in->n && !rc; k++) {
            struct rw_lg_lane *l = NULL;
            for (unsigned i = 0; i < s->n_lanes; i++)
                if (s->lanes[i]->number == in->lanes[k].number &&
                    rw_crc32c(0, s->lanes[i]->topic, strlen(s->lanes[i]->topic)) ==
                        in->lanes[k].topic)
                    l = s->lanes[i];
            if (pass == 0)
                whole &= l && rw_log_end(l->log) >= in->lanes[k].after;
            else if (!whole && l)
                rc = rw_lg_lane_cut(l, in->lanes[k].before);
        }
    }
    if (rc || whole)
        return rc;
    in->undone = in->number;
    in->n = 0;
    return rw_lg_slot_store(&s->slot, in, sizeof(*in), false);
}

/* ---- opening ---- */

static int open_dir(struct rw_lg_spool *s)
{
    int rc = take_lock(s);
    if (!rc)
        rc = open_intent(s);
    if (!rc)
        rc = s->env->vfs->ops->list(s->env->vfs, s->path, see_lane, s);
    return rc ? rc : finish_intent(s);
}

/* A spool can not become larger than its disk: its segments are a sixteenth of what there is. */
static void fit_disk(struct rw_lg_spool *s)
{
    struct rw_space space;
    if (s->env->vfs->ops->space(s->env->vfs, s->path, &space) == RW_OK && space.total > 0 &&
        space.total < (uint64_t)s->o.bytes)
        s->o.bytes = (int64_t)space.total;
}

/* Looked at without its lock: a process that is just making it would find it held, and make another one. */
static int was_used(const struct rw_env *env, const char *dir)
{
    struct rw_path path;
    struct rw_stat st;
    int rc = rw_path_join(&path, dir, "intent", NULL);
    return rc ? rc : env->vfs->ops->stat(env->vfs, path.s, &st);
}

static int open_number(const struct rw_env *env, const struct rw_lg_spool_options *options,
                       unsigned n, bool make, struct rw_lg_spool **ret_spool)
{
    struct rw_lg_spool *s = rw_zalloc(sizeof(*s));
    if (!s)
        return RW_E_NOMEM;
    s->env = env;
    s->o = *options;
    read_boot(env, s->boot);
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        rw_free(s);
        return RW_E_NOMEM;
    }
    int rc = path_of(options, n, s->path);
    if (!rc)
        rc = make ? make_dirs(env, s->path) : was_used(env, s->path);
    if (!rc) {
        fit_disk(s);
        rc = open_dir(s);
    }
    if (rc) {
        rw_lg_spool_close(s);
        return rc;
    }
    *ret_spool = s;
    return RW_OK;
}

int rw_lg_spool_open(const struct rw_env *env, const struct rw_lg_spool_options *options,
                     struct rw_lg_spool **ret_spool, struct rw_err *ret_err)
{
    int rc = RW_E_LOCKED;
    for (unsigned n = 0; n < RW_LG_SPOOLS && rc == RW_E_LOCKED; n++)
        rc = open_number(env, options, n, true, ret_spool);
    return rc ? rw_err_set(ret_err, rc, "spool.dir: %s/%s: %s", options->dir, options->name,
                           rw_code_text(rc))
              : RW_OK;
}

static bool waits(const struct rw_lg_spool *s)
{
    for (unsigned i = 0; i < s->n_lanes; i++)
        if (s->lanes[i]->at.acked < s->lanes[i]->ready)
            return true;
    return false;
}

int rw_lg_spool_adopt(const struct rw_env *env, const struct rw_lg_spool_options *options,
                      unsigned n, struct rw_lg_spool **ret_spool)
{
    int rc = open_number(env, options, n, false, ret_spool);
    if (rc || waits(*ret_spool))
        return rc;
    rw_lg_spool_close(*ret_spool);
    return RW_E_NOT_FOUND;
}

void rw_lg_spool_close(struct rw_lg_spool *s)
{
    for (unsigned i = 0; i < s->n_lanes; i++)
        rw_lg_lane_close(s->lanes[i]);
    rw_lg_slot_close(&s->slot);
    rw_file_close(s->held);
    pthread_mutex_destroy(&s->lock);
    rw_free(s);
}

/* ---- after a kill ---- */

bool rw_lg_spool_has(const struct rw_env *env, const struct rw_lg_spool_options *options,
                     uint64_t id, uint64_t number)
{
    for (unsigned n = 0; n < RW_LG_SPOOLS; n++) {
        char dir[RW_LG_SPOOL_PATH];
        struct rw_path path;
        struct rw_stat st;
        struct rw_lg_intent in;
        if (path_of(options, n, dir) || rw_path_join(&path, dir, "intent", NULL) ||
            env->vfs->ops->stat(env->vfs, path.s, &st) || st.id != id)
            continue;
        return rw_lg_slot_read(env, path.s, &in, sizeof(in)) == RW_OK && number <= in.number &&
               number != in.undone;
    }
    return false;
}
