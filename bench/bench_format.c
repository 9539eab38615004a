/* Records into lines: decoding and formatting of one entry, next to snprintf of the same line, which is what a library
 * that formats in the call does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "logger/format.h"
#include "rollway/logger.h"
#include "rounds.h"

#define TIME_NS INT64_C(1795362001123456789)

struct work {
    struct rw_lg_knowledge knowledge;
    struct rw_lg_format format;
    const char *printf_format;
    union {
        struct rw_lg_entry entry;
        char bytes[256];
    };
};

static const struct rollway_site_field fields[] = {{"user", ROLLWAY_T_INT_},
                                                   {"us", ROLLWAY_T_DOUBLE_},
                                                   {"ip", ROLLWAY_T_CSTR_},
                                                   {"path", ROLLWAY_T_CSTR_}};
static struct rollway_site order = {.message = "order accepted",
                                    .file = "src/orders.c",
                                    .function = "accept",
                                    .fields = fields,
                                    .line = 12,
                                    .level = ROLLWAY_INFO,
                                    .n_fields = 4};
static struct rollway_site formatted = {.message = "user %d waited %.1f us, %s asked for %s",
                                        .file = "src/orders.c",
                                        .function = "accept",
                                        .line = 12,
                                        .level = ROLLWAY_INFO};

static const char *const texts[] = {"10.20.30.40", "/api/v1/orders/81723"};

static void put(struct work *w, struct rollway_site *site)
{
    if (!site->id)
        site->id = rw_lg_site_register((struct rw_lg_map *)(uintptr_t)w->knowledge.map, site);
    char *p = w->bytes + sizeof(w->entry);
    double us = 12.5;
    uint64_t values[4] = {4711, 0, strlen(texts[0]), strlen(texts[1])};
    memcpy(&values[1], &us, 8);
    memcpy(p, values, sizeof(values));
    p += sizeof(values);
    for (int i = 0; i < 2; i++) {
        memcpy(p, texts[i], strlen(texts[i]));
        p += strlen(texts[i]);
    }
    w->entry = (struct rw_lg_entry){.size = (uint32_t)rw_lg_align((size_t)(p - w->bytes)),
                                    .site = site->id,
                                    .thread = 77,
                                    .flags = ROLLWAY_INFO};
}

static double subject(void *arg, double seconds)
{
    struct work *w = arg;
    uint64_t done = 0, sum = 0;
    char line[1024];
    double start = bench_now(), now = start;
    while (now - start < seconds) {
        for (int i = 0; i < 1000; i++) {
            struct rw_lg_view v;
            struct rw_lg_out o = {line, sizeof(line), 0};
            if (!rw_lg_view(&w->knowledge, &w->entry, TIME_NS + i * 1000, &v))
                bench_die("a good entry was refused");
            rw_lg_format_line(&w->format, &o, &v);
            sum += o.n + (unsigned char)line[o.n - 2];
        }
        done += 1000;
        now = bench_now();
    }
    bench_use(sum);
    return (double)done / (now - start);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static double limit(void *arg, double seconds)
{
    struct work *w = arg;
    uint64_t done = 0, sum = 0;
    char line[1024];
    double start = bench_now(), now = start;
    while (now - start < seconds) {
        for (int i = 0; i < 1000; i++) {
            int n = snprintf(line, sizeof(line), w->printf_format, "2026-11-22T15:40:01",
                             123456 + i, "info", 4711, 12.5, texts[0], texts[1]);
            sum += (unsigned)n + (unsigned char)line[n - 2];
        }
        done += 1000;
        now = bench_now();
    }
    bench_use(sum);
    return (double)done / (now - start);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *format, *printf_format;
        struct rollway_site *site;
        double target;
    } cases[] = {
        {"logfmt", "logfmt",
         "time=%s.%06dZ level=%s msg=\"order accepted\" user=%d us=%g ip=%s path=%s\n", &order, 3},
        {"JSON", "json",
         "{\"time\":\"%s.%06dZ\",\"level\":\"%s\",\"message\":\"order "
         "accepted\",\"user\":%d,\"us\":%g,\"ip\":"
         "\"%s\",\"path\":\"%s\"}\n",
         &order, 3},
        {"pattern", "%d %-5p [%t] %m%k",
         "%s.%06dZ %-5s [77] order accepted user=%d us=%g ip=%s path=%s\n", &order, 2},
        {"pattern, printf style", "%d %-5p [%t] %m",
         "%s.%06dZ %-5s [77] user %d waited %.1f us, %s asked for %s\n", &formatted, 2},
        {"JSON, printf style", "json",
         "{\"time\":\"%s.%06dZ\",\"level\":\"%s\",\"message\":\"user %d waited %.1f us, %s asked "
         "for %s\"}\n",
         &formatted, 2},
    };
    struct bench b;
    struct rw_lg_map map;
    const struct rw_lg_shape shape = {.name = "bench",
                                      .ring_bytes = 4096,
                                      .journal_bytes = 4096,
                                      .dictionary_bytes = 1 << 16,
                                      .rings = 1};
    bench_init(&b, argc, argv);
    if (rw_lg_map_new(&shape, 1, &map, NULL))
        bench_die("no memory");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct work w = {.knowledge = {.map = &map}, .printf_format = cases[i].printf_format};
        if (rw_lg_format_init(cases[i].format, &w.format, NULL))
            bench_die("format");
        put(&w, cases[i].site);
        bench_run(&b, &(struct bench_case){.name = cases[i].name,
                                           .unit = "M lines/s",
                                           .limit_is = "snprintf",
                                           .scale = 1e6,
                                           .target = cases[i].target,
                                           .limit = limit,
                                           .subject = subject,
                                           .arg = &w});
        rw_lg_knowledge_deinit(&w.knowledge);
    }
    rw_lg_map_free(&map);
    return 0;
}
