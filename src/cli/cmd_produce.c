/*
 * rollway produce: records out of standard input or files. Memory stays bounded however much comes: the
 * producer's buffer has a limit, and no input is read while it is full.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/connect.h"
#include "cli/format.h"
#include "base/json.h"
#include "cli/progress.h"
#include "cli/record_json.h"
#include "base/human.h"
#include "client/producer.h"

#define READ_SIZE   (256 * 1024)
#define RECORD_MAX  (128u << 20) /* one record of input */
#define HEADERS_MAX 64           /* from -H */
#define WAKE_MS     20           /* look after answers this often while input is slow */

struct produce {
    struct rw_cli *cli;
    struct rw_cli_client client;
    struct rw_producer *producer;
    struct rw_format *format, *output;
    struct rw_format *keyless; /* with -K: for records without its delimiter; else NULL */
    bool json;                 /* lines of JSON instead of a format */
    const char *topic;
    const char *key;
    int64_t partition;
    bool tombstones;
    struct rw_record_header headers[HEADERS_MAX + RW_FORMAT_HEADERS_MAX];
    int n_headers; /* of -H */
    struct rw_format_input in;
    struct rw_progress progress;
    int64_t records, bytes, reported;
    int64_t input_bytes, read_before; /* of all files; of those that are done. 0: not known */
    int exit_code;
};

/* ---- delivery ---- */

static void delivered_json(struct produce *p, const struct rw_delivery *d)
{
    struct rw_json j;
    struct rw_buf *out = rw_cli_out(p->cli);
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "topic", d->topic);
    rw_json_int(&j, "partition", d->partition);
    rw_json_int(&j, "base_offset", d->base_offset);
    rw_json_int(&j, "count", d->count);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

static void delivered_text(struct produce *p, const struct rw_delivery *d)
{
    struct rw_record record = {.key = {NULL, 0}};
    struct rw_format_record r = {.topic = d->topic, .partition = d->partition, .record = &record};
    for (int32_t i = 0; i < d->count; i++) {
        record.offset = d->base_offset < 0 ? -1 : d->base_offset + i;
        r.number = p->reported++;
        rw_format_render(p->output, &r, rw_cli_out(p->cli));
    }
}

static void delivered(void *arg, const struct rw_delivery *d)
{
    struct produce *p = arg;
    if (d->code != RW_OK) {
        p->client.err = *d->err;
        p->exit_code = rw_cli_client_fail(&p->client, d->code);
        return;
    }
    if (rw_cli_json(p->cli))
        delivered_json(p, d);
    else if (p->output)
        delivered_text(p, d);
}

/* ---- input ---- */

struct input {
    int fd;
    const char *name;
    struct rw_buf buf;
    size_t at;
    int64_t read;  /* bytes, in all */
    int64_t taken; /* records, and blank lines of JSON */
    bool end;
};

/* Waits for input, looking after the producer meanwhile. False: the wait ended with an error or signal. */
static bool wait_input(struct produce *p, struct input *in, int *ret_rc)
{
    for (;;) {
        struct pollfd fd = {.fd = in->fd, .events = POLLIN};
        int64_t due = rw_producer_due_us(p->producer);
        bool idle = due < 0 && rw_producer_acked(p->producer) == p->records;
        int r = poll(&fd, 1,
                     idle                               ? 250
                     : due >= 0 && due < WAKE_MS * 1000 ? (int)(due / 1000) + 1
                                                        : WAKE_MS);
        if (rw_cli_interrupted()) {
            *ret_rc = RW_E_CANCELED;
            return false;
        }
        if (r > 0)
            return true;
        *ret_rc = rw_producer_poll(p->producer, 0, &p->client.err);
        if (*ret_rc != RW_OK || rw_cli_flush(p->cli) != RW_OK)
            return false;
    }
}

