/* See rig.h. */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "wire/messages.h"

struct rig_service rig_service;

/* ---- the service ---- */

static void handle_api_versions(struct rw_request *req)
{
    struct rw_api_versions_response *out = req->out;
    size_t n;
    const struct rw_api *table = rw_api_table(&n);
    out->api_keys = rw_arena_array(&req->arena, n, sizeof(out->api_keys[0]));
    for (size_t i = 0; out->api_keys && i < n; i++)
        if (table[i].advertised_max >= 0)
            out->api_keys[out->n_api_keys++] = (struct rw_api_versions_response_api_key){
                table[i].key, table[i].advertised_min, table[i].advertised_max};
    req->throttle_ms = rig_service.throttle_ms;
    rw_request_done(req);
}

/* A parked request looks every millisecond whether it may go. */
struct parked {
    struct rw_timer timer;
    struct rw_request *req;
};

static void look(struct rw_timer *t)
{
    struct parked *p = RW_CONTAINER(t, struct parked, timer);
    if (atomic_load(&rig_service.park)) {
        rw_timer_start_in(p->req->shard->loop, t, 1000);
        return;
    }
    atomic_fetch_sub(&rig_service.parked, 1);
    rw_request_done(p->req);
}

static void cancel(struct rw_request *req)
{
    struct parked *p = req->state;
    rw_timer_stop(req->shard->loop, &p->timer);
    atomic_fetch_add(&rig_service.canceled, 1);
    atomic_fetch_sub(&rig_service.parked, 1);
    rw_request_done(req);
}

static void handle_metadata(struct rw_request *req)
{
    struct parked *p = rw_arena_zalloc(&req->arena, sizeof(*p));
    p->req = req;
    p->timer.fire = look;
    req->state = p;
    req->cancel = cancel;
    atomic_fetch_add(&rig_service.parked, 1);
    rw_timer_start_in(req->shard->loop, &p->timer, 1000);
}

static void handle_fetch(struct rw_request *req)
{
    struct rw_fetch_response *out = req->out;
    struct rw_log_range range = {.at = rig_service.file_at, .n = rig_service.file_n};
    int code = rw_vfs_open(req->shard->env->vfs, rig_service.file, RW_OPEN_READ, &range.file);
    assert_int_equal(code, RW_OK);
    range.hold = range.file;
    atomic_fetch_add(&rig_service.ranges_out, 1);
    struct rw_fetch_response_topic *t = rw_arena_zalloc(&req->arena, sizeof(*t));
    struct rw_fetch_response_partition *p = rw_arena_zalloc(&req->arena, sizeof(*p));
    rw_fetch_response_topic_init(t);
    rw_fetch_response_partition_init(p);
    t->topic = RW_STR_LIT("t");
    t->n_partitions = 1;
    t->partitions = p;
    p->records.n = range.n;
    p->records.ext = rw_request_add_range(req, &range, rig_service.file_warm);
    out->n_responses = 1;
    out->responses = t;
    rw_request_done(req);
}

static void handle_produce(struct rw_request *req)
{
    const struct rw_produce_request *in = req->in;
    req->no_response = in->acks == 0;
    atomic_fetch_add(&rig_service.produced, 1);
    rw_request_done(req);
}

static const struct rw_handler_row handlers[] = {{RW_API_API_VERSIONS, handle_api_versions, false},
                                                 {RW_API_METADATA, handle_metadata, false},
                                                 {RW_API_FETCH, handle_fetch, false},
                                                 {RW_API_PRODUCE, handle_produce, false}};

static int service_open(struct rw_broker *b, struct rw_err *err)
{
    (void)b;
    (void)err;
    return RW_OK;
}

static int service_start(struct rw_shard *s)
{
    (void)s;
    return rig_service.start_code;
}

static void service_stop(struct rw_shard *s, void (*stopped)(struct rw_shard *s))
{
    atomic_fetch_add(&rig_service.stopped, 1);
    stopped(s);
}

static void service_close(struct rw_broker *b, bool clean)
{
    (void)b;
    atomic_store(&rig_service.closed_clean, clean ? 1 : -1);
}

static const struct rw_service service = {.handlers = handlers,
                                          .n_handlers = 4,
                                          .open = service_open,
                                          .start = service_start,
                                          .stop = service_stop,
                                          .close = service_close};

/* The runtime releases ranges through the log; here a range is a file of its own. */
void rw_log_range_release(struct rw_log_range *range)
{
    rw_file_close(range->file);
    range->file = NULL;
    atomic_fetch_sub(&rig_service.ranges_out, 1);
}

int rw_log_flush_now(struct rw_log *log, int64_t *ret_durable)
{
    (void)log;
    *ret_durable = 0;
    return RW_OK;
}

int rw_log_state(const struct rw_log *log)
{
    (void)log;
    return RW_OK;
}

const char *rw_log_dir(const struct rw_log *log)
{
    (void)log;
    return "";
}

/* ---- start and stop ---- */

static int64_t held_wall_ms(struct rw_clock *c)
{
    (void)c;
    return rw_wall_ms(rw_os_env()->clock);
}

