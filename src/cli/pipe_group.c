/*
 * The committed offsets of a pipe's consumer group. A pipe is no member of it, so the broker does not keep two of them apart: what is
 * committed is looked at before each commit, and a pipe ends that finds what it did not put there. Between the look and the commit there is
 * a moment, and a second pipe may be in it; it is found the next time.
 */
#include "base/mem.h"
#include "cli/pipe.h"
#include "client/group_offsets.h"

static int no_memory(struct rw_pipe *p)
{
    return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
}

/* Room for n partitions; what is new is not committed. */
static bool grow(struct rw_pipe_group *g, int n)
{
    int64_t **of[] = {&g->known, &g->tried, &g->found};
    for (int k = 0; k < 3; k++) {
        int64_t *grown = rw_realloc_array(*of[k], (size_t)n + 1, sizeof(**of[k]));
        if (!grown)
            return false;
        *of[k] = grown;
        for (int i = g->n; i < n; i++)
            grown[i] = -1;
    }
    g->n = n > g->n ? n : g->n;
    return true;
}

int rw_pipe_group_ask(struct rw_pipe *p, const struct rw_topic *t)
{
    struct rw_pipe_group *g = &p->group_offsets;
    if (!grow(g, t->n_partitions))
        return no_memory(p);
    int rc = rw_group_offsets_fetch(p->groups.cluster, p->group, t, g->known, &p->groups.err);
    for (int i = 0; !rc && i < t->n_partitions; i++) {
        g->tried[i] = g->known[i];
        if (g->known[i] >= 0 && rw_pipe_progress_get(&p->checkpoint.progress, i) < 0)
            rc = rw_pipe_progress_set(&p->checkpoint.progress, i, g->known[i]);
    }
    return rc ? rw_cli_client_fail(&p->groups, rc) : RW_EXIT_OK;
}

/* The first partition whose offset is neither what was there nor what this pipe has put there (an answer may have been lost); -1: none. */
static int moved(const struct rw_pipe_group *g, int n)
{
    for (int i = 0; i < n; i++)
        if (g->found[i] != g->known[i] && g->found[i] != g->tried[i])
            return i;
    return -1;
}

static int commit(struct rw_pipe *p, const struct rw_topic *t, int *ret_moved)
{
    const struct rw_pipe_progress *done = &p->checkpoint.progress;
    struct rw_pipe_group *g = &p->group_offsets;
    *ret_moved = -1;
    int rc = rw_group_offsets_fetch(p->groups.cluster, p->group, t, g->found, &p->groups.err);
    if (rc)
        return rc;
    *ret_moved = moved(g, t->n_partitions);
    if (*ret_moved >= 0)
        return RW_OK;
    for (int i = 0; i < t->n_partitions; i++) {
        g->known[i] = g->found[i];
        if (i < done->n && done->offsets[i] >= 0)
            g->tried[i] = done->offsets[i];
    }
    rc = rw_group_offsets_commit(p->groups.cluster, p->group, t, done->offsets, done->n,
                                 &p->groups.err);
    for (int i = 0; !rc && i < t->n_partitions; i++)
        g->known[i] = g->tried[i];
    return rc;
}

int rw_pipe_group_commit(struct rw_pipe *p, bool last)
{
    struct rw_pipe_group *g = &p->group_offsets;
    const struct rw_topic *t = rw_cluster_topic(p->source.cluster, p->from);
    int at = -1, rc = RW_OK;
    if (t && !grow(g, t->n_partitions))
        return no_memory(p);
    if (t)
        rc = commit(p, t, &at);
    if (rc && rw_code_is_connection(rc) && !last) {
        p->dirty_us = rw_progress_now(); /* it is told later, at the end at the latest */
        return RW_EXIT_OK;
    }
    p->dirty = false;
    if (at >= 0)
        return rw_cli_fail(p->cli, RW_EXIT_EXISTS, "one pipe for a group; is another one running?",
                           "somebody else commits offsets of group %s: %s, partition %d is at "
                           "%lld, not at %lld",
                           p->group, p->from, at, (long long)g->found[at], (long long)g->known[at]);
    return rc ? rw_cli_client_fail(&p->groups, rc) : RW_EXIT_OK;
}

void rw_pipe_group_deinit(struct rw_pipe_group *g)
{
    rw_free(g->known);
    rw_free(g->tried);
    rw_free(g->found);
}
