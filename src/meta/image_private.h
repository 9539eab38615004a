/* What image.c and apply.c share. */
#pragma once

#include "base/mem.h"
#include "meta/image.h"

/* Of ConfigRecord and the configuration APIs. */
enum { RW_RESOURCE_TOPIC = 2, RW_RESOURCE_BROKER = 4 };

/* "" is RW_META_ALL_BROKERS, "7" is 7; false: the name is neither. */
bool rw_meta_broker_name(struct rw_str name, int32_t *ret_id);

/* The same for all names that differ only in '.' and '_'. */
uint64_t rw_meta_folded_hash(struct rw_str name);

void rw_meta_topic_free(struct rw_meta_topic *t);
void rw_meta_broker_deinit(struct rw_meta_broker *b);

/* Both strings of a pair of the image lie in one allocation that begins at name.p. */
static inline void rw_meta_pair_free(struct rw_pair *p)
{
    rw_free((void *)(uintptr_t)p->name.p);
    *p = (struct rw_pair){RW_STR_NULL, RW_STR_NULL};
}
