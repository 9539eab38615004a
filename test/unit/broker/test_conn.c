/* Connections of a real server: framing, order, limits, refusals, slow and rude peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "rig.h"
#include "wire/error.h"
#include "wire/messages.h"

static int reset(void **state)
{
    (void)state;
    memset(&rig_service, 0, sizeof(rig_service));
    return 0;
}

/* A server, which the test starts, and what a client will send it. */
struct talk {
    struct rig rig;
    struct rw_limits limits;
    struct rw_buf bytes;
};

static int begin(void **state)
{
    static struct talk talk;
    rw_limits_init(&talk.limits);
    rw_buf_init(&talk.bytes);
    *state = &talk;
    return reset(state);
}

static int end(void **state)
{
    struct talk *t = *state;
    rw_buf_deinit(&t->bytes);
    rig_stop(&t->rig);
    return 0;
}

/* Connects and sends it all. */
static int say(const struct talk *t)
{
    int fd = rig_connect(t->rig.port);
    rig_send(fd, t->bytes.p, t->bytes.n);
    return fd;
}

static void expect(int fd, int32_t correlation)
{
    struct rw_buf frame;
    rw_buf_init(&frame);
    assert_true(rig_recv(fd, &frame) > 4);
    assert_int_equal(rig_correlation(&frame), correlation);
    rw_buf_deinit(&frame);
}

/* The same two requests, cut at every byte into two sends. */
static void frames_split_at_every_byte(void **state)
{
    struct talk *t = *state;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 3, 7);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 0, 8);
    int fd = rig_connect(t->rig.port);
    for (size_t cut = 1; cut < t->bytes.n; cut++) {
        struct timespec wait = {0, 300000};
        rig_send(fd, t->bytes.p, cut);
        nanosleep(&wait, NULL);
        rig_send(fd, t->bytes.p + cut, t->bytes.n - cut);
        expect(fd, 7);
        expect(fd, 8);
    }
    close(fd);
}

/* More requests than may be in flight, of which every third waits: answers come in request order. */
static void answers_keep_the_order(void **state)
{
    struct talk *t = *state;
    t->limits.in_flight_max = 16;
    rig_start(&t->rig, 2, &t->limits);
    for (int i = 0; i < 1000; i++)
        rig_frame(&t->bytes, i % 3 ? RW_API_API_VERSIONS : RW_API_METADATA, i % 3 ? 3 : 9, i);
    int fd = say(t);
    for (int i = 0; i < 1000; i++)
        expect(fd, i);
    close(fd);
}

static void no_more_than_the_limit_in_flight(void **state)
{
    struct talk *t = *state;
    t->limits.in_flight_max = 4;
    atomic_store(&rig_service.park, 1);
    rig_start(&t->rig, 1, &t->limits);
    for (int i = 0; i < 20; i++)
        rig_frame(&t->bytes, RW_API_METADATA, 9, i);
    int fd = say(t);
    rig_wait(&rig_service.parked, 4);
    struct timespec wait = {0, 20000000};
    nanosleep(&wait, NULL);
    assert_int_equal(atomic_load(&rig_service.parked), 4);
    atomic_store(&rig_service.park, 0);
    for (int i = 0; i < 20; i++)
        expect(fd, i);
    close(fd);
}

static void closes_on(const void *bytes, size_t n)
{
    struct rig r;
    rig_start(&r, 1, NULL);
    int fd = rig_connect(r.port);
    rig_send(fd, bytes, n);
    assert_true(rig_closed(fd));
    close(fd);
    /* The others are not disturbed. */
    struct rw_buf one;
    rw_buf_init(&one);
    rig_frame(&one, RW_API_API_VERSIONS, 3, 1);
    fd = rig_connect(r.port);
    rig_send(fd, one.p, one.n);
    expect(fd, 1);
    close(fd);
    rw_buf_deinit(&one);
    rig_stop(&r);
}

