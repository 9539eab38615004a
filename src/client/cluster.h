/*
 * A cluster as a client sees it: bootstrap, brokers, topics with their leaders, one connection per
 * broker, retries. Not thread-safe.
 */
#pragma once

#include "client/conn.h"

#define RW_ANY_NODE   (-1)
#define RW_CONTROLLER (-2)

struct rw_cluster_options {
    const char *brokers; /* "host:port,host:port"; port 9092 when missing */
    const char *client_id;
    int64_t connect_timeout_us; /* for each connection */
    int64_t request_timeout_us; /* for each request */
    int64_t backoff_us;         /* between retries, doubling to 16 times as much */
};

struct rw_node {
    int32_t id;
    char host[256];
    int32_t port;
    char rack[64]; /* "" none */
    struct rw_conn *conn;
};

struct rw_topic_partition {
    int32_t leader; /* node id, -1: none now */
    int32_t leader_epoch;
    int16_t error;
    int32_t n_replicas, n_isr, n_offline;
    int32_t *replicas, *isr, *offline;
};

struct rw_topic {
    char *name;
    struct rw_uuid id;
    bool internal;
    int16_t error; /* of the last metadata answer */
    int32_t n_partitions;
    struct rw_topic_partition *partitions;
    struct rw_arena arena; /* owns all of the above but name */
};

struct rw_cluster {
    const struct rw_env *env;
    struct rw_dialer *dialer;
    struct rw_cluster_options options; /* strings copied */
    struct rw_node *nodes;
    int n_nodes;
    struct rw_conn *bootstrap; /* until it is known which node it is, and for RW_ANY_NODE */
    int32_t controller;
    char cluster_id[64];
    struct rw_topic **topics; /* stable addresses */
    int n_topics;
    int64_t deadline_us; /* the whole command's; INT64_MAX: none */
    /* Called before a connection with requests under way is closed because its broker has left or
     * moved: whoever has sent them takes them out of conn->sent. May be NULL. */
    void (*lost)(void *arg, struct rw_conn *conn);
    void *lost_arg;
};

void rw_cluster_options_init(struct rw_cluster_options *o);
/* RW_E_INVAL: what was given as brokers can not be read. */
RW_MUST int rw_cluster_check_addresses(const char *brokers, struct rw_client_err *err);
RW_MUST int rw_cluster_new(const struct rw_env *env, struct rw_dialer *dialer,
                           const struct rw_cluster_options *options,
                           struct rw_cluster **ret_cluster);
void rw_cluster_free(struct rw_cluster *c); /* NULL is fine */

/* Connects to the first broker that answers, and learns the brokers. Done by the others when needed. */
RW_MUST int rw_cluster_connect(struct rw_cluster *c, struct rw_client_err *err);

/* Asks for topics: names[0..n), or all of them with n == -1; n == 0: brokers only. The cache is updated;
 * topics that do not exist stay in it with their error. */
RW_MUST int rw_cluster_refresh(struct rw_cluster *c, const char *const *names, int n,
                               bool auto_create, struct rw_client_err *err);
/* From the cache; NULL. */
struct rw_topic *rw_cluster_topic(struct rw_cluster *c, const char *name);
/* From the cache, or asked for (auto-created where the broker does so and auto_create says so), waiting
 * for a new topic's leaders. RW_E_NOT_FOUND. */
RW_MUST int rw_cluster_get_topic(struct rw_cluster *c, const char *name, bool auto_create,
                                 struct rw_topic **ret_topic, struct rw_client_err *err);
struct rw_node *rw_cluster_node(struct rw_cluster *c, int32_t id);
/* The connection to a node (or RW_ANY_NODE, RW_CONTROLLER), made when needed. */
RW_MUST int rw_cluster_conn(struct rw_cluster *c, int32_t node, struct rw_conn **ret_conn,
                            struct rw_client_err *err);
/* Forgets a connection after an error on it. */
void rw_cluster_drop(struct rw_cluster *c, struct rw_conn *conn);

/*
 * One request and its response, with retries when connections fail (the request must not mind being
 * sent twice; `once`: do not repeat after it may have reached the broker). The response lives in the
 * arena and, for strings and bytes, in the connection until the next call.
 */
RW_MUST int rw_cluster_call(struct rw_cluster *c, int32_t node, int16_t api_key, int16_t cap,
                            const void *request, bool once, struct rw_arena *arena,
                            void **ret_response, struct rw_client_err *err);

/* The same, to the controller: asks again, after learning who it is now, as long as moved(response) finds
 * NOT_CONTROLLER in the answer; the last answer comes back when that does not end. */
RW_MUST int rw_cluster_call_controller(struct rw_cluster *c, int16_t api_key, int16_t cap,
                                       const void *request, struct rw_arena *arena,
                                       bool (*moved)(const void *response), void **ret_response,
                                       struct rw_client_err *err);

/* Waits before retry number `attempt` (0-based). RW_E_CANCELED, RW_E_TIMEOUT (the deadline). */
RW_MUST int rw_cluster_backoff(struct rw_cluster *c, int attempt);
int64_t rw_cluster_now(const struct rw_cluster *c);
/* The time one request may take, within the deadline. */
int64_t rw_cluster_request_us(const struct rw_cluster *c);
bool rw_code_is_connection(int code); /* CLOSED, REFUSED, TIMEOUT, DNS: another try may help */
