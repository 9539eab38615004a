/* Settings of appenders that many of them have the like of. Each answers RW_OK, or RW_E_INVAL with words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"
#include "base/slice.h"

int rw_lg_set_bool(struct rw_str key, struct rw_str v, bool *ret, struct rw_err *err);
/* None of them is negative. */
int rw_lg_set_bytes(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err);
int rw_lg_set_ms(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err);
int rw_lg_set_count(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err);
/* With its NUL into `size` bytes. */
int rw_lg_set_text(struct rw_str key, struct rw_str v, char *ret, size_t size, struct rw_err *err);
