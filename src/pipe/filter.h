/*
 * Which records go on:
 *
 *     level>=warn and service=api and not (status=404 or path=~"^/health")
 *
 *   =  !=           equal or not; as numbers when both are numbers
 *   <  <=  >  >=    numbers by value, levels by rank, anything else by its bytes
 *   ~               contains the text
 *   =~              matches the regular expression
 *   name            the field is there
 *
 * A field that is missing, or null, is equal to nothing: only != and "not" are true for it. Names and values with other characters are
 * quoted, by ' or ". Words (and, or, not) in any case. Pure: regular expressions come from the caller.
 */
#pragma once

#include "pipe/record.h"

struct rw_pipe_regex {
    /* NULL: the error says why. The pattern is NUL-terminated. */
    void *(*compile)(const char *pattern, char error[120]);
    /* 1: matches, 0: does not, < 0: it was too much work. */
    int (*match)(void *regex, struct rw_str text);
    void (*free)(void *regex);
};

struct rw_pipe_filter;

/* RW_E_INVAL: the words say what is wrong and at which character. regex: kept, must outlive the filter. */
RW_MUST int rw_pipe_filter_new(struct rw_str text, const struct rw_pipe_regex *regex,
                               struct rw_pipe_filter **ret_filter, struct rw_err *ret_err);
void rw_pipe_filter_free(struct rw_pipe_filter *f); /* NULL is fine */
/* 1: it goes on, 0: it does not, < 0: a regular expression was too much work for it. */
RW_MUST int rw_pipe_filter_match(const struct rw_pipe_filter *f, struct rw_pipe_record *r);
