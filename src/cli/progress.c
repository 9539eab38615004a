/* One line on standard error that is drawn over and over. */
#include "cli/progress.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/human.h"

#define REDRAW_US 100000

int64_t rw_progress_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void rw_progress_start(struct rw_progress *p, const struct rw_cli *cli, const char *unit,
                       int64_t total)
{
    const char *term = getenv("TERM");
    *p = (struct rw_progress){.unit = unit, .total = total, .start_us = rw_progress_now()};
    p->on = isatty(STDERR_FILENO) == 1 && !rw_cli_quiet(cli) && !rw_cli_json(cli) &&
            !getenv("CI") && term && term[0] != 'd';
    p->shown_us = p->start_us;
}

void rw_progress_line(char *buf, size_t size, const char *unit, int64_t done, double part,
                      int64_t bytes, int64_t elapsed_us)
{
    char count[RW_HUMAN_SIZE], rate[RW_HUMAN_SIZE], volume[RW_HUMAN_SIZE], left[RW_HUMAN_SIZE];
    int64_t us = elapsed_us > 0 ? elapsed_us : 1;
    double per_second = (double)done * 1e6 / (double)us;
    int n = snprintf(buf, size, "%s %s  %s/s  %s/s", rw_human_grouped(count, done), unit,
                     rw_human_grouped(rate, (int64_t)per_second),
                     rw_human_bytes(volume, (uint64_t)((double)bytes * 1e6 / (double)us)));
    if (part > 0 && n > 0 && (size_t)n < size) {
        double ms = part < 1 ? (double)us / 1000 * (1 - part) / part : 0;
        snprintf(buf + n, size - (size_t)n, "  %d%%  %s left", (int)(100 * part),
                 rw_human_ms(left, (int64_t)ms));
    }
}

void rw_progress_update(struct rw_progress *p, int64_t done, int64_t bytes, int64_t now_us)
{
    char line[160];
    if (!p->on || now_us - p->shown_us < REDRAW_US)
        return;
    p->shown_us = now_us;
    p->drawn = true;
    double part = p->total > 0 ? (double)done / (double)p->total : p->done_part;
    rw_progress_line(line, sizeof(line), p->unit, done, part, bytes, now_us - p->start_us);
    fprintf(stderr, "\r\033[K%s", line);
}

void rw_progress_end(struct rw_progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
