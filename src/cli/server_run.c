/*
 * A broker as a process: configuration, threads, signals. The broker itself is broker/server.c; this
 * file gives it loops, workers and sockets of os/ and waits for signals.
 *
 * The main thread does nothing but wait for signals, so that a second SIGTERM ends the process even
 * while data is being recovered or an event loop is stuck.
 */
#include "cli/server_run.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "broker/server.h"
#include "os/jobs.h"
#include "os/loop.h"
#include "os/machine.h"
#include "os/net.h"
#include "os/notify.h"
#include "os/os.h"
#include "os/signals.h"

#define STOP_GRACE_US (20 * INT64_C(1000000))
#define SHARDS_MAX    256
/* Of the memory that the process may use, for requests. */
#define REQUEST_MEMORY 4

struct running {
    struct rw_cli *cli;
    enum rw_config_profile profile;
    struct rw_config *config;
    const struct rw_broker_config *broker;
    struct rw_env env;
    struct rw_diag *diag;
    struct rw_jobs *jobs;
    struct rw_loop *loops[SHARDS_MAX];
    struct rw_thread *threads[SHARDS_MAX];
    int n_loops, n_threads;
    struct rw_server *server;
    int64_t began_us;
    struct rw_err err;   /* of opened(); read after the loops have ended */
    atomic_int failed;   /* the code of opened() */
    atomic_bool stopped; /* the server has ended */
};

/* ---- configuration ---- */

