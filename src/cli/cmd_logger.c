/*
 * rollway logger: logger(1) with more places to go to. Options, lines and exit codes are those of util-linux (2.38), so that a
 * script does not see which of the two it has. Input is read in pieces of the largest message: memory is bounded, however
 * long a line is.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/logger_out.h"
#include "os/socket_out.h"
#include "rollway/logger.h"

enum {
    SIZE = 1024,              /* of a message, as in logger(1) */
    SIZE_TOPIC = 1000 * 1000, /* what brokers take, with room for the rest of the record */
    SIZE_CONFIG = 60 * 1024,  /* what a record of the library takes */
    SIZE_MAX_MESSAGE = 64 * 1024 * 1024,
    READ_SIZE = 64 * 1024
};

#define DEV_LOG "/dev/log"
#define JOURNAL "/run/systemd/journal/socket"

struct logger {
    struct rw_cli *cli;
    struct rw_syslog_head head;
    struct rw_logger_socket where;
    struct rw_logger_out *out;
    struct rw_buf data, text,
        message; /* structured data; what stands before the message; the message */
    int default_priority;
    size_t size;
    bool act, print, skip_empty, prefix, plain; /* plain: nothing stands before the message */
    char host[256], tag[256];
};

/* ---- messages ---- */

static int make_head(struct logger *l)
{
    struct rw_err err;
    struct timeval now;
    rw_buf_clear(&l->text);
    if (l->plain)
        return RW_EXIT_OK;
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &l->head.time);
    l->head.microseconds = now.tv_usec;
    if (rw_syslog_head(&l->text, &l->head, &err) != RW_OK)
        return rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "%s", err.text);
    return RW_EXIT_OK;
}

static void print_message(const struct logger *l, const struct rw_logger_message *m)
{
    struct rw_buf b;
    rw_buf_init(&b);
    if (l->where.octet_count)
        rw_buf_printf(&b, "%zu ", (size_t)m->text.n + m->body.n);
    rw_buf_add(&b, m->text.p, (size_t)m->text.n);
    rw_buf_add(&b, m->body.p, m->body.n);
    rw_buf_add_u8(&b, '\n');
    fwrite(b.p, 1, b.n, stderr);
    rw_buf_deinit(&b);
}

/* What is behind a NUL is cut off, as in logger(1): it would end the message for many receivers. */
static int send_message(struct logger *l, const char *p, size_t n)
{
    struct rw_logger_message m = {.head = &l->head,
                                  .text = {rw_buf_cstr(&l->text), (int32_t)l->text.n},
                                  .body = rw_slice(p, l->plain ? n : strnlen(p, n))};
    int exit_code = l->act && l->out ? rw_logger_send(l->out, &m) : RW_EXIT_OK;
    if (l->print)
        print_message(l, &m);
    return exit_code;
}

/* Words with blanks between, as many in a message as fit. */
static int send_words(struct logger *l)
{
    struct rw_buf *b = &l->message;
    int exit_code = make_head(l);
    for (int i = 0; i < rw_cli_operand_count(l->cli) && !exit_code; i++) {
        const char *word = rw_cli_operand(l->cli, i);
        size_t n = strlen(word);
        if (b->n && b->n + n >= l->size) {
            exit_code = send_message(l, rw_buf_cstr(b), b->n);
            rw_buf_clear(b);
        }
        if (n > l->size) {
            exit_code = exit_code ? exit_code : send_message(l, word, l->size);
            continue;
        }
        if (b->n)
            rw_buf_add_u8(b, ' ');
        rw_buf_add(b, word, n);
    }
    return exit_code || !b->n ? exit_code : send_message(l, rw_buf_cstr(b), b->n);
}

/* ---- lines ---- */

struct lines {
    int fd;
    char *buf;
    size_t at, n;
    bool end, failed;
};

