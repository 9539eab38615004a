/*
 * Records to a syslog daemon, as RFC 5424 has them, over a socket of our own: libc's syslog() waits, and has one connection for the whole
 * process. Datagrams to /dev/log or UDP (RFC 5426); over a stream each message has its length before it (RFC 6587, octet counting).
 *
 * Fields are structured data of the id "rollway@32473": 32473 is the number that RFC 5612 sets aside for those who have none; sd_id
 * changes it. A message that is too long loses its end, at a character's border; the fields stay whole, or are left out.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "logger/sink.h"
#include "logger/sink_set.h"
#include "logger/sink_text.h"
#include "os/socket_out.h"
#include "os/task.h"

enum {
    TIMEOUT_MS = 1000,
    SIZE_LOCAL = 8192,
    SIZE_UDP = 2048,
    SIZE_MIN = 480,
    PARAM_MAX = 32,
    TEXT_LEAST = 128
};

struct syslog {
    struct rw_lg_sink sink;
    char host[256], port[32], app[49], sd_id[33], machine[256];
    enum { LOCAL, UDP, TCP } over;
    unsigned facility;
    int64_t timeout_ms, size_max; /* 0: by kind of socket */
    struct rw_os_out out;
    struct rw_buf message, framed;
    struct rw_lg_text text;
    struct rw_lg_second second;
};

/* "/dev/log", "udp://host:514", "tcp://[::1]:601" */
static int set_address(struct syslog *l, struct rw_str v, struct rw_err *err)
{
    bool udp = v.n > 6 && memcmp(v.p, "udp://", 6) == 0,
         tcp = v.n > 6 && memcmp(v.p, "tcp://", 6) == 0;
    struct rw_str key = RW_STR_LIT("address");
    l->over = udp ? UDP : tcp ? TCP : LOCAL;
    if (l->over == LOCAL && memmem(v.p, (size_t)v.n, "://", 3))
        return rw_err_set(err, RW_E_INVAL, "address: a path, udp://host:port or tcp://host:port");
    if (l->over == LOCAL)
        return rw_lg_set_text(key, v, l->host, sizeof(l->host), err);
    const char *p = v.p + 6, *colon = memrchr(p, ':', (size_t)v.n - 6), *end = v.p + v.n;
    if (!colon || colon == p || colon + 1 == end)
        return rw_err_set(err, RW_E_INVAL, "address: a path, udp://host:port or tcp://host:port");
    bool bracket = *p == '[' && colon[-1] == ']';
    struct rw_str host = {p + bracket, (int32_t)(colon - p) - 2 * bracket},
                  port = {colon + 1, (int32_t)(end - colon - 1)};
    int rc = rw_lg_set_text(key, host, l->host, sizeof(l->host), err);
    return rc ? rc : rw_lg_set_text(key, port, l->port, sizeof(l->port), err);
}

static int set_facility(struct syslog *l, struct rw_str v, struct rw_err *err)
{
    static const char *const names[24] = {
        "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
        "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
        "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
    for (unsigned i = 0; i < 24; i++)
        if (rw_str_is(v, names[i])) {
            l->facility = i;
            return RW_OK;
        }
    return rw_err_set(err, RW_E_INVAL, "facility: user, daemon, local0 ... local7 and so on");
}

static int set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct syslog *l = (struct syslog *)s;
    if (rw_str_is(key, "address"))
        return set_address(l, v, err);
    if (rw_str_is(key, "facility"))
        return set_facility(l, v, err);
    if (rw_str_is(key, "app"))
        return rw_lg_set_text(key, v, l->app, sizeof(l->app), err);
    if (rw_str_is(key, "sd_id"))
        return rw_lg_set_text(key, v, l->sd_id, sizeof(l->sd_id), err);
    if (rw_str_is(key, "timeout"))
        return rw_lg_set_ms(key, v, &l->timeout_ms, err);
    if (rw_str_is(key, "max_size"))
        return rw_lg_set_bytes(key, v, &l->size_max, err);
    return RW_E_NOT_FOUND;
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *err)
{
    struct syslog *l = (struct syslog *)s;
    if (!l->size_max)
        l->size_max = l->over == UDP ? SIZE_UDP : SIZE_LOCAL;
    if (l->size_max < SIZE_MIN)
        return rw_err_set(err, RW_E_INVAL, "max_size: at least %d, which every receiver takes",
                          SIZE_MIN);
    rw_os_host_name(l->machine, sizeof(l->machine));
    return RW_OK; /* connected with the first record */
}

/* Printable ASCII without blanks, at most `most`; "-" when nothing is left. `not`: what else may not be in it. */
static void add_name(struct rw_buf *b, const char *p, size_t n, size_t most, const char * not )
{
    size_t done = 0;
    for (size_t i = 0; i < n && done < most; i++, done++) {
        bool fine = p[i] > 32 && p[i] < 127 && !strchr(not, p[i]);
        rw_buf_add_u8(b, fine ? (uint8_t)p[i] : '_');
    }
    if (!done)
        rw_buf_add_u8(b, '-');
}

/* A control character as "\n", "\u001b": a receiver may write it to its file, or to a terminal, as it is. How many bytes it has; 0: it is
 * none. */
static size_t add_control(struct rw_buf *b, const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t size = n > 1 && u[0] == 0xc2 && u[1] < 0xa0          ? 2
                  : (u[0] < ' ' && u[0] != '\t') || u[0] == 127 ? 1
                                                                : 0;
    char text[16];
    struct rw_lg_out o = {text, sizeof(text), 0};
    if (size)
        rw_lg_put_plain(&o, p, size);
    rw_buf_add(b, text, o.n);
    return size;
}