static void impossible_sizes_close(void **state)
{
    (void)state;
    closes_on("\xff\xff\xff\xff", 4);     /* negative */
    closes_on("\x06\x40\x00\x01", 4);     /* 100 MiB and one byte */
    closes_on("GET / HTTP/1.1\r\n", 16);  /* another protocol */
    closes_on("\x16\x03\x01\x02\x00", 5); /* TLS */
    closes_on("\0\0\0\0", 4);             /* nothing in it */
    closes_on("\0\0\0\3abc", 7);          /* too short for a header */
}

static void garbage_closes(void **state)
{
    (void)state;
    uint8_t frame[68];
    rw_store_be32(frame, 64);
    for (unsigned seed = 1; seed <= 40; seed++) {
        srand(seed);
        for (size_t i = 4; i < sizeof(frame); i++)
            frame[i] = (uint8_t)rand();
        frame[4] = 0x7f; /* an API that does not exist */
        closes_on(frame, sizeof(frame));
    }
    /* An API that does, with a body that does not decode. */
    struct rw_buf one;
    rw_buf_init(&one);
    rig_frame(&one, RW_API_METADATA, 9, 1);
    memset(one.p + one.n - 4, 0xff, 4);
    closes_on(one.p, one.n);
    rw_buf_deinit(&one);
}

static void unknown_versions(void **state)
{
    (void)state;
    struct rw_buf one, frame;
    rw_buf_init(&one);
    rw_buf_init(&frame);
    rig_frame(&one, RW_API_METADATA, 9, 1);
    rw_store_be16(one.p + 6, 99);
    closes_on(one.p, one.n);

    /* ApiVersions is answered, in version 0, with UNSUPPORTED_VERSION and its own versions. */
    struct rig r;
    rig_start(&r, 1, NULL);
    rw_buf_clear(&one);
    rig_frame(&one, RW_API_API_VERSIONS, 3, 5);
    rw_store_be16(one.p + 6, 99);
    int fd = rig_connect(r.port);
    rig_send(fd, one.p, one.n);
    assert_int_equal(rig_recv(fd, &frame), 4 + 2 + 4 + 6);
    assert_int_equal(rig_correlation(&frame), 5);
    assert_int_equal(rw_load_be16(frame.p + 4), RW_KERR_UNSUPPORTED_VERSION);
    assert_int_equal(rw_load_be32(frame.p + 6), 1);
    assert_int_equal(rw_load_be16(frame.p + 10), RW_API_API_VERSIONS);
    /* And the connection goes on. */
    rw_buf_clear(&one);
    rig_frame(&one, RW_API_API_VERSIONS, 0, 6);
    rig_send(fd, one.p, one.n);
    expect(fd, 6);
    close(fd);
    rig_stop(&r);
    rw_buf_deinit(&one);
    rw_buf_deinit(&frame);
}

static void half_close_is_answered(void **state)
{
    struct talk *t = *state;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_METADATA, 9, 1);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 3, 2);
    int fd = say(t);
    shutdown(fd, SHUT_WR);
    expect(fd, 1);
    expect(fd, 2);
    assert_true(rig_closed(fd));
    close(fd);
}

static void a_dead_peer_cancels(void **state)
{
    struct talk *t = *state;
    struct linger now = {1, 0};
    atomic_store(&rig_service.park, 1);
    rig_start(&t->rig, 2, &t->limits);
    for (int i = 0; i < 5; i++)
        rig_frame(&t->bytes, RW_API_METADATA, 9, i);
    int fd = say(t);
    rig_wait(&rig_service.parked, 5);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd); /* resets */
    rig_wait(&rig_service.canceled, 5);
}

static void acks_zero_is_silent(void **state)
{
    struct talk *t = *state;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_PRODUCE, 9, 1); /* acks is 0 by default */
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 3, 2);
    int fd = say(t);
    expect(fd, 2);
    assert_int_equal(atomic_load(&rig_service.produced), 1);
    close(fd);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sets the clock, and lets the server see it: somebody else is answered a few times, and whatever else can
 * be read is read with that. */