/* The next byte; -1: there is none. */
static int next(struct lines *in)
{
    while (in->at == in->n && !in->end) {
        ssize_t n = read(in->fd, in->buf, READ_SIZE);
        if (n < 0 && errno == EINTR && !rw_cli_interrupted())
            continue;
        in->failed = n < 0 && errno != EINTR;
        in->end = n <= 0;
        in->at = 0;
        in->n = n > 0 ? (size_t)n : 0;
    }
    return in->at < in->n ? (unsigned char)in->buf[in->at++] : -1;
}

/* "<13>" before a line; what only looks like it belongs to the message. Returns the byte behind. */
static int take_prefix(struct logger *l, struct lines *in, int c)
{
    int priority = 0;
    l->head.priority = l->default_priority;
    rw_buf_add_u8(&l->message, (uint8_t)c);
    for (c = next(in); c >= '0' && c <= '9' && priority <= RW_SYSLOG_PRIORITY_MAX; c = next(in)) {
        rw_buf_add_u8(&l->message, (uint8_t)c);
        priority = priority * 10 + c - '0';
    }
    if (c != '>' || priority > RW_SYSLOG_PRIORITY_MAX)
        return c;
    rw_buf_clear(&l->message);
    l->head.priority = priority < 8 ? priority | 8 : priority; /* not the kernel's */
    return next(in);
}

static int send_lines(struct logger *l, struct lines *in)
{
    int exit_code = RW_EXIT_OK, c = next(in);
    while (c >= 0 && !exit_code) {
        rw_buf_clear(&l->message);
        if (l->prefix && c == '<')
            c = take_prefix(l, in, c);
        while (c >= 0 && c != '\n' && l->message.n < l->size) {
            rw_buf_add_u8(&l->message, (uint8_t)c);
            c = next(in);
        }
        if (l->message.failed)
            return rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "out of memory");
        if (l->message.n || !l->skip_empty)
            exit_code = make_head(l);
        if (!exit_code && (l->message.n || !l->skip_empty))
            exit_code = send_message(l, rw_buf_cstr(&l->message), l->message.n);
        if (c == '\n')
            c = next(in);
    }
    return exit_code;
}

static int send_file(struct logger *l, const char *file)
{
    struct lines in = {.fd = STDIN_FILENO, .buf = rw_alloc(READ_SIZE)};
    const char *name = file ? file : "standard input";
    if (!in.buf)
        return rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "out of memory");
    if (file)
        in.fd = open(file, O_RDONLY | O_CLOEXEC);
    int exit_code =
        in.fd < 0 ? rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "file %s: %s", file, strerror(errno))
                  : send_lines(l, &in);
    if (!exit_code && in.failed)
        exit_code = rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "file %s: %s", name, strerror(errno));
    if (!exit_code && rw_cli_interrupted())
        exit_code = RW_EXIT_INTERRUPTED;
    if (file && in.fd >= 0)
        close(in.fd);
    rw_free(in.buf);
    return exit_code;
}

/* ---- the journal ---- */

/* A line without the blanks at its end; false: there is none, or nothing is in it. */
static bool read_line(struct lines *in, struct rw_buf *line)
{
    int c = next(in);
    rw_buf_clear(line);
    for (; c >= 0 && c != '\n'; c = next(in))
        rw_buf_add_u8(line, (uint8_t)c);
    while (line->n > 0 && strchr(" \t\r\v\f", line->p[line->n - 1]))
        line->n--;
    return line->n > 0 && !line->failed;
}

/* An entry of the journal: its lines KEY=value; what several MESSAGE lines say is one message of several lines, where the first of them
 * stood. */
struct entry {
    struct rw_buf lines, message;
    size_t at; /* in lines: the message stands before it */
    bool wrong, named;
};

