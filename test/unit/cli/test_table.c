/* Tables: widths, alignment, --plain. */
#include "test_support.h"
#include "cli/table.h"

static const char *const columns[] = {"TOPIC", ">N", "NOTE", NULL};

static void fill(struct rw_table *t)
{
    rw_table_init(t, columns);
    rw_table_cell(t, "caf\xc3\xa9-au-lait");
    rw_table_cell(t, "%d", 7);
    rw_table_cell_n(t, NULL, -1);
    rw_table_cell(t, "b");
    rw_table_cell(t, "1234");
    rw_table_cell(t, "two\twords\n");
}

static void aligned(void **state)
{
    (void)state;
    struct rw_table t;
    struct rw_buf out;
    rw_buf_init(&out);
    fill(&t);
    rw_table_render(&t, false, false, &out);
    assert_string_equal(rw_buf_cstr(&out), "TOPIC            N  NOTE\n"
                                           "caf\xc3\xa9-au-lait     7  -\n"
                                           "b             1234  two words \n");
    rw_table_deinit(&t);
    rw_buf_deinit(&out);
}

static void plain(void **state)
{
    (void)state;
    struct rw_table t;
    struct rw_buf out;
    rw_buf_init(&out);
    fill(&t);
    rw_table_render(&t, true, false, &out);
    assert_string_equal(rw_buf_cstr(&out), "caf\xc3\xa9-au-lait\t7\t-\nb\t1234\ttwo words \n");
    rw_table_deinit(&t);
    rw_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aligned), cmocka_unit_test(plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