static void at_time(const struct talk *t, int64_t us)
{
    atomic_store(&rig_service.clock_us, us);
    for (int i = 0; i < 4; i++) {
        int other = say(t);
        expect(other, 1);
        close(other);
    }
}

/* KIP-219: the answer comes at once, the next request is not read before the time is over, and then it is. */
static void throttled(void **state)
{
    struct talk *t = *state;
    char c;
    rig_service.clock_held = true;
    rig_service.throttle_ms = 2000;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 3, 1);
    int fd = say(t);
    expect(fd, 1);
    rig_send(fd, t->bytes.p, t->bytes.n);
    at_time(t, 1999999);
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    at_time(t, 2000000);
    expect(fd, 1);
    close(fd);
}

/* ---- file ranges ---- */

static void make_file(size_t n)
{
    strcpy(rig_service.file, "/tmp/rollway-test-XXXXXX");
    int fd = mkstemp(rig_service.file);
    assert_true(fd >= 0);
    uint8_t *bytes = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8));
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    free(bytes);
    close(fd);
    rig_service.file_n = n;
}

static void expect_file(int fd, size_t n)
{
    struct rw_buf frame;
    rw_buf_init(&frame);
    int64_t got = rig_recv(fd, &frame);
    assert_true(got > (int64_t)n);
    struct rw_arena arena;
    struct rw_reader reader;
    struct rw_fetch_response out;
    rw_arena_init(&arena, 0);
    rw_reader_init(&reader, frame.p + 4, frame.n - 4, &arena); /* response header v0 */
    assert_int_equal(rw_fetch_response_read(&reader, 11, &out), RW_OK);
    assert_int_equal(rw_reader_left(&reader), 0);
    struct rw_wire_records records = out.responses[0].partitions[0].records;
    assert_int_equal(records.n, n);
    for (size_t i = 0; i < n; i++)
        if (records.p[i] != (uint8_t)(i * 131 + (i >> 8)))
            fail_msg("byte %zu differs", i);
    rw_arena_deinit(&arena);
    rw_buf_deinit(&frame);
}

/* Many answers with a file range each, to a peer that begins to read late. */
static void slow_reader_gets_everything(void **state)
{
    (void)state;
    struct rig r;
    struct rw_buf many;
    struct rw_limits limits;
    rw_limits_init(&limits);
    limits.output_ranges_max = 4;
    make_file(300000);
    for (int warm = 0; warm < 2; warm++) {
        rig_service.file_warm = warm;
        rig_start(&r, 1, &limits);
        rw_buf_init(&many);
        for (int i = 0; i < 100; i++)
            rig_frame(&many, RW_API_FETCH, 11, i);
        int fd = rig_connect(r.port);
        rig_send(fd, many.p, many.n);
        struct timespec wait = {0, 50000000};
        nanosleep(&wait, NULL);
        /* What was not taken was not prepared either: ranges are bounded by the two limits. */
        assert_true(atomic_load(&rig_service.ranges_out) <= 100);
        for (int i = 0; i < 100; i++)
            expect_file(fd, rig_service.file_n);
        close(fd);
        rw_buf_deinit(&many);
        rig_stop(&r);
    }
    unlink(rig_service.file);
}

/* A peer that never reads and then dies: ranges are released (rig_stop checks it). */
static void a_peer_that_never_reads(void **state)
{
    (void)state;
    struct rig r;
    struct rw_buf many;
    make_file(1000000);
    rig_start(&r, 2, NULL);
    rw_buf_init(&many);
    for (int i = 0; i < 100; i++)
        rig_frame(&many, RW_API_FETCH, 11, i);
    int fd = rig_connect(r.port);
    rig_send(fd, many.p, many.n);
    struct timespec wait = {0, 50000000};
    nanosleep(&wait, NULL);
    close(fd);
    rw_buf_deinit(&many);
    rig_stop(&r);
    unlink(rig_service.file);
}

/* ---- limits ---- */

