/* A small record that is replaced often: see slot.h. */
#include "logger/slot.h"

#include <string.h>
#include "base/assert.h"
#include "base/crc32c.h"

struct place {
    uint32_t crc; /* of all behind it */
    uint32_t n;
    uint64_t serial;
    uint8_t payload[RW_LG_SLOT_PAYLOAD];
};
_Static_assert(sizeof(struct place) == RW_LG_SLOT, "size of a slot");

static uint32_t crc_of(const struct place *p)
{
    return rw_crc32c(0, (const uint8_t *)p + sizeof(p->crc), sizeof(*p) - sizeof(p->crc));
}

static int load(struct rw_file *f, void *ret, size_t n, uint64_t *ret_serial, bool *ret_found)
{
    *ret_found = false;
    *ret_serial = 0;
    for (uint64_t i = 0; i < 2; i++) {
        struct place p;
        size_t got;
        int rc = rw_file_read_at(f, i * RW_LG_SLOT, &p, sizeof(p), &got);
        if (rc)
            return rc;
        if (got != sizeof(p) || p.crc != crc_of(&p) || p.n > sizeof(p.payload) ||
            p.serial <= *ret_serial)
            continue;
        *ret_serial = p.serial;
        *ret_found = true;
        memset(ret, 0, n);
        memcpy(ret, p.payload, p.n < n ? p.n : n);
    }
    return RW_OK;
}

int rw_lg_slot_open(struct rw_lg_slot *s, const struct rw_env *env, const char *path, void *ret,
                    size_t n, bool *ret_found)
{
    int rc = rw_vfs_open(env->vfs, path, RW_OPEN_WRITE | RW_OPEN_CREATE, &s->file);
    if (rc)
        return rc;
    rc = load(s->file, ret, n, &s->serial, ret_found);
    /* Both places have their space before the disk is full: what is stored then may be what makes room again. */
    if (!rc && !*ret_found)
        rc = rw_file_write_at(s->file, 0, (const struct place[2]){{0}}, sizeof(struct place[2]));
    if (rc)
        rw_lg_slot_close(s);
    return rc;
}

int rw_lg_slot_store(struct rw_lg_slot *s, const void *p, size_t n, bool sync)
{
    struct place place = {.n = (uint32_t)n, .serial = s->serial + 1};
    RW_ASSERT(n <= sizeof(place.payload));
    memcpy(place.payload, p, n);
    place.crc = crc_of(&place);
    int rc = rw_file_write_at(s->file, place.serial % 2 * RW_LG_SLOT, &place, sizeof(place));
    if (rc)
        return rc;
    s->serial++;
    return sync ? s->file->ops->sync_data(s->file) : RW_OK;
}

void rw_lg_slot_close(struct rw_lg_slot *s)
{
    rw_file_close(s->file);
    s->file = NULL;
}

int rw_lg_slot_read(const struct rw_env *env, const char *path, void *ret, size_t n)
{
    struct rw_file *f;
    uint64_t serial;
    bool found = false;
    int rc = rw_vfs_open(env->vfs, path, RW_OPEN_READ, &f);
    if (rc)
        return rc;
    rc = load(f, ret, n, &serial, &found);
    rw_file_close(f);
    return rc ? rc : found ? RW_OK : RW_E_NOT_FOUND;
}
