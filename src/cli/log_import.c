/*
 * rollway log import: lines of text or JSON become records of a log. The log is
 * synced once at the end, before the command says that it is done.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/log_common.h"
#include "cli/progress.h"
#include "cli/record_json.h"

#define BATCH_RECORDS 1000
#define BATCH_BYTES   (512u << 10)
#define HEADERS_MAX   4096 /* of a record */
#define BATCH_HEADERS 8192
#define LINE_MAX_SIZE (64u << 20)
#define BATCH_MOST    (128u << 20) /* a line's record fits, whatever the log had as its limit */
#define CHUNK         (64u << 10)
#define WAIT_MS       250

struct import {
    struct rw_cli *cli;
    struct rollway_log *log;
    bool json;
    struct rollway_record records[BATCH_RECORDS];
    struct rollway_header headers[BATCH_HEADERS];
    struct rw_record_header line_headers[HEADERS_MAX];
    struct rw_buf text; /* of the batch; does not move while records view it */
    size_t n, headers_n;
    int64_t done, bytes, line;
};

static int write_batch(struct import *m)
{
    if (!m->n)
        return RW_EXIT_OK;
    int rc = rollway_log_append(m->log, m->records, m->n, NULL);
    if (rc)
        return rw_log_cli_fail(m->cli, m->log, rc);
    m->done += (int64_t)m->n;
    m->n = m->headers_n = 0;
    rw_buf_clear(&m->text);
    return RW_EXIT_OK;
}

static int add_json(struct import *m, const char *line, size_t n)
{
    struct rw_err err = {0};
    struct rw_record_line r = {.headers = m->line_headers, .headers_max = HEADERS_MAX};
    int rc = rw_record_json_read((struct rw_str){line, (int32_t)n}, &m->text, &r, &err);
    if (rc)
        return rw_cli_fail(m->cli, RW_EXIT_FAILED,
                           "a line is like {\"key\":\"k\",\"value\":\"v\",\"timestamp\":0,"
                           "\"headers\":[{\"key\":\"h\",\"value\":\"v\"}]}",
                           "line %" PRId64 ": %s", m->line, err.text);
    struct rollway_header *headers = &m->headers[m->headers_n];
    for (size_t i = 0; i < r.n_headers; i++) {
        const struct rw_record_header *h = &r.headers[i];
        headers[i] = (struct rollway_header){.key = h->key.p,
                                             .key_size = (size_t)h->key.n,
                                             .value = h->value.p,
                                             .value_size = h->value.n};
    }
    m->headers_n += r.n_headers;
    int64_t time = !r.has_timestamp ? 0 : r.timestamp == 0 ? ROLLWAY_TIME_1970 : r.timestamp;
    m->records[m->n++] = (struct rollway_record){.timestamp_ms = time,
                                                 .key = r.key.p,
                                                 .key_size = r.key.n,
                                                 .value = r.value.p,
                                                 .value_size = r.value.n,
                                                 .headers = headers,
                                                 .headers_count = r.n_headers};
    return RW_EXIT_OK;
}

static int add_text(struct import *m, const char *line, size_t n)
{
    const uint8_t *at = m->text.p + m->text.n;
    rw_buf_add(&m->text, line, n);
    m->records[m->n++] = (struct rollway_record){.value = at, .value_size = n};
    return RW_EXIT_OK;
}

static int add_line(struct import *m, const char *line, size_t n)
{
    m->line++;
    m->bytes += (int64_t)n;
    if (n > LINE_MAX_SIZE)
        return rw_cli_fail(m->cli, RW_EXIT_FAILED, NULL, "line %" PRId64 " is longer than 64 MiB",
                           m->line);
    if (m->n == BATCH_RECORDS || m->headers_n + HEADERS_MAX > BATCH_HEADERS ||
        (m->n && m->text.n + n > BATCH_BYTES)) {
        int exit_code = write_batch(m);
        if (exit_code)
            return exit_code;
    }
    /* Decoding takes up to twice the line's length: enough for every line this batch may get. */
    if (m->n == 0 && !rw_buf_reserve(&m->text, 2 * (n > BATCH_BYTES ? n : BATCH_BYTES) + CHUNK))
        return rw_cli_fail(m->cli, RW_EXIT_FAILED, NULL, "out of memory");
    return m->json ? add_json(m, line, n) : add_text(m, line, n);
}

/* Takes whole lines out of `pending`; at the end of the input also the last one without a newline. */
static int take_lines(struct import *m, struct rw_buf *pending, bool at_end)
{
    size_t from = 0;
    int exit_code = RW_EXIT_OK;
    while (!exit_code && from < pending->n) {
        const uint8_t *line = pending->p + from;
        const uint8_t *end = memchr(line, '\n', pending->n - from);
        if (!end && !at_end && pending->n - from <= LINE_MAX_SIZE)
            break;
        size_t n = end ? (size_t)(end - line) : pending->n - from;
        exit_code = add_line(m, (const char *)line, n);
        from += n + (end ? 1 : 0);
    }
    rw_buf_consume(pending, from);
    return exit_code;
}