/* Lines up to an empty one. */
static void read_entry(struct lines *in, struct entry *e)
{
    struct rw_buf line;
    rw_buf_init(&line);
    while (read_line(in, &line)) {
        const char *p = (const char *)line.p, *equals = memchr(p, '=', line.n);
        e->wrong |= !equals || equals == p;
        e->named |= line.n > 18 && memcmp(p, "SYSLOG_IDENTIFIER=", 18) == 0;
        if (line.n < 8 || memcmp(p, "MESSAGE=", 8) != 0) {
            rw_buf_add(&e->lines, p, line.n);
            rw_buf_add_u8(&e->lines, '\n');
        } else if (e->message.n == 0) {
            e->at = e->lines.n;
            rw_buf_add(&e->message, p, line.n);
        } else {
            rw_buf_add_u8(&e->message, '\n');
            rw_buf_add(&e->message, p + 8, line.n - 8);
        }
    }
    e->lines.failed |= line.failed || e->message.failed;
    rw_buf_deinit(&line);
}

/* As a person reads it, or as the journal does: there, a value with line ends stands behind its length. */
static void add_entry(struct rw_buf *out, const struct entry *e, bool wire)
{
    const struct rw_buf *m = &e->message;
    size_t key = 0;
    if (e->at > 0)
        rw_buf_add(out, e->lines.p, e->at);
    if (wire && m->n > 0 && memchr(m->p, '\n', m->n)) {
        key = strlen("MESSAGE=");
        rw_buf_add_str(out, "MESSAGE\n");
        for (unsigned i = 0; i < 8; i++)
            rw_buf_add_u8(out, (uint8_t)((uint64_t)(m->n - key) >> (8 * i)));
    }
    if (m->n > 0) {
        rw_buf_add(out, m->p + key, m->n - key);
        rw_buf_add_u8(out, '\n');
    }
    if (e->lines.n > e->at)
        rw_buf_add(out, e->lines.p + e->at, e->lines.n - e->at);
    /* The journal would take the name of this program instead, which is not what one looks for. */
    if (wire && !e->named)
        rw_buf_add_str(out, "SYSLOG_IDENTIFIER=logger\n");
}

static int send_entry(struct logger *l, const struct entry *e)
{
    if (l->print) {
        add_entry(&l->text, e, false);
        fwrite(l->text.p, 1, l->text.n, stderr);
        rw_buf_clear(&l->text);
    }
    if (!l->act)
        return RW_EXIT_OK;
    if (e->wrong || e->lines.n + e->message.n == 0)
        return rw_cli_fail(l->cli, RW_EXIT_FAILED, "an entry is lines KEY=value",
                           "journald entry could not be written");
    add_entry(&l->text, e, true);
    if (e->lines.failed || l->text.failed)
        return rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "out of memory");
    return rw_logger_to_journal(l->cli, rw_cli_string(l->cli, "socket", JOURNAL), &l->text);
}

static int to_journal(struct logger *l)
{
    const char *file = rw_cli_string(l->cli, "journald", NULL);
    struct lines in = {.fd = STDIN_FILENO, .buf = rw_alloc(READ_SIZE)};
    struct entry e = {.at = 0};
    int exit_code;
    if (!in.buf)
        return rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "out of memory");
    rw_buf_init(&e.lines);
    rw_buf_init(&e.message);
    if (file)
        in.fd = open(file, O_RDONLY | O_CLOEXEC);
    if (in.fd < 0) {
        exit_code =
            rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "cannot open %s: %s", file, strerror(errno));
    } else {
        read_entry(&in, &e);
        exit_code = in.failed ? rw_cli_fail(l->cli, RW_EXIT_FAILED, NULL, "%s: %s",
                                            file ? file : "standard input", strerror(errno))
                              : send_entry(l, &e);
    }
    if (file && in.fd >= 0)
        close(in.fd);
    rw_buf_deinit(&e.lines);
    rw_buf_deinit(&e.message);
    rw_free(in.buf);
    return exit_code;
}

/* ---- options ---- */

static void take_tag(struct logger *l)
{
    const char *tag = rw_cli_string(l->cli, "tag", NULL);
    if (tag) {
        l->head.tag = tag;
        return;
    }
    const struct passwd *p = NULL;
    if (getlogin_r(l->tag, sizeof(l->tag)) != 0)
        p = getpwuid(geteuid());
    if (p)
        snprintf(l->tag, sizeof(l->tag), "%s", p->pw_name);
    else if (!l->tag[0])
        memcpy(l->tag, "<someone>", sizeof("<someone>"));
    l->head.tag = l->tag;
}

