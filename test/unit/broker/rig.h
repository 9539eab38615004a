/*
 * A real server on loopback with a service of a few lines: ApiVersions answers at once, Metadata waits
 * until the test lets it go, Fetch sends a piece of a file, Produce with acks=0 says nothing.
 * Tests talk to it through blocking sockets.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include "base/buf.h"
#include "broker/server.h"
#include "os/jobs.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/os.h"

struct rig {
    struct rw_server *server;
    struct rw_env env;
    struct rw_jobs *jobs;
    struct rw_loop *loops[8];
    struct rw_thread *threads[8];
    int n;
    uint16_t port, http_port;
    atomic_int opened; /* 1: yes, -1: failed */
};

/* What the service does; set before rig_start(). */
struct rig_service {
    char file[64]; /* Fetch sends file_n bytes of it, from file_at */
    uint64_t file_at;
    size_t file_n;
    bool file_warm;
    int32_t throttle_ms; /* of ApiVersions */
    atomic_int park;     /* Metadata requests wait while it is not 0 */
    atomic_int parked, canceled, stopped, closed_clean, ranges_out, produced;
    int start_code; /* what start() answers */
    bool clock_held;
    _Atomic int64_t
        clock_us; /* the time when the clock is held: it goes on when the test says so */
};
extern struct rig_service rig_service;

void rig_start(struct rig *r, int shards, const struct rw_limits *limits);
void rig_stop(struct rig *r);

/* ---- the client's side ---- */

int rig_connect(uint16_t port);
/* Appends a frame. */
void rig_frame(struct rw_buf *out, int16_t key, int16_t version, int32_t correlation);
void rig_send(int fd, const void *p, size_t n);
/* Reads one frame (without its size) and returns its length; -1: the connection was closed. */
int64_t rig_recv(int fd, struct rw_buf *frame);
/* The correlation id of a frame that was received. */
int32_t rig_correlation(const struct rw_buf *frame);
/* Waits until *v == want, at most five seconds; fails the test otherwise. */
void rig_wait(atomic_int *v, int want);
/* True when the peer closes within five seconds without sending anything. */
bool rig_closed(int fd);
/* GET over HTTP/1.1, connection closed afterwards; the whole answer. */
void rig_http(uint16_t port, const char *request, struct rw_buf *answer);
