/*
 * Load generator for brokers, at the level of bytes on the socket: as cheap as it can be, so that what
 * is measured is the server. It speaks just enough of Kafka's protocol (Produce v7, Fetch v11,
 * CreateTopics v4, ApiVersions v0) with requests built once and correlation ids patched in.
 *
 *   bench_net_load HOST:PORT create TOPIC PARTITIONS [key=value...]
 *   bench_net_load HOST:PORT produce TOPIC -c CONNS -d DEPTH -b BATCH_BYTES -r RECORD_BYTES -a ACKS -s SECONDS
 *                  -p PARTITIONS
 *   bench_net_load HOST:PORT fetch   TOPIC -c CONNS -m MAX_BYTES -s SECONDS
 *   bench_net_load HOST:PORT tiny    -     -c CONNS -d DEPTH -s SECONDS
 *
 * Connection i works on partition i modulo PARTITIONS (as many as connections). Prints one JSON object:
 * requests, records, bytes, seconds, latency percentiles (microseconds). Exit code 1 when the server answers
 * an error or nothing for 10 s.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/varint.h"

#define MAX_DEPTH   256
#define MAX_CONNS   1024
#define MAX_SAMPLES (1u << 22)
#define IN_SIZE     (4u << 20)

enum mode { PRODUCE, FETCH, TINY };

struct conn {
    int fd;
    struct rw_buf request; /* one whole request frame, reused */
    size_t sent;           /* bytes of the current request that left; 0: none under way */
    int outstanding;
    int64_t started[MAX_DEPTH]; /* ring of send times */
    int first, count;
    size_t frame_left; /* bytes of the current response still to come */
    uint8_t head[256]; /* its first bytes */
    size_t head_n, frame_n;
    int64_t offset;   /* fetch: next offset to ask for */
    size_t offset_at; /* where the request holds it */
};

struct load {
    enum mode mode;
    int conns, depth, acks, partitions;
    size_t batch_bytes, record_bytes, max_bytes;
    double seconds;
    int32_t records_per_batch;
    const char *topic;
    uint64_t requests, bytes, records, errors;
    uint32_t *samples;
    size_t n_samples;
    uint8_t *in;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_net_load: %s: %s\n", what, errno ? strerror(errno) : "protocol error");
    exit(1);
}

static void add_string(struct rw_buf *b, const char *s)
{
    rw_buf_add_be16(b, (uint16_t)strlen(s));
    rw_buf_add_str(b, s);
}

static void begin_request(struct rw_buf *b, int key, int version)
{
    rw_buf_clear(b);
    rw_buf_add_be32(b, 0);
    rw_buf_add_be16(b, (uint16_t)key);
    rw_buf_add_be16(b, (uint16_t)version);
    rw_buf_add_be32(b, 1);
    add_string(b, "bench");
}

static void end_request(struct rw_buf *b)
{
    rw_store_be32(b->p, (uint32_t)(b->n - 4));
}

/* A batch of equal records whose size comes close to `size` from below. */
static int32_t add_batch(struct rw_buf *b, size_t size, size_t record_bytes)
{
    size_t at = b->n;
    uint8_t *h = rw_buf_extend(b, 61);
    memset(h, 0, 61);
    int32_t count = 0;
    int64_t now = (int64_t)time(NULL) * 1000;
    while (b->n - at + record_bytes + 20 <= size || count == 0) {
        uint8_t body[32];
        size_t n = 0;
        body[n++] = 0;                                     /* attributes */
        body[n++] = 0;                                     /* timestamp delta */
        n += rw_uvarint_put(body + n, rw_zigzag32(count)); /* offset delta */
        body[n++] = 1;                                     /* key: null */
        n += rw_uvarint_put(body + n, rw_zigzag32((int32_t)record_bytes));
        uint8_t length[8];
        size_t ln = rw_uvarint_put(length, rw_zigzag32((int32_t)(n + record_bytes + 1)));
        rw_buf_add(b, length, ln);
        rw_buf_add(b, body, n);
        uint8_t *value = rw_buf_extend(b, record_bytes);
        for (size_t i = 0; i < record_bytes; i++)
            value[i] = (uint8_t)('a' + (i + (size_t)count) % 26);
        rw_buf_add_u8(b, 0); /* headers */
        count++;
    }
    h = b->p + at;
    size_t n = b->n - at;
    rw_store_be32(h + 8, (uint32_t)(n - 12));
    rw_store_be32(h + 12, 0xffffffffu);
    h[16] = 2;
    rw_store_be32(h + 23, (uint32_t)(count - 1));
    rw_store_be64(h + 27, (uint64_t)now);
    rw_store_be64(h + 35, (uint64_t)now);
    rw_store_be64(h + 43, UINT64_MAX);
    rw_store_be16(h + 51, UINT16_MAX);
    rw_store_be32(h + 53, UINT32_MAX);
    rw_store_be32(h + 57, (uint32_t)count);
    rw_store_be32(h + 17, rw_crc32c(0, h + 21, n - 21));
    return count;
}

