/* spdlog, asynchronous as it comes: one queue of 8,192 records for all threads, whoever finds it full waits. */
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

static std::shared_ptr<spdlog::logger> logger;

static void loggers_start(const char *path)
{
    logger = spdlog::basic_logger_mt<spdlog::async_factory>("bench", path, true);
}

static void loggers_thread()
{
}

static void loggers_stop()
{
    logger->flush();
    logger.reset();
    spdlog::shutdown();
}

#define LOGGERS_NAME "spdlog"
#define LOGGERS_NUMBERS(a, b, c)                                                                   \
    SPDLOG_LOGGER_INFO(logger, "a message with numbers a={} b={} c={}", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    SPDLOG_LOGGER_INFO(logger, "order accepted user={} total={} ip={} path={}", user, total, ip,   \
                       path)
#include "measure.h"
