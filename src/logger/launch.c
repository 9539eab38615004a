/* From settings to a running logger: the shared file, sinks, appenders, threads. And their end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "logger/process.h"
#include "os/console.h"
#include "os/task.h"
#include "os/ticks.h"

enum { RINGS_MAX = 4096, DICTIONARY_BYTES = 16 * 1024 * 1024 };

static struct rw_lg_sink *sink_new(const char *type)
{
    static const struct {
        const char *type;
        struct rw_lg_sink *(*new)(void);
    } types[] = {{"file", rw_lg_sink_file},     {"console", rw_lg_sink_console},
                 {"syslog", rw_lg_sink_syslog}, {"journald", rw_lg_sink_journald},
                 {"memory", rw_lg_sink_memory}, {"callback", rw_lg_sink_callback},
                 {"broker", rw_lg_sink_broker}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].new();
    return NULL;
}

static int start_sink(const char *application, const struct rw_lg_config_appender *c, bool open,
                      struct rw_lg_sink **ret_sink, struct rw_err *err)
{
    struct rw_lg_sink *s = sink_new(c->type);
    if (!s)
        return rw_err_set(err, RW_E_INVAL, "appender.%s.type: there is no type %s", c->o.name,
                          c->type);
    if (s->ops->named)
        s->ops->named(s, application, c->o.name);
    int rc = RW_OK;
    struct rw_err why = {0};
    char where[600] = "";
    if (s->ops->breaker)
        s->ops->breaker(s, c->o.breaker_failures);
    for (unsigned i = 0; i < c->n_settings && !rc; i++) {
        rc = s->ops->set(s, rw_str(c->settings[i].key), rw_str(c->settings[i].value), &why);
        if (rc == RW_E_NOT_FOUND)
            rc = rw_err_set(&why, RW_E_INVAL, "%s: no such setting of a %s appender",
                            c->settings[i].key, c->type);
        if (rc)
            snprintf(where, sizeof(where), "%s, line %d: ", c->settings[i].from,
                     c->settings[i].line);
    }
    if (!rc && s->ops->ready)
        rc = s->ops->ready(s, &why);
    if (!rc && open)
        rc = s->ops->open(s, &why);
    if (rc) {
        s->ops->free(s);
        return rw_err_set(err, rc, "%sappender.%s.%s", where, c->o.name,
                          why.text[0] ? why.text : rw_code_text(rc));
    }
    *ret_sink = s;
    return RW_OK;
}

int rw_lg_try_sink(const struct rw_lg_config *c, unsigned i, bool open, struct rw_err *err)
{
    struct rw_lg_sink *s;
    int rc = start_sink(c->name, &c->appenders[i], open, &s, err);
    if (!rc)
        s->ops->free(s);
    return rc;
}

/* Reading the settings again: sinks first, so that nothing has changed when one of them is wrong. */
int rw_lg_start_sinks(const struct rw_lg_config *c, struct rw_lg_sink *sinks[], struct rw_err *err)
{
    int rc = RW_OK;
    unsigned n = 0;
    for (; n < c->n_appenders && !rc; n += !rc)
        rc = start_sink(c->name, &c->appenders[n], true, &sinks[n], err);
    while (rc && n > 0) {
        n--;
        sinks[n]->ops->free(sinks[n]);
    }
    return rc;
}

static bool is_configured(const struct rw_lg_engine *e, const char *name)
{
    for (unsigned i = 0; i < e->config.n_appenders; i++)
        if (strncmp(name, e->config.appenders[i].o.name, RW_LG_NAME) == 0)
            return true;
    return false;
}

/*
 * Cursors of appenders that are no more. One that stayed would be far behind when its appender comes back, where the journal has
 * been written over since, and a rescue would take everything from there on for unwritten.
 */
static void release_cursors(struct rw_lg_engine *e)
{
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++) {
        struct rw_lg_cursor *c = &rw_lg_engine_header(e)->cursors[i];
        if (!is_configured(e, c->name))
            memset(c->name, 0, sizeof(c->name));
    }
}