static void build_produce(struct load *l, struct conn *c, int partition)
{
    struct rw_buf *b = &c->request;
    begin_request(b, 0, 7);
    rw_buf_add_be16(b, UINT16_MAX); /* transactional id: null */
    rw_buf_add_be16(b, (uint16_t)l->acks);
    rw_buf_add_be32(b, 30000);
    rw_buf_add_be32(b, 1);
    add_string(b, l->topic);
    rw_buf_add_be32(b, 1);
    rw_buf_add_be32(b, (uint32_t)partition);
    size_t length_at = b->n;
    rw_buf_add_be32(b, 0);
    l->records_per_batch = add_batch(b, l->batch_bytes, l->record_bytes);
    rw_store_be32(b->p + length_at, (uint32_t)(b->n - length_at - 4));
    end_request(b);
}

static void build_fetch(struct load *l, struct conn *c, int partition)
{
    struct rw_buf *b = &c->request;
    begin_request(b, 1, 11);
    rw_buf_add_be32(b, UINT32_MAX); /* replica id */
    rw_buf_add_be32(b, 0);          /* max wait: at the end it starts over at once */
    rw_buf_add_be32(b, 1);          /* min bytes */
    rw_buf_add_be32(b, (uint32_t)l->max_bytes);
    rw_buf_add_u8(b, 0);
    rw_buf_add_be32(b, 0);
    rw_buf_add_be32(b, UINT32_MAX); /* session epoch: none */
    rw_buf_add_be32(b, 1);
    add_string(b, l->topic);
    rw_buf_add_be32(b, 1);
    rw_buf_add_be32(b, (uint32_t)partition);
    rw_buf_add_be32(b, UINT32_MAX); /* leader epoch */
    c->offset_at = b->n;
    rw_buf_add_be64(b, 0);
    rw_buf_add_be64(b, UINT64_MAX);
    rw_buf_add_be32(b, (uint32_t)l->max_bytes);
    rw_buf_add_be32(b, 0);
    rw_buf_add_be16(b, 0);
    end_request(b);
}

static int dial(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof(host))
        die("address must be HOST:PORT (an IPv4 address)");
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die("bad IPv4 address");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
        die(address);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static void read_all(int fd, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)p + got, n - got);
        if (r <= 0)
            die("connection closed");
        got += (size_t)r;
    }
}

static int create_topic(const char *address, int argc, char **argv)
{
    struct rw_buf b;
    rw_buf_init(&b);
    begin_request(&b, 19, 4);
    rw_buf_add_be32(&b, 1);
    add_string(&b, argv[0]);
    rw_buf_add_be32(&b, (uint32_t)atoi(argv[1]));
    rw_buf_add_be16(&b, 1);
    rw_buf_add_be32(&b, 0);
    rw_buf_add_be32(&b, (uint32_t)(argc - 2));
    for (int i = 2; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!eq)
            die("configuration must be key=value");
        *eq = 0;
        add_string(&b, argv[i]);
        add_string(&b, eq + 1);
    }
    rw_buf_add_be32(&b, 30000);
    rw_buf_add_u8(&b, 0);
    end_request(&b);
    int fd = dial(address);
    if (write(fd, b.p, b.n) != (ssize_t)b.n)
        die("write");
    uint8_t size[4], reply[4096];
    read_all(fd, size, 4);
    uint32_t n = rw_load_be32(size);
    if (n > sizeof(reply))
        die("reply too long");
    read_all(fd, reply, n);
    /* correlation, throttle, topics = 1, name, error */
    size_t at = 12;
    at += (size_t)rw_load_be16(reply + at) + 2;
    int16_t error = (int16_t)rw_load_be16(reply + at);
    if (error && error != 36) {
        fprintf(stderr, "bench_net_load: create topic: error %d\n", error);
        return 1;
    }
    close(fd);
    rw_buf_deinit(&b);
    return 0;
}

