/*
 * The ends of `rollway logger`. The sockets are those of the logging library's appenders (os/socket_out.h): non-blocking, with
 * a limit for each wait, and no syslog(3), which has neither.
 */
#include "cli/logger_out.h"

#include <string.h>
#include "base/mem.h"
#include "client/producer.h"
#include "os/os.h"
#include "os/socket_out.h"
#include "rollway/log.h"
#include "rollway/logger.h"

enum { WAIT_MS = 5000, CLOSE_MS = 30000, HEADERS_MAX = 6, FLUSH_BYTES = 4 * 1024 * 1024 };

struct rw_logger_out {
    struct rw_cli *cli;
    int exit_code;
    int (*send)(struct rw_logger_out *o, const struct rw_logger_message *m);
    void (*end)(struct rw_logger_out *o);
    /* socket */
    struct rw_logger_socket where;
    struct rw_os_out socket;
    struct rw_buf line;
    /* topic */
    struct rw_cli_client client;
    struct rw_producer *producer;
    const char *topic;
    /* configuration */
    size_t unflushed;
};

static struct rw_logger_out *out_new(struct rw_cli *cli)
{
    struct rw_logger_out *o = rw_zalloc(sizeof(*o));
    if (!o) {
        rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
        return NULL;
    }
    o->cli = cli;
    o->socket.fd = -1;
    rw_buf_init(&o->line);
    return o;
}

static void out_free(struct rw_logger_out *o)
{
    rw_buf_deinit(&o->line);
    rw_free(o);
}

int rw_logger_send(struct rw_logger_out *o, const struct rw_logger_message *m)
{
    return o->send(o, m);
}

int rw_logger_end(struct rw_logger_out *o)
{
    if (!o)
        return RW_EXIT_OK;
    o->end(o);
    int exit_code = o->exit_code;
    out_free(o);
    return exit_code;
}

/* ---- a socket ---- */

static int open_socket(struct rw_logger_out *o)
{
    const struct rw_logger_socket *w = &o->where;
    if (!w->server)
        return rw_os_out_unix(w->path, &o->socket);
    const char *port = w->port ? w->port : w->tcp ? "syslog-conn" : "syslog";
    int rc = rw_os_out_inet(w->server, port, w->tcp, WAIT_MS, &o->socket);
    /* Not everybody's /etc/services has the names. */
    if (rc == RW_E_DNS && !w->port)
        rc = rw_os_out_inet(w->server, w->tcp ? "601" : "514", w->tcp, WAIT_MS, &o->socket);
    return rc;
}

static int send_line(struct rw_logger_out *o)
{
    int rc = RW_E_CLOSED;
    /* Twice: a daemon may have been started anew since the last line. */
    for (int i = 0; i < 2 && rc && rc != RW_E_AGAIN && rc != RW_E_TOO_BIG; i++) {
        if (o->socket.fd < 0)
            rc = open_socket(o);
        if (o->socket.fd >= 0)
            rc = rw_os_out_send(&o->socket, o->line.p, o->line.n, WAIT_MS);
        if (rc)
            rw_os_out_close(&o->socket);
    }
    return rc;
}

static int socket_send(struct rw_logger_out *o, const struct rw_logger_message *m)
{
    struct rw_buf *b = &o->line;
    rw_buf_clear(b);
    if (o->where.octet_count)
        rw_buf_printf(b, "%zu ", (size_t)m->text.n + m->body.n);
    rw_buf_add(b, m->text.p, (size_t)m->text.n);
    rw_buf_add(b, m->body.p, m->body.n);
    if (o->socket.stream && !o->where.octet_count)
        rw_buf_add_u8(b, '\n');
    int rc = b->failed ? RW_E_NOMEM : send_line(o);
    if (rc)
        o->exit_code =
            rw_cli_fail(o->cli, RW_EXIT_FAILED, NULL, "send message failed: %s",
                        rc == RW_E_AGAIN ? "nobody reads at the other side" : rw_code_text(rc));
    return o->exit_code;
}

static void socket_end(struct rw_logger_out *o)
{
    rw_os_out_close(&o->socket);
}

