/*
 * Regular expressions of the command line: Perl's (PCRE2), in UTF-8; bytes that are no UTF-8 match nothing. A search that has taken too
 * many steps is given up, so that no line holds up what reads millions of them.
 */
#pragma once

#include <stddef.h>
#include "base/code.h"

struct rw_regex;

enum { RW_REGEX_WHY = 120 };

enum rw_regex_at {
    RW_REGEX_ANYWHERE,
    RW_REGEX_AT_START, /* of the text */
    RW_REGEX_WHOLE     /* from its start to its end */
};

/* n bytes of pattern. RW_E_INVAL: the words say why; RW_E_NOMEM. */
RW_MUST int rw_regex_new(const char *pattern, size_t n, enum rw_regex_at at,
                         struct rw_regex **ret_regex, char ret_why[RW_REGEX_WHY]);
void rw_regex_free(struct rw_regex *r); /* NULL is fine */
/* 1: matches, and *ret_n says how far the match goes; 0: does not; RW_E_TOO_BIG: it was given up. */
RW_MUST int rw_regex_match(struct rw_regex *r, const void *text, size_t n, size_t *ret_n);
