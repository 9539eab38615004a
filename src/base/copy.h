/* Copies of what is short most of the time: names, keys, texts of a log. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* In pieces of fixed size that overlap, without a call: memcpy() of n bytes takes the loop around it its registers, and knowing that n is small
 * the compiler makes it `rep movs`. Any n is right; from some hundred bytes on memcpy() is faster. */
static inline void rw_copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 32) {
        for (size_t i = 0; i < n - 32; i += 32)
            memcpy(to + i, from + i, 32);
        memcpy(to + n - 32, from + n - 32, 32);
    } else if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else if (n) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}
