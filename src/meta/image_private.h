/* What image.c and apply.c share. */
#pragma once

#include "base/mem.h"
#include "meta/image.h"

void rw_meta_topic_free(struct rw_meta_topic *t);
void rw_meta_broker_deinit(struct rw_meta_broker *b);

/* Both strings of a pair of the image lie in one allocation that begins at name.p. */
static inline void rw_meta_pair_free(struct rw_pair *p)
{
    rw_free((void *)(uintptr_t)p->name.p);
    *p = (struct rw_pair){RW_STR_NULL, RW_STR_NULL};
}
