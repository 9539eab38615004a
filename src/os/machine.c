/* Cores and memory, as the scheduler and the control group (cgroup v2) grant them. */
#include "os/machine.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int rw_os_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
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
