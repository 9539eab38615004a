/*
 * NATS JetStream as it is meant to be used when speed counts: asynchronous publishing, and an ordered
 * consumer, which needs no acknowledgements. By its own C client.
 *
 *   bench_nats_load URL publish STREAM RECORD_BYTES SECONDS   makes the stream (a file of at most 1 GiB) anew
 *   bench_nats_load URL consume STREAM SECONDS                from the start again at the end
 *
 * Prints one JSON object: records (acknowledged, or received), bytes, seconds, records per second.
 */
#include <nats/nats.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PENDING_MAX  4096
#define STREAM_BYTES (1ll << 30)

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(natsStatus s, const char *what)
{
    if (s == NATS_OK)
        return;
    fprintf(stderr, "bench_nats_load: %s: %s\n", what, natsStatus_GetText(s));
    exit(1);
}

static void refused(jsCtx *js, jsPubAckErr *e, void *closure)
{
    (void)js;
    (void)closure;
    fprintf(stderr, "bench_nats_load: publish: %s\n", e->ErrText);
    exit(1);
}

static void print(uint64_t records, uint64_t bytes, double seconds)
{
    printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"records_per_s\":%.0f,\"gb_per_s\":%"
           ".4f}\n",
           (unsigned long long)records, (unsigned long long)bytes, seconds,
           (double)records / seconds, (double)bytes / seconds / 1e9);
}

static void publish(jsCtx *js, const char *stream, size_t size, double seconds)
{
    jsStreamConfig config;
    const char *subject = stream;
    jsStreamConfig_Init(&config);
    config.Name = stream;
    config.Subjects = &subject;
    config.SubjectsLen = 1;
    config.MaxBytes = STREAM_BYTES;
    config.Storage = js_FileStorage;
    (void)js_DeleteStream(js, stream, NULL, NULL); /* there may be none */
    must(js_AddStream(NULL, js, &config, NULL, NULL), "make the stream");
    char *record = malloc(size);
    for (size_t i = 0; i < size; i++)
        record[i] = (char)('a' + i % 26);
    uint64_t n = 0;
    double start = now_s();
    while (now_s() - start < seconds)
        for (int i = 0; i < 64; i++, n++)
            must(js_PublishAsync(js, subject, record, (int)size, NULL), "publish");
    must(js_PublishAsyncComplete(js, NULL), "acknowledgements");
    print(n, n * size, now_s() - start);
    free(record);
}

struct got {
    atomic_ullong records, bytes;
};

static void received(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    struct got *g = closure;
    (void)nc;
    (void)sub;
    atomic_fetch_add_explicit(&g->bytes, (unsigned)natsMsg_GetDataLength(msg),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&g->records, 1, memory_order_release);
    natsMsg_Destroy(msg);
}

static void consume(jsCtx *js, const char *stream, double seconds)
{
    jsStreamInfo *info;
    must(js_GetStreamInfo(&info, js, stream, NULL, NULL), "look at the stream");
    const uint64_t all = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    struct got total = {0};
    double start = now_s(), until = start + seconds;
    while (now_s() < until) {
        struct got round = {0};
        natsSubscription *sub;
        jsSubOptions options;
        jsSubOptions_Init(&options);
        options.Ordered = true;
        must(js_Subscribe(&sub, js, stream, received, &round, NULL, &options, NULL), "subscribe");
        while (now_s() < until && atomic_load(&round.records) < all)
            nats_Sleep(1);
        total.records += atomic_load(&round.records);
        total.bytes += atomic_load(&round.bytes);
        /* Its callback must be over before `round` goes. */
        must(natsSubscription_Drain(sub), "drain");
        must(natsSubscription_WaitForDrainCompletion(sub, 10000), "drain");
        natsSubscription_Destroy(sub);
    }
    print(total.records, total.bytes, now_s() - start);
}

int main(int argc, char **argv)
{
    bool publishes = argc == 6 && !strcmp(argv[2], "publish");
    if (!publishes && !(argc == 5 && !strcmp(argv[2], "consume"))) {
        fprintf(stderr, "usage: bench_nats_load URL publish STREAM RECORD_BYTES SECONDS | consume "
                        "STREAM SECONDS\n");
        return 2;
    }
    natsConnection *nc;
    jsOptions options;
    jsCtx *js;
    must(natsConnection_ConnectTo(&nc, argv[1]), "connect");
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = PENDING_MAX;
    options.PublishAsync.ErrHandler = refused;
    options.PublishAsync.StallWait = 10000;
    must(natsConnection_JetStream(&js, nc, &options), "JetStream");
    if (publishes)
        publish(js, argv[3], (size_t)atol(argv[4]), atof(argv[5]));
    else
        consume(js, argv[3], atof(argv[4]));
    jsCtx_Destroy(js);
    natsConnection_Destroy(nc);
    nats_Close();
    return 0;
}
