/*
 * The simulated disk's two states, current and durable, and how one becomes the other: by a sync, or
 * by what a power cut leaves.
 *
 * Invariants: `durable` content plus `changes` in order gives `current`, unless a sync failed; durable
 * entries plus `name_ops` in order gives the current entries.
 */
#include "sim/disk_impl.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

struct sim_inode *sim_inode_new(struct rw_sim_disk *d, bool is_dir)
{
    struct sim_inode *i = rw_zalloc(sizeof(*i));
    RW_ASSERT(i);
    i->id = d->next_id++;
    i->is_dir = is_dir;
    rw_buf_init(&i->current);
    rw_buf_init(&i->durable);
    rw_list_init(&i->changes);
    rw_list_init(&i->maps);
    rw_list_init(&i->entries_current);
    rw_list_init(&i->entries_durable);
    rw_list_push(&d->inodes, &i->link);
    d->stats.used += SIM_INODE_COST;
    return i;
}

static void changes_drop(struct sim_inode *i)
{
    for (struct rw_link *l; (l = rw_list_pop(&i->changes));)
        rw_free(RW_CONTAINER(l, struct sim_change, link));
}

static void entries_drop(struct rw_link *entries)
{
    while (!rw_list_empty(entries))
        sim_entry_remove(RW_CONTAINER(entries->next, struct sim_entry, link));
}

void sim_inode_free(struct rw_sim_disk *d, struct sim_inode *i)
{
    RW_ASSERT(rw_list_empty(&i->maps));
    (void)d;
    rw_list_remove(&i->link);
    changes_drop(i);
    entries_drop(&i->entries_current);
    entries_drop(&i->entries_durable);
    rw_buf_deinit(&i->current);
    rw_buf_deinit(&i->durable);
    rw_free(i);
}

struct sim_entry *sim_find(struct rw_link *entries, const char *name)
{
    RW_LIST_EACH (l, entries) {
        struct sim_entry *e = RW_CONTAINER(l, struct sim_entry, link);
        if (!strcmp(e->name, name))
            return e;
    }
    return NULL;
}

void sim_entry_add(struct rw_link *entries, const char *name, struct sim_inode *inode)
{
    struct sim_entry *e = rw_zalloc(sizeof(*e));
    RW_ASSERT(e);
    e->name = rw_strdup(name);
    RW_ASSERT(e->name);
    e->inode = inode;
    rw_list_push(entries, &e->link);
}

void sim_entry_remove(struct sim_entry *e)
{
    rw_list_remove(&e->link);
    rw_free(e->name);
    rw_free(e);
}

void sim_content_resize(struct rw_buf *b, uint64_t size)
{
    if (size > b->n) {
        size_t grow = (size_t)size - b->n;
        uint8_t *p = rw_buf_extend(b, grow);
        RW_ASSERT(p);
        memset(p, 0, grow);
    }
    b->n = (size_t)size;
}

void sim_content_write(struct rw_buf *b, uint64_t at, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (at + n > b->n)
        sim_content_resize(b, at + n);
    memcpy(b->p + at, p, n);
}

void sim_change_add(struct sim_inode *i, bool is_truncate, uint64_t at, const void *p, size_t n)
{
    struct sim_change *c = rw_alloc(sizeof(*c) + n);
    RW_ASSERT(c);
    c->is_truncate = is_truncate;
    c->at = at;
    c->n = n;
    if (n)
        memcpy(c->data, p, n);
    rw_list_push(&i->changes, &c->link);
}

static void change_apply(struct rw_buf *b, const struct sim_change *c)
{
    if (c->is_truncate)
        sim_content_resize(b, c->at);
    else
        sim_content_write(b, c->at, c->data, c->n);
}

void sim_changes_reread(struct sim_inode *i)
{
    size_t size =
        i->current.n; /* the size is in the inode, which the cache of pages does not hold */
    i->current.n = 0;
    sim_content_write(&i->current, 0, i->durable.p, i->durable.n);
    RW_LIST_EACH (l, &i->changes)
        change_apply(&i->current, RW_CONTAINER(l, struct sim_change, link));
    sim_content_resize(&i->current, size);
}

void sim_changes_commit(struct sim_inode *i)
{
    RW_LIST_EACH (l, &i->changes)
        change_apply(&i->durable, RW_CONTAINER(l, struct sim_change, link));
    changes_drop(i);
    /* A size that a failed sync did not write: the inode is written again. */
    sim_content_resize(&i->durable, i->current.n);
}

/* Some sectors of one write arrive. The size may have been written although the data was not. */
static void change_tear(struct rw_sim_disk *d, struct rw_buf *b, const struct sim_change *c)
{
    unsigned keep_percent = (unsigned)rw_sim_rand_below(&d->rand, 101);
    for (uint64_t from = c->at; from < c->at + c->n;) {
        uint64_t to = (from / SIM_SECTOR + 1) * SIM_SECTOR;
        if (to > c->at + c->n)
            to = c->at + c->n;
        if (rw_sim_rand_chance(&d->rand, keep_percent))
            sim_content_write(b, from, c->data + (from - c->at), (size_t)(to - from));
        from = to;
    }
    if (c->at + c->n > b->n && rw_sim_rand_chance(&d->rand, 50))
        sim_content_resize(b, c->at + c->n);
}

