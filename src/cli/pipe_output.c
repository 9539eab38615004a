/*
 * Where a pipe's lines go. File: the file appender of the logging library, so rotation, compression and logrotate work the same. What lies behind
 * the place of the checkpoint was written by a pipe that was killed before it could say so, and comes again: it is cut off at start, so that
 * every record is in the files once. Topic: an idempotent producer. Standard output: as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/units.h"
#include "batch/dead_letter.h"
#include "cli/pipe.h"
#include "logger/rotate.h"
#include "os/os.h"
#include "os/ticks.h"

enum { CHUNK = 4 << 20, DLQ_HEADERS = 6, HEADERS_MAX = 256 };

/* ---- file ---- */

static int set(struct rw_pipe *p, const char *key, const char *value, struct rw_err *err)
{
    return value ? p->file->ops->set(p->file, rw_str(key), rw_str(value), err) : RW_OK;
}

/* The appender's path knows %p. */
static int set_path(struct rw_pipe *p, const char *path, struct rw_err *err)
{
    char escaped[2 * RW_LG_PATH];
    size_t n = 0;
    for (; *path && n + 2 < sizeof(escaped); path++) {
        if (*path == '%')
            escaped[n++] = '%';
        escaped[n++] = *path;
    }
    escaped[n] = 0;
    return *path ? rw_err_set(err, RW_E_INVAL, "path: too long") : set(p, "path", escaped, err);
}

static bool is_same(struct rw_os_append *f, const struct rw_pipe_progress *place)
{
    char tail[RW_PIPE_TAIL];
    size_t n;
    return rw_os_append_read(f, place->length - place->tail, tail, place->tail, &n) == RW_OK &&
           n == place->tail && rw_crc32c(0, tail, n) == place->tail_crc;
}

/* Takes away what an earlier pipe wrote behind its checkpoint. */
static int cut_back(struct rw_pipe *p, const char *path)
{
    const struct rw_pipe_progress *place = &p->checkpoint.progress;
    struct rw_os_append f = {.fd = -1};
    char rotated[RW_LG_PATH];
    uint64_t size = 0;
    if (!place->has_file)
        return RW_EXIT_OK;
    int rc = rw_os_append_open(path, 0, &f);
    if (!rc && (f.device != place->device || f.inode != place->inode)) {
        rw_os_append_close(&f);
        rc = RW_E_NOT_FOUND;
    }
    if (rc == RW_E_NOT_FOUND && rw_lg_rotated_find(path, place->device, place->inode, rotated))
        rc = rw_os_append_open(rotated, 0, &f);
    if (!rc)
        rc = rw_os_append_size(&f, &size, NULL);
    if (!rc && size > place->length) {
        rc = is_same(&f, place) ? rw_os_append_cut(&f, place->length) : RW_E_INVAL;
        if (rc == RW_E_INVAL)
            rw_cli_note(
                p->cli,
                "%s is not the file that the checkpoint is about; it is appended to as it is",
                path);
        else if (!rc)
            rw_cli_note(p->cli,
                        "%llu bytes of %s were written and not noted before the pipe was killed: "
                        "they come again",
                        (unsigned long long)(size - place->length), path);
        rc = rc == RW_E_INVAL ? RW_OK : rc;
    }
    rw_os_append_close(&f);
    if (rc && rc != RW_E_NOT_FOUND)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "%s: %s", path, rw_code_text(rc));
    return RW_EXIT_OK;
}

static int open_file(struct rw_pipe *p)
{
    static const char *const keys[][2] = {{"rotate-size", "rotate.size"},
                                          {"rotate-interval", "rotate.interval"},
                                          {"rotate-count", "rotate.count"},
                                          {"rotate-compress", "rotate.compress"},
                                          {"mode", "mode"}};
    struct rw_err err = {.text = ""};
    const char *path = rw_cli_string(p->cli, "to-file", NULL);
    int exit_code = cut_back(p, path);
    if (exit_code != RW_EXIT_OK)
        return exit_code;
    p->file = rw_lg_sink_file();
    if (!p->file)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    int rc = set_path(p, path, &err);
    if (!rc)
        rc = set(p, "sync", "always", &err);
    for (size_t i = 0; !rc && i < sizeof(keys) / sizeof(keys[0]); i++)
        rc = set(p, keys[i][1], rw_cli_string(p->cli, keys[i][0], NULL), &err);
    if (rc)
        return rw_cli_usage(p->cli, "%s", err.text);
    rc = p->file->ops->open(p->file, &err);
    return rc ? rw_cli_fail(p->cli, rw_cli_exit_of(rc), NULL, "%s: %s", path, err.text)
              : RW_EXIT_OK;
}

