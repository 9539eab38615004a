/* NanoLog in its C++17 form: a binary file, which its own decompressor turns into text afterwards. */
#include <array>
#include "NanoLogCpp17.h"

using namespace NanoLog::LogLevels;

static void loggers_start(const char *path)
{
    NanoLog::setLogFile(path);
    NanoLog::setLogLevel(NOTICE);
}

static void loggers_thread()
{
    NanoLog::preallocate();
}

static void loggers_stop()
{
    NanoLog::sync();
}

#define LOGGERS_NAME             "nanolog"
#define LOGGERS_NUMBERS(a, b, c) NANO_LOG(NOTICE, "a message with numbers a=%d b=%d c=%g", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    NANO_LOG(NOTICE, "order accepted user=%d total=%g ip=%s path=%s", user, total, ip, path)
#include "measure.h"