/* Truncations are metadata: of one file they arrive in order, so after a lost one no other comes. */
void sim_changes_gamble(struct rw_sim_disk *d, struct sim_inode *i)
{
    bool truncate_lost = false;
    RW_LIST_EACH (l, &i->changes) {
        const struct sim_change *c = RW_CONTAINER(l, struct sim_change, link);
        uint64_t luck = rw_sim_rand_below(&d->rand, 3);
        if (c->is_truncate)
            truncate_lost |= luck == 0;
        if (c->is_truncate ? !truncate_lost : luck == 0)
            change_apply(&i->durable, c);
        else if (!c->is_truncate && luck == 1)
            change_tear(d, &i->durable, c);
    }
    changes_drop(i);
}

static struct sim_place place(struct sim_inode *dir, const char *name)
{
    struct sim_place p = {dir, dir ? rw_strdup(name) : NULL};
    RW_ASSERT(!dir || p.name);
    return p;
}

void sim_name_op_add(struct rw_sim_disk *d, struct sim_inode *from_dir, const char *from,
                     struct sim_inode *to_dir, const char *to, struct sim_inode *inode)
{
    struct sim_name_op *op = rw_zalloc(sizeof(*op));
    RW_ASSERT(op);
    op->from = place(from_dir, from);
    op->to = place(to_dir, to);
    op->inode = inode;
    rw_list_push(&d->name_ops, &op->link);
}

static void name_op_free(struct sim_name_op *op)
{
    rw_list_remove(&op->link);
    rw_free(op->from.name);
    rw_free(op->to.name);
    rw_free(op);
}

static void name_op_apply(struct sim_name_op *op)
{
    struct sim_entry *e;
    if (op->from.name && (e = sim_find(&op->from.dir->entries_durable, op->from.name)))
        sim_entry_remove(e);
    if (!op->to.name)
        return;
    if ((e = sim_find(&op->to.dir->entries_durable, op->to.name)))
        sim_entry_remove(e);
    sim_entry_add(&op->to.dir->entries_durable, op->to.name, op->inode);
}

static bool same_place(const struct sim_place *a, const struct sim_place *b)
{
    return a->name && b->name && a->dir == b->dir && !strcmp(a->name, b->name);
}

static bool share_a_name(const struct sim_name_op *a, const struct sim_name_op *b)
{
    return same_place(&a->from, &b->from) || same_place(&a->from, &b->to) ||
           same_place(&a->to, &b->from) || same_place(&a->to, &b->to);
}

void sim_names_commit(struct rw_sim_disk *d, struct sim_inode *dir)
{
    for (struct rw_link *l = d->name_ops.prev; l != &d->name_ops; l = l->prev) {
        struct sim_name_op *op = RW_CONTAINER(l, struct sim_name_op, link);
        op->marked = (op->from.name && op->from.dir == dir) || (op->to.name && op->to.dir == dir);
        for (struct rw_link *m = l->next; m != &d->name_ops && !op->marked; m = m->next) {
            const struct sim_name_op *later = RW_CONTAINER(m, struct sim_name_op, link);
            op->marked = later->marked && share_a_name(op, later);
        }
    }
    RW_LIST_EACH_SAFE (l, tmp, &d->name_ops) {
        struct sim_name_op *op = RW_CONTAINER(l, struct sim_name_op, link);
        if (!op->marked)
            continue;
        name_op_apply(op);
        name_op_free(op);
    }
}

void sim_names_gamble(struct rw_sim_disk *d)
{
    unsigned keep_percent = (unsigned)rw_sim_rand_below(&d->rand, 101);
    RW_LIST_EACH (l, &d->name_ops) {
        struct sim_name_op *op = RW_CONTAINER(l, struct sim_name_op, link);
        op->marked = !rw_sim_rand_chance(&d->rand, keep_percent); /* lost */
        for (struct rw_link *m = d->name_ops.next; m != l && !op->marked; m = m->next) {
            const struct sim_name_op *earlier = RW_CONTAINER(m, struct sim_name_op, link);
            op->marked = earlier->marked && share_a_name(op, earlier);
        }
        if (!op->marked)
            name_op_apply(op);
    }
    while (!rw_list_empty(&d->name_ops))
        name_op_free(RW_CONTAINER(d->name_ops.next, struct sim_name_op, link));
}

static uint64_t blocks(uint64_t size)
{
    return (size + SIM_BLOCK - 1) / SIM_BLOCK * SIM_BLOCK;
}

static void mark(struct rw_sim_disk *d, struct sim_inode *i)
{
    i->names++;
    if (i->marked)
        return;
    i->marked = true;
    RW_LIST_EACH (l, &i->entries_durable) {
        struct sim_entry *e = RW_CONTAINER(l, struct sim_entry, link);
        sim_entry_add(&i->entries_current, e->name, e->inode);
        mark(d, e->inode);
    }
    i->current.n = 0;
    sim_content_write(&i->current, 0, i->durable.p, i->durable.n);
    i->allocated = blocks(i->durable.n);
    d->stats.used += SIM_INODE_COST + i->allocated;
}

void sim_reload(struct rw_sim_disk *d)
{
    RW_LIST_EACH (l, &d->inodes) {
        struct sim_inode *i = RW_CONTAINER(l, struct sim_inode, link);
        i->marked = false;
        i->names = 0;
        entries_drop(&i->entries_current);
    }
    d->stats.used = 0;
    mark(d, d->root);
    RW_LIST_EACH_SAFE (l, tmp, &d->inodes) {
        struct sim_inode *i = RW_CONTAINER(l, struct sim_inode, link);
        if (!i->marked)
            sim_inode_free(d, i);
    }
}
