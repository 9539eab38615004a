/*
 * Framing: every request and response is an int32 size and that many bytes. Pure: bytes in, numbers
 * out; who reads them from where is not known here.
 */
#pragma once

#include "wire/codec.h"

#define RW_FRAME_PREFIX 4

/*
 * Looks at the first n bytes of a stream. `max` limits the size after the prefix.
 *   RW_OK         a whole frame is there; *ret_size is its size with the prefix
 *   RW_E_SHORT    more is needed; *ret_size is how many bytes there must be in all (at least the
 *                 prefix, then the whole frame)
 *   RW_E_CORRUPT  a negative size; RW_E_TOO_BIG  above max: the stream can not be trusted any more
 */
RW_MUST int rw_frame_check(const void *p, size_t n, size_t max, size_t *ret_size);

/* Leaves room for the prefix in an empty writer; end fills it in, counting what travels by sendfile.
 * RW_E_TOO_BIG above 2^31 - 1, or the writer's code when it failed. */
void rw_frame_begin(struct rw_writer *w);
RW_MUST int rw_frame_end(struct rw_writer *w);
