/* What the tests of librollway share: a directory for each test, and the shortest way to a log. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rollway/log.h"

struct fixture {
    char root[64], dir[80];
};

int setup(void **state);
int teardown(void **state);
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The log in `dir`, and the one of the fixture; it must open. */
struct rollway_log *open_at(const char *dir, struct rollway_log_options o);
struct rollway_log *open_with(const struct fixture *f, struct rollway_log_options o);
/* Appends a record with that value; returns its offset. */
int64_t put(struct rollway_log *log, const char *text);
/* Reads all from offset on; returns how many there were. */
int64_t count_from(struct rollway_log *log, int64_t offset);
