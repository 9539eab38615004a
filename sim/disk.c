/*
 * The operations of the simulated disk: the current state of files and names, faults on demand, and
 * the trace. What survives a power cut is decided in disk_state.c.
 *
 * Invariants: `used` is what the current names and open handles take; every counted operation goes
 * through begin() and finish(), so that cuts, faults and the trace miss none.
 */
#include "sim/disk_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/mem.h"

struct sim_file {
    struct rw_file file; /* first: the interface */
    struct sim_inode *inode;
    bool writable;
    bool sync_failed;
    char path[];
};

static struct rw_sim_disk *disk_of(struct rw_vfs *v)
{
    return (struct rw_sim_disk *)v;
}

static struct sim_file *file_of(struct rw_file *f)
{
    return (struct sim_file *)f;
}

/* ---- counting, faults, trace ---- */

struct step {
    enum rw_sim_op op;
    bool run;  /* the operation takes effect (maybe in part: see `part`) */
    bool part; /* of a write: only a prefix */
    int code;  /* what it answers in the end, if not its own result */
};

static bool due(uint64_t *seen, uint64_t at)
{
    return ++*seen == at;
}

static void trace(struct rw_sim_disk *d, uint64_t v)
{
    d->stats.trace = (d->stats.trace ^ v) * 1099511628211u;
}

static struct step begin(struct rw_sim_disk *d, enum rw_sim_op op, const char *path)
{
    struct step s = {op, true, false, RW_OK};
    if (d->cut)
        return (struct step){op, false, false, RW_E_IO};
    if (d->watch)
        d->watch(d->watch_arg, op, path);
    d->stats.ops[op]++;
    trace(d, (uint64_t)op + 1);
    trace(d, rw_crc32c(0, path, strlen(path)));
    bool is_sync = op == RW_SIM_OP_SYNC || op == RW_SIM_OP_SYNC_DIR;
    if (op == RW_SIM_OP_WRITE || op == RW_SIM_OP_RESERVE || op == RW_SIM_OP_OPEN)
        if (due(&d->seen.full_at, d->faults.full_at))
            s = (struct step){op, op == RW_SIM_OP_WRITE, true, RW_E_FULL};
    if ((op == RW_SIM_OP_READ && due(&d->seen.read_at, d->faults.read_at)) ||
        (op == RW_SIM_OP_WRITE && due(&d->seen.write_at, d->faults.write_at)) ||
        (is_sync && due(&d->seen.sync_at, d->faults.sync_at)))
        s = (struct step){op, op == RW_SIM_OP_WRITE, true, RW_E_IO};
    if (op != RW_SIM_OP_READ) {
        d->stats.changes++;
        if (due(&d->seen.cut_at, d->faults.cut_at)) {
            d->cut = true;
            /* A write or a name is now in the cache for the cut to gamble with; a sync had either
             * just ended or not begun. */
            s = (struct step){op, !is_sync || rw_sim_rand_chance(&d->rand, 50), false, RW_E_IO};
        }
    }
    return s;
}

static int finish(struct rw_sim_disk *d, const struct step *s, int code)
{
    if (s->code != RW_OK)
        code = s->code;
    trace(d, (uint64_t)-code);
    return code;
}

/* ---- space ---- */

static uint64_t blocks(uint64_t size)
{
    return (size + SIM_BLOCK - 1) / SIM_BLOCK * SIM_BLOCK;
}

static uint64_t space_left(const struct rw_sim_disk *d)
{
    if (d->options.capacity == 0)
        return (uint64_t)1 << 40;
    return d->options.capacity > d->stats.used ? d->options.capacity - d->stats.used : 0;
}

static bool allocate(struct rw_sim_disk *d, struct sim_inode *i, uint64_t size)
{
    if (blocks(size) <= i->allocated)
        return true;
    if (blocks(size) - i->allocated > space_left(d))
        return false;
    d->stats.used += blocks(size) - i->allocated;
    i->allocated = blocks(size);
    return true;
}

/* Nobody can see the file any more: its space is free. The content stays, because the durable names
 * may still lead to it. */
static void release_if_gone(struct rw_sim_disk *d, struct sim_inode *i)
{
    if (i->names || i->handles)
        return;
    RW_ASSERT(d->stats.used >= i->allocated + SIM_INODE_COST);
    d->stats.used -= i->allocated + SIM_INODE_COST;
    i->allocated = 0;
}

