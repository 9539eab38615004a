/* From a line to a record, in the ways that logs are written. Pure. */
#pragma once

#include "pipe/record.h"

enum rw_pipe_parser {
    RW_PIPE_AUTO, /* by its beginning: JSON, syslog, logfmt; what is none of them is text. Never fails but for memory. */
    RW_PIPE_TEXT, /* one field, "message" */
    RW_PIPE_JSON,
    RW_PIPE_LOGFMT,
    RW_PIPE_SYSLOG, /* RFC 5424, or what RFC 3164 tells of */
    RW_PIPE_PATTERN
};

struct rw_pipe_pattern;

/* "json"; false: there is no such one. RW_PIPE_PATTERN has no name: it is what else there is. */
bool rw_pipe_parser_named(const char *name, enum rw_pipe_parser *ret_parser);

/*
 * Clears r and fills it from the line, which has no line end. Views of it are kept. RW_E_INVAL with words that say what is wrong
 * and where; RW_E_TOO_BIG, RW_E_NOMEM. pattern: for RW_PIPE_PATTERN, otherwise NULL.
 */
RW_MUST int rw_pipe_parse(enum rw_pipe_parser parser, const struct rw_pipe_pattern *pattern,
                          struct rw_str line, struct rw_pipe_record *r, struct rw_err *ret_err);

RW_MUST int rw_pipe_parse_logfmt(struct rw_str line, struct rw_pipe_record *r,
                                 struct rw_err *ret_err);
RW_MUST int rw_pipe_parse_syslog(struct rw_str line, struct rw_pipe_record *r,
                                 struct rw_err *ret_err);

/*
 * A pattern is text with fields in angle brackets: '<ip> - - [<time>] "<method> <path> <_>" <status>'. A field takes everything up to the text
 * behind it; <_> takes it and forgets it. "\<" is a bracket. Two fields must have text between them.
 */
RW_MUST int rw_pipe_pattern_new(struct rw_str text, struct rw_pipe_pattern **ret_pattern,
                                struct rw_err *ret_err);
void rw_pipe_pattern_free(struct rw_pipe_pattern *p); /* NULL is fine */
RW_MUST int rw_pipe_parse_pattern(const struct rw_pipe_pattern *p, struct rw_str line,
                                  struct rw_pipe_record *r, struct rw_err *ret_err);
