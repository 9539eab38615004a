/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the longest prefix that is whole, valid characters. */
size_t rw_utf8_prefix(const void *p, size_t n);
/* True when all of it is. */
bool rw_utf8_valid(const void *p, size_t n);
/* Writes 1 to 4 bytes; 0 when the code point is a surrogate or above U+10FFFF. */
size_t rw_utf8_put(uint8_t ret_bytes[4], uint32_t code_point);