/* ---- paths ---- */

struct target {
    struct sim_inode *dir;   /* the parent */
    char name[256];          /* "" for the root */
    struct sim_inode *inode; /* NULL: no such entry */
};

static int resolve(struct rw_sim_disk *d, const char *path, struct target *t)
{
    *t = (struct target){.dir = d->root, .inode = d->root};
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 0 || (n == 1 && *path == '.')) {
            path += n ? n : 1;
            continue;
        }
        if (!t->inode || !t->inode->is_dir)
            return RW_E_NOT_FOUND;
        if (n >= sizeof(t->name))
            return RW_E_INVAL;
        t->dir = t->inode;
        memcpy(t->name, path, n);
        t->name[n] = '\0';
        path += n;
        struct sim_entry *e = sim_find(&t->dir->entries_current, t->name);
        t->inode = e ? e->inode : NULL;
    }
    return RW_OK;
}

static void link_new(struct rw_sim_disk *d, struct target *t, bool is_dir)
{
    t->inode = sim_inode_new(d, is_dir);
    t->inode->names = 1;
    sim_entry_add(&t->dir->entries_current, t->name, t->inode);
    sim_name_op_add(d, NULL, NULL, t->dir, t->name, t->inode);
}

static void unlink_current(struct rw_sim_disk *d, const struct target *t)
{
    sim_entry_remove(sim_find(&t->dir->entries_current, t->name));
    t->inode->names--;
    release_if_gone(d, t->inode);
}

/* ---- content ---- */

static void update_maps(struct sim_inode *i, uint64_t at, uint64_t end)
{
    RW_LIST_EACH (l, &i->maps) {
        struct sim_map *m = RW_CONTAINER(l, struct sim_map, link);
        uint64_t to = end < m->n ? end : m->n;
        if (at < to)
            memcpy(m->p + at, i->current.p + at, to - at);
    }
}

static void set_size(struct rw_sim_disk *d, struct sim_inode *i, uint64_t size)
{
    uint64_t old = i->current.n;
    sim_content_resize(&i->current, size);
    sim_change_add(i, true, size, NULL, 0);
    if (size > old)
        update_maps(i, old, size);
    else
        RW_LIST_EACH (l, &i->maps) {
            struct sim_map *m = RW_CONTAINER(l, struct sim_map, link);
            if (size < m->n)
                memset(m->p + size, 0xdd, m->n - size);
        }
    if (i->allocated > blocks(size)) {
        d->stats.used -= i->allocated - blocks(size);
        i->allocated = blocks(size);
    }
}

static int open_run(struct rw_sim_disk *d, struct target *t, unsigned flags)
{
    if (!t->inode) {
        if (space_left(d) < SIM_INODE_COST)
            return RW_E_FULL;
        link_new(d, t, false);
    } else if (flags & RW_OPEN_TRUNC) {
        set_size(d, t->inode, 0);
    }
    return RW_OK;
}

static int sim_open(struct rw_vfs *v, const char *path, unsigned flags, struct rw_file **ret_file)
{
    struct rw_sim_disk *d = disk_of(v);
    struct target t;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, path, &t);
    if (code)
        return code;
    if (!t.inode && !(flags & RW_OPEN_CREATE))
        return RW_E_NOT_FOUND;
    if (t.inode && (flags & RW_OPEN_CREATE) && (flags & RW_OPEN_EXCL))
        return RW_E_EXISTS;
    if (t.inode && t.inode->is_dir)
        return RW_E_INVAL;
    if (!t.inode || (flags & RW_OPEN_TRUNC)) {
        struct step s = begin(d, RW_SIM_OP_OPEN, path);
        if (s.run)
            code = open_run(d, &t, flags);
        code = finish(d, &s, code);
        if (code)
            return code;
    }
    size_t n = strlen(path) + 1;
    struct sim_file *f = rw_alloc(sizeof(*f) + n);
    if (!f)
        return RW_E_NOMEM;
    *f = (struct sim_file){.file = {.ops = v->ops, .vfs = v},
                           .inode = t.inode,
                           .writable = (flags & RW_OPEN_WRITE) != 0};
    memcpy(f->path, path, n);
    t.inode->handles++;
    d->handles++;
    *ret_file = &f->file;
    return RW_OK;
}

