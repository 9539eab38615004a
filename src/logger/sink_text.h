/* Text of a size that is not known before, for sinks that make their messages themselves. */
#pragma once

#include "base/mem.h"
#include "logger/view.h"

struct rw_lg_text {
    char *p;
    size_t n, cap;
};

/* The message, or a value when there is one, as plain text. False: no memory. */
static inline bool rw_lg_text_of(struct rw_lg_text *t, const struct rw_lg_view *v,
                                 const struct rw_lg_value *value)
{
    for (;;) {
        struct rw_lg_out o = {t->p, t->cap, 0};
        if (value)
            rw_lg_put_value(&o, value);
        else
            rw_lg_put_message(&o, v);
        t->n = o.n;
        if (o.n <= o.cap)
            return true;
        char *p = rw_realloc(t->p, o.n);
        if (!p)
            return false;
        t->p = p;
        t->cap = o.n;
    }
}
