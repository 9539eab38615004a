/* What a pipe does with a record, and when its progress is stored. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/human.h"
#include "cli/pipe.h"
#include "os/os.h"

/* Standard input is not read again: what lies before the line is written first. */
static int bad_line(struct rw_pipe *p, const char *hint, const char *reason)
{
    int rc = rw_pipe_commit(p, true);
    return rc != RW_EXIT_OK ? rc
                            : rw_cli_fail(p->cli, RW_EXIT_FAILED, hint, "line %lld: %s",
                                          (long long)p->read, reason);
}

int rw_pipe_too_long(struct rw_pipe *p, size_t most)
{
    char size[RW_HUMAN_SIZE], reason[64];
    snprintf(reason, sizeof(reason), "it has more than %s", rw_human_bytes(size, most));
    p->read++;
    if (p->on_error == RW_PIPE_FAIL)
        return bad_line(p, "--on-error skip leaves such lines out", reason);
    p->skipped++; /* no topic takes it either */
    rw_cli_note(p->cli, "line %lld is left out: %s", (long long)p->read, reason);
    return RW_EXIT_OK;
}

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
    if (r->partition < 0)
        return bad_line(p, hint, reason);
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
        if (text.n > 0 &&
            text.p[text.n - 1] == '\r') /* of a line end; it goes on with what is written raw */
            text.n--;
        if (rw_pipe_parse(p->parser, p->pattern, text, &p->fields, &err))
            return refused(p, r, "parse_error", err.text);
        int wanted = p->filter ? rw_pipe_filter_match(p->filter, &p->fields) : 1;
        if (wanted < 0)
            return refused(p, r, "too_large",
                           "a regular expression of --where takes too long on it");
        if (wanted == 0) {
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

int rw_pipe_store(struct rw_pipe *p)
{
    struct rw_err err = {.text = ""};
    bool told = false;
    int rc;
    while ((rc = rw_pipe_checkpoint_store(&p->checkpoint, &err)) == RW_E_FULL &&
           !rw_cli_interrupted()) {
        if (!told)
            rw_cli_note(p->cli, "%s; trying again", err.text);
        told = true;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
    return rc ? rw_cli_fail(p->cli, rw_cli_exit_of(rc), NULL, "%s", err.text) : RW_EXIT_OK;
}

int rw_pipe_commit(struct rw_pipe *p, bool last)
{
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
    rc = rw_pipe_store(p);
    if (rc != RW_EXIT_OK)
        return rc;
    if (p->group)
        return rw_pipe_group_commit(p, last);
    p->dirty = false;
    return RW_EXIT_OK;
}
