/* Where a pipe's records come from: the partitions of a topic, or the lines of standard input. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/pipe.h"

#define WAIT_US      200000
#define NEW_EVERY_US 5000000
#define READ_SIZE    (256 * 1024)
#define LINE_MAX     (64u << 20)

/* ---- a topic ---- */

/* Where to begin in partitions [from, n). work: room for 3 * n. The end is where open transactions begin: what is behind it can not be read yet. */
static int assign(struct rw_pipe *p, struct rw_topic *t, int from, int64_t *work)
{
    int n = t->n_partitions - from, rc;
    int64_t *starts = work, *ends = work + n, *all_ends = work + 2 * n;
    int32_t *partitions = rw_alloc_array((size_t)n + 1, sizeof(*partitions));
    int64_t *grown = rw_realloc_array(p->ends, (size_t)t->n_partitions + 1, sizeof(*grown));
    p->ends = grown ? grown : p->ends;
    if (!partitions || !grown) {
        rw_free(partitions);
        return rw_client_fail(&p->source.err, RW_E_NOMEM, "out of memory");
    }
    for (int i = 0; i < n; i++)
        partitions[i] = from + i;
    rc = rw_list_offsets(p->source.cluster, t, partitions, n, RW_OFFSET_EARLIEST, false, starts,
                         &p->source.err);
    if (!rc)
        rc = rw_list_offsets(p->source.cluster, t, partitions, n, RW_OFFSET_LATEST, true, ends,
                             &p->source.err);
    if (!rc)
        rc = rw_list_offsets(p->source.cluster, t, partitions, n, RW_OFFSET_LATEST, false, all_ends,
                             &p->source.err);
    for (int i = 0; i < n && !rc; i++) {
        int64_t at = rw_pipe_progress_get(&p->checkpoint.progress, from + i);
        /* A partition that was made while the pipe ran is read from its start. */
        int64_t begin = at >= 0 ? at : p->from_end && from == 0 ? ends[i] : starts[i];
        if (begin < starts[i]) {
            rw_cli_note(p->cli, "%s, partition %d: %lld records were deleted before they were read",
                        p->from, from + i, (long long)(starts[i] - begin));
            begin = starts[i];
        }
        if (begin > all_ends[i]) {
            rc = rw_client_fail(&p->source.err, RW_E_RANGE,
                                "%s, partition %d ends at %lld, before the checkpoint's %lld: is "
                                "it another topic of "
                                "this name? Remove the checkpoint to begin anew",
                                p->from, from + i, (long long)all_ends[i], (long long)begin);
            break;
        }
        p->ends[from + i] = p->exit_at_end ? ends[i] : INT64_MAX;
        rc = rw_consumer_assign(p->consumer, t->name, from + i, begin, &p->source.err);
        if (!rc && p->ends[from + i] <= begin)
            rw_consumer_pause(p->consumer, from + i);
        else
            p->n_open++;
    }
    rw_free(partitions);
    return rc;
}

static int assign_all(struct rw_pipe *p, struct rw_topic *t)
{
    int from = rw_consumer_count(p->consumer), n = t->n_partitions - from;
    if (n <= 0)
        return RW_OK;
    int64_t *work = rw_alloc_array((size_t)n * 3, sizeof(*work));
    int rc = work ? assign(p, t, from, work)
                  : rw_client_fail(&p->source.err, RW_E_NOMEM, "out of memory");
    rw_free(work);
    return rc;
}

/* Offsets of a topic that was deleted and made again say nothing. */
static int check_topic(struct rw_pipe *p, const struct rw_topic *t)
{
    struct rw_pipe_progress *known = &p->checkpoint.progress;
    char id[RW_UUID_TEXT_SIZE];
    if (rw_uuid_is_zero(t->id) || rw_uuid_eq(t->id, p->topic_id))
        return RW_OK;
    rw_uuid_format(t->id, id);
    if (strcmp(known->topic_id, "-") != 0 && strcmp(known->topic_id, id) != 0)
        return !p->checkpoint.path[0]
                   ? rw_client_fail(&p->source.err, RW_E_RANGE,
                                    "%s was deleted and created again while the pipe ran", p->from)
                   : rw_client_fail(
                         &p->source.err, RW_E_RANGE,
                         "%s is another topic than the one of the checkpoint %s: it was deleted "
                         "and created again, or this is another cluster (--checkpoint FILE keeps "
                         "them apart). Remove the checkpoint to begin anew",
                         p->from, p->checkpoint.path);
    memcpy(known->topic_id, id, sizeof(id));
    p->topic_id = t->id;
    return RW_OK;
}

