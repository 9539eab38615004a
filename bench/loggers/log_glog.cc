/* glog, which writes in the calling thread. */
#include <glog/logging.h>

static void loggers_start(const char *path)
{
    google::SetLogDestination(google::INFO, path);
    FLAGS_logtostderr = false;
    FLAGS_alsologtostderr = false;
    FLAGS_timestamp_in_logfile_name = false;
    google::InitGoogleLogging("bench");
}

static void loggers_thread()
{
}

static void loggers_stop()
{
    google::FlushLogFiles(google::INFO);
    google::ShutdownGoogleLogging();
}

#define LOGGERS_NAME "glog"
#define LOGGERS_NUMBERS(a, b, c)                                                                   \
    LOG(INFO) << "a message with numbers a=" << (a) << " b=" << (b) << " c=" << (c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    LOG(INFO) << "order accepted user=" << (user) << " total=" << (total) << " ip=" << (ip)        \
              << " path=" << (path)
#include "measure.h"
