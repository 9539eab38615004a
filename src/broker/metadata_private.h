/* What metadata.c and leftovers.c share. */
#pragma once

#include "broker/metadata.h"

/* Applies whole batches of metadata records to an image. */
RW_MUST int rw_view_apply_batches(struct rw_view *v, struct rw_slice bytes);
void rw_view_init(struct rw_view *v);
void rw_view_deinit(struct rw_view *v);
