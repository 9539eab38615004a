/* What a pipe does with a record, and when its progress is stored. */
#include <string.h>
#include "cli/pipe.h"
#include "client/group_offsets.h"
#include "os/os.h"

static int refused(struct rw_pipe *p, const struct rw_pipe_item *r, const char *code,
                   const char *reason)
{
    switch (p->on_error) {
    case RW_PIPE_SKIP:
        p->skipped++;
        return RW_EXIT_OK;
    case RW_PIPE_DLQ:
        return rw_pipe_bury(p, r, code, reason);
    case RW_PIPE_PASS:
        return rw_pipe_put(p, r, r->record->value);
    case RW_PIPE_FAIL:
    default:
        break;
    }
    const char *hint =
        "--dlq TOPIC keeps such records, --on-error pass or skip lets them through or out";
    if (r->partition < 0) {
        /* Standard input is not read again: what lies before the line is written first. */
        int rc = rw_pipe_commit(p, true);
        return rc != RW_EXIT_OK ? rc
                                : rw_cli_fail(p->cli, RW_EXIT_FAILED, hint, "line %lld: %s",
                                              (long long)p->read, reason);
    }
    return rw_cli_fail(p->cli, RW_EXIT_FAILED, hint, "%s, partition %d, offset %lld: %s", r->topic,
                       r->partition, (long long)r->record->offset, reason);
}

static int format(struct rw_pipe *p, const struct rw_pipe_item *r)
{
    struct rw_slice value = r->record->value;
    if (p->format == RW_PIPE_AS_RAW)
        return rw_pipe_put(p, r, value);
    rw_buf_clear(&p->rendered);
    rw_pipe_format(p->format, &p->fields, value, &p->rendered);
    if (p->rendered.failed)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    return rw_pipe_put(p, r, rw_slice(p->rendered.p, p->rendered.n));
}

int rw_pipe_take(struct rw_pipe *p, const struct rw_pipe_item *r)
{
    struct rw_slice value = r->record->value;
    struct rw_err err = {.text = ""};
    p->read++;
    p->read_bytes += (int64_t)value.n;
    if (!p->dirty)
        p->dirty_us = rw_progress_now();
    p->dirty = true;
    if (p->parses) {
        if (!value.p)
            return refused(p, r, "no_value", "the record has no value");
        if (value.n > INT32_MAX)
            return refused(p, r, "too_large", "the value is too large to be parsed");
        struct rw_str text = {(const char *)value.p, (int32_t)value.n};
        if (rw_pipe_parse(p->parser, p->pattern, text, &p->fields, &err))
            return refused(p, r, "parse_error", err.text);
        if (p->filter && !rw_pipe_filter_match(p->filter, &p->fields)) {
            p->filtered++;
            return RW_EXIT_OK;
        }
    }
    int rc = format(p, r);
    if (p->read % 1024 == 0)
        rw_progress_update(&p->progress, p->read, p->read_bytes, rw_progress_now());
    return rc;
}

bool rw_pipe_commit_due(const struct rw_pipe *p, bool idle)
{
    return p->dirty && (p->pending.n >= p->pending_max ||
                        rw_progress_now() - p->dirty_us >= p->commit_ms * 1000 ||
                        (idle && p->to == RW_PIPE_TO_STDOUT));
}

/* For the group's other readers, and for who watches its lag. A broker that is away is told later, at the end at the latest. */
static int commit_group(struct rw_pipe *p, bool last)
{
    const struct rw_pipe_progress *known = &p->checkpoint.progress;
    const struct rw_topic *t = rw_cluster_topic(p->source.cluster, p->from);
    int rc = t ? rw_group_offsets_commit(p->groups.cluster, p->group, t, known->offsets, known->n,
                                         &p->groups.err)
               : RW_OK;
    if (rc && rw_code_is_connection(rc) && !last) {
        p->dirty_us = rw_progress_now();
        return RW_EXIT_OK;
    }
    p->dirty = false;
    return rc ? rw_cli_client_fail(&p->groups, rc) : RW_EXIT_OK;
}

int rw_pipe_commit(struct rw_pipe *p, bool last)
{
    struct rw_err err = {.text = ""};
    if (!p->dirty)
        return RW_EXIT_OK;
    int rc = rw_pipe_output_flush(p);
    if (rc != RW_EXIT_OK)
        return rc;
    for (int i = 0; p->consumer && i < rw_consumer_count(p->consumer); i++) {
        const struct rw_consumer_partition *c = rw_consumer_partition(p->consumer, i);
        if (rw_pipe_progress_set(&p->checkpoint.progress, c->partition, c->position))
            return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    }
    int code = rw_pipe_checkpoint_store(&p->checkpoint, &err);
    if (code)
        return rw_cli_fail(p->cli, rw_cli_exit_of(code), NULL, "%s", err.text);
    if (p->group)
        return commit_group(p, last);
    p->dirty = false;
    return RW_EXIT_OK;
}
