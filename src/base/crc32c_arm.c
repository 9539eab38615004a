/* CRC32C on ARMv8 with the crc32c instructions, when the compiler targets them (-march=...+crc). */
#if defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>
#include <string.h>
#include "base/crc32c_impl.h"

uint32_t rw_crc32c_arm(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = __crc32cd(c, v);
    }
    while (n--)
        c = __crc32cb(c, *p++);
    return ~c;
}

#else
/* Nothing for other CPUs; ISO C wants a declaration. */
typedef int rw_crc32c_arm_unused;
#endif
