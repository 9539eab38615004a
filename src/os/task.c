/* Threads, as the system sees them. */
#include "os/task.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "os/os.h"

uint32_t rw_os_task_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

uint32_t rw_os_process_id(void)
{
    return (uint32_t)getpid();
}

void rw_os_barrier_all_threads(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
        return;
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

const char *rw_os_program(void)
{
    return program_invocation_short_name;
}

void rw_os_task_name(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}

int rw_os_cancel_hold(void)
{
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void rw_os_cancel_release(const int *held)
{
    (void)pthread_setcancelstate(*held, NULL);
}

void rw_os_write_stderr(const char *p, size_t n)
{
    RW_OS_NOT_CANCELLED;
    int saved = errno;
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        p += done;
        n -= (size_t)done;
    }
    errno = saved;
}

/* Ours, and nobody else can put files there. */
static int own_dir(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return rw_os_fail(errno, "create", path);
    if (lstat(path, &st) != 0)
        return rw_os_fail(errno, "stat", path);
    return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 0022) ? RW_OK
                                                                                 : RW_E_PERM;
}

int rw_os_run_dir(char *ret, size_t n)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    int rc = RW_E_NOT_FOUND;
    if (run && run[0] == '/') {
        if (snprintf(ret, n, "%s/rollway", run) >= (int)n)
            return RW_E_TOO_BIG;
        rc = own_dir(ret);
    }
    static const char *const places[] = {"/dev/shm", "/tmp"};
    for (int i = 0; i < 2 && rc; i++) {
        if (snprintf(ret, n, "%s/rollway-%u", places[i], (unsigned)geteuid()) >= (int)n)
            return RW_E_TOO_BIG;
        rc = own_dir(ret);
    }
    return rc;
}

int rw_os_state_dir(char *ret, size_t n)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len = state && state[0] == '/' ? snprintf(ret, n, "%s/rollway", state)
              : geteuid() == 0         ? snprintf(ret, n, "/var/lib/rollway/spool")
              : home && home[0] == '/' ? snprintf(ret, n, "%s/.local/state/rollway", home)
                                       : -1;
    return len < 0 ? RW_E_NOT_FOUND : (size_t)len >= n ? RW_E_TOO_BIG : RW_OK;
}

void rw_os_task_idle(void)
{
    /* Each of them may be refused, and then it is only not as idle. IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE: no header has them. */
    (void)sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
    (void)syscall(SYS_ioprio_set, 1, 0, 3 << 13);
}
