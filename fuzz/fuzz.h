/* What the fuzz targets share. A target defines LLVMFuzzerTestOneInput(); libFuzzer drives it, or
 * replay.c feeds it the files of its corpus. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Heap memory of exactly that size: the sanitizer sees the first byte read beyond it. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t n)
{
    uint8_t *p = malloc(n ? n : 1);
    RW_ASSERT(p);
    if (n)
        memcpy(p, data, n);
    return p;
}
