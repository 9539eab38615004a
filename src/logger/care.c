/*
 * What is done now and then, by a thread of its own that runs only when something of it is asked for: settings are read again after a signal, and the
 * statistics are written to a file. The signal's handler does no more than count and wake.
 *
 * The thread ends before the logger does. It never waits for `admin` without looking whether it is to end, because who ends it has that.
 */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "logger/process.h"
#include "os/task.h"
#include "os/ticks.h"

enum { TRY_NS = 10000000 };

static sem_t wake; /* made by rw_lg_care_init() */
static _Atomic unsigned signals, seen;
static int taken; /* the signal; 0: none. Under `admin`. */
static struct sigaction before;
static _Atomic bool chained; /* `before` may be looked at by the handler */

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    atomic_fetch_add(&signals, 1);
    (void)sem_post(&wake);
    if (atomic_load(&chained)) {
        if (before.sa_flags & SA_SIGINFO)
            before.sa_sigaction(number, info, context);
        else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
            before.sa_handler(number);
    }
    errno = saved;
}

void rw_lg_care_init(void)
{
    (void)sem_init(&wake, 0, 0);
}

/* Gives the signal back, when nobody has taken it in the meantime. */
static void give_back(void)
{
    struct sigaction now;
    if (taken && sigaction(taken, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == on_signal)
        (void)sigaction(taken, &before, NULL);
    taken = 0;
    atomic_store(&chained, false);
}

int rw_lg_care_signal(int number)
{
    if (number == taken)
        return RW_OK;
    give_back();
    if (!number)
        return RW_OK;
    struct sigaction mine;
    memset(&mine, 0, sizeof(mine));
    mine.sa_sigaction = on_signal;
    mine.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&mine.sa_mask);
    if (sigaction(number, NULL, &before) != 0)
        return RW_E_INVAL;
    atomic_store(&chained, true);
    if (sigaction(number, &mine, NULL) != 0) {
        atomic_store(&chained, false);
        return RW_E_INVAL;
    }
    taken = number;
    return RW_OK;
}

static void read_again(struct rw_lg_engine *e)
{
    while (pthread_mutex_trylock(&rw_lg_process.admin) != 0) {
        if (atomic_load(&e->stop_care))
            return;
        nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
    }
    struct rw_err err = {.text = ""};
    int rc = rw_lg_reload(e, &err);
    pthread_mutex_unlock(&rw_lg_process.admin);
    if (rc)
        rollway_to(e->own, ROLLWAY_ERROR, "the settings stay as they were", "why",
                   err.text[0] ? err.text : rw_code_text(rc));
    else
        rollway_to(e->own, ROLLWAY_INFO, "the settings were read again");
}

static void write_metrics(struct rw_lg_engine *e, int *told)
{
    char path[sizeof(e->config.metrics_path)];
    pthread_mutex_lock(&rw_lg_process.turn);
    memcpy(path, e->config.metrics_path, sizeof(path));
    pthread_mutex_unlock(&rw_lg_process.turn);
    int rc = path[0] ? rw_lg_metrics_write(path) : RW_OK;
    if (rc && rc != *told)
        rollway_to(e->own, ROLLWAY_WARN, "the metrics can not be written", "path", path, "why",
                   rw_code_text(rc));
    *told = rc;
}

static void *run(void *arg)
{
    struct rw_lg_engine *e = arg;
    int told = 0;
    rw_os_task_name("rollway-care");
    rw_lg_self.collects = 1; /* what it has to say must not wait for a ring */
    while (!atomic_load(&e->stop_care)) {
        unsigned n = atomic_load(&signals);
        if (n != atomic_exchange(&seen, n))
            read_again(e);
        write_metrics(e, &told);
        int64_t ns = atomic_load(&e->care_ns);
        struct timespec until = rw_lg_until(rw_os_mono_ns() + ns);
        (void)sem_clockwait(&wake, CLOCK_MONOTONIC, &until);
    }
    write_metrics(e, &told);
    return NULL;
}

int rw_lg_care_start(struct rw_lg_engine *e)
{
    atomic_store(&e->care_ns, e->config.metrics_ms * 1000000);
    if (e->cares || (!taken && !e->config.metrics_path[0]))
        return RW_OK;
    int rc = rw_lg_start_thread(&e->care_thread, run, e);
    e->cares = !rc;
    return rc;
}

void rw_lg_care_stop(struct rw_lg_engine *e)
{
    /* A signal that the settings took goes back with them; one that the program gave stays. */
    if (e->config.reload_signal && e->config.reload_signal == taken)
        give_back();
    if (!e->cares)
        return;
    atomic_store(&e->stop_care, true);
    (void)sem_post(&wake);
    pthread_join(e->care_thread, NULL);
    e->cares = false;
}

int rollway_logger_reload_on(int signal_number)
{
    rw_lg_once();
    pthread_mutex_lock(&rw_lg_process.admin);
    int rc = signal_number < 0 ? RW_E_INVAL : rw_lg_care_signal(signal_number);
    if (!rc && rw_lg_running())
        rc = rw_lg_care_start(rw_lg_running());
    pthread_mutex_unlock(&rw_lg_process.admin);
    return rc;
}