static int take_id(struct logger *l)
{
    const char *id = rw_cli_string(l->cli, "id", NULL);
    char *end;
    if (!rw_cli_has(l->cli, "id"))
        return RW_EXIT_OK;
    l->head.pid = getpid();
    if (!id)
        return RW_EXIT_OK;
    errno = 0;
    long v = strtol(id, &end, 10);
    if (errno || end == id || *end || v < INT32_MIN || v > INT32_MAX)
        return rw_cli_usage(l->cli, "failed to parse id: '%s'", id);
    l->head.pid = (int)v;
    return RW_EXIT_OK;
}

/* Of two options that exclude each other the last one counts: whether that is `name`. */
static bool last_of(const struct logger *l, const char *name, const char *other)
{
    const char *given, *value;
    bool it = false;
    for (int i = 0; (given = rw_cli_given(l->cli, i, &value)); i++)
        it = strcmp(given, name) == 0 || (it && strcmp(given, other) != 0);
    return it;
}

/* Whether this is the id of structured data that was given before the option of number i, too. */
static bool data_id_was_given(const struct logger *l, int i, const char *id)
{
    const char *value;
    while (i-- > 0)
        if (strcmp(rw_cli_given(l->cli, i, &value), "sd-id") == 0 && strcmp(value, id) == 0)
            return true;
    return false;
}

/* What --rfc5424 leaves out, with commas between: notime (and so notq), notq, nohost. Several of them add up. */
static void take_rfc5424(struct logger *l, const char *p, bool *ret_quality)
{
    while (p && *p) {
        size_t n = strcspn(p, ",");
        if (n == 6 && memcmp(p, "notime", 6) == 0) {
            l->head.no_time = true;
            *ret_quality = false;
        } else if (n == 4 && memcmp(p, "notq", 4) == 0) {
            *ret_quality = false;
        } else if (n == 6 && memcmp(p, "nohost", 6) == 0) {
            l->head.no_host = true;
        } else {
            rw_cli_note(l->cli, "rollway: ignoring unknown option argument: %.*s", (int)n, p);
        }
        p += n + (p[n] == ',');
    }
}

/* --sd-id and --sd-param in the order in which they were given: a parameter belongs to the id before it. An id without one is left
 * out. */
static int take_data(struct logger *l, bool quality)
{
    const char *name, *value, *id = NULL;
    bool open = false;
    for (int i = 0; quality && (name = rw_cli_given(l->cli, i, &value)); i++)
        quality = strcmp(name, "sd-id") != 0 || strcmp(value, "timeQuality") != 0;
    /* Whether the clock is synchronised is nothing that we would know. */
    if (quality)
        rw_buf_add_str(&l->data, "[timeQuality tzKnown=\"1\" isSynced=\"0\"]");
    for (int i = 0; (name = rw_cli_given(l->cli, i, &value)); i++) {
        if (strcmp(name, "sd-id") == 0) {
            if (!rw_syslog_data_id_valid(value))
                return rw_cli_usage(l->cli, "invalid structured data ID: '%s'", value);
            if (data_id_was_given(l, i, value))
                return rw_cli_usage(l->cli, "structured data ID '%s' is not unique", value);
            if (open)
                rw_buf_add_u8(&l->data, ']');
            open = false;
            id = value;
        } else if (strcmp(name, "sd-param") == 0) {
            if (!rw_syslog_data_param_valid(value))
                return rw_cli_usage(l->cli, "invalid structured data parameter: '%s'", value);
            if (!id)
                return rw_cli_usage(l->cli, "--sd-id was not specified for --sd-param %s", value);
            if (!open)
                rw_buf_printf(&l->data, "[%s", id);
            open = true;
            rw_buf_printf(&l->data, " %s", value);
        }
    }
    if (open)
        rw_buf_add_u8(&l->data, ']');
    if (!l->data.n)
        rw_buf_add_u8(&l->data, '-');
    l->head.data = rw_buf_cstr(&l->data);
    return RW_EXIT_OK;
}

