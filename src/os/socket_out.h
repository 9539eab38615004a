/* Sockets that somebody listens at for messages: syslog, the journal. Non-blocking, without SIGPIPE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "base/code.h"

struct rw_os_out {
    int fd;      /* -1: not connected */
    bool stream; /* messages run together: the caller frames them */
};

/* A socket in the file system; datagrams, or a stream where the other side has one. */
RW_MUST int rw_os_out_unix(const char *path, struct rw_os_out *ret_out);
/* Looks the name up, which may take as long as the resolver wants, and connects within wait_ms. RW_E_DNS. */
RW_MUST int rw_os_out_inet(const char *host, const char *port, bool tcp, int wait_ms,
                           struct rw_os_out *ret_out);
void rw_os_out_close(struct rw_os_out *o);
/* One message. RW_E_AGAIN: no room within wait_ms. RW_E_TOO_BIG: it does not fit into a datagram. RW_E_CLOSED: connect again (of a
 * stream, a part may be out: the message is to be sent again as a whole). */
RW_MUST int rw_os_out_send(struct rw_os_out *o, const void *p, size_t n, int wait_ms);
/* The message in a sealed file in memory, of which the other side gets the descriptor (the journal takes that). */
RW_MUST int rw_os_out_send_file(struct rw_os_out *o, const void *p, size_t n, int wait_ms);
/* The name of this machine; "-" when it has none. */
void rw_os_host_name(char *ret, size_t n);
