/* What programs without a library do: fprintf() to a buffered file, with the time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static FILE *out;

static void loggers_start(const char *path)
{
    out = fopen(path, "w");
    if (!out)
        exit(1);
}

static void loggers_thread(void)
{
}

static void loggers_stop(void)
{
    fclose(out);
}

#define LOGGERS_NAME "fprintf"
#define WITH_TIME(format, ...)                                                                     \
    do {                                                                                           \
        struct timespec t;                                                                         \
        clock_gettime(CLOCK_REALTIME, &t);                                                         \
        fprintf(out, "%lld.%09ld info " format "\n", (long long)t.tv_sec, t.tv_nsec, __VA_ARGS__); \
    } while (0)
#define LOGGERS_NUMBERS(a, b, c) WITH_TIME("a message with numbers a=%d b=%d c=%g", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    WITH_TIME("order accepted user=%d total=%g ip=%s path=%s", user, total, ip, path)
#include "measure.h"