/* Reads more; what was not used yet stays at the front. */
static int fill(struct produce *p, struct input *in)
{
    int rc = RW_OK;
    rw_buf_consume(&in->buf, in->at);
    in->at = 0;
    if (in->buf.n >= RECORD_MAX)
        return rw_client_fail(&p->client.err, RW_E_TOO_BIG, "%s: a record of more than 128 MiB",
                              in->name);
    if (!rw_buf_reserve(&in->buf, in->buf.n > READ_SIZE ? in->buf.n : READ_SIZE))
        return rw_client_fail(&p->client.err, RW_E_NOMEM, "out of memory");
    if (!wait_input(p, in, &rc))
        return rc == RW_OK ? RW_E_IO : rc;
    ssize_t n = read(in->fd, in->buf.p + in->buf.n, in->buf.cap - in->buf.n - 1);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return rw_client_fail(&p->client.err, RW_E_IO, "%s: %s", in->name, strerror(errno));
    if (n == 0)
        in->end = true;
    if (n > 0) {
        in->buf.n += (size_t)n;
        in->read += n;
    }
    return RW_OK;
}

/* ---- records ---- */

static int send_record(struct produce *p, const struct rw_format_input *in)
{
    char topic[256];
    const char *name = p->topic;
    struct rw_record r = {.timestamp = in->has_timestamp ? in->timestamp : -1,
                          .key = in->key,
                          .value = in->value.p ? in->value : rw_slice("", 0)};
    int n = p->n_headers;
    if (p->key)
        r.key = rw_slice(p->key, strlen(p->key));
    if (p->tombstones && r.value.n == 0)
        r.value = rw_slice(NULL, 0);
    if (in->topic.p) {
        snprintf(topic, sizeof(topic), "%.*s", (int)(in->topic.n < 255 ? in->topic.n : 255),
                 (const char *)in->topic.p);
        name = topic;
    }
    for (int i = 0; i < in->n_headers; i++)
        p->headers[n++] = (struct rw_record_header){
            {(const char *)in->headers[i].key.p, (int32_t)in->headers[i].key.n},
            in->headers[i].value};
    int64_t partition = in->has_partition ? in->partition : p->partition;
    if (partition < RW_PARTITION_AUTO || partition > INT32_MAX)
        return rw_client_fail(&p->client.err, RW_E_INVAL, "there is no partition %lld",
                              (long long)partition);
    p->records++;
    p->bytes += (int64_t)(r.key.n + r.value.n);
    return rw_producer_send(p->producer, name, (int32_t)partition, &r, p->headers, (size_t)n,
                            &p->client.err);
}

/* The next line in in->buf, without its end. RW_E_SHORT: more is needed. 0: nothing is left. */
static int next_line(const struct input *in, struct rw_str *ret, size_t *ret_used)
{
    const char *from = (const char *)in->buf.p + in->at;
    size_t left = in->buf.n - in->at;
    const char *end = left ? memchr(from, '\n', left) : NULL;
    if (!end && !in->end)
        return RW_E_SHORT;
    *ret = (struct rw_str){from, (int32_t)(end ? (size_t)(end - from) : left)};
    *ret_used = left == 0 ? 0 : (size_t)ret->n + (end ? 1 : 0);
    return left > 0;
}