/* Partitions that are new since. A broker that does not answer is asked again later. */
static int look_for_new(struct rw_pipe *p)
{
    struct rw_client_err err;
    if (rw_cluster_refresh(p->source.cluster, &p->from, 1, false, &err) != RW_OK)
        return RW_OK;
    struct rw_topic *t = rw_cluster_topic(p->source.cluster, p->from);
    int rc = t ? check_topic(p, t) : RW_OK;
    return !rc && t && t->n_partitions > rw_consumer_count(p->consumer) ? assign_all(p, t) : rc;
}

static void check_end(struct rw_pipe *p, int i)
{
    const struct rw_consumer_partition *c = rw_consumer_partition(p->consumer, i);
    if (c->paused || c->position < p->ends[i])
        return;
    rw_consumer_pause(p->consumer, i);
    p->n_open--;
}

/* One record, or the time without one. Exit code; *ret_rc is what the client said. */
static int step(struct rw_pipe *p, int *ret_rc)
{
    struct rw_consumed c;
    *ret_rc = rw_consumer_next(p->consumer, rw_consumer_has_buffered(p->consumer) ? 0 : WAIT_US, &c,
                               &p->source.err);
    if (*ret_rc < 0)
        return RW_EXIT_OK;
    if (*ret_rc == 0) {
        for (int i = 0; i < rw_consumer_count(p->consumer); i++)
            check_end(p, i);
        rw_pipe_output_tick(p);
        if (p->producer && rw_producer_poll(p->producer, 0, &p->target.err) != RW_OK)
            return rw_cli_client_fail(&p->target, RW_E_BROKER);
        return RW_EXIT_OK;
    }
    /* Whose records these are: fetches name the topic by its id, and the client learns a new one by itself. */
    struct rw_topic *t = rw_cluster_topic(p->source.cluster, p->from);
    if (t && (*ret_rc = check_topic(p, t)) < 0)
        return RW_EXIT_OK;
    *ret_rc = 1;
    struct rw_pipe_item r = {
        .topic = p->from, .partition = c.partition->partition, .record = &c.record};
    int rc = c.record.offset < p->ends[c.i] ? rw_pipe_take(p, &r) : RW_EXIT_OK;
    check_end(p, c.i);
    return rc;
}

static int follow(struct rw_pipe *p)
{
    int64_t new_us = rw_progress_now() + NEW_EVERY_US;
    int rc = RW_OK, exit_code = RW_EXIT_OK;
    while (exit_code == RW_EXIT_OK && rc >= 0 && p->n_open > 0 && !rw_cli_interrupted()) {
        exit_code = step(p, &rc);
        if (exit_code == RW_EXIT_OK && rc >= 0 && rw_pipe_commit_due(p, rc == 0))
            exit_code = rw_pipe_commit(p, false);
        if (exit_code == RW_EXIT_OK && rc >= 0 && !p->exit_at_end && rw_progress_now() >= new_us) {
            rc = look_for_new(p);
            new_us = rw_progress_now() + NEW_EVERY_US;
        }
    }
    /* What was read is written, also after a signal. */
    p->target.dialer.canceled = NULL;
    p->groups.dialer.canceled = NULL;
    struct rw_client_err first = p->source.err;
    int last = exit_code == RW_EXIT_OK ? rw_pipe_commit(p, true) : exit_code;
    if (last != RW_EXIT_OK)
        return last;
    p->source.err = first;
    if (rw_cli_interrupted())
        return RW_EXIT_INTERRUPTED;
    return rc < 0 ? rw_cli_client_fail(&p->source, rc) : RW_EXIT_OK;
}

