/*
 * Records to a function of the program, and formatters of the program. Functions are known by name, since settings are text; names are given before start and
 * live as long as the process.
 */
#include <pthread.h>
#include "base/mem.h"
#include "logger/event.h"
#include "logger/format.h"
#include "logger/sink.h"
#include "logger/sink_set.h"

enum { CALLBACKS = 16 };

struct named {
    char name[RW_LG_NAME];
    rollway_callback function;
    void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct named callbacks[CALLBACKS];
static unsigned n_callbacks;

struct formatter {
    char name[RW_LG_NAME];
    rollway_formatter function;
    void *arg;
};
static struct formatter formatters[CALLBACKS];
static unsigned n_formatters;

struct callback {
    struct rw_lg_sink sink;
    struct named named;
};

int rollway_logger_add_callback(const char *name, rollway_callback function, void *arg)
{
    if (!name || !*name || strlen(name) >= RW_LG_NAME || !function)
        return RW_E_INVAL;
    pthread_mutex_lock(&lock);
    unsigned i = 0;
    while (i < n_callbacks && strcmp(callbacks[i].name, name) != 0)
        i++;
    int rc = i < CALLBACKS ? RW_OK : RW_E_INVAL;
    if (!rc) {
        memcpy(callbacks[i].name, name, strlen(name) + 1);
        callbacks[i].function = function;
        callbacks[i].arg = arg;
        n_callbacks = i == n_callbacks ? i + 1 : n_callbacks;
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

int rollway_logger_add_formatter(const char *name, rollway_formatter function, void *arg)
{
    if (!name || !*name || strlen(name) >= RW_LG_NAME || !function)
        return RW_E_INVAL;
    pthread_mutex_lock(&lock);
    unsigned i = 0;
    while (i < n_formatters && strcmp(formatters[i].name, name) != 0)
        i++;
    int rc = i < CALLBACKS ? RW_OK : RW_E_INVAL;
    if (!rc) {
        memcpy(formatters[i].name, name, strlen(name) + 1);
        formatters[i].function = function;
        formatters[i].arg = arg;
        n_formatters = i == n_formatters ? i + 1 : n_formatters;
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

bool rw_lg_formatter_find(const char *name, struct rw_lg_format *ret_format)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n_formatters && !found; i++) {
        found = strcmp(formatters[i].name, name) == 0;
        if (found)
            *ret_format = (struct rw_lg_format){.kind = RW_LG_CUSTOM,
                                                .custom = formatters[i].function,
                                                .custom_arg = formatters[i].arg};
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static int set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct callback *c = (struct callback *)s;
    if (!rw_str_is(key, "callback"))
        return RW_E_NOT_FOUND;
    bool found = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n_callbacks && !found; i++) {
        found = rw_str_is(v, callbacks[i].name);
        if (found)
            c->named = callbacks[i];
    }
    pthread_mutex_unlock(&lock);
    return found ? RW_OK
                 : rw_err_set(err, RW_E_INVAL,
                              "callback: %.*s was not added with rollway_logger_add_callback()",
                              (int)v.n, v.p);
}

static int is_complete(struct rw_lg_sink *s, struct rw_err *err)
{
    const struct callback *c = (struct callback *)s;
    return c->named.function
               ? RW_OK
               : rw_err_set(err, RW_E_INVAL, "callback: a callback appender needs one");
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *err)
{
    (void)s;
    (void)err;
    return RW_OK;
}

/* What the function says that is not 0 fails the record for good; it must not make the appender try it again for ever. */
static int event(struct rw_lg_sink *s, const struct rw_lg_view *v)
{
    struct callback *c = (struct callback *)s;
    struct rollway_event e = {.view = v};
    return c->named.function(c->named.arg, &e) == 0 ? RW_OK : RW_E_RECORD;
}

static void free_sink(struct rw_lg_sink *s)
{
    rw_free(s);
}

static const struct rw_lg_sink_ops ops = {.type = "callback",
                                          .set = set,
                                          .ready = is_complete,
                                          .open = open_sink,
                                          .event = event,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_callback(void)
{
    struct callback *c = rw_zalloc(sizeof(*c));
    if (c)
        c->sink.ops = &ops;
    return c ? &c->sink : NULL;
}
