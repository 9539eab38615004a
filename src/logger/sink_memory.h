/* What the memory appender kept. */
#pragma once

#include "logger/sink.h"

/* Copies the newest whole lines that fit into `size` bytes; returns how many bytes there are in all. From any thread. */
size_t rw_lg_memory_copy(struct rw_lg_sink *s, char *out, size_t size, size_t *ret_n);
