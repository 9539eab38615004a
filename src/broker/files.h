/* File descriptors that the process has open: for /metrics, and before logs are made that need some. */
#pragma once

#include "env/env.h"

/* RW_E_LIMIT: there is not one left to count them with. Other codes: this system does not tell. */
RW_MUST int rw_open_files(const struct rw_env *env, uint64_t *ret_n);
