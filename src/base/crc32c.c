/* CRC32C: byte-table implementation; faster ones are picked at first use. */
#include "base/crc32c.h"

static uint32_t table_crc(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
    }
    return ~crc;
}

uint32_t rw_crc32c(uint32_t crc, const void *p, size_t n)
{
    return table_crc(crc, p, n);
}

const char *rw_crc32c_name(void)
{
    return "bitwise";
}
