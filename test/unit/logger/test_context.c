/* context.c: next to a simple list, and over any bytes. */
#include "entries.h"

struct model {
    char keys[RW_LG_CONTEXT_MAX][64], values[RW_LG_CONTEXT_MAX][300];
    unsigned n;
};

static int model_set(struct model *m, const char *key, const char *value)
{
    unsigned i = 0;
    while (i < m->n && strcmp(m->keys[i], key) != 0)
        i++;
    size_t bytes = value ? strlen(key) + strlen(value) + 2 : 0;
    for (unsigned k = 0; k < m->n; k++)
        bytes += k == i ? 0 : strlen(m->keys[k]) + strlen(m->values[k]) + 2;
    if (!*key || bytes > RW_LG_CONTEXT_BYTES || (value && i == m->n && m->n == RW_LG_CONTEXT_MAX))
        return RW_E_INVAL;
    if (i < m->n) {
        m->n--;
        memmove(m->keys[i], m->keys[i + 1], (m->n - i) * sizeof(m->keys[0]));
        memmove(m->values[i], m->values[i + 1], (m->n - i) * sizeof(m->values[0]));
    }
    if (value) {
        strcpy(m->keys[m->n], key);
        strcpy(m->values[m->n++], value);
    }
    return RW_OK;
}

static void check(const struct model *m, const struct rw_lg_context *c)
{
    struct rw_lg_context_field f;
    size_t at = 0;
    unsigned i = 0;
    for (; rw_lg_context_next(c->bytes, c->n, &at, &f); i++) {
        assert_true(i < m->n);
        assert_string_equal(f.key, m->keys[i]);
        assert_string_equal(f.value, m->values[i]);
        assert_int_equal(f.key_n, strlen(f.key));
        assert_int_equal(f.value_n, strlen(f.value));
    }
    assert_int_equal(i, m->n);
    assert_int_equal(c->n % 8, 0);
    assert_true(c->n < at + 8);
    for (; at < c->n; at++)
        assert_int_equal(c->bytes[at], 0);
}

static void like_a_list(void **state)
{
    (void)state;
    struct model m = {0};
    struct rw_lg_context c = {0};
    static const char *const keys[] = {"",  "a", "bb", "request_id", "user", "e",
                                       "f", "g", "h",  "i",          "j"};
    char value[300];
    unsigned refused = 0, seed = 1;
    for (int i = 0; i < 100000; i++) {
        seed = seed * 1103515245 + 12345;
        const char *key = keys[(seed >> 16) % COUNT(keys)];
        size_t n = (seed >> 8) % (i % 50 ? 40 : 290);
        memset(value, 'x', n);
        value[n] = 0;
        const char *given = (seed >> 20) % 5 ? value : NULL;
        int rc = model_set(&m, key, given);
        assert_int_equal(rw_lg_context_set(&c, key, given), rc);
        refused += rc != RW_OK;
        check(&m, &c);
    }
    assert_true(refused > 100);
    rw_lg_context_clear(&c);
    m.n = 0;
    check(&m, &c);
}

static void full_to_the_last_byte(void **state)
{
    (void)state;
    struct rw_lg_context c = {0};
    char value[RW_LG_CONTEXT_BYTES + 1] = {0};
    memset(value, 'v', RW_LG_CONTEXT_BYTES - 3);
    assert_int_equal(rw_lg_context_set(&c, "k", value), RW_OK);
    assert_int_equal(c.n, RW_LG_CONTEXT_BYTES);
    strcat(value, "v");
    assert_int_equal(rw_lg_context_set(&c, "k", value), RW_E_INVAL);
    assert_int_equal(rw_lg_context_set(&c, "l", ""), RW_E_INVAL);
    assert_int_equal(rw_lg_context_set(&c, "k", c.bytes + 100), RW_OK); /* of its own */
    assert_string_equal(c.bytes + 2, value + 1 + 98);
}

/* Foreign bytes: it ends, and stays inside. */
static void any_bytes(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)i % 30, at = 0;
        char *p = malloc(n ? n : 1);
        struct rw_lg_context_field f;
        assert_non_null(p);
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1103515245 + 12345;
            p[k] = (seed >> 16) % 3 ? 'x' : 0;
        }
        while (rw_lg_context_next(p, n, &at, &f)) {
            assert_true(f.key_n > 0 && at <= n);
            assert_int_equal(f.value[f.value_n], 0);
        }
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(like_a_list),
                                       cmocka_unit_test(full_to_the_last_byte),
                                       cmocka_unit_test(any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
