/* Between http.c (sockets and time), http_parse.c (bytes to requests) and http_routes.c (answers). */
#pragma once

#include <llhttp/llhttp.h>
#include "broker/http.h"

enum {
    RW_HTTP_HEADER_BYTES = 8192, /* request line and headers together */
    RW_HTTP_BODY_BYTES = 65536,  /* read and thrown away: no path here takes a body */
    RW_HTTP_PATH_BYTES = 512,
    RW_HTTP_CONNECTIONS = 128
};

struct rw_http_request {
    bool head;         /* HEAD: answer without body */
    bool known_method; /* GET or HEAD */
    bool keep_alive;
    int refuse;                    /* status for a request that broke a limit; 0: fine */
    char path[RW_HTTP_PATH_BYTES]; /* without query */
    const char *query;             /* what follows '?', in `path`; "": nothing */
    char host[256];
    char accept[512];
};

struct rw_http_parser {
    llhttp_t parser;
    struct rw_http_request req;
    size_t header_bytes, body_bytes;
    size_t url_n, name_n, value_n;
    char name[16]; /* of the current header, lower case, cut */
    char *value;   /* where its value goes; NULL: not wanted */
    size_t value_cap;
    bool begun; /* a request has begun */
    bool complete;
};

enum rw_http_parse { RW_HTTP_MORE, RW_HTTP_COMPLETE, RW_HTTP_BAD };

void rw_http_parser_init(struct rw_http_parser *p);
/* Consumes up to the end of one request. After COMPLETE call rw_http_parser_next() before going on. */
enum rw_http_parse rw_http_parse(struct rw_http_parser *p, const char *bytes, size_t n,
                                 size_t *ret_used);
void rw_http_parser_next(struct rw_http_parser *p);

struct rw_http_conn {
    struct rw_link link;
    struct rw_http *http;
    struct rw_sock *sock; /* NULL: dead, a scrape still refers to it */
    struct rw_http_parser parse;
    char in[4096];
    size_t in_at, in_n;
    struct rw_buf out;
    size_t sent;
    bool answering; /* a request is being handled */
    bool sending;
    bool scraping;
    struct rw_timer deadline;
};

struct rw_http {
    struct rw_http_args args;
    struct rw_listener *listener;
    struct rw_link conns;
    int count;
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* Answers c->parse.req, at once or later. */
void rw_http_route(struct rw_http_conn *c);
/* Queues an answer; c->parse.req.keep_alive says whether the connection stays. */
void rw_http_answer(struct rw_http_conn *c, int status, const char *type, const void *body,
                    size_t n);
/* A scrape that belongs to a dead connection has ended. */
void rw_http_release(struct rw_http_conn *c);
