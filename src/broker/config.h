/*
 * The broker's configuration: one table of keys under Kafka's names (config_table.c), values from
 * several sources with one precedence, and typed structs for the code.
 *
 *   default < file < environment < --set < set for all brokers < set for this broker
 *   (and, for topics, the topic's own values on top)
 *
 * The same table serves --check-config, DescribeConfigs, AlterConfigs, CreateTopics and the
 * documentation. A struct rw_config is filled by one thread and read-only after rw_config_finish():
 * then any thread may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"
#include "env/vfs.h"
#include "log/log.h"

#define RW_LISTENERS_MAX 8
#define RW_HOST_MAX      256
#define RW_SYNONYMS_MAX  3
#define RW_LOG_DIRS_MAX  1 /* one data directory per broker, for now */

/* The numbers are those of DescribeConfigs. */
enum rw_config_type {
    RW_CONFIG_BOOLEAN = 1,
    RW_CONFIG_STRING = 2,
    RW_CONFIG_INT = 3,
    RW_CONFIG_SHORT = 4,
    RW_CONFIG_LONG = 5,
    RW_CONFIG_DOUBLE = 6,
    RW_CONFIG_LIST = 7,
    RW_CONFIG_CLASS = 8,
    RW_CONFIG_PASSWORD = 9
};

/* The numbers are those of DescribeConfigs (ConfigSource). */
enum rw_config_source {
    RW_SOURCE_TOPIC = 1,
    RW_SOURCE_DYNAMIC_BROKER = 2,
    RW_SOURCE_DYNAMIC_DEFAULT_BROKER = 3,
    RW_SOURCE_STATIC_BROKER = 4,
    RW_SOURCE_DEFAULT = 5
};

enum rw_config_scope { RW_SCOPE_BROKER, RW_SCOPE_TOPIC };
enum rw_config_unit { RW_UNIT_NONE, RW_UNIT_MS, RW_UNIT_BYTES };

enum rw_config_flag {
    RW_CONFIG_DYNAMIC = 1, /* may change while the broker runs */
    RW_CONFIG_COMPAT = 2,  /* accepted for compatibility, no effect */
    RW_CONFIG_SECRET = 4   /* never printed */
};

/* Where else a value may come from when the key itself is not set: that key's value times factor. */
struct rw_config_synonym {
    const char *name;
    int64_t factor;
};

struct rw_config_key {
    const char *name;
    enum rw_config_scope scope;
    enum rw_config_type type;
    enum rw_config_unit unit;
    unsigned flags;       /* enum rw_config_flag */
    const char *fallback; /* the default in canonical form; NULL: none */
    const char *dev;      /* the default under `rollway dev` when it differs; NULL: the same */
    int64_t min, max;     /* numbers; both 0: any */
    const char *one_of;   /* "a|b|c" for STRING and for each element of a LIST; NULL: anything */
    bool (*check)(struct rw_str value); /* further rule; NULL: none */
    struct rw_config_synonym synonyms[RW_SYNONYMS_MAX];
    size_t field;    /* offset + 1 in struct rw_broker_config / rw_topic_config; 0: no field */
    size_t width;    /* sizeof that field */
    const char *doc; /* one sentence */
};

/* All rows: broker keys, then topic keys. */
const struct rw_config_key *rw_config_table(size_t *ret_n);
/* NULL when there is no such key in that scope. */
const struct rw_config_key *rw_config_find(enum rw_config_scope scope, struct rw_str name);
/* The known key that looks most like `name`; NULL when none is near. */
const char *rw_config_nearest(enum rw_config_scope scope, struct rw_str name);
/* Checks a value and appends its canonical form ("7d" -> "604800000", "TRUE" -> "true").
 * RW_E_INVAL with words in ret_err. */
RW_MUST int rw_config_canonical(const struct rw_config_key *key, struct rw_str value,
                                struct rw_buf *out, struct rw_err *ret_err);

/* ---- typed values ---- */

enum rw_security {
    RW_SECURITY_PLAINTEXT,
    RW_SECURITY_SSL,
    RW_SECURITY_SASL_PLAINTEXT,
    RW_SECURITY_SASL_SSL
};

struct rw_endpoint {
    char name[64];          /* "PLAINTEXT", "INTERNAL" */
    char host[RW_HOST_MAX]; /* "" binds every address; IPv6 without brackets */
    int32_t port;           /* 0: any free one (tests) */
    enum rw_security security;
};

/* It listens on every address of the machine: that is none to tell a client. */
bool rw_endpoint_is_any(const struct rw_endpoint *e);

/* Strings live as long as the struct rw_config. -1 or INT64_MAX mean "none" as in Kafka. */
struct rw_broker_config {
    int32_t node_id;
    const char *cluster_id; /* NULL: the data directory's, made up when new */
    const char *rack;       /* NULL: none */
    const char *log_dirs;
    struct rw_endpoint listeners[RW_LISTENERS_MAX];
    size_t n_listeners;
    struct rw_endpoint advertised[RW_LISTENERS_MAX]; /* one per listener, same order */

    int32_t shards; /* rollway.shards; 0: one per core */
    const char *http_listen;
    struct rw_endpoint http; /* the same; without a name */
    bool has_http;
    const char *log_level, *log_format; /* rollway.diag.level, rollway.diag.format */

    int32_t num_partitions;
    int32_t default_replication_factor;
    bool auto_create_topics;
    bool delete_topics;

    int64_t request_bytes_max;    /* socket.request.max.bytes */
    int64_t fetch_bytes_max;      /* fetch.max.bytes */
    int64_t queued_requests_max;  /* queued.max.requests, per connection */
    int64_t queued_bytes_max;     /* queued.max.request.bytes: in all; -1 none */
    int64_t send_queue_bytes_max; /* rollway.connection.send.queue.bytes */
    int64_t connections_max;
    int64_t connections_max_per_ip;
    int64_t connections_max_idle_ms;
    int32_t socket_send_buffer_bytes, socket_receive_buffer_bytes;
    int32_t listen_backlog;

