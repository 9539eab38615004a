/* CRC32C: ours next to isa-l at sizes from a small record to a large batch, and next to the crc32
 * instruction alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/crc32c_impl.h"
#include "rounds.h"

struct work {
    uint8_t *p;
    size_t n;
    uint32_t (*peer)(uint32_t crc, const void *p, size_t n);
};

static double rate(uint32_t (*f)(uint32_t, const void *, size_t), const struct work *w,
                   double seconds)
{
    uint64_t done = 0;
    uint32_t crc = 0;
    double start = bench_now(), now = start;
    size_t turn = 1 + (256u << 10) / w->n;
    while (now - start < seconds) {
        for (size_t i = 0; i < turn; i++)
            crc = f(crc, w->p, w->n);
        done += turn * w->n;
        now = bench_now();
    }
    bench_use(crc);
    return (double)done / (now - start);
}

static double limit(void *arg, double seconds)
{
    const struct work *w = arg;
    return rate(w->peer, w, seconds);
}

static double subject(void *arg, double seconds)
{
    return rate(rw_crc32c, arg, seconds);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 256, 1024, 4096, 16384, 1u << 20};
    struct bench b;
    struct work w = {.p = malloc(1u << 20)};
    bench_init(&b, argc, argv);
    if (!w.p)
        bench_die("malloc");
    memset(w.p, 'x', 1u << 20);
    printf("implementation: %s\n", rw_crc32c_name());
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[40];
        w.n = sizes[i];
        w.peer = rw_crc32c_isal;
        snprintf(name, sizeof(name), "crc32c %zu B", w.n);
        bench_run(&b, &(struct bench_case){.name = name,
                                           .unit = "GB/s",
                                           .limit_is = "isa-l",
                                           .scale = 1e9,
                                           .target = w.n <= 256    ? 1.0
                                                     : w.n >= 4096 ? 0.95
                                                                   : 0,
                                           .limit = limit,
                                           .subject = subject,
                                           .arg = &w});
    }
#if defined(__x86_64__)
    if (rw_crc32c_has_sse42()) {
        w.n = 16384;
        w.peer = rw_crc32c_sse42;
        bench_run(&b, &(struct bench_case){"crc32c 16384 B, one instruction", "GB/s",
                                           "SSE4.2 serial", 1e9, 5, limit, subject, &w});
    }
#endif
    free(w.p);
    return 0;
}