/* A daemon that is not there is told where somebody would miss it: where a system has systemd, there always is one. */
static void take_socket(struct logger *l)
{
    const char *mode = rw_cli_string(l->cli, "socket-errors", "auto");
    struct stat st;
    bool automatic = l->print || !l->act || lstat("/run/systemd/system/", &st) == 0;
    l->where.path = rw_cli_string(l->cli, "socket", DEV_LOG);
    l->where.server = rw_cli_string(l->cli, "server", NULL);
    l->where.port = rw_cli_string(l->cli, "port", NULL);
    l->where.tcp = last_of(l, "tcp", "udp");
    l->where.octet_count = rw_cli_has(l->cli, "octet-count");
    if (strcmp(mode, "on") == 0)
        l->where.errors = true;
    else if (strcmp(mode, "off") == 0)
        l->where.errors = false;
    else {
        if (strcmp(mode, "auto") != 0)
            rw_cli_note(l->cli, "rollway: invalid argument: %s: using automatic errors", mode);
        l->where.errors = automatic;
    }
}

static int take_form(struct logger *l)
{
    const char *name, *value;
    bool quality = true, rfc5424 = last_of(l, "rfc5424", "rfc3164"),
         rfc3164 = last_of(l, "rfc3164", "rfc5424");
    for (int i = 0; (name = rw_cli_given(l->cli, i, &value)); i++)
        if (strcmp(name, "rfc5424") == 0)
            take_rfc5424(l, value, &quality);
    const char *msgid = rw_cli_string(l->cli, "msgid", NULL);
    if (msgid && strchr(msgid, ' '))
        return rw_cli_usage(l->cli, "--msgid cannot contain space");
    l->head.msgid = msgid;
    l->head.form = rfc3164                      ? RW_SYSLOG_RFC3164
                   : rfc5424 || l->where.server ? RW_SYSLOG_RFC5424
                                                : RW_SYSLOG_LOCAL;
    l->plain =
        !rfc3164 && !rfc5424 && (rw_cli_has(l->cli, "to-topic") || rw_cli_has(l->cli, "config"));
    return take_data(l, quality);
}

static int take_size(struct logger *l)
{
    int64_t size = rw_cli_has(l->cli, "to-topic") ? SIZE_TOPIC
                   : rw_cli_has(l->cli, "config") ? SIZE_CONFIG
                                                  : SIZE;
    int64_t most = rw_cli_has(l->cli, "config") ? SIZE_CONFIG : SIZE_MAX_MESSAGE;
    size = rw_cli_int(l->cli, "size", size);
    if (size < 1 || size > most)
        return rw_cli_usage(l->cli, "failed to parse message size: from 1 to %lld here",
                            (long long)most);
    l->size = (size_t)size;
    return RW_EXIT_OK;
}

static int take_options(struct logger *l)
{
    struct rw_err err;
    const char *name, *value;
    l->head.priority = 1 << 3 | 5; /* user.notice */
    for (int i = 0; (name = rw_cli_given(l->cli, i, &value)); i++)
        if (strcmp(name, "priority") == 0 &&
            rw_syslog_priority(value, &l->head.priority, &err) != RW_OK)
            return rw_cli_usage(l->cli, "%s", err.text);
    l->default_priority = l->head.priority;
    l->act = !rw_cli_has(l->cli, "no-act");
    l->print = rw_cli_has(l->cli, "stderr");
    l->skip_empty = rw_cli_has(l->cli, "skip-empty");
    l->prefix = rw_cli_has(l->cli, "prio-prefix");
    if (rw_cli_has(l->cli, "to-topic") + rw_cli_has(l->cli, "config") +
            (rw_cli_has(l->cli, "server") || rw_cli_has(l->cli, "socket") ||
             rw_cli_has(l->cli, "journald")) >
        1 + (rw_cli_has(l->cli, "journald") && rw_cli_has(l->cli, "socket")))
        return rw_cli_usage(l->cli, "--to-topic, --config and a socket exclude each other");
    rw_os_host_name(l->host, sizeof(l->host));
    l->head.host = l->host;
    take_tag(l);
    take_socket(l);
    int exit_code = take_id(l);
    if (!exit_code)
        exit_code = take_form(l);
    return exit_code ? exit_code : take_size(l);
}