/* The cursor of an appender of this name, or one that nobody has, which begins at the journal's end. */
static struct rw_lg_cursor *cursor_of(struct rw_lg_engine *e, const char *name)
{
    struct rw_lg_cursor *unused = NULL;
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++) {
        struct rw_lg_cursor *c = &rw_lg_engine_header(e)->cursors[i];
        if (strncmp(c->name, name, sizeof(c->name)) == 0)
            return c;
        if (!c->name[0] && !unused)
            unused = c;
    }
    atomic_store(&unused->done, atomic_load(&rw_lg_engine_header(e)->head));
    atomic_store(&unused->intent, 0);
    return unused;
}

/* Colour is for people: on a terminal that shows it, or where it is asked for. */
static bool in_colour(const struct rw_lg_config_appender *c)
{
    int fd = 2;
    for (unsigned i = 0; i < c->n_settings; i++)
        if (strcmp(c->settings[i].key, "stream") == 0 &&
            strcmp(c->settings[i].value, "stdout") == 0)
            fd = 1;
    if (c->colour != RW_LG_COLOUR_AUTO)
        return c->colour == RW_LG_COLOUR_ALWAYS;
    return strcmp(c->type, "console") == 0 && rw_os_console_colour(fd);
}

int rw_lg_start_appenders(struct rw_lg_engine *e, struct rw_lg_sink *sinks[], struct rw_err *err)
{
    int rc = RW_OK;
    release_cursors(e);
    for (unsigned i = 0; i < e->config.n_appenders; i++) {
        struct rw_lg_appender_options *o = &e->config.appenders[i].o;
        o->format.colour = in_colour(&e->config.appenders[i]);
        if (e->config.sync)
            o->consumers = 1; /* calls write themselves */
        if (!rc)
            rc = rw_lg_appender_init(&e->appenders[i], e->collector.map, cursor_of(e, o->name),
                                     sinks[i], o);
        if (rc)
            sinks[i]->ops->free(sinks[i]);
        else
            e->n_appenders++;
    }
    return rc ? rw_err_set(err, rc, rc == RW_E_LIMIT ? "no thread could be started" : "no memory")
              : RW_OK;
}

/* Library threads take no signals: they are the program's. */
int rw_lg_start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? RW_E_LIMIT : RW_OK;
}

int rw_lg_start_appender_threads(struct rw_lg_engine *e)
{
    int rc = RW_OK;
    if (e->config.sync)
        return RW_OK;
    for (; e->n_threads < e->n_appenders && !rc; e->n_threads += !rc)
        rc = rw_lg_start_thread(&e->threads[e->n_threads], rw_lg_appender_run,
                                &e->appenders[e->n_threads]);
    return rc;
}

static int start_threads(struct rw_lg_engine *e)
{
    if (e->config.sync) {
        pthread_mutex_lock(&rw_lg_process.turn);
        rw_lg_leftovers(e, rw_lg_adopt);
        pthread_mutex_unlock(&rw_lg_process.turn);
        return rw_lg_care_start(e);
    }
    int rc = rw_lg_start_appender_threads(e);
    if (!rc)
        rc = rw_lg_start_thread(&e->collector_thread, rw_lg_collector_run, e);
    e->collecting = !rc;
    if (!rc)
        rc = rw_lg_care_start(e);
    return rc;
}

void rw_lg_stop_appenders(struct rw_lg_engine *e)
{
    pthread_mutex_lock(&rw_lg_process.turn);
    e->stop_appenders = true;
    pthread_cond_broadcast(&rw_lg_process.moved);
    pthread_mutex_unlock(&rw_lg_process.turn);
}

void rw_lg_stop_threads(struct rw_lg_engine *e)
{
    rw_lg_stop_appenders(e);
    rw_lg_care_stop(e);
    pthread_mutex_lock(&rw_lg_process.turn);
    e->stop_collector = true;
    pthread_cond_broadcast(&rw_lg_process.ask);
    pthread_mutex_unlock(&rw_lg_process.turn);
    if (e->collecting)
        pthread_join(e->collector_thread, NULL);
    e->collecting = false;
}