static bool is_blank(struct rw_str line)
{
    for (int32_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static int send_json(struct produce *p, const struct input *in, struct rw_str line)
{
    struct rw_err err = {0};
    struct rw_record_line r = {.headers = p->headers + p->n_headers,
                               .headers_max = RW_FORMAT_HEADERS_MAX};
    rw_buf_clear(&p->in.scratch);
    int rc = rw_record_json_read(line, &p->in.scratch, &r, &err);
    if (rc != RW_OK)
        return rw_client_fail(&p->client.err, rc, "%s: line %lld: %s", in->name,
                              (long long)in->taken + 1, err.text);
    struct rw_record record = {.timestamp = r.has_timestamp ? r.timestamp : -1,
                               .key = p->key ? rw_slice(p->key, strlen(p->key)) : r.key,
                               .value = r.value};
    p->records++;
    p->bytes += (int64_t)(record.key.n + record.value.n);
    return rw_producer_send(p->producer, p->topic, (int32_t)p->partition, &record, p->headers,
                            (size_t)p->n_headers + r.n_headers, &p->client.err);
}

/* Files say how much there is: the time left is told by bytes of input. */
static void progress(struct produce *p, const struct input *in)
{
    int64_t read = p->read_before + in->read - (int64_t)(in->buf.n - in->at);
    p->progress.done_part = p->input_bytes > 0 ? (double)read / (double)p->input_bytes : 0;
    rw_progress_update(&p->progress, p->records, p->bytes, rw_progress_now());
}

/* As kcat does: a record without the delimiter of -K is a value without a key. */
static int read_format(struct produce *p, struct input *in, size_t *ret_used)
{
    const uint8_t *from = in->buf.p + in->at;
    size_t n = in->buf.n - in->at;
    int got = rw_format_read(p->format, from, n, in->end, &p->in, ret_used);
    if (got == RW_E_INVAL && p->keyless)
        got = rw_format_read(p->keyless, from, n, in->end, &p->in, ret_used);
    return got;
}

/* Sends one record out of the buffer. *ret_got 1: sent; 0: nothing is left; RW_E_SHORT: more is needed.
 * Returns an error. */
static int produce_one(struct produce *p, struct input *in, int *ret_got)
{
    size_t used = 0;
    struct rw_str line = RW_STR_NULL;
    int rc = RW_OK;
    *ret_got = p->json ? next_line(in, &line, &used) : read_format(p, in, &used);
    if (*ret_got == RW_E_SHORT || *ret_got == 0)
        return RW_OK;
    if (*ret_got < 0)
        return rw_client_fail(&p->client.err, *ret_got, "%s: %s %lld does not fit the format",
                              in->name, rw_format_reads_lines(p->format) ? "line" : "record",
                              (long long)in->taken + 1);
    if (!p->json)
        rc = send_record(p, &p->in);
    else if (!is_blank(line))
        rc = send_json(p, in, line);
    in->at += used;
    in->taken++;
    return rc;
}

static int produce_input(struct produce *p, struct input *in)
{
    for (unsigned i = 0;; i++) {
        int got;
        int rc = produce_one(p, in, &got);
        if (rc == RW_OK && got == RW_E_SHORT)
            rc = fill(p, in);
        if (rc != RW_OK || got == 0)
            return rc;
        if (i % 1024 == 0)
            progress(p, in);
        if (i % 1024 == 0 && rw_cli_interrupted())
            return RW_E_CANCELED;
    }
}

static int produce_file(struct produce *p, const char *name)
{
    struct input in = {.fd = STDIN_FILENO, .name = "standard input"};
    if (strcmp(name, "-") != 0) {
        in.fd = open(name, O_RDONLY | O_CLOEXEC);
        in.name = name;
        if (in.fd < 0)
            return rw_client_fail(&p->client.err, errno == ENOENT ? RW_E_NOT_FOUND : RW_E_PERM,
                                  "%s: %s", name, strerror(errno));
    } else if (isatty(STDIN_FILENO) == 1) {
        rw_cli_note(p->cli, "Type records, one per line; Ctrl-D ends.");
    }
    rw_buf_init(&in.buf);
    int rc = rw_buf_reserve(&in.buf, READ_SIZE)
                 ? produce_input(p, &in)
                 : rw_client_fail(&p->client.err, RW_E_NOMEM, "out of memory");
    p->read_before += in.read;
    rw_buf_deinit(&in.buf);
    if (in.fd != STDIN_FILENO)
        close(in.fd);
    return rc;
}

/* kcat -T style: a file operand with --whole is one record each. */
static int produce_whole_file(struct produce *p, const char *name)
{
    struct rw_buf content;
    struct rw_format_input one = {.n_headers = 0};
    int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    ssize_t n = 1;
    if (fd < 0)
        return rw_client_fail(&p->client.err, errno == ENOENT ? RW_E_NOT_FOUND : RW_E_PERM,
                              "%s: %s", name, strerror(errno));
    rw_buf_init(&content);
    while (n > 0 && content.n < RECORD_MAX && rw_buf_reserve(&content, READ_SIZE)) {
        n = read(fd, content.p + content.n, content.cap - content.n - 1);
        content.n += n > 0 ? (size_t)n : 0;
    }
    int rc = RW_OK;
    if (content.failed || content.n >= RECORD_MAX)
        rc = rw_client_fail(&p->client.err, RW_E_TOO_BIG, "%s: more than 128 MiB", name);
    else if (n < 0)
        rc = rw_client_fail(&p->client.err, RW_E_IO, "%s: %s", name, strerror(errno));
    one.value = rw_slice(content.p, content.n);
    if (rc == RW_OK)
        rc = send_record(p, &one);
    rw_buf_deinit(&content);
    if (fd != STDIN_FILENO)
        close(fd);
    return rc;
}

/* ---- options ---- */

static int take_headers(struct produce *p)
{
    for (int i = 0; i < rw_cli_list_count(p->cli, "header"); i++) {
        const char *h = rw_cli_list(p->cli, "header", i);
        const char *split = strpbrk(h, ":=");
        if (!split || split == h || i == HEADERS_MAX)
            return rw_cli_usage(p->cli,
                                i == HEADERS_MAX ? "too many headers, at \"%s\""
                                                 : "a header is written key:value, not \"%s\"",
                                h);
        p->headers[p->n_headers++] = (struct rw_record_header){
            {h, (int32_t)(split - h)}, rw_slice(split + 1, strlen(split + 1))};
    }
    return RW_EXIT_OK;
}

/* -K and -D as a format. They may hold escapes; percent signs and braces are meant as they stand. */
static int delimiters_format(struct produce *p, char text[512], size_t *ret_value_at)
{
    const char *key = rw_cli_string(p->cli, "key-delimiter", NULL);
    const char *parts[] = {key ? "%k" : "", key ? key : "", "%v",
                           rw_cli_string(p->cli, "delimiter", "\\n")};
    size_t n = 0;
    if (key && !*key)
        return rw_cli_usage(p->cli, "the delimiter of keys can not be empty");
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            *ret_value_at = n;
        for (const char *c = parts[i]; *c; c++) {
            if (n + 3 > 512)
                return rw_cli_usage(p->cli, "the delimiters are too long");
            if (i % 2 && strchr("%{}", *c))
                text[n++] = '%';
            text[n++] = *c;
        }
    }
    text[n] = 0;
    return RW_EXIT_OK;
}

static int parse_input_format(struct produce *p, const char *text, struct rw_format **ret,
                              char error[160])
{
    int rc = rw_format_parse(text, rw_cli_has(p->cli, "kcat"), ret, error);
    return rc == RW_OK ? rw_format_check_input(*ret, error) : rc;
}

static int take_format(struct produce *p)
{
    char error[160] = "", text[512];
    const char *f = rw_cli_string(p->cli, "format", NULL);
    const char *output = rw_cli_string(p->cli, "output", NULL);
    bool keys = rw_cli_has(p->cli, "key-delimiter");
    size_t value_at = 0;
    int rc = RW_OK;
    p->json = f && strcmp(f, "json") == 0;
    if (f && (keys || rw_cli_has(p->cli, "delimiter")))
        return rw_cli_usage(p->cli, "-f says all that -K and -D say: give one of them");
    if (!f && delimiters_format(p, text, &value_at) != RW_EXIT_OK)
        return RW_EXIT_USAGE;
    if (!p->json)
        rc = parse_input_format(p, f ? f : text, &p->format, error);
    if (rc == RW_OK && keys)
        rc = parse_input_format(p, text + value_at, &p->keyless, error);
    if (rc == RW_OK && output)
        rc = rw_format_parse(output, false, &p->output, error);
    if (rc == RW_OK && output)
        rc = rw_format_check_output(p->output, error);
    return rc == RW_OK ? RW_EXIT_OK
                       : rw_cli_usage(p->cli, "%s", error[0] ? error : "out of memory");
}

static int take_options(struct produce *p, struct rw_producer_options *o)
{
    const char *codec = rw_cli_string(p->cli, "compression", "none");
    const char *acks = rw_cli_string(p->cli, "acks", "all");
    rw_producer_options_init(o);
    if (!rw_codec_parse(codec, &o->codec))
        return rw_cli_usage(p->cli, "unknown compression \"%s\": none, gzip, snappy, lz4, zstd",
                            codec);
    if (strcmp(acks, "all") != 0 && strcmp(acks, "-1") != 0 && strcmp(acks, "0") != 0 &&
        strcmp(acks, "1") != 0)
        return rw_cli_usage(p->cli, "--acks is all (-1), 1 or 0, not \"%s\"", acks);
    o->acks = acks[0] == '0' ? 0 : acks[0] == '1' ? 1 : -1;
    o->delivery_timeout_us = rw_cli_int(p->cli, "delivery-timeout", 120000) * 1000;
    o->linger_us = rw_cli_int(p->cli, "linger", 5) * 1000;
    o->batch_bytes = (size_t)rw_cli_int(p->cli, "batch-size", 256 * 1024);
    o->delivered = delivered;
    o->arg = p;
    p->key = rw_cli_string(p->cli, "key", NULL);
    p->partition = rw_cli_int(p->cli, "partition", RW_PARTITION_AUTO);
    p->tombstones = rw_cli_has(p->cli, "tombstone");
    p->topic = rw_cli_operand(p->cli, 0);
    if (rw_cli_int(p->cli, "batch-size", 1) < 1 || rw_cli_int(p->cli, "batch-size", 1) > 1 << 29)
        return rw_cli_usage(p->cli, "--batch-size is between 1 and 512MiB");
    int rc = take_headers(p);
    return rc == RW_EXIT_OK ? take_format(p) : rc;
}

/* ---- the command ---- */

/* Bytes of all files; 0 when one is no regular file. Standard input counts when it is one. */
static int64_t size_of_input(const struct rw_cli *cli)
{
    int64_t sum = 0;
    int n = rw_cli_operand_count(cli);
    for (int i = 1; i < n || i == 1; i++) {
        struct stat st;
        bool file = n > 1 && strcmp(rw_cli_operand(cli, i), "-") != 0;
        int rc = file ? stat(rw_cli_operand(cli, i), &st) : fstat(STDIN_FILENO, &st);
        if (rc != 0 || !S_ISREG(st.st_mode))
            return 0;
        sum += st.st_size;
    }
    return sum;
}

static int transfer(struct produce *p)
{
    struct rw_topic *topic;
    int rc = rw_cluster_get_topic(p->client.cluster, p->topic, true, &topic, &p->client.err);
    int files = rw_cli_operand_count(p->cli);
    for (int i = 1; rc == RW_OK && i < files; i++)
        rc = rw_cli_has(p->cli, "whole-files") ? produce_whole_file(p, rw_cli_operand(p->cli, i))
                                               : produce_file(p, rw_cli_operand(p->cli, i));
    if (rc == RW_OK && files == 1)
        rc = rw_cli_has(p->cli, "whole-files") ? produce_whole_file(p, "-") : produce_file(p, "-");
    /* What was read before a mistake or a signal is still delivered. */
    struct rw_client_err first = p->client.err;
    p->client.dialer.canceled = NULL;
    int flushed = p->records ? rw_producer_flush(p->producer, &p->client.err) : RW_OK;
    rw_progress_end(&p->progress);
    if (rc != RW_OK) {
        p->client.err = first;
        return rw_cli_client_fail(&p->client, rc);
    }
    if (flushed != RW_OK)
        return rw_cli_client_fail(&p->client, flushed);
    return rw_producer_failed(p->producer) && rw_producer_acked(p->producer) ? RW_EXIT_PARTLY
                                                                             : p->exit_code;
}

static void summary(struct produce *p, int64_t start_us)
{
    char line[160], took[RW_HUMAN_SIZE];
    int64_t us = rw_progress_now() - start_us;
    if (!rw_cli_verbose(p->cli))
        return;
    rw_progress_line(line, sizeof(line), "records", p->records, 0, p->bytes, us);
    rw_cli_note(p->cli, "%s in %s", line, rw_human_ms(took, us / 1000));
}

static int run(struct rw_cli *cli)
{
    struct rw_producer_options o;
    struct produce *p = rw_zalloc(sizeof(*p));
    if (!p)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    p->cli = cli;
    rw_buf_init(&p->in.scratch);
    p->in.headers = rw_alloc_array(RW_FORMAT_HEADERS_MAX, sizeof(*p->in.headers));
    int rc = p->in.headers ? take_options(p, &o)
                           : rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    int64_t start = rw_progress_now();
    if (rc == RW_EXIT_OK)
        rc = rw_cli_client_init(&p->client, cli, 0);
    if (rc == RW_EXIT_OK && rw_producer_new(p->client.cluster, &o, &p->producer) != RW_OK)
        rc = rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    if (rc == RW_EXIT_OK) {
        rw_progress_start(&p->progress, cli, "records", 0);
        p->input_bytes = size_of_input(cli);
        rc = transfer(p);
        summary(p, start);
    }
    rw_producer_free(p->producer);
    rw_cli_client_deinit(&p->client);
    rw_format_free(p->format);
    rw_format_free(p->keyless);
    rw_format_free(p->output);
    rw_buf_deinit(&p->in.scratch);
    rw_free(p->in.headers);
    rw_free(p);
    return rc;
}

static const struct rw_option options[] = {
    {"format", 'f', RW_OPT_STRING, "FORMAT", "how records are written in the input (default %v\\n)",
     NULL},
    {"output", 'o', RW_OPT_STRING, "FORMAT",
     "print each record that was written, e.g. '%t-%p@%o\\n'", NULL},
    {"key", 'k', RW_OPT_STRING, "KEY", "the key of every record", NULL},
    {"header", 'H', RW_OPT_LIST, "KEY:VALUE", "a header for every record; may be repeated", NULL},
    {"partition", 'p', RW_OPT_INT, "N", "write to this partition (default: by key, else any)",
     NULL},
    {"compression", 'z', RW_OPT_STRING, "CODEC", "none, gzip, snappy, lz4 or zstd (default none)",
     "none|gzip|snappy|lz4|zstd"},
    {"acks", 0, RW_OPT_STRING, "N",
     "wait for all in-sync replicas (all, -1), the leader (1), none (0)", "all|1|0"},
    {"tombstone", 'Z', RW_OPT_FLAG, NULL, "an empty value is null: a tombstone", NULL},
    {"key-delimiter", 'K', RW_OPT_STRING, "TEXT", "what separates the key from the value", NULL},
    {"delimiter", 'D', RW_OPT_STRING, "TEXT", "what separates records (default \\n)", NULL},
    {"kcat", 0, RW_OPT_FLAG, NULL, "read -f with kcat's letters: %s %S %T", NULL},
    {"whole-files", 0, RW_OPT_FLAG, NULL, "each file is one record", NULL},
    {"linger", 0, RW_OPT_DURATION, "TIME", "wait this long for a batch to fill (default 5ms)",
     NULL},
    {"batch-size", 0, RW_OPT_BYTES, "SIZE", "send a batch when it is this large (default 256KiB)",
     NULL},
    {"delivery-timeout", 0, RW_OPT_DURATION, "TIME",
     "give a record up after this time (default 2m)", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"echo hello | rollway produce greetings", "one record"},
    {"rollway produce logs /var/log/syslog -z zstd", "a record per line of a file, compressed"},
    {"echo 'user7:login' | rollway produce events -K :", "key and value"},
    {"rollway produce raw -f '%K{big32}%V{big32}%k%v' < dump", "binary input with lengths"},
    {NULL, NULL}};

const struct rw_command rw_cmd_produce = {
    .name = "produce",
    .aliases = "topic produce",
    .operands = "TOPIC [FILE...]",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "write records to a topic, from standard input or files",
    .text =
        "Every line of input is a record, unless -f, -K or -D say otherwise. The topic is created "
        "when the "
        "broker does so. Records are written idempotently: a retry neither loses, repeats nor "
        "reorders "
        "them. The exit code is 0 only when every record was acknowledged.\n"
        "\n"
        "The format of -f holds fields and the text between them: %k key, %v value, %t topic, %p "
        "partition, "
        "%d timestamp in milliseconds, %h{...} headers with %k and %v inside, %% a percent sign; "
        "\\t \\n \\r \\\\ \\xNN as usual. %K, %V and %T are lengths, %H the number of headers; in "
        "braces "
        "big8 to big64 and little8 to little64 make numbers binary, hex and base64 decode text.\n"
        "\n"
        "    %k %v\\n               key, blank, value, one record a line\n"
        "    %h{%k=%v;}%v\\n        one header before the value\n"
        "    %V{big32}%v           length and value, binary\n"
        "\n"
        "With --json a line is printed for each batch that was acknowledged: topic, partition, "
        "base_offset "
        "and count.",
    .options = options,
    .examples = examples,
    .run = run,
};
