/*
 * Records to the journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): "KEY=value\n", or, when the value has a line end, "KEY\n",
 * its length in 8 bytes (little-endian), the value, "\n". What is too large for a datagram goes as a sealed file in memory.
 */
#include "base/buf.h"
#include "logger/sink.h"
#include "logger/sink_set.h"
#include "logger/sink_text.h"
#include "os/socket_out.h"
#include "os/task.h"

enum { TIMEOUT_MS = 1000, KEY_MAX = 64 };

struct journald {
    struct rw_lg_sink sink;
    char address[108], identifier[64];
    int64_t timeout_ms;
    struct rw_os_out out;
    struct rw_buf message;
    struct rw_lg_text text;
};

static int set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct journald *j = (struct journald *)s;
    if (rw_str_is(key, "address"))
        return rw_lg_set_text(key, v, j->address, sizeof(j->address), err);
    if (rw_str_is(key, "identifier"))
        return rw_lg_set_text(key, v, j->identifier, sizeof(j->identifier), err);
    if (rw_str_is(key, "timeout"))
        return rw_lg_set_ms(key, v, &j->timeout_ms, err);
    return RW_E_NOT_FOUND;
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *err)
{
    (void)s, (void)err; /* connected with the first record; a daemon that is away may come */
    return RW_OK;
}

static void add(struct rw_buf *b, const char *key, size_t key_n, const char *p, size_t n)
{
    rw_buf_add(b, key, key_n);
    if (memchr(p ? p : "", '\n', p ? n : 0)) {
        rw_buf_add_u8(b, '\n');
        for (unsigned i = 0; i < 8; i++)
            rw_buf_add_u8(b, (uint8_t)((uint64_t)n >> (8 * i)));
    } else
        rw_buf_add_u8(b, '=');
    if (n)
        rw_buf_add(b, p, n);
    rw_buf_add_u8(b, '\n');
}

static void add_text(struct rw_buf *b, const char *key, const char *text)
{
    if (text)
        add(b, key, strlen(key), text, strlen(text));
}

/* A-Z, 0-9 and _, with a letter first; what would read as one of ours, or begins otherwise, gets "F_" before it. */
static size_t key_of(const struct rw_lg_field *f, char *ret)
{
    static const char *const ours[] = {"MESSAGE",   "PRIORITY", "CODE_FILE", "CODE_LINE",
                                       "CODE_FUNC", "TID",      "LOGGER",    "SYSLOG_IDENTIFIER"};
    size_t n = 0;
    char name[KEY_MAX + 1];
    for (size_t i = 0; i < f->key_n && n < KEY_MAX - 2; i++) {
        char c = f->key[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        bool fine = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name[n++] = fine ? c : '_';
    }
    name[n] = 0;
    bool prefix = n == 0 || name[0] < 'A' || name[0] > 'Z';
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        prefix |= strcmp(ours[i], name) == 0;
    memcpy(ret, "F_", 2);
    memcpy(ret + (prefix ? 2 : 0), name, n);
    return n + (prefix ? 2 : 0);
}

static bool build(struct journald *j, const struct rw_lg_view *v)
{
    static const char priorities[] = {'7', '7', '6', '4', '3', '2'};
    struct rw_buf *b = &j->message;
    rw_buf_clear(b);
    if (!rw_lg_text_of(&j->text, v, NULL))
        return false;
    add(b, "MESSAGE", 7, j->text.p, j->text.n);
    add(b, "PRIORITY", 8, &priorities[v->level < sizeof(priorities) ? v->level : 2], 1);
    add_text(b, "SYSLOG_IDENTIFIER", j->identifier[0] ? j->identifier : rw_os_program());
    add_text(b, "CODE_FILE", v->file);
    add_text(b, "CODE_FUNC", v->function);
    rw_buf_printf(b, "CODE_LINE=%u\nTID=%u\n", v->line, v->thread);
    if (v->logger && v->logger[0])
        add_text(b, "LOGGER", v->logger);
    for (unsigned i = 0; i < v->n_fields; i++) {
        char key[KEY_MAX + 1];
        if (!rw_lg_text_of(&j->text, v, &v->fields[i].value))
            return false;
        add(b, key, key_of(&v->fields[i], key), j->text.p, j->text.n);
    }
    return !b->failed;
}

static int event(struct rw_lg_sink *s, const struct rw_lg_view *v)
{
    struct journald *j = (struct journald *)s;
    int ms = j->timeout_ms < INT32_MAX ? (int)j->timeout_ms : INT32_MAX;
    if (!build(j, v))
        return RW_E_NOMEM;
    /* Twice: the daemon may have been started anew since the last record. */
    for (int i = 0; i < 2; i++) {
        if (j->out.fd < 0 && rw_os_out_unix(j->address, &j->out))
            return RW_E_AGAIN;
        int rc = rw_os_out_send(&j->out, j->message.p, j->message.n, ms);
        if (rc == RW_E_TOO_BIG)
            rc = rw_os_out_send_file(&j->out, j->message.p, j->message.n, ms);
        if (!rc || rc == RW_E_AGAIN)
            return rc;
        rw_os_out_close(&j->out);
    }
    return RW_E_AGAIN;
}

static void reopen(struct rw_lg_sink *s)
{
    rw_os_out_close(&((struct journald *)s)->out);
}

static void free_sink(struct rw_lg_sink *s)
{
    struct journald *j = (struct journald *)s;
    rw_os_out_close(&j->out);
    rw_buf_deinit(&j->message);
    rw_free(j->text.p);
    rw_free(j);
}

static const struct rw_lg_sink_ops ops = {.type = "journald",
                                          .set = set,
                                          .open = open_sink,
                                          .event = event,
                                          .reopen = reopen,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_journald(void)
{
    struct journald *j = rw_zalloc(sizeof(*j));
    if (!j)
        return NULL;
    j->sink.ops = &ops;
    j->out.fd = -1;
    j->timeout_ms = TIMEOUT_MS;
    rw_buf_init(&j->message);
    static const char path[] = "/run/systemd/journal/socket";
    memcpy(j->address, path, sizeof(path));
    return &j->sink;
}
