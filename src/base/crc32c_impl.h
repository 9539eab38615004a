/* Private to base/: the implementations behind rw_crc32c(), for the dispatcher and for the test that
 * compares them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rw_crc32c_impl {
    const char *name;
    uint32_t (*run)(uint32_t crc, const void *p, size_t n);
    bool (*usable)(void); /* on this CPU */
};

/* From the most portable to the fastest. Static storage. */
const struct rw_crc32c_impl *rw_crc32c_impls(size_t *ret_n);

uint32_t rw_crc32c_slice8(uint32_t crc, const void *p, size_t n);
uint32_t rw_crc32c_isal(uint32_t crc, const void *p, size_t n);
#if defined(__x86_64__)
bool rw_crc32c_has_sse42(void);
bool rw_crc32c_has_vpclmul(void);
uint32_t rw_crc32c_sse42(uint32_t crc, const void *p, size_t n);
uint32_t rw_crc32c_vpclmul(uint32_t crc, const void *p, size_t n);
#elif defined(__ARM_FEATURE_CRC32)
uint32_t rw_crc32c_arm(uint32_t crc, const void *p, size_t n);
#endif
