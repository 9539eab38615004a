/*
 * Disk pressure. A level is entered when usage reaches its threshold and left only when usage has
 * fallen `hysteresis` below it, so that a disk at a threshold does not flap. Levels rise at once by
 * any number and fall the same way: when space returns, everything recovers by itself.
 *
 * Refusing begins while there is still room: reads, retention and checkpoints go on, and what was
 * acknowledged stays untouched. Deleting data that retention does not allow to delete is never an
 * answer.
 */
#include "log/pressure.h"

#define RESERVE_MAX (UINT64_C(64) << 20)

void rw_pressure_config_init(struct rw_pressure_config *c)
{
    *c = (struct rw_pressure_config){.warn_percent = 80,
                                     .throttle_percent = 95,
                                     .refuse_percent = 98,
                                     .free_bytes_min = 0,
                                     .hysteresis_percent = 1,
                                     .throttle_max_ms = 1000};
}

int rw_pressure_config_check(const struct rw_pressure_config *c)
{
    bool fine = c->warn_percent > 0 && c->warn_percent <= c->throttle_percent &&
                c->throttle_percent <= c->refuse_percent && c->refuse_percent <= 100 &&
                c->hysteresis_percent >= 0 && c->hysteresis_percent < c->warn_percent &&
                c->throttle_max_ms >= 0;
    return fine ? RW_OK : RW_E_INVAL;
}

bool rw_pressure_config_order(struct rw_pressure_config *c)
{
    const struct rw_pressure_config was = *c;
    if (c->throttle_percent > c->refuse_percent)
        c->throttle_percent = c->refuse_percent;
    if (c->warn_percent > c->throttle_percent)
        c->warn_percent = c->throttle_percent;
    return c->throttle_percent != was.throttle_percent || c->warn_percent != was.warn_percent;
}

static uint64_t free_min(const struct rw_pressure_config *c, uint64_t total)
{
    if (c->free_bytes_min)
        return c->free_bytes_min;
    return total / 100 < RESERVE_MAX ? total / 100 : RESERVE_MAX;
}

static double threshold(const struct rw_pressure_config *c, enum rw_pressure_level level)
{
    switch (level) {
    case RW_PRESSURE_WARN:
        return c->warn_percent;
    case RW_PRESSURE_THROTTLE:
        return c->throttle_percent;
    case RW_PRESSURE_REFUSE:
        return c->refuse_percent;
    case RW_PRESSURE_NONE:
        break;
    }
    return 0;
}

/* Is usage in this level, given whether it was before? */
static bool holds(const struct rw_pressure_config *c, enum rw_pressure_level level, bool was,
                  double used, uint64_t total, uint64_t available)
{
    double slack = was ? c->hysteresis_percent : 0;
    if (used >= threshold(c, level) - slack && threshold(c, level) > slack)
        return true;
    uint64_t least = free_min(c, total);
    /* A quarter more before it is left: the same idea for the limit in bytes. */
    return level == RW_PRESSURE_REFUSE && available < (was ? least + least / 4 : least);
}

/* From nothing where throttling begins to the maximum where refusing begins. */
static int32_t throttle_ms(const struct rw_pressure_config *c, double used)
{
    double from = c->throttle_percent - c->hysteresis_percent, to = c->refuse_percent;
    double part = to > from ? (used - from) / (to - from) : 1;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    int32_t ms = (int32_t)(part * c->throttle_max_ms);
    return ms ? ms : c->throttle_max_ms ? 1 : 0;
}

void rw_pressure_step(struct rw_pressure *p, const struct rw_pressure_config *c, uint64_t total,
                      uint64_t available, struct rw_pressure_step *ret_step)
{
    static const int32_t pauses[] = {[RW_PRESSURE_NONE] = 5000,
                                     [RW_PRESSURE_WARN] = 1000,
                                     [RW_PRESSURE_THROTTLE] = 200,
                                     [RW_PRESSURE_REFUSE] = 200};
    if (available > total)
        available = total;
    double used = total ? 100.0 * (double)(total - available) / (double)total : 0;
    enum rw_pressure_level level = RW_PRESSURE_REFUSE;
    while (total && level > RW_PRESSURE_NONE &&
           !holds(c, level, p->level >= level, used, total, available))
        level--;
    if (!total)
        level = RW_PRESSURE_NONE;
    *ret_step = (struct rw_pressure_step){
        .level = level,
        .changed = level != p->level,
        .retain_now = level >= RW_PRESSURE_WARN,
        .refuse = level == RW_PRESSURE_REFUSE,
        .throttle_ms = level >= RW_PRESSURE_THROTTLE ? throttle_ms(c, used) : 0,
        .next_step_ms = pauses[level],
        .used_percent = used};
    p->level = level;
}

const char *rw_pressure_name(enum rw_pressure_level level)
{
    static const char *const names[] = {"none", "warn", "throttle", "refuse"};
    return names[level];
}
