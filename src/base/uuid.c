/* Kafka's text form of a 128-bit id. */
#include "base/uuid.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool rw_uuid_is_zero(struct rw_uuid u)
{
    uint8_t any = 0;
    for (int i = 0; i < 16; i++)
        any |= u.b[i];
    return any == 0;
}

bool rw_uuid_eq(struct rw_uuid a, struct rw_uuid b)
{
    return memcmp(a.b, b.b, 16) == 0;
}

struct rw_uuid rw_uuid_v4(const uint8_t random[16])
{
    struct rw_uuid u;
    memcpy(u.b, random, 16);
    u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x40);
    u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
    return u;
}

void rw_uuid_format(struct rw_uuid u, char ret_text[RW_UUID_TEXT_SIZE])
{
    uint32_t bits = 0;
    int have = 0, o = 0;
    for (int i = 0; i < 16; i++) {
        bits = (bits << 8) | u.b[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            ret_text[o++] = digits[(bits >> have) & 63];
        }
    }
    ret_text[o++] = digits[(bits << (6 - have)) & 63];
    ret_text[o] = 0;
}

bool rw_uuid_parse(struct rw_str text, struct rw_uuid *ret_uuid)
{
    struct rw_uuid u = {{0}};
    uint32_t bits = 0;
    int have = 0, o = 0;
    if (text.n != RW_UUID_TEXT_SIZE - 1)
        return false;
    for (int i = 0; i < text.n; i++) {
        const char *d = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!d)
            return false;
        bits = (bits << 6) | (uint32_t)(d - digits);
        have += 6;
        if (have >= 8 && o < 16) {
            have -= 8;
            u.b[o++] = (uint8_t)(bits >> have);
        }
    }
    if (bits & ((1u << have) - 1))
        return false;
    *ret_uuid = u;
    return true;
}
