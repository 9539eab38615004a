/* known.c and view.c: entries and dictionaries that are damaged are refused or read inside their bounds. */
#include "entries.h"

static unsigned random_state = 1;
static unsigned below(unsigned n)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % n;
}

static const struct rollway_site_field fields[] = {{"user", ROLLWAY_T_INT_},
                                                   {"ip", ROLLWAY_T_CSTR_}};
static const struct rollway_site plain = {.message = "plain",
                                          .file = "a.c",
                                          .function = "f",
                                          .fields = fields,
                                          .line = 3,
                                          .level = 1,
                                          .n_fields = 2};
static const struct rollway_site formatted = {
    .message = "%s: %*d", .file = "b.c", .function = "g", .line = 4, .level = 2};

static void decoded(void **state)
{
    (void)state;
    struct rollway_site site = plain;
    entries_put(&entries, &site, (uint64_t[]){INT(-1), TEXT("1.2.3.4")});
    const struct rw_lg_view *v = &entries.view;
    assert_int_equal(v->time_ns, TIME_NS);
    assert_int_equal(v->level, 1);
    assert_string_equal(v->message, "plain");
    assert_int_equal(v->message_n, 5);
    assert_string_equal(v->file, "a.c");
    assert_string_equal(v->function, "f");
    assert_int_equal(v->line, 3);
    assert_int_equal(v->n_fields, 2);
    assert_int_equal(v->n_parts, 0);
    assert_string_equal(v->fields[1].key, "ip");
    assert_int_equal(v->fields[1].value.n, 7);
    assert_memory_equal(v->fields[1].value.p, "1.2.3.4", 7);
    entries_put(&entries, &site, (uint64_t[]){INT(-1), 0});
    assert_null(v->fields[1].value.p);
    site = formatted;
    entries_put(&entries, &site, (uint64_t[]){TEXT("x"), INT(5), INT(7)});
    assert_int_equal(v->n_args, 3);
    assert_int_equal(v->n_fields, 0);
    assert_int_equal(v->args[2].bits, 7);
}

/* Each entry in memory of exactly its size. */
static bool view_alone(const char *p, size_t n, struct rw_lg_view *ret_view, char **ret_copy)
{
    char *copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, p, n);
    *ret_copy = copy;
    return rw_lg_view(&entries.knowledge, (const struct rw_lg_entry *)(void *)copy, TIME_NS,
                      ret_view);
}

static void use(const struct rw_lg_view *v)
{
    static const char *const kinds[] = {"logfmt", "json", "%d %20.30m %k %X{ip}"};
    char line[512];
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct rw_lg_format f;
        assert_int_equal(rw_lg_format_init(kinds[i], &f, NULL), RW_OK);
        struct rw_lg_out o = {line, sizeof(line), 0};
        rw_lg_format_line(&f, &o, v);
    }
}

static void damaged_entries(void **state)
{
    (void)state;
    unsigned good = 0, bad = 0;
    struct rollway_site sites[2] = {plain, formatted};
    assert_int_equal(rw_lg_context_set(&entries.context, "k", "v"), RW_OK);
    entries.flags = RW_LG_SUPPRESSED;
    for (int i = 0; i < 40000; i++) {
        if (i & 1)
            entries_put(&entries, &sites[1], (uint64_t[]){TEXT("text"), INT(5), INT(7)});
        else
            entries_put(&entries, &sites[0], (uint64_t[]){INT(-1), TEXT("1.2.3.4")});
        for (unsigned k = 1 + below(3); k > 0; k--) {
            size_t at = 4 + below(entries.entry.size - 4);
            entries.bytes[at] =
                (char)(below(2) ? below(256) : (unsigned char)entries.bytes[at] ^ 1u << below(8));
        }
        char *copy;
        bool fine = view_alone(entries.bytes, entries.entry.size, &entries.view, &copy);
        if (fine)
            use(&entries.view);
        good += fine;
        bad += !fine;
        free(copy);
    }
    assert_true(good > 1000 && bad > 1000);
    entries.flags = 0;
    rw_lg_context_clear(&entries.context);
    /* Smaller than what it must have; sizes that are none. */
    entries_put(&entries, &sites[0], (uint64_t[]){INT(-1), TEXT("1.2.3.4")});
    static const uint32_t sizes[] = {0, 8, 32, 40, 47, RW_LG_PAD | 56, RW_LG_ENTRY_MAX + 8};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        entries.entry.size = sizes[i];
        assert_false(rw_lg_view(&entries.knowledge, &entries.entry, TIME_NS, &entries.view));
    }
}

