/*
 * sigwait() on the main thread, instead of handlers: no code runs in a signal's context, and a second
 * SIGTERM is seen even when every event loop is stuck.
 */
#include "os/signals.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

static void wanted(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void rw_os_signals_block(void)
{
    sigset_t set;
    wanted(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int rw_os_signals_wait(void)
{
    sigset_t set;
    int which = 0;
    wanted(&set);
    while (sigwait(&set, &which))
        ;
    return which;
}

void rw_os_signals_raise_term(void)
{
    kill(getpid(), SIGTERM);
}