/* Waits for input and appends what is there. 0: the end, or a signal came. -1: errno says why. */
static ssize_t read_some(struct rw_buf *pending, int in)
{
    struct pollfd fd = {.fd = in, .events = POLLIN};
    if (!rw_buf_reserve(pending, CHUNK)) {
        errno = ENOMEM;
        return -1;
    }
    while (!rw_cli_interrupted()) {
        /* With a limit: a signal may come just before the wait begins. */
        int ready = poll(&fd, 1, WAIT_MS);
        ssize_t n = ready > 0 ? read(in, pending->p + pending->n, CHUNK) : ready;
        if (n > 0)
            pending->n += (size_t)n;
        if ((ready > 0 && n >= 0) || (n < 0 && errno != EINTR && errno != EAGAIN))
            return n;
    }
    return 0;
}

static int read_lines(struct import *m, int in)
{
    struct rw_buf pending;
    struct rw_progress progress;
    int exit_code = RW_EXIT_OK;
    ssize_t got = 1;
    rw_buf_init(&pending);
    rw_progress_start(&progress, m->cli, "records", 0);
    while (!exit_code && got > 0) {
        got = read_some(&pending, in);
        if (got < 0)
            exit_code = rw_cli_fail(m->cli, RW_EXIT_FAILED, NULL, "reading: %s", strerror(errno));
        /* After a signal the line that has not come whole is not taken. */
        if (!exit_code)
            exit_code = take_lines(m, &pending, got == 0 && !rw_cli_interrupted());
        if (rw_cli_interrupted())
            break;
        rw_progress_update(&progress, m->line, m->bytes, rw_progress_now());
    }
    rw_progress_end(&progress);
    if (!exit_code)
        exit_code = write_batch(m);
    rw_buf_deinit(&pending);
    return exit_code;
}

static int import_from(struct rw_cli *cli, struct import *m, const char *dir, int in)
{
    int exit_code;
    struct rollway_log_options options = {
        .size = sizeof(options), .durability = ROLLWAY_DURABLE_OS, .batch_bytes_max = BATCH_MOST};
    enum { CODECS = 5 };
    static const char *const codecs[CODECS] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const char *codec = rw_cli_string(cli, "compression", "none");
    while (options.compression < CODECS && strcmp(codecs[options.compression], codec) != 0)
        options.compression++;
    if (options.compression == CODECS)
        return rw_cli_usage(cli, "--compression is none, gzip, snappy, lz4 or zstd");
    m->log = rw_log_cli_open(cli, dir, &options, &exit_code);
    if (!m->log)
        return exit_code;
    exit_code = read_lines(m, in);
    int rc = rollway_log_close(m->log);
    if (rc && !exit_code)
        exit_code = rw_log_cli_fail(cli, NULL, rc);
    if (!exit_code)
        rw_cli_note(cli, "%s: %s%" PRId64 " records imported", dir,
                    rw_cli_interrupted() ? "interrupted; " : "", m->done);
    return exit_code ? exit_code : rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : RW_EXIT_OK;
}

static int run(struct rw_cli *cli)
{
    const char *format = rw_cli_string(cli, "format", "text");
    const char *file = rw_cli_string(cli, "file", "-");
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0)
        return rw_cli_usage(cli, "--format is text or json");
    int in = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return rw_cli_fail(cli, errno == ENOENT ? RW_EXIT_NOT_FOUND : RW_EXIT_FAILED, NULL,
                           "%s: %s", file, strerror(errno));
    struct import *m = rw_zalloc(sizeof(*m));
    int exit_code;
    if (!m) {
        exit_code = rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    } else {
        m->cli = cli;
        m->json = json;
        exit_code = import_from(cli, m, rw_cli_operand(cli, 0), in);
        rw_buf_deinit(&m->text);
    }
    rw_free(m);
    if (in != STDIN_FILENO)
        close(in);
    return exit_code;
}

static const struct rw_option options[] = {
    {"format", 'f', RW_OPT_STRING, "FORMAT", "text: a line is a value; json: a line is a record",
     "text|json"},
    {"file", 0, RW_OPT_STRING, "FILE", "read this file instead of standard input", "file"},
    {"compression", 'z', RW_OPT_STRING, "CODEC", "compress batches; default none",
     "none|gzip|snappy|lz4|zstd"},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL},
};

static const struct rw_example examples[] = {
    {"rollway log import events-0 < app.log", "each line becomes a record"},
    {"rollway log export -f json events-0 | rollway log import -f json copy-0", "copy a log"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_import = {
    .name = "log import",
    .operands = "DIR",
    .operands_complete = "dir",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "append lines of text or JSON to a log",
    .text =
        "Creates the log when it is missing. Everything is on stable storage when the command ends "
        "without an error. When it is interrupted, the whole lines that came are records.\n"
        "\n"
        "JSON is what rollway log export --format json and rollway consume --json write: nothing "
        "is "
        "lost on the way there and back. null is not the empty string, bytes that are no text are "
        "{\"base64\":\"...\"}. Offsets are given anew.",
    .options = options,
    .examples = examples,
    .local = true,
    .run = run,
};
