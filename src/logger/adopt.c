/* Records of a dead process, in this one's journal: their call sites and loggers get numbers of this process. */
#include "logger/adopt.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "env/env.h"
#include "logger/rescue.h"
#include "logger/site.h"
#include "os/os.h"

/* What numbers of the dead process are here. */
struct names {
    uint32_t *sites; /* pairs: there, here */
    size_t n, cap;
    uint8_t skip[256]; /* by the dead process's bits */
};

static uint32_t site_here(struct rw_lg_adoption *a, struct names *n, const struct rw_lg_map *dead,
                          uint32_t there)
{
    for (size_t i = 0; i < n->n; i += 2)
        if (n->sites[i] == there)
            return n->sites[i + 1];
    const struct rw_lg_site *site = rw_lg_site_find(dead, there);
    uint32_t here = site ? rw_lg_site_adopt(a->collector->map, site) : 0;
    if (!here)
        return 0;
    uint32_t *grown = rw_array_grow(n->sites, n->n + 2, &n->cap, sizeof(*n->sites));
    if (!grown)
        return 0;
    n->sites = grown;
    n->sites[n->n++] = there;
    n->sites[n->n++] = here;
    return here;
}

/* Appenders are the same when they have the same name. */
static void match_appenders(struct rw_lg_adoption *a, const struct rw_lg_map *dead, struct names *n)
{
    const struct rw_lg_shared *h = rw_lg_header(dead);
    for (unsigned bits = 0; bits < 256; bits++)
        for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
            for (unsigned j = 0; bits >> i & 1 && j < a->n_appenders; j++)
                if (strncmp(h->cursors[i].name, a->appenders[j].o.name, RW_LG_NAME) == 0)
                    n->skip[bits] |= (uint8_t)(1u << a->appenders[j].slot);
}

static bool put(struct rw_lg_adoption *a, struct names *n, const struct rw_lg_map *dead,
                const struct rw_lg_entry *e, int64_t ns, uint8_t done)
{
    uint32_t site = site_here(a, n, dead, e->site);
    if (!site)
        return true; /* it can not be read: nothing to be had by trying again */
    struct rw_lg_entry *to;
    uint64_t floor;
    do
        if (!a->wait(a->arg, &floor))
            return false;
    while (!(to = rw_lg_collector_room(a->collector, floor, e->size)));
    memcpy(to, e, e->size);
    to->site = site;
    to->ticks = (uint64_t)ns;
    to->logger = (uint16_t)rollway_logger_get(rw_lg_logger_name(dead, e->logger))->id;
    to->skip = n->skip[done];
    rw_lg_collector_publish(a->collector, e->size);
    a->records++;
    return true;
}

/* Did the write come to be that was under way? */
static void settle(struct rw_lg_adoption *a, struct rw_lg_cursor *c)
{
    for (unsigned i = 0; i < a->n_appenders && c->intent; i++) {
        struct rw_lg_sink *sink = a->appenders[i].sink;
        if (strncmp(c->name, a->appenders[i].o.name, RW_LG_NAME) != 0 || !sink->ops->settled)
            continue;
        struct rw_lg_mark mark = {.device = c->device, .inode = c->inode, .offset = c->offset};
        if (sink->ops->settled(sink, &mark, c->length, c->hash) && c->done < c->upto)
            c->done = c->upto;
        c->intent = 0;
    }
}

static void settle_file(struct rw_lg_adoption *a, struct rw_lg_rescue *r)
{
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        settle(a, &rw_lg_header(&r->map)->cursors[i]);
    rw_lg_rescue_close(r, false);
}

static void adopt_file(struct rw_lg_adoption *a, struct rw_lg_rescue *r)
{
    struct names n = {.n = 0};
    match_appenders(a, &r->map, &n);
    const struct rw_lg_entry *e;
    int64_t ns;
    uint8_t done;
    bool fine = true;
    while (fine && (e = rw_lg_rescue_next(r, &ns, &done))) {
        fine = put(a, &n, &r->map, e, ns, done);
        if (fine)
            rw_lg_rescue_settle(r);
    }
    rw_free(n.sites);
    rw_lg_rescue_close(r, fine);
}

static void adopt_settled(struct rw_lg_adoption *a, struct rw_lg_rescue *r)
{
    bool doubtful = false;
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        doubtful |= rw_lg_header(&r->map)->cursors[i].intent != 0;
    if (doubtful)
        rw_lg_rescue_close(r, false);
    else
        adopt_file(a, r);
}

struct walk {
    struct rw_lg_adoption *a;
    void (*file)(struct rw_lg_adoption *a, struct rw_lg_rescue *r);
};

static bool ours(const struct rw_lg_adoption *a, const char *name)
{
    size_t n = strlen(a->name), all = strlen(name);
    return all >= n + 7 && strncmp(name, a->name, n) == 0 && name[n] == '.' &&
           strcmp(name + all - 6, ".rings") == 0;
}

static int each(void *arg, const char *name)
{
    struct walk *w = arg;
    char path[512];
    struct rw_lg_rescue r;
    if (!ours(w->a, name) ||
        snprintf(path, sizeof(path), "%s/%s", w->a->dir, name) >= (int)sizeof(path))
        return 0; /* not one of ours */
    int rc = rw_lg_rescue_open(path, &r, NULL);
    if (rc == RW_E_SHORT || rc == RW_E_CORRUPT)
        rw_os_shared_tidy(path); /* killed before anything was in it */
    w->a->held |= rc == RW_E_LOCKED;
    if (rc != RW_OK)
        return 0; /* or its process lives */
    if (strncmp(rw_lg_header(&r.map)->name, w->a->name, RW_LG_NAME) == 0)
        w->file(w->a, &r);
    else
        rw_lg_rescue_close(&r, false);
    return 0;
}

static void walk(struct rw_lg_adoption *a,
                 void (*file)(struct rw_lg_adoption *a, struct rw_lg_rescue *r))
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct walk w = {a, file};
    (void)vfs->ops->list(vfs, a->dir, each, &w);
}

void rw_lg_adopt_settle(struct rw_lg_adoption *a)
{
    walk(a, settle_file);
}

void rw_lg_adopt(struct rw_lg_adoption *a)
{
    walk(a, adopt_file);
}

void rw_lg_adopt_settled(struct rw_lg_adoption *a)
{
    walk(a, adopt_settled);
}