static int64_t held_mono_us(struct rw_clock *c)
{
    (void)c;
    return atomic_load(&rig_service.clock_us);
}

static struct rw_clock held_clock = {.wall_ms = held_wall_ms, .mono_us = held_mono_us};

static void opened(void *arg, int code, const struct rw_err *err)
{
    struct rig *r = arg;
    (void)err;
    atomic_store(&r->opened, code ? -1 : 1);
}

static void stopped(void *arg)
{
    (void)arg;
}

void rig_start(struct rig *r, int shards, const struct rw_limits *limits)
{
    static const int threads[RW_JOB_CLASSES] = {1, 1, 1, 1};
    static const struct rw_server_address listener = {"127.0.0.1", 0};
    signal(SIGPIPE, SIG_IGN);
    *r = (struct rig){.n = shards, .env = *rw_os_env()};
    if (rig_service.clock_held)
        r->env.clock = &held_clock;
    assert_int_equal(rw_os_jobs_new(threads, &r->jobs), RW_OK);
    for (int i = 0; i < shards; i++)
        assert_int_equal(rw_os_loop_new(r->env.clock, &r->loops[i]), RW_OK);
    struct rw_server_args args = {.env = &r->env,
                                  .net = rw_os_net(),
                                  .jobs = r->jobs,
                                  .loops = r->loops,
                                  .n_loops = shards,
                                  .service = &service,
                                  .listeners = &listener,
                                  .n_listeners = 1,
                                  .http = {"127.0.0.1", 0},
                                  .http_check_host = true,
                                  .data_dir = "/tmp",
                                  .stop_grace_us = 2000000,
                                  .opened = opened,
                                  .stopped = stopped,
                                  .arg = r};
    if (limits)
        args.limits = *limits;
    else
        rw_limits_init(&args.limits);
    struct rw_err err;
    assert_int_equal(rw_server_new(&args, &r->server, &err), RW_OK);
    r->port = rw_server_port(r->server, 0);
    r->http_port = rw_server_http_port(r->server);
    for (int i = 0; i < shards; i++)
        assert_int_equal(rw_os_thread_start(r->loops[i], "rig", &r->threads[i]), RW_OK);
    rw_server_open(r->server);
    rig_wait(&r->opened, rig_service.start_code ? -1 : 1);
}

void rig_stop(struct rig *r)
{
    rw_server_stop(r->server);
    for (int i = 0; i < r->n; i++)
        rw_os_thread_join(r->threads[i]);
    rw_server_free(r->server);
    rw_os_jobs_free(r->jobs);
    for (int i = 0; i < r->n; i++)
        rw_os_loop_free(r->loops[i]);
    assert_int_equal(atomic_load(&rig_service.ranges_out), 0);
}

/* ---- client ---- */

int rig_connect(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {5, 0};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

void rig_frame(struct rw_buf *out, int16_t key, int16_t version, int32_t correlation)
{
    const struct rw_api *api = rw_api_find(key);
    struct rw_request_header h = {key, version, correlation, RW_STR_LIT("rig")};
    struct rw_writer w;
    uint8_t m[1024];
    assert_true(api->request_size <= sizeof(m));
    rw_writer_init(&w);
    api->request_init(m);
    rw_request_header_write(&w, api, &h);
    api->request_write(&w, version, m);
    assert_false(rw_writer_failed(&w));
    rw_buf_add_be32(out, (uint32_t)w.buf.n);
    rw_buf_add(out, w.buf.p, w.buf.n);
    rw_writer_deinit(&w);
}

void rig_send(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n) {
        ssize_t put = send(fd, at, n, MSG_NOSIGNAL);
        assert_true(put > 0);
        at += put;
        n -= (size_t)put;
    }
}

static bool recv_all(int fd, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t got = recv(fd, p, n, 0);
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

int64_t rig_recv(int fd, struct rw_buf *frame)
{
    uint8_t size[4];
    rw_buf_clear(frame);
    if (!recv_all(fd, size, 4))
        return -1;
    uint32_t n = rw_load_be32(size);
    assert_true(n < (64u << 20));
    return recv_all(fd, rw_buf_extend(frame, n), n) ? (int64_t)n : -1;
}

int32_t rig_correlation(const struct rw_buf *frame)
{
    return (int32_t)rw_load_be32(frame->p);
}

void rig_wait(atomic_int *v, int want)
{
    struct timespec ms = {0, 1000000};
    for (int i = 0; i < 5000 && atomic_load(v) != want; i++)
        nanosleep(&ms, NULL);
    assert_int_equal(atomic_load(v), want);
}

bool rig_closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

void rig_http(uint16_t port, const char *request, struct rw_buf *answer)
{
    int fd = rig_connect(port);
    rw_buf_clear(answer);
    rig_send(fd, request, strlen(request));
    for (;;) {
        ssize_t got = recv(fd, rw_buf_extend(answer, 4096), 4096, 0);
        answer->n -= 4096 - (got > 0 ? (size_t)got : 0);
        if (got <= 0)
            break;
    }
    close(fd);
}
