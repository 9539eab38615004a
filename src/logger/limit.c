/*
 * The rules are in static memory, which calls read without a lock while settings are read again: each is published by its kind, and
 * taken back before it changes. A call that sees half of a change lets a record pass or holds it back, and does nothing worse. Numbers are
 * atomic, so that "half" is all that can be seen. A rate is one number, the time up to which the budget is used (the generic cell
 * rate algorithm): no lock, no thread that refills.
 */
#include "logger/limit.h"

#include <string.h>
#include "base/units.h"
#include "logger/engine.h"
#include "logger/site.h"
#include "os/ticks.h"

enum kind { UNUSED, BY_LOGGER, BY_FILE };
#define SECOND_NS 1000000000ll

struct limit {
    _Atomic int kind;
    _Atomic char pattern[RW_LG_LIMIT_PATTERN];
    _Atomic uint32_t sample, counted;
    _Atomic int64_t each_ns, at_once_ns, used_ns;
    _Atomic uint64_t suppressed;
    uint64_t told; /* by the collector */
};

static struct limit limits[RW_LG_LIMITS];
static _Atomic unsigned n_limits;

/* ---- settings ---- */

static bool number(const char *p, const char *end, int64_t *ret)
{
    return end > p && rw_units_parse_int((struct rw_str){p, (int32_t)(end - p)}, ret) && *ret > 0 &&
           *ret <= SECOND_NS;
}

bool rw_lg_limit_parse_rate(struct rw_str text, struct rw_lg_limit_rule *rule)
{
    const char *end = text.p + text.n, *slash = memchr(text.p, '/', (size_t)text.n);
    int64_t n, burst;
    if (!slash || !number(text.p, slash, &n) || slash + 1 == end)
        return false;
    char unit = slash[1];
    int64_t interval = unit == 's'   ? SECOND_NS
                       : unit == 'm' ? 60 * SECOND_NS
                       : unit == 'h' ? 3600 * SECOND_NS
                                     : 0;
    static const char word[] = " burst ";
    const char *rest = slash + 2;
    burst = n;
    if (!interval ||
        (rest != end &&
         ((size_t)(end - rest) < sizeof(word) || memcmp(rest, word, sizeof(word) - 1) != 0 ||
          !number(rest + sizeof(word) - 1, end, &burst) || burst > 1000000)))
        return false;
    rule->each_ns = interval / n;
    rule->at_once_ns = rule->each_ns * burst;
    return true;
}

bool rw_lg_limit_parse_sample(struct rw_str text, struct rw_lg_limit_rule *rule)
{
    int64_t n;
    if (text.n < 3 || memcmp(text.p, "1/", 2) != 0 || !number(text.p + 2, text.p + text.n, &n))
        return false;
    rule->sample = (uint32_t)n;
    return true;
}

static bool ends(const char *text, const char *with)
{
    size_t n = strlen(text), m = strlen(with);
    return n >= m && strcmp(text + n - m, with) == 0;
}

static enum kind kind_of(const char *pattern)
{
    return strpbrk(pattern, "*/") || ends(pattern, ".c") || ends(pattern, ".cc") ||
                   ends(pattern, ".cpp") || ends(pattern, ".h")
               ? BY_FILE
               : BY_LOGGER;
}

static void look_again(void *unused, struct rollway_site *site)
{
    (void)unused;
    unsigned char by_call = __atomic_load_n(&site->limited, __ATOMIC_RELAXED) & 1;
    unsigned char by_settings = rw_lg_limits_concern(site) ? RW_LG_LIMITED_BY_SETTINGS : 0;
    __atomic_store_n(&site->limited, by_call | by_settings, __ATOMIC_RELAXED);
    rw_lg_site_quicken(site);
}

void rw_lg_limits_set(const struct rw_lg_limit_rule *rules, unsigned n)
{
    for (unsigned i = 0; i < RW_LG_LIMITS; i++) {
        struct limit *l = &limits[i];
        atomic_store(&l->kind, UNUSED);
        if (i >= n)
            continue;
        for (size_t c = 0; c < sizeof(l->pattern); c++)
            atomic_store_explicit(&l->pattern[c], rules[i].pattern[c], memory_order_relaxed);
        atomic_store(&l->sample, rules[i].sample);
        atomic_store(&l->counted, 0);
        atomic_store(&l->each_ns, rules[i].each_ns);
        atomic_store(&l->at_once_ns, rules[i].at_once_ns);
        atomic_store(&l->used_ns, 0);
        atomic_store(&l->kind, kind_of(rules[i].pattern));
    }
    atomic_store(&n_limits, n);
    rw_lg_each_site(look_again);
}

/* ---- calls ---- */

static void copy_pattern(const struct limit *l, char to[RW_LG_LIMIT_PATTERN])
{
    for (size_t c = 0; c < RW_LG_LIMIT_PATTERN; c++)
        if (!(to[c] = atomic_load_explicit(&l->pattern[c], memory_order_relaxed)))
            return;
    to[RW_LG_LIMIT_PATTERN - 1] = 0;
}

bool rw_lg_limits_concern(const struct rollway_site *site)
{
    char pattern[RW_LG_LIMIT_PATTERN];
    for (unsigned i = 0, n = atomic_load(&n_limits); i < n; i++) {
        int kind = atomic_load(&limits[i].kind);
        copy_pattern(&limits[i], pattern);
        /* Which logger a call goes to may change from call to call. */
        if (kind == BY_LOGGER || (kind == BY_FILE && rw_lg_file_matches(pattern, site->file)))
            return true;
    }
    return false;
}

static bool fits(const struct limit *l, const struct rollway_site *site,
                 const struct rollway_logger *logger)
{
    char pattern[RW_LG_LIMIT_PATTERN];
    int kind = atomic_load(&l->kind);
    if (kind == UNUSED)
        return false;
    copy_pattern(l, pattern);
    return kind == BY_LOGGER ? rw_lg_name_below(logger->name, pattern)
                             : rw_lg_file_matches(pattern, site->file);
}

static bool in_budget(struct limit *l)
{
    int64_t now = rw_os_mono_coarse_ns(), used = atomic_load(&l->used_ns), next;
    do {
        next = (used > now ? used : now) + atomic_load(&l->each_ns);
        if (next - now > atomic_load(&l->at_once_ns))
            return false;
    } while (!atomic_compare_exchange_weak(&l->used_ns, &used, next));
    return true;
}

bool rw_lg_limits_admit(const struct rollway_site *site, const struct rollway_logger *logger,
                        uint32_t *ret_sample)
{
    for (unsigned i = 0, n = atomic_load(&n_limits); i < n; i++) {
        struct limit *l = &limits[i];
        if (!fits(l, site, logger))
            continue;
        uint32_t sample = atomic_load(&l->sample);
        if (sample ? atomic_fetch_add(&l->counted, 1) % sample != 0 : !in_budget(l)) {
            atomic_fetch_add_explicit(&l->suppressed, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&rw_lg_counts.suppressed, 1, memory_order_relaxed);
            return false;
        }
        if (sample > 1)
            *ret_sample = sample;
    }
    return true;
}

bool rw_lg_limits_tell(unsigned i, char ret_pattern[RW_LG_LIMIT_PATTERN], uint64_t *ret_n)
{
    if (i >= atomic_load(&n_limits))
        return false;
    uint64_t now = atomic_load(&limits[i].suppressed);
    *ret_n = now - limits[i].told;
    limits[i].told = now;
    copy_pattern(&limits[i], ret_pattern);
    return true;
}
