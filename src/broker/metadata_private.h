/* What metadata.c and leftovers.c share. */
#pragma once

#include "broker/metadata.h"

/* Applies whole batches of metadata records to an image. */
RW_MUST int rw_view_apply_batches(struct rw_view *v, struct rw_slice bytes);
/* leftovers.c: deletes what is left of removed topics; names directories of unknown ones. *ret_kept:
 * something could not be deleted. */
RW_MUST int rw_leftovers_remove(const struct rw_env *env, const struct rw_meta *meta,
                                struct rw_log_dir *dir, bool *ret_kept);
void rw_view_init(struct rw_view *v);
void rw_view_deinit(struct rw_view *v);
