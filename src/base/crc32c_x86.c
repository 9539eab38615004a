/*
 * CRC32C on x86-64: the crc32 instruction of SSE4.2 for short input, folding by carry-less
 * multiplication of 512-bit vectors for long input (V. Gopal et al., "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction", Intel 2009).
 *
 * Folding: a 128-bit lane times x^n modulo the polynomial is a 128-bit lane that stands n bits further
 * on; four vectors step 2048 bits at a time, are folded into one lane at the end, and the crc32
 * instruction reduces that lane.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>
#include "base/assert.h"
#include "base/crc32c_impl.h"
#include "base/crc32c_table.h"

bool rw_crc32c_has_sse42(void)
{
    return __builtin_cpu_supports("sse4.2");
}

bool rw_crc32c_has_vpclmul(void)
{
    return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("sse4.2");
}

/* Without the two inversions. */
__attribute__((target("sse4.2"))) static inline uint32_t sse42_raw(uint32_t crc, const uint8_t *p,
                                                                   size_t n)
{
    uint64_t c = crc, v;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&v, p, 8);
        c = _mm_crc32_u64(c, v);
    }
    uint32_t r = (uint32_t)c;
    if (n & 4) {
        uint32_t w;
        memcpy(&w, p, 4);
        r = _mm_crc32_u32(r, w);
        p += 4;
    }
    if (n & 2) {
        uint16_t w;
        memcpy(&w, p, 2);
        r = _mm_crc32_u16(r, w);
        p += 2;
    }
    return n & 1 ? _mm_crc32_u8(r, *p) : r;
}

__attribute__((target("sse4.2"))) uint32_t rw_crc32c_sse42(uint32_t crc, const void *p, size_t n)
{
    return ~sse42_raw(~crc, p, n);
}

#define VPCLMUL __attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.2")))

/* a moved ahead by k's distance, plus b. */
VPCLMUL static inline __m512i fold512(__m512i a, __m512i b, __m512i k)
{
    __m512i lo = _mm512_clmulepi64_epi128(a, k, 0x00);
    __m512i hi = _mm512_clmulepi64_epi128(a, k, 0x11);
    return _mm512_ternarylogic_epi64(lo, hi, b, 0x96); /* exclusive or of three */
}

VPCLMUL static inline __m128i fold128(__m128i a, __m128i b, uint64_t ka, uint64_t kb)
{
    __m128i k = _mm_set_epi64x((long long)kb, (long long)ka);
    return _mm_xor_si128(
        b, _mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11)));
}

VPCLMUL static inline __m512i broadcast(uint64_t ka, uint64_t kb)
{
    return _mm512_broadcast_i32x4(_mm_set_epi64x((long long)kb, (long long)ka));
}

/* The four lanes of x as one lane, then as a CRC. */
VPCLMUL static inline uint32_t reduce(__m512i x)
{
    __m128i l0 = _mm512_extracti32x4_epi32(x, 0), l1 = _mm512_extracti32x4_epi32(x, 1);
    __m128i l2 = _mm512_extracti32x4_epi32(x, 2), l3 = _mm512_extracti32x4_epi32(x, 3);
    l3 = fold128(l0, l3, CRC32C_FOLD_384_A, CRC32C_FOLD_384_B);
    l3 = fold128(l1, l3, CRC32C_FOLD_256_A, CRC32C_FOLD_256_B);
    l3 = fold128(l2, l3, CRC32C_FOLD_128_A, CRC32C_FOLD_128_B);
    uint64_t c = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(l3));
    return (uint32_t)_mm_crc32_u64(c, (uint64_t)_mm_extract_epi64(l3, 1));
}

VPCLMUL uint32_t rw_crc32c_vpclmul(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    if (n < 256)
        return rw_crc32c_sse42(crc, data, n);
    const __m512i k4 = broadcast(CRC32C_FOLD_2048_A, CRC32C_FOLD_2048_B);
    const __m512i k1 = broadcast(CRC32C_FOLD_512_A, CRC32C_FOLD_512_B);
    __m512i x0 = _mm512_loadu_si512(p), x1 = _mm512_loadu_si512(p + 64);
    __m512i x2 = _mm512_loadu_si512(p + 128), x3 = _mm512_loadu_si512(p + 192);
    /* The running value stands before the first four bytes of the message. */
    x0 = _mm512_xor_si512(x0, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
        x0 = fold512(x0, _mm512_loadu_si512(p), k4);
        x1 = fold512(x1, _mm512_loadu_si512(p + 64), k4);
        x2 = fold512(x2, _mm512_loadu_si512(p + 128), k4);
        x3 = fold512(x3, _mm512_loadu_si512(p + 192), k4);
    }
    x1 = fold512(x0, x1, k1);
    x2 = fold512(x1, x2, k1);
    x3 = fold512(x2, x3, k1);
    for (; n >= 64; p += 64, n -= 64)
        x3 = fold512(x3, _mm512_loadu_si512(p), k1);
    return ~sse42_raw(reduce(x3), p, n);
}

#else
/* Nothing for other CPUs; ISO C wants a declaration. */
typedef int rw_crc32c_x86_unused;
#endif
