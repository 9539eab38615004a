/* The filter's tree, for its parser (filter_parse.c) and its evaluation (filter.c). */
#pragma once

#include "pipe/filter.h"

enum { RW_PIPE_NODES_MAX = 512, RW_PIPE_FILTER_DEPTH_MAX = 64 };

enum rw_pipe_op {
    RW_PIPE_OP_AND, /* of left and right */
    RW_PIPE_OP_OR,
    RW_PIPE_OP_NOT, /* of left */
    RW_PIPE_OP_EXISTS,
    RW_PIPE_OP_EQ,
    RW_PIPE_OP_NE,
    RW_PIPE_OP_LT,
    RW_PIPE_OP_LE,
    RW_PIPE_OP_GT,
    RW_PIPE_OP_GE,
    RW_PIPE_OP_CONTAINS,
    RW_PIPE_OP_REGEX
};

struct rw_pipe_node {
    enum rw_pipe_op op;
    int left, right;
    struct rw_str name, value;
    bool is_number;
    double number;
    int level; /* the value's rank when the field is the level; -1 */
    void *regex;
};

struct rw_pipe_filter {
    const struct rw_pipe_regex *regex;
    struct rw_arena arena;
    int n, root;
    struct rw_pipe_node nodes[RW_PIPE_NODES_MAX];
};
