/*
 * Protobuf-style variable-length integers as Kafka uses them: unsigned (compact lengths, tags) and
 * zig-zag signed (fields inside records). Readers return the bytes consumed, 0 when the input ends
 * early or the value does not fit.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RW_VARINT32_MAX 5
#define RW_VARINT64_MAX 10

static inline uint32_t rw_zigzag32(int32_t v)
{
    return ((uint32_t)v << 1) ^ (uint32_t)(v >> 31);
}

static inline uint64_t rw_zigzag64(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int32_t rw_unzigzag32(uint32_t v)
{
    return (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
}

static inline int64_t rw_unzigzag64(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline size_t rw_uvarint_put(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

static inline size_t rw_uvarint_size(uint64_t v)
{
    /* log2 / 7 + 1 without a division: 9/64 is a little more than 1/7, and exact enough up to 63. */
    return (size_t)((63 - __builtin_clzll(v | 1)) * 9 + 73) / 64;
}

/* At most `max` bytes are looked at. */
static inline size_t rw_uvarint64_get(const uint8_t *p, size_t max, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (size_t i = 0; i < max && i < RW_VARINT64_MAX; i++) {
        v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (p[i] < 0x80) {
            if (i == 9 && p[i] > 1)
                return 0;
            *ret_v = v;
            return i + 1;
        }
    }
    return 0;
}

static inline size_t rw_uvarint32_get(const uint8_t *p, size_t max, uint32_t *ret_v)
{
    uint32_t v = 0;
    for (size_t i = 0; i < max && i < RW_VARINT32_MAX; i++) {
        v |= (uint32_t)(p[i] & 0x7f) << (7 * i);
        if (p[i] < 0x80) {
            if (i == 4 && p[i] > 0x0f)
                return 0;
            *ret_v = v;
            return i + 1;
        }
    }
    return 0;
}

static inline size_t rw_varint32_get(const uint8_t *p, size_t max, int32_t *ret_v)
{
    uint32_t u;
    size_t n = rw_uvarint32_get(p, max, &u);
    if (n)
        *ret_v = rw_unzigzag32(u);
    return n;
}

static inline size_t rw_varint64_get(const uint8_t *p, size_t max, int64_t *ret_v)
{
    uint64_t u;
    size_t n = rw_uvarint64_get(p, max, &u);
    if (n)
        *ret_v = rw_unzigzag64(u);
    return n;
}