int rw_logger_to_socket(struct rw_cli *cli, const struct rw_logger_socket *where,
                        struct rw_logger_out **ret_out)
{
    struct rw_logger_out *o = out_new(cli);
    *ret_out = NULL;
    if (!o)
        return RW_EXIT_FAILED;
    o->where = *where;
    o->send = socket_send;
    o->end = socket_end;
    int rc = open_socket(o), exit_code = RW_EXIT_OK;
    if (!rc) {
        *ret_out = o;
        return RW_EXIT_OK;
    }
    if (where->server)
        exit_code = rw_cli_fail(cli, RW_EXIT_FAILED, NULL,
                                rc == RW_E_DNS ? "failed to resolve name %s port %s"
                                               : "failed to connect to %s port %s",
                                where->server,
                                where->port  ? where->port
                                : where->tcp ? "syslog-conn"
                                             : "syslog");
    else if (where->errors)
        exit_code =
            rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "socket %s: %s", where->path, rw_code_text(rc));
    out_free(o);
    return exit_code;
}

int rw_logger_to_journal(struct rw_cli *cli, const char *path, const struct rw_buf *entry)
{
    struct rw_os_out socket = {.fd = -1};
    int rc = rw_os_out_unix(path, &socket);
    if (!rc)
        rc = rw_os_out_send(&socket, entry->p, entry->n, WAIT_MS);
    if (rc == RW_E_TOO_BIG)
        rc = rw_os_out_send_file(&socket, entry->p, entry->n, WAIT_MS);
    rw_os_out_close(&socket);
    return rc ? rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "the journal at %s: %s", path,
                            rw_code_text(rc))
              : RW_EXIT_OK;
}

/* ---- a topic ---- */

static struct rw_record_header header(const char *key, const char *value)
{
    return (struct rw_record_header){rw_str(key), rw_slice(value, strlen(value))};
}

static int topic_send(struct rw_logger_out *o, const struct rw_logger_message *m)
{
    const struct rw_syslog_head *h = m->head;
    struct rw_record_header headers[HEADERS_MAX];
    size_t n = 0;
    char pid[16];
    struct rw_record r = {.timestamp = -1, .key = rw_slice(h->tag, strlen(h->tag))};
    rw_buf_clear(&o->line);
    rw_buf_add(&o->line, m->text.p, (size_t)m->text.n);
    rw_buf_add(&o->line, m->body.p, m->body.n);
    r.value = rw_slice(o->line.n ? o->line.p : (const uint8_t *)"", o->line.n);
    headers[n++] = header("syslog.facility", rw_syslog_facility_name(h->priority));
    headers[n++] = header("syslog.severity", rw_syslog_level_name(h->priority));
    headers[n++] = header("syslog.hostname", h->host);
    if (h->pid) {
        snprintf(pid, sizeof(pid), "%d", h->pid);
        headers[n++] = header("syslog.procid", pid);
    }
    int rc = o->line.failed ? rw_client_fail(&o->client.err, RW_E_NOMEM, "out of memory")
                            : rw_producer_send(o->producer, o->topic, RW_PARTITION_AUTO, &r,
                                               headers, n, &o->client.err);
    if (!rc)
        rc = rw_producer_poll(o->producer, 0, &o->client.err);
    if (rc)
        o->exit_code = rw_cli_client_fail(&o->client, rc);
    return o->exit_code;
}

static void delivered(void *arg, const struct rw_delivery *d)
{
    struct rw_logger_out *o = arg;
    if (d->code == RW_OK || o->exit_code)
        return;
    o->client.err = *d->err;
    o->exit_code = rw_cli_client_fail(&o->client, d->code);
}

static void topic_end(struct rw_logger_out *o)
{
    /* What was read before a signal is still delivered. */
    o->client.dialer.canceled = NULL;
    int rc = rw_producer_flush(o->producer, &o->client.err);
    if (rc && !o->exit_code)
        o->exit_code = rw_cli_client_fail(&o->client, rc);
    rw_producer_free(o->producer);
    rw_cli_client_deinit(&o->client);
}

