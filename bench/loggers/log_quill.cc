/* quill, as it comes: unbounded queue of each thread, time stamp counter, a back end that rests 100 us. */
#include "quill/Backend.h"
#include "quill/Frontend.h"
#include "quill/LogMacros.h"
#include "quill/Logger.h"
#include "quill/sinks/FileSink.h"

static quill::Logger *logger;

static void loggers_start(const char *path)
{
    quill::Backend::start();
    auto sink = quill::Frontend::create_or_get_sink<quill::FileSink>(path);
    logger = quill::Frontend::create_or_get_logger("bench", std::move(sink));
}

static void loggers_thread()
{
    quill::Frontend::preallocate();
}

static void loggers_stop()
{
    logger->flush_log();
    quill::Backend::stop();
}

#define LOGGERS_NAME             "quill"
#define LOGGERS_NUMBERS(a, b, c) LOG_INFO(logger, "a message with numbers a={} b={} c={}", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    LOG_INFO(logger, "order accepted user={} total={} ip={} path={}", user, total, ip, path)
#include "measure.h"
