/* Descriptors and paths of a library that lives in somebody else's process. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "os/os.h"

int rw_os_fd_apart(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int saved = errno, apart = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (apart < 0)
        saved = errno;
    close(fd);
    errno = saved;
    return apart;
}

int rw_os_working_dir(char *ret, size_t n)
{
    return getcwd(ret, n) ? RW_OK : rw_os_fail(errno, "find the working directory", NULL);
}