int rw_logger_to_topic(struct rw_cli *cli, const char *topic, struct rw_logger_out **ret_out)
{
    struct rw_producer_options options;
    struct rw_topic *t;
    struct rw_logger_out *o = out_new(cli);
    if (!o)
        return RW_EXIT_FAILED;
    rw_producer_options_init(&options);
    options.delivered = delivered;
    options.arg = o;
    options.linger_us = 5000;
    o->topic = topic;
    o->send = topic_send;
    o->end = topic_end;
    int exit_code = rw_cli_client_init(&o->client, cli, 0);
    if (!exit_code) {
        int rc = rw_cluster_get_topic(o->client.cluster, topic, true, &t, &o->client.err);
        if (!rc && rw_producer_new(o->client.cluster, &options, &o->producer) != RW_OK)
            rc = rw_client_fail(&o->client.err, RW_E_NOMEM, "out of memory");
        exit_code = rc ? rw_cli_client_fail(&o->client, rc) : RW_EXIT_OK;
    }
    if (exit_code) {
        rw_cli_client_deinit(&o->client);
        out_free(o);
        return exit_code;
    }
    *ret_out = o;
    return RW_EXIT_OK;
}

/* ---- a configuration ---- */

/* An appender that falls behind would drop what is oldest in the journal: here, the input waits for it. */
static int flush(void)
{
    int rc = ROLLWAY_E_TIMEOUT;
    for (int waited = 0; rc == ROLLWAY_E_TIMEOUT && waited < CLOSE_MS && !rw_cli_interrupted();
         waited += 500)
        rc = rollway_logger_flush(500);
    return rc;
}

static int config_send(struct rw_logger_out *o, const struct rw_logger_message *m)
{
    const char *text = (const char *)m->body.p;
    int n = (int)m->body.n;
    switch (m->head->priority & RW_SYSLOG_LEVEL) {
    case 0:
    case 1:
    case 2:
        rollway_fatalf("%.*s", n, text);
        break;
    case 3:
        rollway_errorf("%.*s", n, text);
        break;
    case 4:
        rollway_warnf("%.*s", n, text);
        break;
    case 7:
        rollway_debugf("%.*s", n, text);
        break;
    default:
        rollway_infof("%.*s", n, text);
        break;
    }
    o->unflushed += m->body.n + 256;
    if (o->unflushed > FLUSH_BYTES) {
        o->unflushed = 0;
        (void)flush(); /* what it comes to is told at the end */
    }
    return o->exit_code;
}

static void config_end(struct rw_logger_out *o)
{
    struct rollway_logger_stats s = {.size = sizeof(s)};
    uint64_t lost = 0;
    int flushed = flush();
    rollway_logger_get_stats(&s);
    for (int i = 0; i < ROLLWAY_LEVELS; i++)
        lost += s.dropped[i];
    lost += s.failed;
    int64_t left = rollway_logger_close(flushed ? 1000 : CLOSE_MS);
    if (lost)
        o->exit_code = rw_cli_fail(o->cli, RW_EXIT_PARTLY, NULL, "%llu messages were given up",
                                   (unsigned long long)lost);
    else if (flushed || left)
        o->exit_code = rw_cli_fail(o->cli, RW_EXIT_PARTLY,
                                   "rollway logger rescue shows them; the next start writes them",
                                   "%lld messages could not be written in time", (long long)left);
}

int rw_logger_to_config(struct rw_cli *cli, const char *file, const char *application,
                        struct rw_logger_out **ret_out)
{
    struct rw_logger_out *o = out_new(cli);
    if (!o)
        return RW_EXIT_FAILED;
    o->send = config_send;
    o->end = config_end;
    /* Whatever the file says for programs: here there is time to wait. */
    const struct rollway_logger_options options = {.size = sizeof(options),
                                                   .name = application,
                                                   .file = file,
                                                   .settings = "overflow = block\n"};
    int rc = rollway_logger_start(&options);
    if (rc) {
        out_free(o);
        return rw_cli_fail(cli, rw_cli_exit_of(rc), "rollway logger check FILE explains a file",
                           "%s", rollway_logger_error());
    }
    *ret_out = o;
    return RW_EXIT_OK;
}