/* Says where the file ends now; the last bytes of what was written are its mark. */
static void note_place(struct rw_pipe *p, const struct rw_lg_mark *mark, const char *text, size_t n)
{
    uint32_t tail = n < RW_PIPE_TAIL ? (uint32_t)n : RW_PIPE_TAIL;
    struct rw_pipe_progress *place = &p->checkpoint.progress;
    place->has_file = true;
    place->device = mark->device;
    place->inode = mark->inode;
    place->length = mark->offset + n;
    place->tail = tail;
    place->tail_crc = rw_crc32c(0, text + n - tail, tail);
}

/* A file that the checkpoint does not know yet (the first, or after a rotation): where it begins is noted before anything is written to it. */
static int begin_file(struct rw_pipe *p, const struct rw_lg_mark *mark)
{
    const struct rw_pipe_progress *place = &p->checkpoint.progress;
    if (place->has_file && place->device == mark->device && place->inode == mark->inode)
        return RW_EXIT_OK;
    note_place(p, mark, "", 0);
    return rw_pipe_store(p);
}

/* A piece of a chunk that did not fit is taken back: a chunk is there as a whole, or comes again as a whole. */
static void take_back(struct rw_pipe *p, const char *path, const struct rw_lg_mark *mark)
{
    struct rw_os_append f;
    if (rw_os_append_open(path, 0, &f))
        return; /* it went with its file */
    int rc = f.device == mark->device && f.inode == mark->inode ? rw_os_append_cut(&f, mark->offset)
                                                                : RW_OK;
    if (rc)
        rw_cli_note(p->cli, "%s: a piece of what did not fit stays there: %s", path,
                    rw_code_text(rc));
    rw_os_append_close(&f);
}