    int32_t recovery_threads;
    int64_t retention_check_ms;
    int64_t recovery_checkpoint_ms; /* log.flush.offset.checkpoint.interval.ms */
    int64_t start_checkpoint_ms;
    int64_t hw_checkpoint_ms;
    int64_t producer_expiry_ms;
    int64_t metadata_snapshot_bytes; /* metadata.log.max.record.bytes.between.snapshots */
    int64_t topic_partitions_max;    /* rollway.topic.partitions.max, per request */
    int64_t partitions_max;          /* rollway.partitions.max */

    int32_t disk_warn_percent, disk_throttle_percent, disk_refuse_percent;
    int64_t disk_free_bytes_min;
};

enum rw_compression {
    RW_COMPRESSION_PRODUCER,
    RW_COMPRESSION_NONE,
    RW_COMPRESSION_GZIP,
    RW_COMPRESSION_SNAPPY,
    RW_COMPRESSION_LZ4,
    RW_COMPRESSION_ZSTD
};

/* One topic's effective settings. */
struct rw_topic_config {
    struct rw_log_config log;
    int32_t min_insync_replicas;
    enum rw_compression compression;
    int32_t gzip_level, lz4_level, zstd_level;
};

/* ---- loading ---- */

struct rw_config;

enum rw_config_profile { RW_PROFILE_SERVER, RW_PROFILE_DEV };

RW_MUST int rw_config_new(enum rw_config_profile profile, struct rw_config **ret_config);
void rw_config_free(struct rw_config *c); /* c may be NULL */

/* The sources, in this order. Unknown keys and keys without effect become notices; a bad value or
 * syntax error is RW_E_INVAL with words that name file and line, variable or option. */
RW_MUST int rw_config_load_file(struct rw_config *c, struct rw_vfs *vfs, const char *path,
                                struct rw_err *ret_err);
RW_MUST int rw_config_load_text(struct rw_config *c, const char *name, struct rw_str text,
                                struct rw_err *ret_err);
/* environ: "NAME=value" strings up to NULL; ROLLWAY_ and KAFKA_ names count, the first wins. */
RW_MUST int rw_config_load_env(struct rw_config *c, char *const *environment,
                               struct rw_err *ret_err);
RW_MUST int rw_config_set(struct rw_config *c, const char *assignment, struct rw_err *ret_err);
/* Before the sources: a mistake in one of them does not end it, or those that follow; all are kept, and
 * rw_config_finish() returns the first. */
void rw_config_collect(struct rw_config *c);
/* Rules between keys; fills the typed struct. strict: unknown keys are RW_E_INVAL. */
RW_MUST int rw_config_finish(struct rw_config *c, bool strict, struct rw_err *ret_err);

/* A finished configuration with what was set while the brokers ran on top: for all of them, and for this
 * one. Pairs are canonical, of dynamic keys; those that this version does not know are left out. `base`
 * must outlive it. RW_E_NOMEM. */
RW_MUST int rw_config_overlay(const struct rw_config *base, const struct rw_pair *all, size_t n_all,
                              const struct rw_pair *own, size_t n_own,
                              struct rw_config **ret_config);
/* Would these values do on top of the file's? RW_E_INVAL with words, RW_E_NOMEM. */
RW_MUST int rw_config_overlay_check(const struct rw_config *base, const struct rw_pair *own,
                                    size_t n_own, struct rw_err *ret_err);

const struct rw_broker_config *rw_config_broker(const struct rw_config *c);

/* What a person should be told: unknown keys with "did you mean", keys without effect. */
size_t rw_config_notices(const struct rw_config *c);
const char *rw_config_notice(const struct rw_config *c, size_t i);

/* What was collected: one line each, which names where it is. */
size_t rw_config_mistakes(const struct rw_config *c);
const char *rw_config_mistake(const struct rw_config *c, size_t i);

/* ---- looking at values ---- */

/* A row's own value: explicit, or the default; NULL when neither is there. Secrets come out as they
 * are: whoever prints must look at RW_CONFIG_SECRET. */
const char *rw_config_value(const struct rw_config *c, const struct rw_config_key *key,
                            enum rw_config_source *ret_source);
/* What one source says of a broker's key; NULL: nothing. */
const char *rw_config_layer(const struct rw_config *c, const struct rw_config_key *key,
                            enum rw_config_source source);
/* "default", "file /etc/x:12", "environment KAFKA_NODE_ID", "--set". */
const char *rw_config_origin(const struct rw_config *c, const struct rw_config_key *key);
/* Every effective broker key: "key=value  # source", sorted by name. For --check-config. */
void rw_config_print(const struct rw_config *c, struct rw_buf *out);

/* ---- topics ---- */

/* A topic's effective value of one key, in canonical form: its own, else the broker's synonyms, else
 * the default. `buf` holds the text when it had to be computed (a factor). NULL: no value. */
const char *rw_topic_config_value(const struct rw_config *c, const struct rw_config_key *key,
                                  const struct rw_pair *own, size_t n_own, struct rw_buf *buf,
                                  enum rw_config_source *ret_source);
/* All of them, typed. RW_E_NOMEM. */
RW_MUST int rw_topic_config_resolve(const struct rw_config *c, const struct rw_pair *own,
                                    size_t n_own, struct rw_topic_config *ret_config);
/* Rules between a topic's own values. RW_E_INVAL. */
RW_MUST int rw_topic_config_check(const struct rw_config *c, const struct rw_pair *own,
                                  size_t n_own, struct rw_err *ret_err);
