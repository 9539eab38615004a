/* Settings of appenders. */
#include "logger/sink_set.h"

#include "base/units.h"

int rw_lg_set_bool(struct rw_str key, struct rw_str v, bool *ret, struct rw_err *err)
{
    if (!rw_str_is(v, "true") && !rw_str_is(v, "false"))
        return rw_err_set(err, RW_E_INVAL, "%.*s: true or false", (int)key.n, key.p);
    *ret = rw_str_is(v, "true");
    return RW_OK;
}

int rw_lg_set_bytes(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err)
{
    int64_t n;
    if (!rw_units_parse_bytes(v, &n) || n < 0)
        return rw_err_set(err, RW_E_INVAL, "%.*s: a size is expected, as in 10MB", (int)key.n,
                          key.p);
    *ret = n;
    return RW_OK;
}

int rw_lg_set_ms(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err)
{
    int64_t n;
    if (!rw_units_parse_ms(v, &n) || n < 0)
        return rw_err_set(err, RW_E_INVAL, "%.*s: a duration is expected, as in 1h", (int)key.n,
                          key.p);
    *ret = n;
    return RW_OK;
}

int rw_lg_set_count(struct rw_str key, struct rw_str v, int64_t *ret, struct rw_err *err)
{
    int64_t n;
    if (!rw_units_parse_int(v, &n) || n < 0)
        return rw_err_set(err, RW_E_INVAL, "%.*s: a number is expected", (int)key.n, key.p);
    *ret = n;
    return RW_OK;
}

int rw_lg_set_text(struct rw_str key, struct rw_str v, char *ret, size_t size, struct rw_err *err)
{
    if (v.n < 0 || (size_t)v.n >= size)
        return rw_err_set(err, RW_E_INVAL, "%.*s: too long", (int)key.n, key.p);
    memcpy(ret, v.p, (size_t)v.n);
    ret[v.n] = 0;
    return RW_OK;
}
