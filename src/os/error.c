/*
 * errno to result codes, and the memory of the last failure in words. The codes say what a caller
 * can do; the words say to a person what happened, which a code can not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/os.h"

int rw_os_code(int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return RW_E_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return RW_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return RW_E_PERM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* RLIMIT_FSIZE or the file system's largest file: no room here either */
        return RW_E_FULL;
    case EMFILE:
    case ENFILE:
    case ENOLCK:
    case EMLINK:
        return RW_E_LIMIT;
    case ENOMEM:
        return RW_E_NOMEM;
    case ETXTBSY:
    case EBUSY:
        return RW_E_LOCKED;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case EBADF:
        return RW_E_INVAL;
    case EOPNOTSUPP:
    case ENOSYS:
        return RW_E_UNSUPPORTED;
    default:
        return RW_E_IO;
    }
}

/* Per thread, like errno itself. */
static _Thread_local char last_error[512];

int rw_os_fail(int err, const char *op, const char *path)
{
    char text[128];
    /* The GNU variant: may return static words instead of filling the buffer. */
    const char *words = strerror_r(err, text, sizeof(text));
    snprintf(last_error, sizeof(last_error), "%s%s%s: %s", op, path ? " " : "", path ? path : "",
             words);
    return rw_os_code(err);
}

const char *rw_os_last_error(void)
{
    return last_error;
}