static void sim_close(struct rw_file *f)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct sim_inode *i = file_of(f)->inode;
    if (i->locked_by == file_of(f))
        i->locked_by = NULL;
    i->handles--;
    d->handles--;
    release_if_gone(d, i);
    rw_free(file_of(f));
}

static int sim_read_at(struct rw_file *f, uint64_t at, void *p, size_t n, size_t *ret_n)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct step s = begin(d, RW_SIM_OP_READ, file_of(f)->path);
    if (s.code)
        return finish(d, &s, RW_OK);
    file_of(f)->inode->evicted = false;
    const struct rw_buf *c = &file_of(f)->inode->current;
    size_t left = at < c->n ? c->n - (size_t)at : 0;
    if (n > left)
        n = left;
    if (n)
        memcpy(p, c->p + at, n);
    trace(d, at);
    trace(d, n);
    *ret_n = n;
    return finish(d, &s, RW_OK);
}

static int sim_write_at(struct rw_file *f, uint64_t at, const struct rw_iov *iov, size_t n_iov)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct sim_inode *i = file_of(f)->inode;
    struct step s = begin(d, RW_SIM_OP_WRITE, file_of(f)->path);
    if (!file_of(f)->writable)
        return finish(d, &s, RW_E_INVAL);
    if (!s.run)
        return finish(d, &s, RW_OK);
    struct rw_buf all;
    rw_buf_init(&all);
    for (size_t k = 0; k < n_iov; k++)
        rw_buf_add(&all, iov[k].p, iov[k].n);
    RW_ASSERT(!all.failed);
    int code = RW_OK;
    size_t n = all.n;
    if (s.part)
        n = (size_t)rw_sim_rand_below(&d->rand, n + 1);
    if (n && !allocate(d, i, at + n)) {
        uint64_t room = i->allocated + space_left(d) / SIM_BLOCK * SIM_BLOCK;
        n = room > at ? (size_t)(room - at) : 0;
        code = RW_E_FULL;
        RW_ASSERT(n == 0 || allocate(d, i, at + n));
    }
    trace(d, at);
    trace(d, rw_crc32c(0, all.p, n));
    uint64_t old = i->current.n;
    i->evicted = false;
    i->mtime_ms = 1704067200000 + (int64_t)d->stats.changes; /* later writes look later */
    sim_content_write(&i->current, at, all.p, n);
    if (n) {
        sim_change_add(i, false, at, all.p, n);
        update_maps(i, old < at ? old : at, at + n);
    }
    rw_buf_deinit(&all);
    return finish(d, &s, code);
}

static int sim_sync(struct rw_file *f)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct sim_inode *i = file_of(f)->inode;
    struct step s = begin(d, RW_SIM_OP_SYNC, file_of(f)->path);
    if (file_of(f)->sync_failed)
        return finish(d, &s, RW_E_IO);
    if (s.code && !d->cut) {
        sim_changes_gamble(d, i);
        file_of(f)->sync_failed = true;
    } else if (s.run && !d->faults.sync_lies) {
        sim_changes_commit(i);
    }
    return finish(d, &s, RW_OK);
}

static int sim_truncate(struct rw_file *f, uint64_t size)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct step s = begin(d, RW_SIM_OP_TRUNCATE, file_of(f)->path);
    trace(d, size);
    if (!file_of(f)->writable)
        return finish(d, &s, RW_E_INVAL);
    if (s.run)
        set_size(d, file_of(f)->inode, size);
    return finish(d, &s, RW_OK);
}

static int sim_reserve(struct rw_file *f, uint64_t size)
{
    struct rw_sim_disk *d = disk_of(f->vfs);
    struct step s = begin(d, RW_SIM_OP_RESERVE, file_of(f)->path);
    trace(d, size);
    int code = RW_OK;
    if (s.run && !allocate(d, file_of(f)->inode, size))
        code = RW_E_FULL;
    return finish(d, &s, code);
}

static int sim_size(struct rw_file *f, uint64_t *ret_size)
{
    if (disk_of(f->vfs)->cut)
        return RW_E_IO;
    *ret_size = file_of(f)->inode->current.n;
    return RW_OK;
}