/* ---- the command ---- */

static int open_out(struct logger *l)
{
    if (rw_cli_has(l->cli, "config")) {
        char pid[16];
        snprintf(pid, sizeof(pid), "%d", l->head.pid);
        int exit_code =
            rw_logger_to_config(l->cli, rw_cli_string(l->cli, "config", ""),
                                rw_cli_has(l->cli, "tag") ? l->head.tag : "logger", &l->out);
        (void)rollway_context_set("facility", rw_syslog_facility_name(l->default_priority));
        if (l->head.pid)
            (void)rollway_context_set("pid", pid);
        return exit_code;
    }
    if (rw_cli_has(l->cli, "to-topic"))
        return rw_logger_to_topic(l->cli, rw_cli_string(l->cli, "to-topic", ""), &l->out);
    return rw_logger_to_socket(l->cli, &l->where, &l->out);
}

static int work(struct logger *l)
{
    int exit_code = take_options(l);
    if (exit_code)
        return exit_code;
    if (rw_cli_has(l->cli, "journald"))
        return to_journal(l);
    const char *file = rw_cli_string(l->cli, "file", NULL);
    bool words = rw_cli_operand_count(l->cli) > 0 && !file;
    if (file && rw_cli_operand_count(l->cli) > 0)
        rw_cli_note(
            l->cli,
            "rollway: --file <file> and <message> are mutually exclusive, message is ignored");
    exit_code = open_out(l);
    if (exit_code)
        return exit_code;
    exit_code = words ? send_words(l) : send_file(l, file && strcmp(file, "-") != 0 ? file : NULL);
    int ended = rw_logger_end(l->out);
    return exit_code ? exit_code : ended;
}

static int run(struct rw_cli *cli)
{
    struct logger *l;
    if (rw_cli_has(cli, "version")) {
        rw_buf_add_str(rw_cli_out(cli), "logger from rollway " ROLLWAY_VERSION "\n");
        return RW_EXIT_OK;
    }
    l = rw_zalloc(sizeof(*l));
    if (!l)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    l->cli = cli;
    rw_buf_init(&l->data);
    rw_buf_init(&l->text);
    rw_buf_init(&l->message);
    int exit_code = work(l);
    rw_buf_deinit(&l->data);
    rw_buf_deinit(&l->text);
    rw_buf_deinit(&l->message);
    rw_free(l);
    return exit_code;
}