static void damaged_dictionary(void **state)
{
    (void)state;
    unsigned good = 0, bad = 0;
    for (int i = 0; i < 20000; i++) {
        struct rollway_site site = i & 1 ? formatted : plain;
        if (i % 2000 == 0) {
            entries_deinit(&entries);
            entries_init(&entries);
        }
        uint32_t id = rw_lg_site_register(&entries.map, &site);
        assert_int_not_equal(id, 0);
        uint8_t *s = entries.map.mem.p + rw_lg_header(&entries.map)->dictionary_at + (size_t)id * 8;
        uint32_t size;
        memcpy(&size, s, 4);
        for (unsigned k = 1 + below(2); k > 0; k--)
            s[below(size)] ^= (uint8_t)(1u << below(8));
        char entry[128] = "";
        struct rw_lg_entry head = {.size = 128, .site = id, .flags = 1};
        memcpy(entry, &head, sizeof(head));
        char *copy;
        bool fine = view_alone(entry, sizeof(entry), &entries.view, &copy);
        if (fine)
            use(&entries.view);
        good += fine;
        bad += !fine;
        free(copy);
    }
    assert_true(good > 1000 && bad > 1000);
}

/* More sites than the table begins with; ids that are none. */
static void many_sites(void **state)
{
    (void)state;
    uint32_t ids[500];
    char names[500][16];
    for (int i = 0; i < 500; i++) {
        struct rollway_site site = plain;
        snprintf(names[i], sizeof(names[i]), "message %d", i);
        site.message = names[i];
        ids[i] = rw_lg_site_register(&entries.map, &site);
        assert_int_not_equal(ids[i], 0);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 499; i >= 0; i--) {
            const struct rw_lg_known *known = rw_lg_know(&entries.knowledge, ids[i]);
            assert_non_null(known);
            assert_string_equal(known->message, names[i]);
        }
    assert_int_equal(entries.knowledge.n, 500);
    for (uint32_t id = 0; id < 200000; id += 7)
        (void)rw_lg_know(&entries.knowledge, id);
    assert_null(rw_lg_know(&entries.knowledge, 0));
    assert_null(rw_lg_know(&entries.knowledge, UINT32_MAX));
}

static void no_memory(void **state)
{
    (void)state;
    struct rollway_site site = plain;
    site.id = rw_lg_site_register(&entries.map, &site);
    for (uint64_t n = 1;; n++) {
        rw_lg_knowledge_deinit(&entries.knowledge);
        rw_mem_fail_at(n, 0);
        const struct rw_lg_known *known = rw_lg_know(&entries.knowledge, site.id);
        rw_mem_fail_at(0, 0);
        if (known) {
            assert_true(n > 3);
            break;
        }
        assert_non_null(rw_lg_know(&entries.knowledge, site.id)); /* later it works */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decoded, entries_setup, entries_teardown),
        cmocka_unit_test_setup_teardown(damaged_entries, entries_setup, entries_teardown),
        cmocka_unit_test_setup_teardown(damaged_dictionary, entries_setup, entries_teardown),
        cmocka_unit_test_setup_teardown(many_sites, entries_setup, entries_teardown),
        cmocka_unit_test_setup_teardown(no_memory, entries_setup, entries_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
