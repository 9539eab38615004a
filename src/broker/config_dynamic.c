/*
 * What was set while the brokers ran, on top of a finished configuration. The result is a configuration
 * like any other; its strings are its own or those of the one below, which stays as it is.
 */
#include "base/mem.h"
#include "broker/config_private.h"

static int put(struct rw_config *c, const struct rw_pair *pair, bool own)
{
    size_t n_keys;
    const struct rw_config_key *key = rw_config_find(RW_SCOPE_BROKER, pair->name);
    if (!key || !(key->flags & RW_CONFIG_DYNAMIC))
        return RW_OK; /* of a later version */
    const char *text = rw_arena_cstr(&c->arena, pair->value);
    if (!text)
        return RW_E_NOMEM;
    struct rw_config_slot *slot = &c->slots[key - rw_config_table(&n_keys)];
    *(own ? &slot->own : &slot->all) = text;
    return RW_OK;
}

int rw_config_overlay(const struct rw_config *base, const struct rw_pair *all, size_t n_all,
                      const struct rw_pair *own, size_t n_own, struct rw_config **ret_config)
{
    size_t n_keys;
    (void)rw_config_table(&n_keys);
    struct rw_config *c;
    int rc = rw_config_new(base->profile, &c);
    if (rc)
        return rc;
    memcpy(c->slots, base->slots, n_keys * sizeof(*c->slots));
    c->broker = base->broker; /* what is not in the table: listeners */
    for (size_t i = 0; i < n_all && rc == RW_OK; i++)
        rc = put(c, &all[i], false);
    for (size_t i = 0; i < n_own && rc == RW_OK; i++)
        rc = put(c, &own[i], true);
    if (rc) {
        rw_config_free(c);
        return rc;
    }
    rw_config_fill(c);
    *ret_config = c;
    return RW_OK;
}

int rw_config_overlay_check(const struct rw_config *base, const struct rw_pair *own, size_t n_own,
                            struct rw_err *ret_err)
{
    struct rw_config *c;
    int rc = rw_config_overlay(base, NULL, 0, own, n_own, &c);
    if (rc)
        return rw_err_set(ret_err, rc, "out of memory");
    rc = rw_config_cross_check(c, ret_err);
    rw_config_free(c);
    return rc;
}
