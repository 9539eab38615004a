/*
 * Writing a chunk to the spool, and what happens when there is no room.
 *
 * "Full" is what the limit says or what the disk says (ENOSPC): the policy answers both. The oldest lines go by whole segments, of
 * the lane that has the most.
 */
#include <string.h>
#include "base/crc32c.h"
#include "logger/spool.h"

enum { DROPS_MAX = 1024 };

uint64_t rw_lg_spool_bytes(const struct rw_lg_spool *s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < s->n_lanes; i++)
        n += rw_log_bytes(s->lanes[i]->log);
    return n;
}

uint64_t rw_lg_spool_dropped(struct rw_lg_spool *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->dropped;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- room ---- */

static struct rw_lg_lane *fullest(const struct rw_lg_spool *s)
{
    struct rw_lg_lane *most = NULL;
    for (unsigned i = 0; i < s->n_lanes; i++)
        if (rw_log_bytes(s->lanes[i]->log) > 0 &&
            (!most || rw_log_bytes(s->lanes[i]->log) > rw_log_bytes(most->log)))
            most = s->lanes[i];
    return most;
}

/* The size of the first segment: to keep all the others is to delete that one. */
static int first_segment(struct rw_lg_lane *l, uint64_t *ret_bytes)
{
    struct rw_log_range range;
    int rc = rw_log_read(l->log, rw_log_start(l->log), INT64_MAX, SIZE_MAX / 4, true, &range);
    if (rc)
        return rc;
    *ret_bytes = range.at + range.n;
    rw_log_range_release(&range);
    return RW_OK;
}

/* Takes the oldest segment away. False: there is none, or it can not be. */
static bool drop_segment(struct rw_lg_spool *s)
{
    struct rw_lg_lane *l = fullest(s);
    struct rw_log_config config;
    uint64_t first, bytes = l ? rw_log_bytes(l->log) : 0;
    int deleted = 0;
    if (!l || first_segment(l, &first) || first == 0 || first > bytes)
        return false;
    rw_lg_lane_config(l, &config);
    config.retention_bytes = (int64_t)(bytes - first);
    rw_log_configure(l->log, &config);
    int rc = rw_log_retain(l->log, 0, INT64_MAX, &deleted);
    config.retention_bytes = -1;
    rw_log_configure(l->log, &config);
    rw_log_unlink_deleted(l->log, INT64_MAX);
    int64_t start = rw_log_start(l->log);
    if (start > l->at.acked) {
        s->dropped += (uint64_t)(start - l->at.acked);
        l->at.acked = start;
    }
    return !rc && deleted > 0;
}

/* What the broker has goes with the segment that it is in; here also with the one that is being written. */
void rw_lg_spool_tidy(struct rw_lg_spool *s)
{
    for (unsigned i = 0; i < s->n_lanes; i++) {
        struct rw_lg_lane *l = s->lanes[i];
        int deleted;
        if (rw_log_bytes(l->log) == 0 || l->at.acked < rw_log_end(l->log) ||
            rw_log_trim(l->log, l->at.acked) || rw_log_roll(l->log))
            continue;
        if (rw_log_retain(l->log, 0, INT64_MAX, &deleted) == RW_OK)
            rw_log_unlink_deleted(l->log, INT64_MAX);
    }
}

/* RW_OK: there is room. RW_E_FULL: there is none. */
static int make_room(struct rw_lg_spool *s, uint64_t need)
{
    if (need > (uint64_t)s->o.bytes)
        return RW_E_FULL;
    for (int i = 0; i < DROPS_MAX; i++) {
        if (rw_lg_spool_bytes(s) + need <= (uint64_t)s->o.bytes)
            return RW_OK;
        if (i == 0)
            rw_lg_spool_tidy(s);
        else if (s->o.overflow != RW_LG_SPOOL_DROP_OLDEST || !drop_segment(s))
            return RW_E_FULL;
    }
    return RW_E_FULL;
}

/* ---- the chunk ---- */

static void plan(struct rw_lg_spool *s, const struct rw_lg_spooled *batches, size_t n,
                 struct rw_lg_intent *in)
{
    *in = (struct rw_lg_intent){.number = s->intent.number + 1, .undone = s->intent.undone};
    memcpy(in->boot, s->boot, RW_LG_BOOT);
    for (unsigned i = 0; i < s->n_lanes; i++) {
        struct rw_lg_lane *l = s->lanes[i];
        int64_t before = rw_log_end(l->log), after = before;
        for (size_t k = 0; k < n; k++)
            after += batches[k].lane == l ? batches[k].count : 0;
        if (after == before)
            continue;
        in->lanes[in->n].topic = rw_crc32c(0, l->topic, strlen(l->topic));
        in->lanes[in->n].number = l->number;
        in->lanes[in->n].before = before;
        in->lanes[in->n].after = after;
        in->n++;
    }
}

static int append(struct rw_lg_spooled *b)
{
    const struct rw_append_args args = {.leader_epoch = 0, .as_leader = true, .built = &b->header};
    struct rw_append_info info;
    return rw_log_append(b->lane->log, b->bytes.p, b->bytes.n, &args, &info);
}

static int append_all(struct rw_lg_spool *s, struct rw_lg_spooled *batches, size_t n)
{
    struct rw_lg_intent in;
    plan(s, batches, n, &in);
    int rc = rw_lg_slot_store(&s->slot, &in, sizeof(in), false);
    for (size_t i = 0; i < n && !rc; i++)
        rc = append(&batches[i]);
    /* What a part of it has left is taken back; `ready` has not moved, nobody has seen it. */
    for (unsigned i = 0; i < s->n_lanes && rc; i++)
        for (unsigned k = 0; k < in.n; k++)
            if (in.lanes[k].number == s->lanes[i]->number &&
                in.lanes[k].topic == rw_crc32c(0, s->lanes[i]->topic, strlen(s->lanes[i]->topic)) &&
                rw_lg_lane_cut(s->lanes[i], in.lanes[k].before))
                return RW_E_OFFLINE;
    if (rc)
        return rc;
    s->intent = in;
    for (size_t i = 0; i < n; i++)
        batches[i].lane->ready = rw_log_end(batches[i].lane->log);
    return RW_OK;
}

/* When the disk is full: nothing may stay that the broker has, and then the policy is asked. */
static int append_somehow(struct rw_lg_spool *s, struct rw_lg_spooled *batches, size_t n)
{
    int rc = append_all(s, batches, n);
    if (rc == RW_E_FULL) {
        rw_lg_spool_tidy(s);
        rc = append_all(s, batches, n);
    }
    while (rc == RW_E_FULL && s->o.overflow == RW_LG_SPOOL_DROP_OLDEST && drop_segment(s))
        rc = append_all(s, batches, n);
    return rc;
}

int rw_lg_spool_write(struct rw_lg_spool *s, struct rw_lg_spooled *batches, size_t n,
                      bool *ret_dropped)
{
    uint64_t need = 0, lines = 0;
    for (size_t i = 0; i < n; i++) {
        need += batches[i].bytes.n;
        lines += (uint64_t)batches[i].count;
    }
    *ret_dropped = false;
    pthread_mutex_lock(&s->lock);
    int rc = make_room(s, need);
    if (!rc)
        rc = append_somehow(s, batches, n);
    /* Without a lane to take from, what came last is what is dropped. */
    if (rc == RW_E_FULL && s->o.overflow != RW_LG_SPOOL_BLOCK) {
        s->dropped += lines;
        *ret_dropped = true;
        rc = RW_OK;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}
