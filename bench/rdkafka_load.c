/*
 * Load by librdkafka, the client that most producers in C, Python, Go and .NET are: messages per second
 * with acks=all, as its own rdkafka_performance measures them. BROKER "mock" is librdkafka's mock
 * cluster inside this process, which keeps nothing: the limit of this client on this machine.
 *
 *   bench_rdkafka_load HOST:PORT|mock TOPIC RECORD_BYTES SECONDS
 *
 * Prints one JSON object: requests and records (delivered messages), bytes, seconds, messages per
 * second, latency from produce to delivery report. Exit code 1 when a message was not delivered.
 */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES_MAX (1u << 20)
#define SAMPLE_EACH 64 /* a time stamp per message would be a good part of the work */

struct load {
    uint64_t delivered, failed, bytes;
    uint32_t *samples;
    size_t samples_n;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct load *l = opaque;
    (void)rk;
    if (m->err) {
        l->failed++;
        return;
    }
    l->delivered++;
    l->bytes += m->len;
    if (m->_private && l->samples_n < SAMPLES_MAX) {
        int64_t took = now_us() - (int64_t)(intptr_t)m->_private;
        l->samples[l->samples_n++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
    }
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char err[256];
    if (rd_kafka_conf_set(conf, key, value, err, sizeof(err)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s=%s: %s\n", key, value, err);
        exit(2);
    }
}

static rd_kafka_t *producer(const char *broker, struct load *l)
{
    char err[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (strcmp(broker, "mock") == 0)
        set(conf, "test.mock.num.brokers", "1");
    else
        set(conf, "bootstrap.servers", broker);
    set(conf, "acks", "all");
    set(conf, "linger.ms", "5");
    set(conf, "queue.buffering.max.messages", "200000");
    set(conf, "queue.buffering.max.kbytes", "262144");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, l);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
    if (!rk) {
        fprintf(stderr, "rd_kafka_new: %s\n", err);
        exit(2);
    }
    return rk;
}

/* Produces until `end`; the client's queue being full is the back-pressure. */
static void produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, void *value, size_t n, int64_t end)
{
    for (uint64_t i = 0; i % 256 || now_us() < end; i++) {
        void *stamp = i % SAMPLE_EACH ? NULL : (void *)(intptr_t)now_us();
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, n, NULL,
                                0, stamp) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                fprintf(stderr, "produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
                exit(1);
            }
            rd_kafka_poll(rk, 10);
        }
        if (i % 256 == 0)
            rd_kafka_poll(rk, 0);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct load l = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: %s HOST:PORT|mock TOPIC RECORD_BYTES SECONDS\n", argv[0]);
        return 2;
    }
    size_t n = (size_t)strtoul(argv[3], NULL, 10);
    char *value = malloc(n + 1);
    l.samples = malloc(SAMPLES_MAX * sizeof(*l.samples));
    if (!value || !l.samples)
        return 2;
    memset(value, 'x', n);
    rd_kafka_t *rk = producer(argv[1], &l);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    /* Connections, metadata and the first batches before the clock starts. */
    produce(rk, topic, value, n, now_us() + 200000);
    if (rd_kafka_flush(rk, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR || l.failed)
        return 1;
    l.delivered = l.bytes = 0;
    l.samples_n = 0;
    int64_t began = now_us();
    produce(rk, topic, value, n, began + (int64_t)(strtod(argv[4], NULL) * 1e6));
    rd_kafka_resp_err_t code = rd_kafka_flush(rk, 60000);
    double seconds = (double)(now_us() - began) / 1e6;
    qsort(l.samples, l.samples_n, sizeof(*l.samples), by_value);
    printf("{\"requests\": %llu, \"records\": %llu, \"bytes\": %llu, \"seconds\": %.6f, "
           "\"messages_per_s\": %.1f, \"p50_us\": %u, \"p99_us\": %u}\n",
           (unsigned long long)l.delivered, (unsigned long long)l.delivered,
           (unsigned long long)l.bytes, seconds, (double)l.delivered / seconds,
           l.samples_n ? l.samples[l.samples_n / 2] : 0,
           l.samples_n ? l.samples[l.samples_n * 99 / 100] : 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    free(l.samples);
    free(value);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && l.failed == 0 ? 0 : 1;
}