/* Frames of 1 MB from several peers through 2 MB of memory: nobody fails, everybody is served. */
static void memory_is_shared(void **state)
{
    struct talk *t = *state;
    enum { PEERS = 6, SIZE = 1000000 };
    t->limits.memory_bytes = 2000000;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 0, 3);
    rw_store_be32(t->bytes.p, SIZE); /* bytes after the body are ignored, as Kafka does */
    memset(rw_buf_extend(&t->bytes, SIZE + 4 - t->bytes.n), 0, SIZE + 4 - t->bytes.n);
    t->bytes.n = SIZE + 4;
    int fds[PEERS];
    for (int i = 0; i < PEERS; i++) {
        fds[i] = rig_connect(t->rig.port);
        rig_send(fds[i], t->bytes.p, 200000);
    }
    for (int i = PEERS - 1; i >= 0; i--)
        rig_send(fds[i], t->bytes.p + 200000, 100000);
    for (int i = 0; i < PEERS; i++)
        rig_send(fds[i], t->bytes.p + 300000, t->bytes.n - 300000);
    for (int i = 0; i < PEERS; i++)
        expect(fds[i], 3);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
}

/* Peers that announce much and send little hold little: they do not keep others out. */
static void announced_is_not_held(void **state)
{
    struct talk *t = *state;
    enum { PEERS = 20, SIZE = 1000000 };
    t->limits.memory_bytes = 2000000;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 0, 3);
    size_t small = t->bytes.n;
    int fds[PEERS];
    for (int i = 0; i < PEERS; i++) {
        uint8_t head[64] = {0};
        rw_store_be32(head, SIZE);
        fds[i] = rig_connect(t->rig.port);
        rig_send(fds[i], head, sizeof(head));
    }
    int fd = rig_connect(t->rig.port);
    rig_send(fd, t->bytes.p, small);
    expect(fd, 3);
    close(fd);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
}