/* False: one hangs in its destination. It is left to itself, with all that it uses. */
bool rw_lg_join_appenders(struct rw_lg_engine *e, int64_t deadline_ns)
{
    bool all = true;
    for (unsigned i = 0; i < e->n_threads; i++) {
        int rc = pthread_tryjoin_np(e->threads[i], NULL);
        for (; rc == EBUSY && rw_os_mono_ns() < deadline_ns;
             rc = pthread_tryjoin_np(e->threads[i], NULL))
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        if (rc == EBUSY) {
            pthread_detach(e->threads[i]);
            all = false;
        }
    }
    e->n_threads = 0;
    return all;
}

void rw_lg_engine_free(struct rw_lg_engine *e)
{
    for (unsigned i = 0; i < e->n_appenders; i++)
        rw_lg_appender_deinit(&e->appenders[i]);
    rw_lg_collector_deinit(&e->collector);
    rw_free(e->file);
    rw_free(e->settings);
    rw_free(e);
}

static int make_map(const struct rw_lg_config *c, struct rw_lg_map *ret_map, struct rw_err *err)
{
    int64_t rings = c->memory_bytes / c->ring_bytes;
    struct rw_lg_shape shape = {.dir = strcmp(c->dir, "none") == 0 ? NULL : c->dir,
                                .name = c->name,
                                .ring_bytes = (uint64_t)c->ring_bytes,
                                .journal_bytes = (uint64_t)c->journal_bytes,
                                .dictionary_bytes = DICTIONARY_BYTES,
                                .rings = (uint32_t)(rings < RINGS_MAX ? rings : RINGS_MAX)};
    return rw_lg_map_new(&shape, rw_os_process_id(), ret_map, err);
}

/* From the settings in e->config to a running logger. */
int rw_lg_launch(struct rw_lg_engine *e, struct rw_err *err)
{
    struct rw_lg_map map;
    int rc = make_map(&e->config, &map, err);
    if (rc)
        return rc;
    rw_lg_caller.map = map;
    memcpy(rw_lg_caller.overflow, e->config.overflow, sizeof(rw_lg_caller.overflow));
    memcpy(rw_lg_caller.wait_ns, e->config.wait_ns, sizeof(rw_lg_caller.wait_ns));
    e->own = rollway_logger_get("rollway");
    rw_lg_counts_reset();
    if (e->config.reload_signal && rw_lg_care_signal(e->config.reload_signal) != RW_OK)
        rw_lg_report("the signal of \"reload\" can not be had", "", RW_E_INVAL);
    rc = rw_lg_collector_init(&e->collector, &rw_lg_caller.map);
    for (int i = 0; i < RW_LG_LEVELS; i++)
        e->collector.claims |= e->config.overflow[i] == RW_LG_DROP_OLD;
    struct rw_lg_sink *sinks[RW_LG_APPENDERS];
    if (!rc)
        rc = rw_lg_start_sinks(&e->config, sinks, err);
    if (!rc)
        rc = rw_lg_start_appenders(e, sinks, err);
    if (!rc) {
        rw_lg_names_publish(&rw_lg_caller.map);
        rw_lg_levels_set(e->config.levels, e->config.n_levels);
        rw_lg_limits_set(e->config.limits, e->config.n_limits);
        rw_lg_process.engine = e;
        rw_lg_leftovers(e, rw_lg_adopt_settle);
        rc = start_threads(e);
        if (rc) {
            rw_err_set(err, rc, "no thread could be started");
            rw_lg_stop_threads(e);
            (void)rw_lg_join_appenders(e, INT64_MAX);
            rw_lg_process.engine = NULL;
        }
    }
    if (rc) {
        rw_lg_map_unlink(&map);
        rw_lg_map_free(&map);
        return rc;
    }
    rw_lg_process.generations = rw_lg_process.generations % 255 + 1;
    if (rw_lg_process.generations == 1)
        rw_lg_sites_forget();
    atomic_store(&rw_lg_now.sync, e->config.sync);
    rw_lg_ring_enable(rw_lg_ring(&rw_lg_caller.map, 0), rw_lg_process.generations);
    atomic_store(&rw_lg_now.generation, rw_lg_process.generations);
    return RW_OK;
}