static int sim_map(struct rw_file *f, size_t n, const void **ret_p)
{
    struct sim_inode *i = file_of(f)->inode;
    if (disk_of(f->vfs)->cut)
        return RW_E_IO;
    if (n == 0)
        return RW_E_INVAL;
    struct sim_map *m = rw_zalloc(sizeof(*m));
    uint8_t *p = m ? rw_alloc(n) : NULL;
    if (!p) {
        rw_free(m);
        return RW_E_NOMEM;
    }
    memset(p, 0xdd, n); /* nobody may rely on what lies past the end */
    *m = (struct sim_map){.n = n, .p = p};
    rw_list_push(&i->maps, &m->link);
    update_maps(i, 0, i->current.n);
    *ret_p = p;
    return RW_OK;
}

static void sim_unmap(struct rw_file *f, const void *p, size_t n)
{
    RW_LIST_EACH (l, &file_of(f)->inode->maps) {
        struct sim_map *m = RW_CONTAINER(l, struct sim_map, link);
        if (m->p == p) {
            RW_ASSERT(m->n == n);
            rw_list_remove(&m->link);
            rw_free(m->p);
            rw_free(m);
            return;
        }
    }
    RW_ASSERT(!"unmap of what is not mapped");
}

static int sim_lock(struct rw_file *f)
{
    struct sim_inode *i = file_of(f)->inode;
    if (disk_of(f->vfs)->cut)
        return RW_E_IO;
    if (i->locked_by && i->locked_by != file_of(f))
        return RW_E_LOCKED;
    i->locked_by = file_of(f);
    return RW_OK;
}

/* The kernel gives up whole pages, more or fewer than those asked for: here all of the file's. */
static void sim_advise(struct rw_file *f, uint64_t at, uint64_t n, bool will_need)
{
    struct sim_inode *i = file_of(f)->inode;
    (void)at;
    (void)n;
    if (will_need || disk_of(f->vfs)->options.keeps_cache)
        return;
    sim_changes_reread(i);
    update_maps(i, 0, i->current.n);
    i->evicted = true;
}

static bool sim_is_cached(struct rw_file *f, uint64_t at, uint64_t n)
{
    (void)at;
    (void)n;
    return !file_of(f)->inode->evicted;
}

/* ---- names ---- */

static bool is_below(const struct sim_inode *dir, const struct sim_inode *maybe)
{
    RW_LIST_EACH (l, &dir->entries_current) {
        const struct sim_inode *i = RW_CONTAINER(l, struct sim_entry, link)->inode;
        if (i == maybe || is_below(i, maybe))
            return true;
    }
    return false;
}

static int rename_check(const struct target *from, const struct target *to)
{
    if (!from->inode)
        return RW_E_NOT_FOUND;
    if (!from->name[0] || !to->name[0])
        return RW_E_LOCKED;
    if (from->inode->is_dir && (from->inode == to->dir || is_below(from->inode, to->dir)))
        return RW_E_INVAL;
    if (to->inode && to->inode->is_dir != from->inode->is_dir)
        return to->inode->is_dir ? RW_E_INVAL : RW_E_NOT_FOUND;
    if (to->inode && to->inode->is_dir && !rw_list_empty(&to->inode->entries_current))
        return RW_E_EXISTS;
    return RW_OK;
}

static int sim_rename(struct rw_vfs *v, const char *from_path, const char *to_path)
{
    struct rw_sim_disk *d = disk_of(v);
    struct target from, to;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, from_path, &from);
    if (!code)
        code = resolve(d, to_path, &to);
    if (!code)
        code = rename_check(&from, &to);
    if (code)
        return code;
    struct step s = begin(d, RW_SIM_OP_RENAME, from_path);
    trace(d, rw_crc32c(0, to_path, strlen(to_path)));
    if (s.run && from.inode != to.inode) {
        if (to.inode)
            unlink_current(d, &to);
        sim_entry_remove(sim_find(&from.dir->entries_current, from.name));
        sim_entry_add(&to.dir->entries_current, to.name, from.inode);
        sim_name_op_add(d, from.dir, from.name, to.dir, to.name, from.inode);
    }
    return finish(d, &s, RW_OK);
}