int rw_pipe_read_topic(struct rw_pipe *p)
{
    struct rw_consumer_options o;
    struct rw_topic *t;
    int exit_code = rw_cli_client_init(&p->source, p->cli, 0);
    if (exit_code != RW_EXIT_OK)
        return exit_code;
    rw_consumer_options_init(&o);
    o.read_committed = true;
    if (rw_consumer_new(p->source.cluster, &o, &p->consumer) != RW_OK)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    int rc = rw_cluster_get_topic(p->source.cluster, p->from, false, &t, &p->source.err);
    if (!rc)
        rc = check_topic(p, t);
    if (!rc && p->group) {
        exit_code = rw_cli_client_init(&p->groups, p->cli, 0);
        if (exit_code == RW_EXIT_OK)
            exit_code = rw_pipe_group_ask(p, t);
        if (exit_code != RW_EXIT_OK)
            return exit_code;
    }
    if (!rc)
        rc = assign_all(p, t);
    return rc ? rw_cli_client_fail(&p->source, rc) : follow(p);
}

/* ---- standard input ---- */

static int take_line(struct rw_pipe *p, const uint8_t *line, size_t n)
{
    struct rw_record record = {
        .timestamp = -1, .offset = p->read, .value = rw_slice(n ? line : (const uint8_t *)"", n)};
    struct rw_pipe_item r = {.topic = "-", .partition = -1, .record = &record};
    return rw_pipe_take(p, &r);
}

/* A line that begins at `at` and has, or will have, more than there is room for. */
static int pass_over(struct rw_pipe *p, const struct rw_buf *in, size_t *at, bool begins)
{
    const uint8_t *end = memchr(in->p + *at, '\n', in->n - *at);
    *at = end ? (size_t)(end - in->p) + 1 : in->n;
    p->beyond = !end;
    return begins ? rw_pipe_too_long(p, LINE_MAX) : RW_EXIT_OK;
}

/* All whole lines of `in`; what remains is moved to its start. */
static int take_lines(struct rw_pipe *p, struct rw_buf *in, bool all)
{
    size_t at = 0;
    int rc = p->beyond ? pass_over(p, in, &at, false) : RW_EXIT_OK;
    while (rc == RW_EXIT_OK && at < in->n) {
        const uint8_t *end = memchr(in->p + at, '\n', in->n - at);
        size_t n = end ? (size_t)(end - in->p) - at : in->n - at;
        if (n > LINE_MAX) {
            rc = pass_over(p, in, &at, true);
            continue;
        }
        if (!end && !all)
            break;
        rc = take_line(p, in->p + at, n);
        at += n + (end != NULL);
        if (rc == RW_EXIT_OK && rw_pipe_commit_due(p, false))
            rc = rw_pipe_commit(p, false);
    }
    rw_buf_consume(in, at);
    return rc;
}

/* > 0: bytes; 0: the end, or *ret_errno says why there is no more; < 0: nothing for now. */
static ssize_t read_some(struct rw_buf *in, int *ret_errno)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&fd, 1, WAIT_US / 1000) <= 0)
        return -1;
    uint8_t *room = rw_buf_extend(in, READ_SIZE);
    if (!room) {
        *ret_errno = ENOMEM;
        return 0;
    }
    ssize_t n = read(STDIN_FILENO, room, READ_SIZE);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        *ret_errno = errno;
        n = 0;
    }
    in->n -= (size_t)(READ_SIZE - (n > 0 ? n : 0));
    return n;
}

int rw_pipe_read_stdin(struct rw_pipe *p)
{
    struct rw_buf in;
    int rc = RW_EXIT_OK, failure = 0;
    ssize_t n = 1;
    rw_buf_init(&in);
    while (rc == RW_EXIT_OK && n != 0 && !rw_cli_interrupted()) {
        n = read_some(&in, &failure);
        if (n > 0)
            rc = take_lines(p, &in, false);
        if (rc == RW_EXIT_OK && n < 0) {
            rw_pipe_output_tick(p);
            if (p->producer && rw_producer_poll(p->producer, 0, &p->target.err) != RW_OK)
                rc = rw_cli_client_fail(&p->target, RW_E_BROKER);
        }
        if (rc == RW_EXIT_OK && rw_pipe_commit_due(p, n < 0))
            rc = rw_pipe_commit(p, false);
    }
    p->target.dialer.canceled = NULL;
    if (rc == RW_EXIT_OK)
        rc = take_lines(p, &in, true);
    if (rc == RW_EXIT_OK)
        rc = rw_pipe_commit(p, true);
    rw_buf_deinit(&in);
    if (rc == RW_EXIT_OK && failure)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "standard input can not be read: %s",
                           strerror(failure));
    return rc == RW_EXIT_OK && rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : rc;
}
