/*
 * Loggers by name, their levels, and the switches of call sites. Rare and under one lock; calls read the results without it. What lies in
 * static memory here lives as long as the process, as loggers do.
 */
#include "logger/engine.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "logger/limit.h"
#include "logger/site_list.h"
#include "os/task.h"

enum { LOGGERS = 1000, RULES = 64, SWITCHES = 32 };

struct rollway_logger rollway_default_logger = {.level = ROLLWAY_INFO, .id = 0, .name = ""};

struct named {
    struct rollway_logger logger;
    char name[RW_LG_NAME];
};

/* Patterns never change, once they are there, for calls read them without a lock; what they say does. */
struct site_switch {
    char file[128], function[RW_LG_NAME];
    _Atomic int on;
    _Atomic unsigned age; /* the youngest one that fits counts */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct named *loggers[LOGGERS]; /* from 1 on, never freed */
static unsigned n_loggers = 1;
static struct rw_lg_level_rule rules[RULES];
static unsigned n_rules, n_of_settings;
static struct site_switch switches[SWITCHES];
static _Atomic unsigned n_switches;
static unsigned youngest;

bool rw_lg_name_below(const char *name, const char *of)
{
    size_t n = strlen(of), has = strlen(name);
    return n == 0 || (has >= n && memcmp(name, of, n) == 0 && (has == n || name[n] == '.'));
}

/* ---- levels ---- */

static int level_of(const char *name)
{
    int level = ROLLWAY_INFO;
    size_t best = 0;
    for (unsigned i = 0; i < n_rules; i++)
        if (rw_lg_name_below(name, rules[i].name) && strlen(rules[i].name) >= best) {
            best = strlen(rules[i].name);
            level = rules[i].level;
        }
    return level;
}

static void apply_levels(void)
{
    __atomic_store_n(&rollway_default_logger.level, level_of(""), __ATOMIC_RELAXED);
    for (unsigned i = 1; i < n_loggers; i++)
        __atomic_store_n(&loggers[i]->logger.level, level_of(loggers[i]->name), __ATOMIC_RELAXED);
}

void rw_lg_levels_set(const struct rw_lg_level_rule *wanted, unsigned n)
{
    pthread_mutex_lock(&lock);
    n_rules = n_of_settings = n < RULES ? n : RULES;
    memcpy(rules, wanted, n_rules * sizeof(*rules));
    apply_levels();
    pthread_mutex_unlock(&lock);
}

int rollway_logger_set_level(const char *name, int level)
{
    if (!name || level < ROLLWAY_TRACE || level > ROLLWAY_OFF || strlen(name) >= RW_LG_NAME)
        return RW_E_INVAL;
    pthread_mutex_lock(&lock);
    unsigned i = n_of_settings;
    while (i < n_rules && strcmp(rules[i].name, name) != 0)
        i++;
    int rc = i < RULES ? RW_OK : RW_E_LIMIT;
    if (!rc) {
        snprintf(rules[i].name, sizeof(rules[i].name), "%s", name);
        rules[i].level = level;
        n_rules = i == n_rules ? n_rules + 1 : n_rules;
        apply_levels();
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- loggers ---- */

static char *name_in(const struct rw_lg_map *m, unsigned id)
{
    return (char *)m->mem.p + rw_lg_header(m)->loggers_at + (size_t)id * RW_LG_NAME;
}

const char *rw_lg_logger_name(const struct rw_lg_map *m, unsigned id)
{
    const char *name = id < RW_LG_LOGGERS ? name_in(m, id) : "";
    return memchr(name, 0, RW_LG_NAME) ? name : "";
}

static void publish(struct rw_lg_map *m, unsigned id)
{
    memcpy(name_in(m, id), loggers[id]->name, RW_LG_NAME);
    rw_lg_header(m)->loggers = id + 1;
}

void rw_lg_names_publish(struct rw_lg_map *m)
{
    pthread_mutex_lock(&lock);
    rw_lg_header(m)->loggers = 1;
    for (unsigned i = 1; i < n_loggers; i++)
        publish(m, i);
    pthread_mutex_unlock(&lock);
}

static struct rollway_logger *add(const char *name)
{
    struct named *n = n_loggers < LOGGERS ? rw_zalloc(sizeof(*n)) : NULL;
    if (!n)
        return &rollway_default_logger;
    snprintf(n->name, sizeof(n->name), "%s", name);
    n->logger.name = n->name;
    n->logger.id = n_loggers;
    n->logger.level = level_of(n->name);
    loggers[n_loggers++] = n;
    if (atomic_load(&rw_lg_now.generation))
        publish(&rw_lg_caller.map, n->logger.id);
    return &n->logger;
}

struct rollway_logger *rollway_logger_get(const char *name)
{
    char cut[RW_LG_NAME];
    snprintf(cut, sizeof(cut), "%s", name ? name : "");
    if (!cut[0])
        return &rollway_default_logger;
    pthread_mutex_lock(&lock);
    struct rollway_logger *found = NULL;
    for (unsigned i = 1; i < n_loggers && !found; i++)
        if (strcmp(loggers[i]->name, cut) == 0)
            found = &loggers[i]->logger;
    if (!found)
        found = add(cut);
    pthread_mutex_unlock(&lock);
    return found;
}

/* ---- switches ---- */

/* `pattern` with * for any run of characters; it may also match only the end of a path. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *back = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            back = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

bool rw_lg_file_matches(const char *pattern, const char *file)
{
    const char *base = strrchr(file, '/');
    return matches(pattern, file) || (base && matches(pattern, base + 1));
}

void rw_lg_each_site(void (*each)(void *arg, struct rollway_site *site))
{
    pthread_mutex_lock(&lock);
    rw_lg_site_list_visit(each, NULL);
    pthread_mutex_unlock(&lock);
}

static bool concerns(const struct site_switch *s, const struct rollway_site *site)
{
    return (!s->file[0] || rw_lg_file_matches(s->file, site->file)) &&
           (!s->function[0] || matches(s->function, site->function));
}

int rw_lg_gate(const struct rollway_site *site)
{
    int on = -1;
    unsigned best = 0;
    for (unsigned i = 0; i < atomic_load(&n_switches); i++) {
        unsigned age = atomic_load(&switches[i].age);
        if (age >= best && concerns(&switches[i], site)) {
            best = age;
            on = atomic_load(&switches[i].on);
        }
    }
    return on < 0 ? site->level : on ? ROLLWAY_OFF : -1;
}

static bool same(const struct site_switch *a, const struct site_switch *b)
{
    return strcmp(a->file, b->file) == 0 && strcmp(a->function, b->function) == 0;
}

struct switching {
    const struct site_switch *s;
    int count;
};

static void switch_one(void *arg, struct rollway_site *site)
{
    struct switching *w = arg;
    if (!concerns(w->s, site))
        return;
    __atomic_store_n(&site->gate, (signed char)rw_lg_gate(site), __ATOMIC_RELAXED);
    w->count++;
}

int rollway_logger_switch(const char *file, const char *function, int on)
{
    struct site_switch s = {.on = on};
    if (on < -1 || on > 1 ||
        snprintf(s.file, sizeof(s.file), "%s", file ? file : "") >= (int)sizeof(s.file) ||
        snprintf(s.function, sizeof(s.function), "%s", function ? function : "") >=
            (int)sizeof(s.function))
        return RW_E_INVAL;
    pthread_mutex_lock(&lock);
    unsigned n = atomic_load(&n_switches), i = 0;
    while (i < n && !same(&switches[i], &s))
        i++;
    if (i == SWITCHES) {
        pthread_mutex_unlock(&lock);
        return RW_E_LIMIT;
    }
    if (i == n) {
        memcpy(switches[i].file, s.file, sizeof(s.file));
        memcpy(switches[i].function, s.function, sizeof(s.function));
    }
    atomic_store(&switches[i].on, on);
    atomic_store(&switches[i].age, ++youngest);
    if (i == n)
        atomic_store(&n_switches, n + 1);
    struct switching w = {.s = &s};
    rw_lg_site_list_visit(switch_one, &w);
    pthread_mutex_unlock(&lock);
    return w.count;
}

static void forget_one(void *unused, struct rollway_site *site)
{
    (void)unused;
    __atomic_store_n(&site->id, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&site->quick, 0, __ATOMIC_RELEASE);
}

void rw_lg_sites_forget(void)
{
    pthread_mutex_lock(&lock);
    rw_lg_site_list_visit(forget_one, NULL);
    pthread_mutex_unlock(&lock);
}

void rw_lg_names_lock(bool take)
{
    if (take)
        pthread_mutex_lock(&lock);
    else
        pthread_mutex_unlock(&lock);
}
