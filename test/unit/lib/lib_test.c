#include "lib_test.h"

#include <ftw.h>

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->root, sizeof(f->root), "/tmp/rw_lib_XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->dir, sizeof(f->dir), "%s/events-0", f->root);
    *state = f;
    return 0;
}

int teardown(void **state)
{
    struct fixture *f = *state;
    nftw(f->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

struct rollway_log *open_at(const char *dir, struct rollway_log_options o)
{
    struct rollway_log *log = NULL;
    o.size = sizeof(o);
    int rc = rollway_log_open(dir, &o, &log);
    if (rc)
        print_error("%s\n", rollway_log_error(NULL));
    assert_int_equal(rc, ROLLWAY_OK);
    return log;
}

struct rollway_log *open_with(const struct fixture *f, struct rollway_log_options o)
{
    return open_at(f->dir, o);
}

int64_t put(struct rollway_log *log, const char *text)
{
    int64_t offset = -1;
    const struct rollway_record r = {.value = text, .value_size = strlen(text)};
    assert_int_equal(rollway_log_append(log, &r, 1, &offset), ROLLWAY_OK);
    return offset;
}

int64_t count_from(struct rollway_log *log, int64_t offset)
{
    struct rollway_cursor *c;
    struct rollway_record r;
    int64_t n = 0;
    int rc;
    assert_int_equal(rollway_cursor_new(log, offset, &c), ROLLWAY_OK);
    while ((rc = rollway_cursor_next(c, &r)) == 1) {
        assert_true(r.offset >= offset);
        offset = r.offset + 1;
        n++;
    }
    assert_int_equal(rc, 0);
    rollway_cursor_free(c);
    return n;
}
