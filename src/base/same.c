/* A map for the time of the call; what stays is one number for each text. */
#include "base/same.h"

#include "base/map.h"

static bool is_text(const void *item, const void *key)
{
    return rw_str_eq(*(const struct rw_str *)item, *(const struct rw_str *)key);
}

int rw_find_same(const struct rw_str *texts, int32_t n, struct rw_arena *arena, int32_t **ret_same)
{
    struct rw_map seen = {0};
    int32_t *same = rw_arena_array(arena, (size_t)n + 1, sizeof(*same));
    int rc = same ? RW_OK : RW_E_NOMEM;
    for (int32_t i = 0; i < n && rc == RW_OK; i++) {
        uint64_t hash = rw_hash_str(texts[i]);
        const struct rw_str *first =
            texts[i].n < 0 ? NULL : rw_map_get(&seen, hash, is_text, &texts[i]);
        same[i] = first ? (int32_t)(first - texts) : -1;
        if (first)
            same[first - texts] = i;
        else if (texts[i].n >= 0)
            rc = rw_map_put(&seen, hash, (void *)(uintptr_t)&texts[i]);
    }
    rw_map_deinit(&seen);
    if (rc == RW_OK)
        *ret_same = same;
    return rc;
}