static const struct rw_option options[] = {
    {"tag", 't', RW_OPT_STRING, "TAG", "mark every line with this tag (default: the user's name)",
     NULL},
    {"priority", 'p', RW_OPT_STRING, "PRIORITY",
     "facility.level or level, as in local3.err (default user.notice)", NULL},
    {"id", 'i', RW_OPT_OPTIONAL, "PID", "add a process id: PID, or that of this command", NULL},
    {"stderr", 's', RW_OPT_FLAG, NULL, "print each message on standard error as well", NULL},
    {"file", 'f', RW_OPT_STRING, "FILE", "send the lines of this file", "file"},
    {"skip-empty", 'e', RW_OPT_FLAG, NULL, "leave empty lines of input out", NULL},
    {"prio-prefix", 0, RW_OPT_FLAG, NULL, "a line of input may begin with its priority: <13>",
     NULL},
    {"size", 'S', RW_OPT_BYTES, "SIZE",
     "most of one message; longer ones are split (default 1KiB; topic 1MB; --config 60KiB)", NULL},
    {"server", 'n', RW_OPT_STRING, "HOST", "send to the syslog daemon of this host", NULL},
    {"port", 'P', RW_OPT_STRING, "PORT", "at this port (default: syslog, TCP: syslog-conn)", NULL},
    {"tcp", 'T', RW_OPT_FLAG, NULL, "over TCP", NULL},
    {"udp", 'd', RW_OPT_FLAG, NULL, "over UDP (default)", NULL},
    {"octet-count", 0, RW_OPT_FLAG, NULL, "each message behind its length (RFC 6587)", NULL},
    {"socket", 'u', RW_OPT_STRING, "PATH", "send to this Unix socket (default /dev/log)", "file"},
    {"socket-errors", 0, RW_OPT_STRING, "WHEN",
     "tell when there is no socket: on, off, auto (default: with systemd, -s or --no-act)",
     "on|off|auto"},
    {"rfc3164", 0, RW_OPT_FLAG, NULL, "lines as in the old BSD protocol", NULL},
    {"rfc5424", 0, RW_OPT_OPTIONAL, "WITHOUT",
     "lines as in RFC 5424 (default for servers), without notime, notq, nohost",
     "notime|notq|nohost"},
    {"sd-id", 0, RW_OPT_LIST, "ID", "begin structured data: name@number (RFC 5424)", NULL},
    {"sd-param", 0, RW_OPT_LIST, "NAME=\"VALUE\"", "a parameter of it", NULL},
    {"msgid", 0, RW_OPT_STRING, "ID", "the MSGID of RFC 5424", NULL},
    {"journald", 0, RW_OPT_OPTIONAL, "FILE",
     "an entry of the journal, from lines KEY=value of FILE or standard input", "file"},
    {"no-act", 0, RW_OPT_FLAG, NULL, "do everything but send", NULL},
    {"version", 'V', RW_OPT_FLAG, NULL, "print the version", NULL},
    {"to-topic", 0, RW_OPT_STRING, "TOPIC", "send to a topic instead", "topic"},
    {"config", 0, RW_OPT_STRING, "FILE", "send to the appenders of a configuration instead",
     "file"},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway logger -t backup -p cron.err 'disk is full'", "one message to the local syslog"},
    {"make 2>&1 | rollway logger --to-topic builds -t make", "each line to a topic, acknowledged"},
    {"tail -F app.log | rollway logger --config logger.conf",
     "to the appenders of librollway-logger"},
    {"rollway logger -- check", "the message \"check\""},
    {NULL, NULL}};

const struct rw_command rw_cmd_logger = {
    .name = "logger",
    .operands = "MESSAGE...",
    .operands_min = 0,
    .operands_max = -1,
    .summary = "send messages to syslog, the journal, a topic, or a configuration",
    .text =
        "A drop-in for logger(1): the same options, the same lines on the wire. Without MESSAGE "
        "the "
        "lines of standard input are messages. Options and words may be mixed; -- ends options.\n"
        "\n"
        "Only the very first word is looked at for the commands \"rollway logger check\" and "
        "\"rollway logger rescue\": any option, or --, before it makes it a message. When the "
        "program is "
        "started under the name logger (by a link), there are no such commands, everything is "
        "as in logger(1), and a mistake in the options is exit status 1.\n"
        "\n"
        "With --to-topic the tag is the key of the record, the message its value (the whole line "
        "with "
        "--rfc3164 or --rfc5424), and facility, severity, host and process id are headers "
        "(syslog.facility ...). The command ends when every record was acknowledged.\n"
        "\n"
        "With --config messages go to the appenders of a settings file of librollway-logger, and "
        "the command "
        "ends when every appender has written them (a broker appender: to its spool). "
        "emerg, alert and crit become fatal, notice info; the tag is the application.\n"
        "\n"
        "A local syslog socket that does not exist is no error, as in logger(1), unless "
        "--socket-errors says so. A message that could not be sent is.",
    .options = options,
    .examples = examples,
    .cut = true,
    .run = run,
};