/* Memory is short because of peers that hold it and do nothing: they go, the others are served. */
static void hogs_give_way(void **state)
{
    struct talk *t = *state;
    enum { PEERS = 4, SIZE = 1000000 };
    t->limits.memory_bytes = 200000;
    t->limits.pressure_us = 1000000;
    t->limits.pressure_rate = SIZE;
    rig_start(&t->rig, 1, &t->limits);
    rig_frame(&t->bytes, RW_API_API_VERSIONS, 0, 3);
    size_t small = t->bytes.n;
    rw_store_be32(t->bytes.p, SIZE);
    memset(rw_buf_extend(&t->bytes, 100000), 0, 100000);
    int fds[PEERS];
    for (int i = 0; i < PEERS; i++) {
        fds[i] = rig_connect(t->rig.port);
        rig_send(fds[i], t->bytes.p, 100000);
    }
    int fd = rig_connect(t->rig.port);
    rw_store_be32(t->bytes.p, (uint32_t)small - 4);
    rig_send(fd, t->bytes.p, small);
    /* One after another gets the memory and loses it, which is seen once a second. */
    struct timeval patience = {30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    expect(fd, 3);
    close(fd);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
}

static void connections_per_ip(void **state)
{
    (void)state;
    struct rig r;
    struct rw_buf one;
    struct rw_limits limits;
    rw_limits_init(&limits);
    limits.connections_per_ip_max = 2;
    rig_start(&r, 2, &limits);
    rw_buf_init(&one);
    rig_frame(&one, RW_API_API_VERSIONS, 3, 1);
    int a = rig_connect(r.port), b = rig_connect(r.port), c = rig_connect(r.port);
    rig_send(a, one.p, one.n);
    rig_send(b, one.p, one.n);
    expect(a, 1);
    expect(b, 1);
    assert_true(rig_closed(c));
    close(c);
    close(a);
    for (int i = 0;; i++) { /* the place is free again, soon */
        struct rw_buf frame;
        rw_buf_init(&frame);
        c = rig_connect(r.port);
        send(c, one.p, one.n, MSG_NOSIGNAL);
        bool served = rig_recv(c, &frame) > 0;
        close(c);
        rw_buf_deinit(&frame);
        if (served)
            break;
        assert_true(i < 100);
    }
    close(b);
    rw_buf_deinit(&one);
    rig_stop(&r);
}

static void idle_and_stalled_peers_are_closed(void **state)
{
    (void)state;
    struct rig r;
    struct rw_limits limits;
    rw_limits_init(&limits);
    limits.idle_us = 300000;
    limits.stall_us = 100000;
    rig_start(&r, 1, &limits);
    int idle = rig_connect(r.port), stalled = rig_connect(r.port);
    rig_send(stalled, "\0\0\0", 3);
    assert_true(rig_closed(idle));
    assert_true(rig_closed(stalled));
    close(idle);
    close(stalled);
    rig_stop(&r);
}

/* ---- stop ---- */

static void stop_finishes_what_is_in_flight(void **state)
{
    (void)state;
    struct rig r;
    struct rw_buf one, frame;
    atomic_store(&rig_service.park, 1);
    rig_start(&r, 3, NULL);
    rw_buf_init(&one);
    rw_buf_init(&frame);
    rig_frame(&one, RW_API_METADATA, 9, 1);
    int fds[6];
    for (int i = 0; i < 6; i++) {
        fds[i] = rig_connect(r.port);
        rig_send(fds[i], one.p, one.n);
    }
    rig_wait(&rig_service.parked, 6);
    rw_server_stop(r.server);
    atomic_store(&rig_service.park, 0);
    for (int i = 0; i < 6; i++) {
        expect(fds[i], 1);
        assert_true(rig_closed(fds[i]));
        close(fds[i]);
    }
    for (int i = 0; i < r.n; i++)
        rw_os_thread_join(r.threads[i]);
    rw_server_free(r.server);
    rw_os_jobs_free(r.jobs);
    for (int i = 0; i < r.n; i++)
        rw_os_loop_free(r.loops[i]);
    assert_int_equal(atomic_load(&rig_service.stopped), 3);
    assert_int_equal(atomic_load(&rig_service.closed_clean), 1);
    rw_buf_deinit(&one);
    rw_buf_deinit(&frame);
}

static void stop_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct rig r;
    struct rw_buf one;
    atomic_store(&rig_service.park, 1);
    rig_start(&r, 1, NULL);
    rw_buf_init(&one);
    rig_frame(&one, RW_API_METADATA, 9, 1);
    int fd = rig_connect(r.port);
    rig_send(fd, one.p, one.n);
    rig_wait(&rig_service.parked, 1);
    double begin = seconds();
    rig_stop(&r);
    assert_true(seconds() - begin < 4.5);
    assert_int_equal(atomic_load(&rig_service.canceled), 1);
    close(fd);
    rw_buf_deinit(&one);
}

static void a_shard_that_can_not_start(void **state)
{
    (void)state;
    struct rig r;
    rig_service.start_code = RW_E_NOMEM;
    rig_start(&r, 2, NULL);
    rig_stop(&r);
    assert_int_equal(atomic_load(&rig_service.stopped), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(frames_split_at_every_byte),
        T(answers_keep_the_order),
        T(no_more_than_the_limit_in_flight),
        cmocka_unit_test_setup(impossible_sizes_close, reset),
        cmocka_unit_test_setup(garbage_closes, reset),
        cmocka_unit_test_setup(unknown_versions, reset),
        T(half_close_is_answered),
        T(a_dead_peer_cancels),
        T(acks_zero_is_silent),
        T(throttled),
        cmocka_unit_test_setup(slow_reader_gets_everything, reset),
        cmocka_unit_test_setup(a_peer_that_never_reads, reset),
        T(memory_is_shared),
        T(announced_is_not_held),
        T(hogs_give_way),
        cmocka_unit_test_setup(connections_per_ip, reset),
        cmocka_unit_test_setup(idle_and_stalled_peers_are_closed, reset),
        cmocka_unit_test_setup(stop_finishes_what_is_in_flight, reset),
        cmocka_unit_test_setup(stop_does_not_wait_for_ever, reset),
        cmocka_unit_test_setup(a_shard_that_can_not_start, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
