/* The context of the calling thread: fields that each of its records gets. */
#include <string.h>
#include "base/mem.h"
#include "logger/context.h"
#include "logger/engine.h"

int rollway_context_set(const char *key, const char *value)
{
    struct rw_lg_self *self = &rw_lg_self;
    if (!key)
        return RW_E_INVAL;
    if (!self->context) {
        struct rw_lg_context *c = rw_zalloc(sizeof(*c));
        if (!c)
            return RW_E_NOMEM;
        self->context = c;
        rw_lg_self_register();
    }
    int rc = rw_lg_context_set(self->context, key, value);
    rw_lg_self_changed(self);
    return rc;
}

void rollway_context_clear(void)
{
    if (rw_lg_self.context)
        rw_lg_context_clear(rw_lg_self.context);
    rw_lg_self_changed(&rw_lg_self);
}

void rw_lg_context_free(struct rw_lg_self *self)
{
    rw_free(self->context);
    self->context = NULL;
    rw_lg_self_changed(self);
}