/* UTF-8; what is not is replaced. `escape`: a value of structured data. */
static void add_utf8(struct rw_buf *b, const char *p, size_t n, bool escape)
{
    while (n) {
        size_t fine = rw_utf8_prefix(p, n), control;
        for (size_t i = 0; i < fine; i += control ? control : 1) {
            control = add_control(b, p + i, fine - i);
            if (escape && (p[i] == '"' || p[i] == '\\' || p[i] == ']'))
                rw_buf_add_u8(b, '\\');
            if (!control)
                rw_buf_add_u8(b, (uint8_t)p[i]);
        }
        p += fine;
        n -= fine;
        if (n) {
            rw_buf_add(b, "\xef\xbf\xbd", 3);
            p++, n--;
        }
    }
}

static bool add_fields(struct syslog *l, const struct rw_lg_view *v)
{
    struct rw_buf *b = &l->message;
    size_t start = b->n, least = (size_t)l->size_max - TEXT_LEAST;
    bool any = false;
    rw_buf_printf(b, "[%s", l->sd_id);
    for (unsigned i = 0; i < v->n_fields; i++) {
        const struct rw_lg_field *f = &v->fields[i];
        size_t before = b->n;
        if (!rw_lg_text_of(&l->text, v, &f->value))
            return false;
        rw_buf_add_u8(b, ' ');
        add_name(b, f->key, f->key_n, PARAM_MAX, "=]\"");
        rw_buf_add(b, "=\"", 2);
        add_utf8(b, l->text.p, l->text.n, true);
        rw_buf_add_u8(b, '"');
        if (b->failed)
            return false;
        if (b->n + 1 > least)
            b->n = before; /* no room; a shorter one may have it */
        else
            any = true;
    }
    if (!any) {
        b->n = start;
        rw_buf_add_u8(b, '-');
    } else
        rw_buf_add_u8(b, ']');
    return true;
}

static bool build(struct syslog *l, const struct rw_lg_view *v)
{
    static const unsigned severities[] = {7, 7, 6, 4, 3, 2};
    struct rw_buf *b = &l->message;
    char time[64];
    struct rw_lg_out o = {time, sizeof(time), 0};
    rw_lg_put_time(&o, v->time_ns, &l->second);
    rw_buf_clear(b);
    rw_buf_printf(b, "<%u>1 %.*s ", l->facility * 8 + severities[v->level < 6 ? v->level : 2],
                  (int)o.n, time);
    add_name(b, l->machine, strlen(l->machine), 255, "");
    rw_buf_add_u8(b, ' ');
    const char *app = l->app[0] ? l->app : rw_os_program();
    add_name(b, app, strlen(app), 48, "");
    rw_buf_printf(b, " %u ", rw_os_process_id());
    const char *logger = v->logger ? v->logger : "";
    add_name(b, logger, strlen(logger), 32, "");
    rw_buf_add_u8(b, ' ');
    if (!add_fields(l, v) || !rw_lg_text_of(&l->text, v, NULL))
        return false;
    rw_buf_add_u8(b, ' ');
    add_utf8(b, l->text.p, l->text.n, false);
    if (b->n > (size_t)l->size_max)
        b->n = rw_utf8_prefix(b->p, (size_t)l->size_max);
    return !b->failed;
}

static int connect_now(struct syslog *l, int ms)
{
    if (l->out.fd >= 0)
        return RW_OK;
    return l->over == LOCAL ? rw_os_out_unix(l->host, &l->out)
                            : rw_os_out_inet(l->host, l->port, l->over == TCP, ms, &l->out);
}

static int event(struct rw_lg_sink *s, const struct rw_lg_view *v)
{
    struct syslog *l = (struct syslog *)s;
    int ms = l->timeout_ms < INT32_MAX ? (int)l->timeout_ms : INT32_MAX;
    if (!build(l, v))
        return RW_E_NOMEM;
    /* Twice: the daemon may have been started anew since the last record. */
    for (int i = 0; i < 2; i++) {
        if (connect_now(l, ms))
            return RW_E_AGAIN;
        struct rw_buf *b = &l->message;
        if (l->out.stream) {
            rw_buf_clear(&l->framed);
            rw_buf_printf(&l->framed, "%zu ", b->n);
            rw_buf_add(&l->framed, b->p, b->n);
            b = &l->framed;
        }
        int rc = b->failed ? RW_E_NOMEM : rw_os_out_send(&l->out, b->p, b->n, ms);
        if (!rc || rc == RW_E_AGAIN || rc == RW_E_TOO_BIG || rc == RW_E_NOMEM)
            return rc;
        rw_os_out_close(&l->out);
    }
    return RW_E_AGAIN;
}

static void reopen(struct rw_lg_sink *s)
{
    rw_os_out_close(&((struct syslog *)s)->out);
}

static void free_sink(struct rw_lg_sink *s)
{
    struct syslog *l = (struct syslog *)s;
    rw_os_out_close(&l->out);
    rw_buf_deinit(&l->message);
    rw_buf_deinit(&l->framed);
    rw_free(l->text.p);
    rw_free(l);
}

static const struct rw_lg_sink_ops ops = {.type = "syslog",
                                          .set = set,
                                          .open = open_sink,
                                          .event = event,
                                          .reopen = reopen,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_syslog(void)
{
    struct syslog *l = rw_zalloc(sizeof(*l));
    if (!l)
        return NULL;
    l->sink.ops = &ops;
    l->out.fd = -1;
    l->facility = 1;
    l->timeout_ms = TIMEOUT_MS;
    rw_buf_init(&l->message);
    rw_buf_init(&l->framed);
    memcpy(l->host, "/dev/log", sizeof("/dev/log"));
    memcpy(l->sd_id, "rollway@32473", sizeof("rollway@32473"));
    return &l->sink;
}
