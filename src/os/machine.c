/* Cores and memory, as the scheduler and the control group (cgroup v2) grant them. */
#include "os/machine.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int rw_os_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

int64_t rw_os_files_max(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l))
        return 1024;
    rlim_t before = l.rlim_cur;
    l.rlim_cur = l.rlim_max;
    if (before < l.rlim_max && setrlimit(RLIMIT_NOFILE, &l))
        l.rlim_cur = before;
    return l.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)l.rlim_cur;
}

/* The number in a file; 0 when there is none (it may say "max"). */
static uint64_t number_in(const char *path)
{
    unsigned long long v = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    int n = fscanf(f, "%llu", &v);
    fclose(f);
    return n == 1 ? v : 0;
}

uint64_t rw_os_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    uint64_t granted = number_in("/sys/fs/cgroup/memory.max");
    if (granted && (!all || granted < all))
        return granted;
    return all;
}
