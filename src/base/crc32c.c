/*
 * CRC32C: which implementation runs for which size.
 *
 * The choice is made at each call from the CPU's feature bits, which the compiler's run-time library
 * reads before main(): two loads and a branch, no state of our own, so no race and nothing to
 * initialise. All implementations give the same result (test/unit/base/test_crc32c.c).
 * Not here: the instructions of one CPU family (crc32c_x86.c, crc32c_arm.c).
 */
#include "base/crc32c.h"

#include <limits.h>
#include <string.h>
#include <isa-l/crc.h>
#include "base/assert.h"
#include "base/crc32c_impl.h"
#include "base/crc32c_table.h"

/* Below this, setting up a fold costs more than it saves. */
#define VPCLMUL_FROM 256
/* isa-l is the faster one from here on CPUs without wide carry-less multiplication. */
#define ISAL_FROM 512

uint32_t rw_crc32c_slice8(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        v ^= c;
        c = crc32c_table[7][v & 255] ^ crc32c_table[6][(v >> 8) & 255] ^
            crc32c_table[5][(v >> 16) & 255] ^ crc32c_table[4][(v >> 24) & 255] ^
            crc32c_table[3][(v >> 32) & 255] ^ crc32c_table[2][(v >> 40) & 255] ^
            crc32c_table[1][(v >> 48) & 255] ^ crc32c_table[0][v >> 56];
    }
    while (n--)
        c = (c >> 8) ^ crc32c_table[0][(c ^ *p++) & 255];
    return ~c;
}

uint32_t rw_crc32c_isal(uint32_t crc, const void *data, size_t n)
{
    /* Its interface takes an int and a pointer to non-const, and does not write. */
    unsigned char *p = (unsigned char *)(uintptr_t)data;
    uint32_t c = ~crc;
    while (n > 0) {
        int piece = n > INT_MAX ? INT_MAX : (int)n;
        c = crc32_iscsi(p, piece, c);
        p += piece;
        n -= (size_t)piece;
    }
    return ~c;
}

static bool always(void)
{
    return true;
}

static const struct rw_crc32c_impl impls[] = {
    {"slice-by-8", rw_crc32c_slice8, always},
    {"isa-l", rw_crc32c_isal, always},
#if defined(__x86_64__)
    {"sse4.2", rw_crc32c_sse42, rw_crc32c_has_sse42},
    {"vpclmulqdq", rw_crc32c_vpclmul, rw_crc32c_has_vpclmul},
#elif defined(__ARM_FEATURE_CRC32)
    {"armv8", rw_crc32c_arm, always},
#endif
};

const struct rw_crc32c_impl *rw_crc32c_impls(size_t *ret_n)
{
    *ret_n = RW_COUNT(impls);
    return impls;
}

uint32_t rw_crc32c(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    if (n >= VPCLMUL_FROM && rw_crc32c_has_vpclmul())
        return rw_crc32c_vpclmul(crc, p, n);
    if (n < ISAL_FROM && rw_crc32c_has_sse42())
        return rw_crc32c_sse42(crc, p, n);
#elif defined(__ARM_FEATURE_CRC32)
    if (n < ISAL_FROM)
        return rw_crc32c_arm(crc, p, n);
#endif
    /* isa-l has its own fallback, slower than ours, for CPUs that have nothing. */
    return n < ISAL_FROM ? rw_crc32c_slice8(crc, p, n) : rw_crc32c_isal(crc, p, n);
}

const char *rw_crc32c_name(void)
{
#if defined(__x86_64__)
    return rw_crc32c_has_vpclmul() ? "vpclmulqdq" : rw_crc32c_has_sse42() ? "sse4.2" : "isa-l";
#elif defined(__ARM_FEATURE_CRC32)
    return "armv8";
#else
    return "isa-l";
#endif
}