const struct rw_option rw_server_options[] = {
    {"config", 'c', RW_OPT_STRING, "FILE", "read this properties file", "file"},
    {"set", 's', RW_OPT_LIST, "KEY=VALUE", "set one key; wins over file and environment", NULL},
    {"data", 'd', RW_OPT_STRING, "DIR", "keep the data here (the key log.dirs)", "dir"},
    {"check-config", 0, RW_OPT_FLAG, NULL,
     "print every effective value and where it comes from, or every mistake, then exit", NULL},
    {"strict", 0, RW_OPT_FLAG, NULL, "unknown keys are errors, as with --check-config", NULL},
    {"log-format", 0, RW_OPT_STRING, "FORMAT", "text, logfmt or json", "text|logfmt|json"},
    {"log-level", 0, RW_OPT_STRING, "LEVEL",
     "trace, debug, info, warn or error; also by logger: conn=debug,info", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static int set_option(const struct running *r, struct rw_config *config, const char *option,
                      const char *key, struct rw_err *err)
{
    if (!rw_cli_has(r->cli, option))
        return RW_OK;
    struct rw_buf assignment;
    rw_buf_init(&assignment);
    rw_buf_printf(&assignment, "%s=%s", key, rw_cli_string(r->cli, option, ""));
    int code = rw_config_set(config, rw_buf_cstr(&assignment), err);
    rw_buf_deinit(&assignment);
    return code;
}

/* All sources, in their order. *ret_config is set also on failure, unless memory is refused. */
static int load(const struct running *r, struct rw_config **ret_config, struct rw_err *err)
{
    const char *file = rw_cli_string(r->cli, "config", NULL);
    bool strict = rw_cli_has(r->cli, "check-config") || rw_cli_has(r->cli, "strict");
    struct rw_config *config;
    int code = rw_config_new(r->profile, &config);
    if (code)
        return rw_err_set(err, code, "out of memory");
    *ret_config = config;
    rw_config_collect(config);
    if (file)
        code = rw_config_load_file(config, r->env.vfs, file, err);
    if (!code)
        code = rw_config_load_env(config, environ, err);
    for (int i = 0; !code && i < rw_cli_list_count(r->cli, "set"); i++)
        code = rw_config_set(config, rw_cli_list(r->cli, "set", i), err);
    if (!code)
        code = set_option(r, config, "data", "log.dirs", err);
    if (!code)
        code = set_option(r, config, "log-format", "rollway.diag.format", err);
    if (!code)
        code = set_option(r, config, "log-level", "rollway.diag.level", err);
    return code ? code : rw_config_finish(config, strict, err);
}

/* A key that is read at the start only has another value now: say so. */
static void compare(const struct running *r, const struct rw_config *fresh,
                    const struct rw_config_key *key)
{
    enum rw_config_source source;
    if (key->scope != RW_SCOPE_BROKER || !strcmp(key->name, "rollway.diag.level"))
        return;
    const char *was = rw_config_value(r->config, key, &source);
    const char *now = rw_config_value(fresh, key, &source);
    if (was && now ? !strcmp(was, now) : was == now)
        return;
    rw_diag(r->diag, RW_WARN, "config", "changed, takes effect at the next start",
            rw_kv_str("key", key->name), rw_kv_str("from", rw_config_origin(fresh, key)));
}

/* SIGHUP. What is wrong with the new configuration is told, and the old one stays. */
static void reload(const struct running *r)
{
    struct rw_config *fresh = NULL;
    struct rw_levels levels;
    struct rw_err err = {0};
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    if (load(r, &fresh, &err) != RW_OK ||
        !rw_levels_parse(rw_config_broker(fresh)->log_level, &levels)) {
        rw_diag(r->diag, RW_ERROR, "config", "not read again, the old configuration stays",
                rw_kv_str("error", err.text));
        for (size_t i = 1; fresh && i < rw_config_mistakes(fresh); i++)
            rw_diag(r->diag, RW_ERROR, "config", rw_config_mistake(fresh, i));
        rw_config_free(fresh);
        return;
    }
    rw_os_diag_set_levels(r->diag, &levels);
    for (size_t i = 0; i < n_keys; i++)
        compare(r, fresh, &keys[i]);
    rw_diag(r->diag, RW_INFO, "config", "read again",
            rw_kv_str("level", rw_config_broker(fresh)->log_level));
    rw_config_free(fresh);
}

static int check_config(struct running *r)
{
    rw_config_print(r->config, rw_cli_out(r->cli));
    for (size_t i = 0; i < rw_config_notices(r->config); i++)
        rw_cli_note(r->cli, "%s", rw_config_notice(r->config, i));
    return RW_EXIT_OK;
}

/* All mistakes, one line each. `err` is the first of them, or what kept the sources from being read. */
static int bad_config(const struct running *r, const struct rw_err *err, const char *hint)
{
    size_t n = r->config ? rw_config_mistakes(r->config) : 0;
    bool other = n == 0 || strcmp(err->text, rw_config_mistake(r->config, 0)) != 0;
    for (size_t i = 0; i < n; i++)
        (void)rw_cli_fail(r->cli, RW_EXIT_USAGE, i + 1 == n && !other ? hint : NULL, "%s",
                          rw_config_mistake(r->config, i));
    if (other)
        (void)rw_cli_fail(r->cli, RW_EXIT_USAGE, hint, "%s", err->text);
    return RW_EXIT_USAGE;
}

static int open_diag(struct running *r, struct rw_err *err)
{
    struct rw_os_diag_options o;
    rw_os_diag_options_init(&o);
    o.auto_format = false;
    if (!strcmp(r->broker->log_format, "json"))
        o.format = RW_DIAG_JSON;
    else if (!strcmp(r->broker->log_format, "text"))
        o.format = RW_DIAG_TEXT;
    else
        o.format = RW_DIAG_LOGFMT;
    o.node = r->broker->node_id;
    struct rw_levels levels;
    if (!rw_levels_parse(r->broker->log_level, &levels))
        return rw_err_set(err, RW_E_INVAL, "rollway.diag.level: unknown level '%s'",
                          r->broker->log_level);
    if (rw_os_diag_new(&o, &r->diag) != RW_OK)
        return rw_err_set(err, RW_E_NOMEM, "out of memory");
    rw_os_diag_set_levels(r->diag, &levels);
    r->env.diag = r->diag;
    for (size_t i = 0; i < rw_config_notices(r->config); i++)
        rw_diag(r->diag, RW_WARN, "config", rw_config_notice(r->config, i));
    return RW_OK;
}

static void set_limits(const struct rw_broker_config *c, struct rw_limits *l)
{
    rw_limits_init(l);
    l->request_bytes_max = (size_t)c->request_bytes_max;
    l->in_flight_max = (uint32_t)c->queued_requests_max;
    l->output_bytes_max = (size_t)c->send_queue_bytes_max;
    l->idle_us = c->connections_max_idle_ms < 0 ? INT64_MAX : c->connections_max_idle_ms * 1000;
    /* Descriptors for files must be left, or a segment that can not be made takes its log offline. */
    int64_t files = rw_os_files_max(), room = files - (files / 4 > 32 ? files / 4 : 32);
    l->files_max = files;
    l->connections_room = (int32_t)(room < INT32_MAX ? room : INT32_MAX);
    l->connections_max = (int32_t)(c->connections_max < room ? c->connections_max : room);
    l->listen_backlog = (int)c->listen_backlog;
    l->socket_send_bytes = (int32_t)c->socket_send_buffer_bytes;
    l->socket_receive_bytes = (int32_t)c->socket_receive_buffer_bytes;
    l->connections_per_ip_max = (int32_t)c->connections_max_per_ip;
    l->memory_bytes = c->queued_bytes_max > 0 ? (size_t)c->queued_bytes_max
                                              : (size_t)(rw_os_memory_bytes() / REQUEST_MEMORY);
}

/* ---- what people see ---- */

static void addresses(const struct running *r, struct rw_buf *out)
{
    for (size_t i = 0; i < r->broker->n_listeners; i++) {
        const struct rw_endpoint *e = &r->broker->listeners[i];
        bool six = strchr(e->host, ':') != NULL;
        rw_buf_printf(out, "%s%s%s%s:%u", i ? "," : "", six ? "[" : "", *e->host ? e->host : "*",
                      six ? "]" : "", rw_server_port(r->server, (int)i));
    }
}

static const char *reachable(const struct rw_endpoint *e)
{
    return rw_endpoint_is_any(e) ? "127.0.0.1" : e->host;
}

static void banner(const struct running *r, const char *kafka, int64_t took_ms)
{
    const char *file = rw_cli_string(r->cli, "config", NULL);
    const struct rw_endpoint *first = &r->broker->listeners[0];
    uint16_t port = rw_server_port(r->server, 0);
    char brokers[RW_HOST_MAX + 32] = "";
    struct rw_buf program;
    rw_buf_init(&program);
    rw_cli_program(r->cli, &program);
    if (port != 9092)
        snprintf(brokers, sizeof(brokers), " -b %s:%u", reachable(first), port);
    printf("rollway " ROLLWAY_VERSION ", node %d, ready after %lld ms\n"
           "  data    %s\n"
           "  kafka   %s\n",
           r->broker->node_id, (long long)took_ms, r->broker->log_dirs, kafka);
    if (rw_server_http_port(r->server))
        printf("  http    http://%s:%u/metrics\n",
               *r->broker->http.host ? r->broker->http.host : "127.0.0.1",
               rw_server_http_port(r->server));
    printf("  config  %s\n"
           "try it:   echo hello | %s produce greetings%s\n",
           file ? file : "defaults", rw_buf_cstr(&program), brokers);
    rw_buf_deinit(&program);
    fflush(stdout);
}

static void log_ready(const struct running *r, const char *kafka, int64_t took_ms)
{
    const char *file = rw_cli_string(r->cli, "config", NULL);
    rw_diag(r->diag, RW_INFO, "server", "ready", rw_kv_str("version", ROLLWAY_VERSION),
            rw_kv_str("data", r->broker->log_dirs), rw_kv_str("kafka", kafka),
            rw_kv_int("http_port", rw_server_http_port(r->server)), rw_kv_int("shards", r->n_loops),
            rw_kv_str("config", file ? file : "defaults"), rw_kv_int("start_ms", took_ms));
}

/* On shard 0. */
static void opened(void *arg, int code, const struct rw_err *err)
{
    struct running *r = arg;
    if (code) {
        r->err = *err;
        atomic_store(&r->failed, code);
        rw_os_signals_raise_term();
        return;
    }
    struct rw_buf kafka;
    rw_buf_init(&kafka);
    addresses(r, &kafka);
    int64_t took_ms = (rw_mono_us(r->env.clock) - r->began_us) / 1000;
    bool terminal = isatty(STDOUT_FILENO);
    bool people = !rw_cli_quiet(r->cli) && (terminal || r->profile == RW_PROFILE_DEV);
    /* Not twice to the same eyes; a log that is kept always has it. */
    if (!people || !terminal || !isatty(STDERR_FILENO))
        log_ready(r, rw_buf_cstr(&kafka), took_ms);
    rw_os_notify("READY=1");
    if (people)
        banner(r, rw_buf_cstr(&kafka), took_ms);
    rw_buf_deinit(&kafka);
}

/* On shard 0: all event loops run. */
static void pulse(void *arg)
{
    (void)arg;
    rw_os_notify("WATCHDOG=1");
}

/* On shard 0. */
static void stopped(void *arg)
{
    struct running *r = arg;
    atomic_store(&r->stopped, true);
    rw_os_signals_raise_term(); /* the main thread waits for signals and nothing else */
}

/* ---- run ---- */

static int make_loops(struct running *r, struct rw_err *err)
{
    /* Syncs of several partitions overlap in the device; reads wait for it one by one. */
    int threads[RW_JOB_CLASSES] = {[RW_JOB_SYNC] = 16, [RW_JOB_READ] = 4, [RW_JOB_BACKGROUND] = 2};
    threads[RW_JOB_COMPUTE] = rw_os_cores();
    int n = r->broker->shards ? r->broker->shards : rw_os_cores();
    if (rw_os_jobs_new(threads, &r->jobs) != RW_OK)
        return rw_err_set(err, RW_E_LIMIT, "cannot start worker threads");
    for (int i = 0; i < n && i < SHARDS_MAX; i++, r->n_loops++)
        if (rw_os_loop_new(r->env.clock, &r->loops[i]) != RW_OK)
            return rw_err_set(err, RW_E_LIMIT, "cannot make an event loop (open files limit?)");
    return RW_OK;
}

static int make_server(struct running *r, struct rw_err *err)
{
    struct rw_server_address listeners[RW_LISTENERS_MAX];
    for (size_t i = 0; i < r->broker->n_listeners; i++)
        listeners[i] = (struct rw_server_address){r->broker->listeners[i].host,
                                                  (uint16_t)r->broker->listeners[i].port};
    struct rw_server_args args = {.env = &r->env,
                                  .net = rw_os_net(),
                                  .jobs = r->jobs,
                                  .loops = r->loops,
                                  .n_loops = r->n_loops,
                                  .config = r->config,
                                  .service = &rw_service,
                                  .data_dir = r->broker->log_dirs,
                                  .listeners = listeners,
                                  .n_listeners = (int)r->broker->n_listeners,
                                  .http_check_host = r->profile == RW_PROFILE_DEV,
                                  .stop_grace_us = STOP_GRACE_US,
                                  .opened = opened,
                                  .pulse_us = rw_os_watchdog_us(),
                                  .pulse = pulse,
                                  .stopped = stopped,
                                  .arg = r};
    set_limits(r->broker, &args.limits);
    const struct rw_endpoint *http = &r->broker->http;
    if (r->broker->has_http)
        args.http = (struct rw_server_address){http->host, (uint16_t)http->port};
    return rw_server_new(&args, &r->server, err);
}

static int start_threads(struct running *r, struct rw_err *err)
{
    for (; r->n_threads < r->n_loops; r->n_threads++) {
        char name[16];
        snprintf(name, sizeof(name), "rw-shard-%u", (unsigned)r->n_threads % 1000);
        if (rw_os_thread_start(r->loops[r->n_threads], name, &r->threads[r->n_threads]) != RW_OK)
            return rw_err_set(err, RW_E_LIMIT, "cannot start a thread");
    }
    return RW_OK;
}

/* Until the server has ended, by a signal or because it could not start. */
static void wait_for_end(struct running *r)
{
    static const char at_once[] = "rollway: stopped at once, without closing the data\n";
    bool stopping = false;
    for (;;) {
        int which = rw_os_signals_wait();
        if (atomic_load(&r->stopped))
            return;
        if (which == SIGHUP) {
            reload(r);
            rw_server_reload(r->server);
            continue;
        }
        if (stopping)
            _exit(write(STDERR_FILENO, at_once, sizeof(at_once) - 1) < 0 ? RW_EXIT_FAILED
                                                                         : RW_EXIT_INTERRUPTED);
        if (!atomic_load(&r->failed))
            rw_diag(r->diag, RW_INFO, "server", "stopping",
                    rw_kv_str("signal", which == SIGINT ? "SIGINT" : "SIGTERM"));
        rw_os_notify("STOPPING=1");
        stopping = true;
        rw_server_stop(r->server);
    }
}

static int serve(struct running *r, struct rw_err *err)
{
    int code = make_loops(r, err);
    if (!code)
        code = make_server(r, err);
    if (!code)
        code = start_threads(r, err);
    if (code)
        return code;
    rw_server_open(r->server);
    wait_for_end(r);
    *err = r->err;
    return atomic_load(&r->failed);
}

static void clean_up(struct running *r)
{
    for (int i = 0; i < r->n_threads; i++)
        rw_os_thread_join(r->threads[i]);
    rw_server_free(r->server);
    rw_os_jobs_free(r->jobs);
    for (int i = 0; i < r->n_loops; i++)
        rw_os_loop_free(r->loops[i]);
    rw_os_diag_free(r->diag);
    rw_config_free(r->config);
}

static const char *hint_for(int code)
{
    switch (code) {
    case RW_E_EXISTS:
        return "stop the other process, or choose another port with --set "
               "listeners=PLAINTEXT://HOST:PORT (and --set rollway.http.listen=HOST:PORT)";
    case RW_E_LOCKED:
        return "another broker uses this data directory; choose another with --data DIR";
    case RW_E_PERM:
        return "run as a user who may do that, or choose another place: --data DIR, --set "
               "listeners=PLAINTEXT://HOST:PORT";
    case RW_E_INVAL:
        return "--check-config shows every value and where it comes from";
    default:
        return NULL;
    }
}

int rw_server_run(struct rw_cli *cli, enum rw_config_profile profile)
{
    struct running *r = rw_zalloc(sizeof(*r));
    if (!r)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    struct rw_err err = {0};
    r->cli = cli;
    r->profile = profile;
    r->env = *rw_os_env();
    r->began_us = rw_mono_us(r->env.clock);
    rw_os_signals_block();
    rw_os_assert_to_stderr();
    int code = load(r, &r->config, &err);
    if (!code)
        r->broker = rw_config_broker(r->config);
    bool checks = rw_cli_has(cli, "check-config");
    if (code || checks) {
        int rc = code ? bad_config(r, &err, checks ? NULL : hint_for(RW_E_INVAL)) : check_config(r);
        clean_up(r);
        rw_free(r);
        return rc;
    }
    code = open_diag(r, &err);
    if (!code)
        code = serve(r, &err);
    if (!code)
        rw_diag(r->diag, RW_INFO, "server", "stopped");
    clean_up(r);
    rw_free(r);
    if (!code)
        return RW_EXIT_OK;
    return rw_cli_fail(cli, code == RW_E_INVAL ? RW_EXIT_USAGE : RW_EXIT_FAILED, hint_for(code),
                       "%s", err.text);
}
