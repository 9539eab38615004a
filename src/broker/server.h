/*
 * A broker from start to stop: shards, listeners, the service on top of them. It owns no thread and no
 * loop: who made the loops runs them (cli/ with threads, the simulator with its scheduler).
 *
 *   rw_server_new     claims all addresses: a port in use is found out before anything is written
 *   (run the loops)   /livez answers, /readyz says why it is not ready
 *   rw_server_open    recovers the data, then opens the Kafka listeners and calls opened()
 *   rw_server_stop    from any thread: finishes what is in flight, flushes, ends the loops, stopped()
 *   (the loops have returned)
 *   rw_server_free    closes the data; leaves the clean-shutdown mark when everything went well
 */
#pragma once

#include "broker/conn.h"

struct rw_server;

struct rw_server_address {
    const char *host;
    uint16_t port;
};

struct rw_server_args {
    const struct rw_env *env;
    struct rw_net *net;
    struct rw_jobs *jobs;
    struct rw_loop **loops; /* one per shard; not running yet */
    int n_loops;
    const struct rw_config *config;
    const struct rw_service *service;
    struct rw_limits limits;
    const char *data_dir; /* for the disk metrics; may be NULL */
    const struct rw_server_address *listeners;
    int n_listeners;
    struct rw_server_address http; /* host NULL: none */
    bool http_check_host;
    int64_t stop_grace_us; /* how long requests in flight may take when the broker stops */

    /* On shard 0: the listeners are open, or `code` says why not (then call rw_server_stop). Not called
     * when the server was stopped meanwhile. */
    void (*opened)(void *arg, int code, const struct rw_err *err);
    /* On shard 0, every pulse_us at most, when every shard has taken a message since the last time: all
     * event loops run. 0 or NULL: never. */
    int64_t pulse_us;
    void (*pulse)(void *arg);
    /* On shard 0, as the last thing before its loop ends. */
    void (*stopped)(void *arg);
    void *arg;
};

/* Everything args points to must outlive the server, but for listeners. */
RW_MUST int rw_server_new(const struct rw_server_args *args, struct rw_server **ret_server,
                          struct rw_err *ret_err);
/* Begins to open the data, on a worker; opened() tells the end. From any thread, once. */
void rw_server_open(struct rw_server *s);
/* From any thread, once. The loops must run. While the data is being opened it waits for that. */
void rw_server_stop(struct rw_server *s);
/* SIGHUP. From any thread; the next one counts only when the last was taken. */
void rw_server_reload(struct rw_server *s);
/* The loops have ended, or never ran. s may be NULL. */
void rw_server_free(struct rw_server *s);

/* The ports in use: those chosen where 0 was asked for. */
uint16_t rw_server_port(const struct rw_server *s, int listener);
uint16_t rw_server_http_port(const struct rw_server *s); /* 0: no HTTP */