/* Until it is written: a disk that is full may have room again. RW_EXIT_INTERRUPTED: it was not. */
static int write_file(struct rw_pipe *p)
{
    const char *path = rw_cli_string(p->cli, "to-file", "");
    bool told = false;
    while (p->pending.n > 0) {
        struct rw_lg_mark mark = {.device = 0};
        struct rw_lg_chunk chunk = {
            .p = (const char *)p->pending.p, .n = p->pending.n, .lines = p->pending_lines};
        size_t n = 0;
        bool marked = p->file->ops->mark(p->file, chunk.n, &mark);
        int exit_code = marked ? begin_file(p, &mark) : RW_EXIT_OK;
        if (exit_code != RW_EXIT_OK)
            return exit_code;
        int rc = p->file->ops->write(p->file, &chunk, &n);
        if (!rc) {
            if (marked)
                note_place(p, &mark, chunk.p, chunk.n);
            rw_buf_clear(&p->pending);
            p->written += (int64_t)p->pending_lines;
            break;
        }
        if (marked && n > 0)
            take_back(p, path, &mark);
        if (!told)
            rw_cli_note(p->cli, "%s: %s; trying again", path, rw_code_text(rc));
        told = true;
        if (rw_cli_interrupted())
            return p->consumer
                       ? rw_cli_fail(p->cli, RW_EXIT_INTERRUPTED, NULL,
                                     "not everything could be written; the next start goes on from "
                                     "what was")
                       : rw_cli_fail(p->cli, RW_EXIT_INTERRUPTED, NULL,
                                     "%zu lines of standard input could not be written",
                                     p->pending_lines);
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
    if (told)
        rw_cli_note(p->cli, "%s is written again", path);
    p->pending_lines = 0;
    return RW_EXIT_OK;
}

static int flush_file(struct rw_pipe *p)
{
    int exit_code = write_file(p);
    if (exit_code != RW_EXIT_OK)
        return exit_code;
    int rc = p->file->ops->sync(p->file, true);
    /* What a failed sync has lost can not be told: the next start writes it again from the checkpoint on. */
    return rc ? rw_cli_fail(p->cli, RW_EXIT_FAILED,
                            p->consumer ? "the next start goes on from the last checkpoint" : NULL,
                            "%s could not be synced: %s", rw_cli_string(p->cli, "to-file", ""),
                            rw_code_text(rc))
              : RW_EXIT_OK;
}

/* ---- topics ---- */

static void delivered(void *arg, const struct rw_delivery *d)
{
    struct rw_pipe *p = arg;
    if (d->code && !p->failure.text[0])
        p->failure = *d->err;
}

static int open_producer(struct rw_pipe *p)
{
    struct rw_producer_options o;
    struct rw_topic *t;
    const char *codec = rw_cli_string(p->cli, "compression", "none");
    rw_producer_options_init(&o);
    if (!rw_codec_parse(codec, &o.codec))
        return rw_cli_usage(p->cli, "unknown compression \"%s\": none, gzip, snappy, lz4, zstd",
                            codec);
    o.delivered = delivered;
    o.arg = p;
    o.batch_bytes = 256 * 1024;
    o.delivery_timeout_us = INT64_MAX / 4; /* a broker that is away is waited for */
    int exit_code = rw_cli_client_init(&p->target, p->cli, 0);
    if (exit_code != RW_EXIT_OK)
        return exit_code;
    if (rw_producer_new(p->target.cluster, &o, &p->producer) != RW_OK)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    for (int i = 0; i < 2; i++) {
        const char *name = i ? p->dlq : p->topic;
        int rc =
            name ? rw_cluster_get_topic(p->target.cluster, name, true, &t, &p->target.err) : RW_OK;
        if (rc)
            return rw_cli_client_fail(&p->target, rc);
        if (name && i == 0)
            p->target_partitions = t->n_partitions;
    }
    return RW_EXIT_OK;
}

static int send(struct rw_pipe *p, const char *topic, int32_t partition, const struct rw_record *r,
                const struct rw_record_header *headers, size_t n)
{
    int rc = rw_producer_send(p->producer, topic, partition, r, headers, n, &p->target.err);
    if (rc)
        return rw_cli_client_fail(&p->target, rc);
    p->dirty = true;
    return RW_EXIT_OK;
}

/* The headers of a record, with room for `more`. */
static size_t headers_of(const struct rw_record *r, struct rw_record_header out[HEADERS_MAX],
                         size_t more)
{
    struct rw_slice rest = r->headers;
    size_t n = 0;
    while (n + more < HEADERS_MAX && rw_record_next_header(&rest, &out[n]) == 1)
        n++;
    return n;
}

static int put_topic(struct rw_pipe *p, const struct rw_pipe_item *r, struct rw_slice value)
{
    struct rw_record_header headers[HEADERS_MAX];
    struct rw_record out = *r->record;
    int32_t partition = RW_PARTITION_AUTO;
    struct rw_pipe_value key;
    out.value = value;
    if (p->key_field && rw_pipe_record_get(&p->fields, rw_str(p->key_field), &key))
        out.key = rw_slice(key.text.p, (size_t)key.text.n);
    /* The order of a partition is kept by keeping what was together together. */
    if (r->partition >= 0 && !p->by_key && !p->key_field)
        partition = r->partition % p->target_partitions;
    size_t n = r->partition >= 0 ? headers_of(r->record, headers, 0) : 0;
    int rc = rw_producer_send(p->producer, p->topic, partition, &out, headers, n, &p->target.err);
    if (rc == RW_E_TOO_BIG && p->on_error == RW_PIPE_DLQ)
        return rw_pipe_bury(p, r, "too_large", "the record is too large for the topic");
    if (rc)
        return rw_cli_client_fail(&p->target, rc);
    p->written++;
    return RW_EXIT_OK;
}

int rw_pipe_bury(struct rw_pipe *p, const struct rw_pipe_item *r, const char *code,
                 const char *reason)
{
    struct rw_record_header headers[HEADERS_MAX];
    char partition[16], offset[24], time[24];
    size_t n = r->partition >= 0 ? headers_of(r->record, headers, DLQ_HEADERS) : 0;
    snprintf(partition, sizeof(partition), "%d", r->partition);
    snprintf(offset, sizeof(offset), "%lld", (long long)r->record->offset);
    snprintf(time, sizeof(time), "%lld", (long long)rw_wall_ms(rw_os_env()->clock));
    const char *const more[DLQ_HEADERS][2] = {
        {RW_DLQ_REASON, reason},       {RW_DLQ_CODE, code},     {RW_DLQ_TOPIC, r->topic},
        {RW_DLQ_PARTITION, partition}, {RW_DLQ_OFFSET, offset}, {RW_DLQ_TIME, time}};
    for (int i = 0; i < DLQ_HEADERS; i++)
        headers[n++] =
            (struct rw_record_header){rw_str(more[i][0]), rw_slice(more[i][1], strlen(more[i][1]))};
    int rc = send(p, p->dlq, RW_PARTITION_AUTO, r->record, headers, n);
    p->dead += rc == RW_EXIT_OK;
    return rc;
}

static int flush_topic(struct rw_pipe *p)
{
    int rc = rw_producer_flush(p->producer, &p->target.err);
    if (rc)
        return rw_cli_client_fail(&p->target, rc);
    if (rw_producer_failed(p->producer)) {
        p->target.err = p->failure;
        return rw_cli_client_fail(&p->target, RW_E_BROKER);
    }
    return RW_EXIT_OK;
}

/* ---- all of them ---- */

int rw_pipe_output_open(struct rw_pipe *p)
{
    int rc = p->to == RW_PIPE_TO_FILE ? open_file(p) : RW_EXIT_OK;
    int64_t most = CHUNK;
    /* Files are rotated between chunks only. */
    (void)rw_units_parse_bytes(rw_str(rw_cli_string(p->cli, "rotate-size", "4MiB")), &most);
    p->pending_max = most > 0 && most < CHUNK ? (size_t)most : CHUNK;
    if (rc == RW_EXIT_OK && (p->topic || p->dlq))
        rc = open_producer(p);
    return rc;
}

void rw_pipe_output_close(struct rw_pipe *p)
{
    if (p->file)
        p->file->ops->free(p->file);
    rw_producer_free(p->producer);
    rw_cli_client_deinit(&p->target);
}

int rw_pipe_put(struct rw_pipe *p, const struct rw_pipe_item *r, struct rw_slice value)
{
    if (p->to == RW_PIPE_TO_TOPIC)
        return put_topic(p, r, value);
    struct rw_buf *out = p->to == RW_PIPE_TO_FILE ? &p->pending : rw_cli_out(p->cli);
    if (value.n)
        rw_buf_add(out, value.p, value.n);
    rw_buf_add_u8(out, '\n');
    if (out->failed)
        return rw_cli_fail(p->cli, RW_EXIT_FAILED, NULL, "out of memory");
    if (p->to == RW_PIPE_TO_FILE)
        p->pending_lines++; /* written when they are */
    else
        p->written++;
    if (p->to == RW_PIPE_TO_STDOUT)
        return out->n < CHUNK || rw_cli_flush(p->cli) == RW_OK ? RW_EXIT_OK : RW_EXIT_FAILED;
    return RW_EXIT_OK;
}

int rw_pipe_output_flush(struct rw_pipe *p)
{
    int rc = RW_EXIT_OK;
    if (p->to == RW_PIPE_TO_FILE)
        rc = flush_file(p);
    if (p->to == RW_PIPE_TO_STDOUT && rw_cli_flush(p->cli) != RW_OK)
        rc = RW_EXIT_FAILED;
    return rc == RW_EXIT_OK && p->producer ? flush_topic(p) : rc;
}

void rw_pipe_output_tick(struct rw_pipe *p)
{
    if (p->file)
        p->file->ops->tick(p->file, rw_os_wall_ns() / 1000000);
}