/* Looks at the first bytes of a finished response. */
static void finish(struct load *l, struct conn *c)
{
    int64_t us = now_us() - c->started[c->first];
    c->first = (c->first + 1) % MAX_DEPTH;
    c->count--;
    c->outstanding--;
    if (l->n_samples < MAX_SAMPLES)
        l->samples[l->n_samples++] = (uint32_t)us;
    l->requests++;
    const uint8_t *p = c->head;
    if (l->mode == PRODUCE) {
        size_t at = 8;
        at += (size_t)rw_load_be16(p + at) + 10;
        int16_t error = (int16_t)rw_load_be16(p + at);
        if (error) {
            fprintf(stderr, "bench_net_load: produce: error %d\n", error);
            exit(1);
        }
        l->records += (uint64_t)l->records_per_batch;
        l->bytes += c->request.n;
    } else if (l->mode == FETCH) {
        size_t at = 4 + 4 + 2 + 4 + 4;
        at += (size_t)rw_load_be16(p + at) + 10;
        int16_t error = (int16_t)rw_load_be16(p + at);
        int32_t aborted = (int32_t)rw_load_be32(p + at + 2 + 24);
        size_t records_at = at + 2 + 24 + 4 + (aborted > 0 ? (size_t)aborted * 16 : 0) + 4;
        int32_t n = (int32_t)rw_load_be32(p + records_at);
        if (error) {
            fprintf(stderr, "bench_net_load: fetch: error %d\n", error);
            exit(1);
        }
        l->bytes += n > 0 ? (uint64_t)n : 0;
        if (n <= 0) {
            c->offset = 0; /* read to the end: start over */
        } else {
            /* Every batch in the benchmark has the same size and count: derive the next offset. */
            const uint8_t *batch = p + records_at + 4;
            int64_t base = (int64_t)rw_load_be64(batch);
            size_t size = (size_t)rw_load_be32(batch + 8) + 12;
            int64_t count = (int64_t)rw_load_be32(batch + 57);
            c->offset = base + (int64_t)((size_t)n / size) * count;
            l->records += (size_t)n / size * (uint64_t)count;
        }
        rw_store_be64(c->request.p + c->offset_at, (uint64_t)c->offset);
    } else {
        l->records++;
    }
}

/* tiny: the request buffer holds a whole window of `depth` requests, sent when the last one is answered,
 * so that the client's system calls are not what is measured. */
static void fill(struct load *l, struct conn *c)
{
    int burst = l->mode == TINY ? l->depth : 1;
    while (c->outstanding + burst <= l->depth || c->sent) {
        if (!c->sent) {
            int64_t now = now_us();
            for (int i = 0; i < burst; i++)
                c->started[(c->first + c->count++) % MAX_DEPTH] = now;
            c->outstanding += burst;
        }
        ssize_t n = send(c->fd, c->request.p + c->sent, c->request.n - c->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!c->sent) { /* nothing of it left: take it back */
                c->count -= burst;
                c->outstanding -= burst;
            }
            return;
        }
        if (n < 0)
            die("send");
        c->sent += (size_t)n;
        if (c->sent < c->request.n)
            return;
        c->sent = 0;
        if (l->mode == FETCH)
            return;
    }
}

