/* fmtlog, as it comes (a full queue loses the record), with a polling thread that rests 100 us as quill's does. */
#include "fmtlog.h"

static void loggers_start(const char *path)
{
    fmtlog::setLogFile(path, true);
    fmtlog::startPollingThread(100000);
}

static void loggers_thread()
{
    fmtlog::preallocate();
}

static void loggers_stop()
{
    fmtlog::stopPollingThread();
    fmtlog::poll(true);
    fmtlog::closeLogFile();
}

#define LOGGERS_NAME             "fmtlog"
#define LOGGERS_NUMBERS(a, b, c) logi("a message with numbers a={} b={} c={}", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    logi("order accepted user={} total={} ip={} path={}", user, total, ip, path)
#include "measure.h"
