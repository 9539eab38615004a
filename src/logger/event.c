/* The public accessors of a record (rollway/logger.h). Texts are cut to what the program has room for. */
#include "logger/event.h"

int64_t rollway_event_time_ns(const struct rollway_event *event)
{
    return event->view->time_ns;
}

int rollway_event_level(const struct rollway_event *event)
{
    return event->view->level;
}

const char *rollway_event_logger(const struct rollway_event *event)
{
    return event->view->logger;
}

const char *rollway_event_file(const struct rollway_event *event)
{
    return event->view->file;
}

int rollway_event_line(const struct rollway_event *event)
{
    return (int)event->view->line;
}

int rollway_event_thread(const struct rollway_event *event)
{
    return (int)event->view->thread;
}

static size_t cut(const struct rw_lg_view *v, const struct rw_lg_value *value, char *out,
                  size_t size)
{
    struct rw_lg_out o = {out, size ? size - 1 : 0, 0};
    if (value)
        rw_lg_put_value(&o, value);
    else
        rw_lg_put_message(&o, v);
    if (size)
        out[o.n < o.cap ? o.n : o.cap] = 0;
    return o.n;
}

size_t rollway_event_message(const struct rollway_event *event, char *out, size_t size)
{
    return cut(event->view, NULL, out, size);
}

size_t rollway_event_field(const struct rollway_event *event, unsigned i, const char **ret_key,
                           char *out, size_t size)
{
    const struct rw_lg_view *v = event->view;
    if (i >= v->n_fields) {
        *ret_key = NULL;
        if (size)
            out[0] = 0;
        return 0;
    }
    *ret_key = v->fields[i].key;
    return cut(v, &v->fields[i].value, out, size);
}
