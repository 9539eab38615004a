/* code.c, mem.c, slice.h, list.h: every code has a name, words and a class; allocation counts. */
#include "unit.h"
#include "base/list.h"

static void every_code_is_described(void **state)
{
    (void)state;
    for (int a = 0; a > -RW_CODE_COUNT; a--) {
        assert_memory_equal(rw_code_name(a), a ? "RW_E_" : "RW_OK", 5);
        assert_true(strlen(rw_code_text(a)) > 3);
        assert_true(a == RW_OK ? rw_code_class(a) == RW_CLASS_OK : rw_code_class(a) != RW_CLASS_OK);
        for (int b = a - 1; b > -RW_CODE_COUNT; b--) {
            assert_string_not_equal(rw_code_name(a), rw_code_name(b));
            assert_string_not_equal(rw_code_text(a), rw_code_text(b));
        }
    }
    assert_string_equal(rw_code_name(1), "RW_E_?");
    assert_string_equal(rw_code_text(-RW_CODE_COUNT), "unknown error");
    assert_int_equal(rw_code_class(99), RW_CLASS_STOP_BROKER);
}

static void errors_for_people(void **state)
{
    (void)state;
    struct rw_err err;
    assert_int_equal(rw_err_set(&err, RW_E_IO, "disk %d", 3), RW_E_IO);
    assert_int_equal(err.code, RW_E_IO);
    assert_string_equal(err.text, "disk 3");
    assert_int_equal(rw_err_set(NULL, RW_E_IO, "nobody %s", "looks"), RW_E_IO);
    char longer[900];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[899] = 0;
    assert_int_equal(rw_err_set(&err, RW_E_INVAL, "%s", longer), RW_E_INVAL);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void the_nth_allocation_fails(void **state)
{
    (void)state;
    rw_mem_fail_at(3, 0);
    void *p[5] = {rw_alloc(1), rw_zalloc(0), rw_memdup("x", 1), rw_strdup("y"),
                  rw_alloc_array(2, 4)};
    assert_int_equal(rw_mem_count(), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(p[i] == NULL, i == 2);
        rw_free(p[i]);
    }
    rw_mem_fail_at(2, 1);
    p[0] = rw_realloc(NULL, 0);
    assert_non_null(p[0]);
    assert_null(rw_realloc_array(p[0], 2, 2));
    assert_null(rw_alloc(1));
    rw_mem_fail_at(0, 0);
    rw_free(p[0]);
    assert_null(rw_alloc_array(SIZE_MAX, 2));
    assert_null(rw_realloc_array(NULL, SIZE_MAX, 2));
}

struct item {
    int value;
    struct rw_link link;
};

static void lists_are_queues(void **state)
{
    (void)state;
    struct rw_link head;
    struct item items[4] = {{0}};
    int seen = 0;
    rw_list_init(&head);
    assert_true(rw_list_empty(&head));
    assert_null(rw_list_pop(&head));
    for (int i = 0; i < 4; i++) {
        items[i].value = i;
        rw_list_push(&head, &items[i].link);
    }
    RW_LIST_EACH (it, &head)
        assert_int_equal(RW_CONTAINER(it, struct item, link)->value, seen++);
    rw_list_remove(&items[1].link);
    rw_list_remove(&items[1].link);
    RW_LIST_EACH_SAFE (it, next, &head)
        if (RW_CONTAINER(it, struct item, link)->value == 2)
            rw_list_remove(it);
    assert_ptr_equal(rw_list_pop(&head), &items[0].link);
    assert_ptr_equal(rw_list_pop(&head), &items[3].link);
    assert_true(rw_list_empty(&head));
}

static void null_is_not_empty(void **state)
{
    (void)state;
    assert_false(rw_str_eq(RW_STR_NULL, RW_STR_LIT("")));
    assert_true(rw_str_eq(RW_STR_NULL, rw_str(NULL)));
    assert_true(rw_str_is(RW_STR_LIT("ab"), "ab"));
    assert_false(rw_str_is(RW_STR_LIT("ab"), "ac"));
    assert_false(rw_slice_eq((struct rw_slice){NULL, 0}, text("")));
    assert_true(rw_slice_eq(text(""), rw_slice("x", 0)));
    assert_false(rw_slice_eq(text("a"), text("ab")));
    assert_false(rw_slice_eq(text("a"), text("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_described),  cmocka_unit_test(errors_for_people),
        cmocka_unit_test(the_nth_allocation_fails), cmocka_unit_test(lists_are_queues),
        cmocka_unit_test(null_is_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
