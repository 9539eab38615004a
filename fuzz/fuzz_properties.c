/* Configuration files: whatever parses is written, parsed again, and the same. */
#include "base/properties.h"
#include "fuzz.h"

static int collect(void *arg, const struct rw_property *p)
{
    RW_ASSERT(p->line >= 1 && p->key.p[p->key.n] == 0 && p->value.p[p->value.n] == 0);
    rw_properties_write(arg, p->key, p->value);
    return RW_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rw_buf once = {0}, twice = {0};
    struct rw_err err = {0};
    uint8_t *p = fuzz_copy(data, size);
    if (rw_properties_parse(rw_slice(p, size), collect, &once, &err) == RW_OK) {
        RW_ASSERT(rw_properties_parse(rw_slice(once.p, once.n), collect, &twice, &err) == RW_OK);
        RW_ASSERT(once.n == twice.n && (once.n == 0 || memcmp(once.p, twice.p, once.n) == 0));
    } else {
        RW_ASSERT(err.text[0] != 0);
    }
    rw_buf_deinit(&once);
    rw_buf_deinit(&twice);
    free(p);
    return 0;
}
