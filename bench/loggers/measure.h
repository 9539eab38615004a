/*
 * What a logging call costs its caller: the loops that all programs of this folder share, as text that is compiled into
 * each of them, so that a library whose call is inline has it inline here too.
 *
 * A program defines LOGGERS_NAME, LOGGERS_NUMBERS(a, b, c) and LOGGERS_ORDER(user, total, ip, path), which are statements, and
 * the functions loggers_start(), loggers_thread() and loggers_stop(), and includes this file at its end. C11 and C++17.
 */
#ifndef BENCH_LOGGERS_MEASURE_H
#define BENCH_LOGGERS_MEASURE_H

#include "harness.h"

/* Texts of the order scenario differ from call to call, as they would: 9 to 15 and about 30 bytes. */
static const char *const loggers_ips[8] = {"10.0.0.17", "192.168.1.20",  "203.0.113.255",
                                           "10.1.22.3", "198.51.100.44", "172.16.254.19",
                                           "192.0.2.1", "203.0.113.144"};
static const char *const loggers_paths[8] = {
    "/api/v2/orders/8812/confirm",    "/api/v2/orders/118/items/7",
    "/api/v2/customers/99/addresses", "/shop/checkout/step-3/submit",
    "/api/v2/orders/90112/payments",  "/static/img/products/6/large",
    "/api/v1/carts/55121/line-items", "/api/v2/orders/7/shipments/12"};

static uint64_t loggers_numbers(unsigned first, unsigned n)
{
    uint64_t from = loggers_ticks();
    for (unsigned i = first; i < first + n; i++)
        LOGGERS_NUMBERS((int)i, (int)n, (double)i);
    return loggers_ticks() - from;
}

static uint64_t loggers_order(unsigned first, unsigned n)
{
    uint64_t from = loggers_ticks();
    for (unsigned i = first; i < first + n; i++)
        LOGGERS_ORDER((int)i, (double)i * 0.25, loggers_ips[i % 8], loggers_paths[i % 8]);
    return loggers_ticks() - from;
}

int main(int argc, char **argv)
{
    struct loggers_peer peer;
    peer.name = LOGGERS_NAME;
    peer.start = loggers_start;
    peer.thread = loggers_thread;
    peer.stop = loggers_stop;
    peer.burst[0] = loggers_numbers;
    peer.burst[1] = loggers_order;
    return loggers_main(argc, argv, &peer);
}

#endif
