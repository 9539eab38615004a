/* Listening addresses: what is claimed, what is refused, and with which words. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "os/loop.h"
#include "os/net.h"
#include "os/os.h"

static int dial(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void refuse(void *arg, struct rw_sock *take_sock)
{
    (void)arg;
    rw_sock_close(take_sock);
}

/* Bound is not open: nobody gets in before the broker is ready. */
static void bound_then_open(void **state)
{
    (void)state;
    struct rw_err err;
    struct rw_listener *l, *second;
    struct rw_loop *loop;
    assert_int_equal(rw_os_loop_new(rw_os_env()->clock, &loop), RW_OK);
    assert_int_equal(rw_net_bind(rw_os_net(), "127.0.0.1", 0, &l, &err), RW_OK);
    uint16_t port = rw_listener_port(l);
    assert_true(port > 0);
    assert_int_equal(dial(port), -1);
    assert_int_equal(rw_listener_open(l, loop, 5, refuse, NULL), RW_OK);
    int fd = dial(port);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rw_net_bind(rw_os_net(), "127.0.0.1", port, &second, &err), RW_E_EXISTS);
    assert_non_null(strstr(err.text, "already in use"));
    rw_listener_close(l);
    rw_os_loop_free(loop);
}

static void bad_addresses(void **state)
{
    (void)state;
    struct rw_err err;
    struct rw_listener *l;
    assert_int_equal(rw_net_bind(rw_os_net(), "192.0.2.1", 0, &l, &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "192.0.2.1 is not an address of this machine"));
    assert_int_equal(rw_net_bind(rw_os_net(), "no such host", 0, &l, &err), RW_E_DNS);
}

static void every_address(void **state)
{
    (void)state;
    struct rw_err err;
    struct rw_listener *l;
    assert_int_equal(rw_net_bind(rw_os_net(), "", 0, &l, &err), RW_OK);
    rw_listener_close(l);
    assert_int_equal(rw_net_bind(rw_os_net(), "localhost", 0, &l, &err), RW_OK);
    rw_listener_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bound_then_open),
                                       cmocka_unit_test(bad_addresses),
                                       cmocka_unit_test(every_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
