/* What the config*.c files share; nobody else includes this. */
#pragma once

#include "base/arena.h"
#include "broker/config.h"

struct rw_config_slot {
    const char *text;   /* canonical; NULL: not set */
    const char *origin; /* "file x:12" */
    const char *all;    /* set for all brokers while they ran; NULL: not set */
    const char *own;    /* the same for this one */
    bool wrong;         /* some source has a value for it that can not be */
};

struct rw_texts {
    const char **items;
    size_t n, cap;
};

struct rw_config {
    enum rw_config_profile profile;
    struct rw_arena arena;        /* all strings below */
    struct rw_config_slot *slots; /* one per row of the table */
    struct rw_texts notices;
    struct rw_texts unknown; /* those of unknown keys: fatal when strict */
    bool collects;           /* mistakes, instead of ending with the first */
    struct rw_texts mistakes;
    struct rw_broker_config broker;
};

/* What was just written into err, code: where mistakes are collected it is kept, and all goes on (RW_OK),
 * else the code. */
RW_MUST int rw_config_mistaken(struct rw_config *c, int code, struct rw_err *err);
/* Rules between keys. */
RW_MUST int rw_config_cross_check(struct rw_config *c, struct rw_err *ret_err);
/* Fills the typed struct from the values. */
void rw_config_fill(struct rw_config *c);
/* The row's default under the config's profile. */
const char *rw_config_fallback(const struct rw_config *c, const struct rw_config_key *key);
/* The canonical text of a row's effective value: own, else synonyms (times factor), else defaults.
 * May use `buf` for a computed text. NULL: none. */
const char *rw_config_effective(const struct rw_config *c, const struct rw_config_key *key,
                                struct rw_buf *buf);
/* Writes a canonical text into a field of the given width. */
void rw_config_store(const struct rw_config_key *key, const char *text, void *field);
/* Parses listeners and advertised.listeners into c->broker. */
RW_MUST int rw_config_listeners(struct rw_config *c, struct rw_err *ret_err);
/* One "key = value" from any source. */
RW_MUST int rw_config_assign(struct rw_config *c, struct rw_str name, struct rw_str value,
                             const char *origin, struct rw_err *ret_err);