static int remove_name(struct rw_sim_disk *d, enum rw_sim_op op, const char *path,
                       const struct target *t)
{
    struct step s = begin(d, op, path);
    if (s.run) {
        sim_name_op_add(d, t->dir, t->name, NULL, NULL, NULL);
        unlink_current(d, t);
    }
    return finish(d, &s, RW_OK);
}

static int sim_unlink(struct rw_vfs *v, const char *path)
{
    struct rw_sim_disk *d = disk_of(v);
    struct target t;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, path, &t);
    if (!code && !t.inode)
        code = RW_E_NOT_FOUND;
    if (!code && t.inode->is_dir)
        code = RW_E_INVAL;
    return code ? code : remove_name(d, RW_SIM_OP_UNLINK, path, &t);
}

static int sim_mkdir(struct rw_vfs *v, const char *path)
{
    struct rw_sim_disk *d = disk_of(v);
    struct target t;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, path, &t);
    if (code || t.inode)
        return code ? code : RW_E_EXISTS;
    struct step s = begin(d, RW_SIM_OP_MKDIR, path);
    if (s.run && space_left(d) < SIM_INODE_COST)
        code = RW_E_FULL;
    else if (s.run)
        link_new(d, &t, true);
    return finish(d, &s, code);
}

static int sim_rmdir(struct rw_vfs *v, const char *path)
{
    struct rw_sim_disk *d = disk_of(v);
    struct target t;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, path, &t);
    if (!code && (!t.inode || !t.inode->is_dir))
        code = RW_E_NOT_FOUND;
    if (!code && !t.name[0])
        code = RW_E_LOCKED;
    if (!code && !rw_list_empty(&t.inode->entries_current))
        code = RW_E_EXISTS;
    return code ? code : remove_name(d, RW_SIM_OP_RMDIR, path, &t);
}

static int find_dir(struct rw_sim_disk *d, const char *path, struct sim_inode **ret_dir)
{
    struct target t;
    if (d->cut)
        return RW_E_IO;
    int code = resolve(d, path, &t);
    if (!code && (!t.inode || !t.inode->is_dir))
        code = RW_E_NOT_FOUND;
    if (!code)
        *ret_dir = t.inode;
    return code;
}

static int sim_sync_dir(struct rw_vfs *v, const char *path)
{
    struct rw_sim_disk *d = disk_of(v);
    struct sim_inode *dir = NULL;
    int code = find_dir(d, path, &dir);
    if (code)
        return code;
    struct step s = begin(d, RW_SIM_OP_SYNC_DIR, path);
    if (s.run && !d->faults.sync_dir_lies)
        sim_names_commit(d, dir);
    return finish(d, &s, RW_OK);
}

/* each() may change the directory, so the names are copied first. */
static int sim_list(struct rw_vfs *v, const char *path, int (*each)(void *arg, const char *name),
                    void *arg)
{
    struct sim_inode *dir = NULL;
    int code = find_dir(disk_of(v), path, &dir);
    if (code)
        return code;
    struct rw_buf names;
    rw_buf_init(&names);
    RW_LIST_EACH (l, &dir->entries_current) {
        const char *name = RW_CONTAINER(l, struct sim_entry, link)->name;
        rw_buf_add(&names, name, strlen(name) + 1);
    }
    if (names.failed)
        code = RW_E_NOMEM;
    for (size_t at = 0; at < names.n && code == RW_OK; at += strlen((char *)names.p + at) + 1)
        code = each(arg, (const char *)names.p + at);
    rw_buf_deinit(&names);
    return code;
}

static int sim_stat(struct rw_vfs *v, const char *path, struct rw_stat *ret_stat)
{
    struct target t;
    if (disk_of(v)->cut)
        return RW_E_IO;
    int code = resolve(disk_of(v), path, &t);
    if (code || !t.inode)
        return code ? code : RW_E_NOT_FOUND;
    *ret_stat = (struct rw_stat){.size = t.inode->current.n,
                                 .allocated = t.inode->allocated,
                                 .mtime_ms = t.inode->mtime_ms,
                                 .id = t.inode->id,
                                 .is_dir = t.inode->is_dir};
    return RW_OK;
}

