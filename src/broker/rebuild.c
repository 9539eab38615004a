/*
 * A batch built anew in another codec. All but the codec stays: offsets, timestamps, headers, the
 * producer's numbers. The new batch is inspected here too, so that the log need not decompress it.
 */
#include "broker/rebuild.h"

#include <string.h>
#include "base/mem.h"

#define KEPT        (2u << 20) /* larger buffers are given back */
#define KEPT_MAX    2          /* tools of a shard that rest */
#define WORKING_MAX 2          /* jobs of a shard: their memory is not counted before they end */

static void tool_free(struct rw_rebuilder *tool)
{
    rw_builder_deinit(&tool->builder);
    rw_records_deinit(&tool->scratch);
    rw_free(tool);
}

struct rw_rebuilder *rw_rebuilder_take(struct rw_rebuilders *r)
{
    struct rw_rebuilder *tool = r->free;
    if (tool) {
        r->free = tool->next;
        r->n--;
        return tool;
    }
    tool = rw_zalloc(sizeof(*tool));
    if (tool)
        rw_builder_init(&tool->builder);
    return tool;
}

void rw_rebuilder_give(struct rw_rebuilders *r, struct rw_rebuilder *tool)
{
    if (!tool)
        return;
    if (r->n == KEPT_MAX || tool->builder.records.cap > KEPT || tool->builder.out.cap > KEPT ||
        tool->scratch.scratch.cap > KEPT) {
        tool_free(tool);
        return;
    }
    tool->next = r->free;
    r->free = tool;
    r->n++;
}

static void begin_next(struct rw_rebuilders *r, struct rw_memory *m)
{
    while (r->first && r->working < WORKING_MAX && (r->held == 0 || !rw_memory_full(m))) {
        struct rw_rebuild_turn *t = r->first;
        r->first = t->next;
        if (!r->first)
            r->end = NULL;
        r->working++;
        r->held++;
        t->begin(t);
    }
}

void rw_rebuild_queue(struct rw_rebuilders *r, struct rw_memory *m, struct rw_rebuild_turn *t)
{
    t->next = NULL;
    *(r->end ? r->end : &r->first) = t;
    r->end = &t->next;
    begin_next(r, m);
}

void rw_rebuild_worked(struct rw_rebuilders *r, struct rw_memory *m)
{
    r->working--;
    begin_next(r, m);
}

void rw_rebuild_answered(struct rw_rebuilders *r, struct rw_memory *m)
{
    r->held--;
    begin_next(r, m);
}

void rw_rebuilders_deinit(struct rw_rebuilders *r)
{
    while (r->free) {
        struct rw_rebuilder *tool = r->free;
        r->free = tool->next;
        tool_free(tool);
    }
    r->n = 0;
}

static int build(struct rw_rebuilder *tool, struct rw_slice bytes, struct rw_slice *ret_bytes)
{
    struct rw_builder *b = &tool->builder;
    struct rw_record record;
    int rc = rw_records_open(&tool->scratch, bytes.p, bytes.n), more = 0;
    if (rc)
        return rc;
    const struct rw_batch *old = &tool->scratch.batch;
    rw_builder_reset(b, old->base_offset);
    b->producer_id = old->producer_id;
    b->producer_epoch = old->producer_epoch;
    b->base_sequence = old->base_sequence;
    b->leader_epoch = old->leader_epoch;
    b->attributes = old->attributes & (uint16_t)~RW_ATTR_CODEC_MASK;
    while (rc == RW_OK && (more = rw_records_next(&tool->scratch, &record)) == 1)
        rc = rw_builder_copy(b, &record);
    if (rc == RW_OK && more < 0)
        rc = more;
    if (rc)
        return rc;
    b->last_offset = rw_batch_last_offset(old);
    if (old->attributes & RW_ATTR_LOG_APPEND_TIME)
        b->max_timestamp = old->max_timestamp;
    return rw_builder_finish(b, ret_bytes);
}

static int rebuild(struct rw_rebuilder *tool, struct rw_rebuild *r, struct rw_arena *arena)
{
    struct rw_slice made;
    tool->builder.codec = r->codec;
    tool->builder.level = r->level;
    int rc = build(tool, r->bytes, &made);
    if (rc)
        return rc;
    if (made.n > r->check->rules.batch_bytes_max)
        return RW_E_TOO_BIG; /* without taking the memory */
    struct rw_append_check *check = rw_arena_alloc(arena, sizeof(*check));
    uint8_t *copy = rw_arena_alloc(arena, made.n);
    if (!copy || !check)
        return RW_E_NOMEM;
    memcpy(copy, made.p, made.n);
    check->rules = r->check->rules;
    check->rules.allow_zstd = true; /* the topic's codec, not the client's */
    check->code = rw_batch_inspect(copy, made.n, &check->rules, &tool->scratch, &check->result);
    r->bytes = rw_slice(copy, made.n);
    r->check = check->code == RW_E_NOMEM ? NULL : check; /* then the log looks itself */
    return RW_OK;
}

void rw_rebuild_all(struct rw_rebuilder *tool, struct rw_rebuild *first, struct rw_arena *arena)
{
    for (struct rw_rebuild *r = first; r; r = r->next)
        r->code = tool ? rebuild(tool, r, arena) : (int)RW_E_NOMEM;
}