static void take(struct load *l, struct conn *c, const uint8_t *p, size_t n)
{
    while (n) {
        if (c->frame_n < 4) { /* still inside the size */
            c->head[c->frame_n++] = *p++;
            n--;
            if (c->frame_n == 4) {
                c->frame_left = rw_load_be32(c->head);
                c->head_n = 0;
            }
            continue;
        }
        size_t k = n < c->frame_left ? n : c->frame_left;
        size_t keep = sizeof(c->head) - c->head_n < k ? sizeof(c->head) - c->head_n : k;
        memcpy(c->head + c->head_n, p, keep);
        c->head_n += keep;
        c->frame_left -= k;
        p += k;
        n -= k;
        if (!c->frame_left) {
            c->frame_n = 0;
            finish(l, c);
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t percentile(const struct load *l, double q)
{
    return l->n_samples ? l->samples[(size_t)(q * (double)(l->n_samples - 1))] : 0;
}

static void run(struct load *l, const char *address)
{
    struct conn *conns = calloc((size_t)l->conns, sizeof(*conns));
    int ep = epoll_create1(0);
    for (int i = 0; i < l->conns; i++) {
        struct conn *c = &conns[i];
        rw_buf_init(&c->request);
        if (l->mode == PRODUCE)
            build_produce(l, c, i % l->partitions);
        else if (l->mode == FETCH)
            build_fetch(l, c, i % l->partitions);
        else {
            begin_request(&c->request, 18, 0);
            end_request(&c->request);
            size_t n = c->request.n;
            for (int k = 1; k < l->depth; k++)
                rw_buf_add(&c->request, rw_buf_cstr(&c->request), n);
        }
        c->fd = dial(address);
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)i};
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    }
    int64_t start = now_us(), end = start + (int64_t)(l->seconds * 1e6);
    while (now_us() < end) {
        struct epoll_event events[64];
        int n = epoll_wait(ep, events, 64, 10000);
        if (n == 0)
            die("no answer for 10 s");
        for (int k = 0; k < n; k++) {
            struct conn *c = &conns[events[k].data.u32];
            for (;;) {
                ssize_t got = recv(c->fd, l->in, IN_SIZE, MSG_DONTWAIT);
                if (got == 0)
                    die("server closed the connection");
                if (got < 0) {
                    if (errno != EAGAIN && errno != EINTR)
                        die("recv");
                    break;
                }
                take(l, c, l->in, (size_t)got);
                if ((size_t)got < IN_SIZE)
                    break;
            }
            fill(l, c);
        }
    }
    double seconds = (double)(now_us() - start) / 1e6;
    qsort(l->samples, l->n_samples, sizeof(*l->samples), compare);
    printf("{\"requests\":%llu,\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"gb_per_s\":%.4f,"
           "\"records_per_s\":%.0f,\"requests_per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":"
           "%u}\n",
           (unsigned long long)l->requests, (unsigned long long)l->records,
           (unsigned long long)l->bytes, seconds, (double)l->bytes / seconds / 1e9,
           (double)l->records / seconds, (double)l->requests / seconds, percentile(l, 0.5),
           percentile(l, 0.99), percentile(l, 0.999));
}

int main(int argc, char **argv)
{
    struct load l = {.conns = 1,
                     .depth = 1,
                     .acks = -1,
                     .batch_bytes = 65536,
                     .record_bytes = 100,
                     .max_bytes = 1 << 20,
                     .seconds = 2};
    if (argc < 4) {
        fprintf(stderr, "usage: bench_net_load HOST:PORT create|produce|fetch|tiny TOPIC ...\n");
        return 2;
    }
    if (!strcmp(argv[2], "create"))
        return argc < 5 ? 2 : create_topic(argv[1], argc - 3, argv + 3);
    l.mode = !strcmp(argv[2], "produce") ? PRODUCE : !strcmp(argv[2], "fetch") ? FETCH : TINY;
    l.topic = argv[3];
    int o;
    char *address = argv[1];
    optind = 4;
    while ((o = getopt(argc, argv, "c:d:b:r:a:s:m:p:")) != -1) {
        if (o == 'c')
            l.conns = atoi(optarg);
        else if (o == 'd')
            l.depth = atoi(optarg);
        else if (o == 'b')
            l.batch_bytes = (size_t)atol(optarg);
        else if (o == 'r')
            l.record_bytes = (size_t)atol(optarg);
        else if (o == 'a')
            l.acks = atoi(optarg);
        else if (o == 'p')
            l.partitions = atoi(optarg);
        else if (o == 's')
            l.seconds = atof(optarg);
        else if (o == 'm')
            l.max_bytes = (size_t)atol(optarg);
        else
            return 2;
    }
    if (!l.partitions)
        l.partitions = l.conns;
    if (l.conns < 1 || l.partitions < 1 || l.conns > MAX_CONNS || l.depth < 1 ||
        l.depth > MAX_DEPTH || l.acks == 0)
        return 2;
    if (l.mode == FETCH)
        l.depth = 1;
    l.samples = malloc(MAX_SAMPLES * sizeof(*l.samples));
    l.in = malloc(IN_SIZE);
    run(&l, address);
    return 0;
}