static int sim_space(struct rw_vfs *v, const char *path, struct rw_space *ret_space)
{
    struct rw_sim_disk *d = disk_of(v);
    (void)path;
    if (d->cut)
        return RW_E_IO;
    uint64_t left = space_left(d);
    *ret_space = (struct rw_space){.total = d->options.capacity ? d->options.capacity : left,
                                   .available = left};
    return RW_OK;
}

static const struct rw_vfs_ops ops = {
    .open = sim_open,
    .close = sim_close,
    .read_at = sim_read_at,
    .write_at = sim_write_at,
    .sync_data = sim_sync,
    .sync_full = sim_sync,
    .truncate = sim_truncate,
    .reserve = sim_reserve,
    .size = sim_size,
    .map = sim_map,
    .unmap = sim_unmap,
    .lock = sim_lock,
    .advise = sim_advise,
    .is_cached = sim_is_cached,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .mkdir = sim_mkdir,
    .rmdir = sim_rmdir,
    .sync_dir = sim_sync_dir,
    .list = sim_list,
    .stat = sim_stat,
    .space = sim_space,
};

/* ---- the disk itself ---- */

struct rw_sim_disk *rw_sim_disk_new(uint64_t seed, const struct rw_sim_disk_options *options)
{
    struct rw_sim_disk *d = rw_zalloc(sizeof(*d));
    if (!d)
        return NULL;
    d->vfs.ops = &ops;
    d->options = options ? *options : (struct rw_sim_disk_options){0};
    d->stats.trace = 14695981039346656037u;
    rw_sim_rand_init(&d->rand, seed);
    rw_list_init(&d->inodes);
    rw_list_init(&d->name_ops);
    d->root = sim_inode_new(d, true);
    d->root->names = 1;
    return d;
}

void rw_sim_disk_free(struct rw_sim_disk *d)
{
    if (!d)
        return;
    RW_ASSERT(d->handles == 0);
    sim_names_gamble(d);
    while (!rw_list_empty(&d->inodes))
        sim_inode_free(d, RW_CONTAINER(d->inodes.next, struct sim_inode, link));
    rw_free(d);
}

struct rw_vfs *rw_sim_disk_vfs(struct rw_sim_disk *d)
{
    return &d->vfs;
}

void rw_sim_disk_arm(struct rw_sim_disk *d, const struct rw_sim_faults *faults)
{
    d->faults = *faults;
    d->seen = (struct rw_sim_faults){0};
}

bool rw_sim_disk_is_cut(const struct rw_sim_disk *d)
{
    return d->cut;
}

void rw_sim_disk_restart(struct rw_sim_disk *d, uint64_t seed)
{
    RW_ASSERT(d->handles == 0);
    rw_sim_rand_init(&d->rand, seed);
    RW_LIST_EACH (l, &d->inodes)
        sim_changes_gamble(d, RW_CONTAINER(l, struct sim_inode, link));
    sim_names_gamble(d);
    sim_reload(d);
    d->cut = false;
    rw_sim_disk_arm(d, &(struct rw_sim_faults){0});
}

void rw_sim_disk_revive(struct rw_sim_disk *d)
{
    RW_ASSERT(d->handles == 0);
    d->cut = false;
    rw_sim_disk_arm(d, &(struct rw_sim_faults){0});
}

int rw_sim_disk_rot(struct rw_sim_disk *d, const char *path, uint64_t at, uint8_t mask)
{
    struct target t;
    int code = resolve(d, path, &t);
    if (code || !t.inode || t.inode->is_dir)
        return code ? code : RW_E_NOT_FOUND;
    if (at >= t.inode->current.n)
        return RW_E_RANGE;
    sim_changes_commit(t.inode);
    t.inode->current.p[at] ^= mask;
    if (at < t.inode->durable.n)
        t.inode->durable.p[at] = t.inode->current.p[at];
    update_maps(t.inode, at, at + 1);
    return RW_OK;
}

void rw_sim_disk_set_capacity(struct rw_sim_disk *d, uint64_t capacity)
{
    d->options.capacity = capacity;
}

void rw_sim_disk_stats(const struct rw_sim_disk *d, struct rw_sim_disk_stats *ret_stats)
{
    *ret_stats = d->stats;
}

void rw_sim_disk_watch(struct rw_sim_disk *d,
                       void (*watch)(void *arg, enum rw_sim_op op, const char *path), void *arg)
{
    d->watch = watch;
    d->watch_arg = arg;
}
