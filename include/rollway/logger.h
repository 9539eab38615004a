/*
 * rollway/logger.h - logging for applications that must neither wait for their log nor lose a line.
 *
 *     rollway_logger_start(NULL);                                  standard error, logfmt, INFO
 *     rollway_info("order accepted", "user", uid, "total", 12.5, "ip", ip);
 *     rollway_warnf("cache %s is %d %% full", name, percent);
 *     rollway_logger_close(5000);
 *
 * A call copies its arguments into a ring that belongs to the calling thread alone and returns: no lock, no
 * system call, no allocation, no formatting. Threads of the library collect the rings, format and write.
 * The rings lie in a file that is mapped shared (in memory, unless told otherwise): when the process is
 * killed, they stay, and the next start of the same application, or `rollway logger rescue`, writes what was
 * logged and not yet written.
 *
 * Fields are pairs of a key (a string literal) and a value; the value's type is known to the compiler: integers,
 * floating point, bool, char, text (`char *`, NULL allowed), pointers, ROLLWAY_TEXT(p, n), ROLLWAY_BYTES(p, n), and
 * ROLLWAY_ERRNO, which stands for a whole pair. At most 16 pairs. C11 and C++11; in C99 the calls that end in f,
 * which take a printf format (its arguments are copied; all conversions but %n and wide text).
 *
 * Settings are lines of text, "key = value", from a file, from the options of rollway_logger_start() and from the
 * environment (ROLLWAY_LOG="level=debug; level.net=info"): docs/logger.md lists them.
 *
 * Threads: everything may be called from any thread at any time: before start and after close too, when records go to
 * standard error at once, from WARN on. From signal handlers: the logging calls, nothing else. After fork() the child has a
 * logger of its own with the same settings, whose threads start with its first record; nothing of the parent's is
 * written twice. A logging call leaves errno as it was.
 *
 * C99 and C++ clean. Errors are the ROLLWAY_E_* of rollway/log.h.
 */
#ifndef ROLLWAY_LOGGER_H
#define ROLLWAY_LOGGER_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <type_traits>
extern "C" {
#endif

#if defined(__GNUC__)
#ifndef ROLLWAY_API
#define ROLLWAY_API __attribute__((visibility("default")))
#endif
#define ROLLWAY_PRINTF_(a, b) __attribute__((format(printf, a, b)))
#define ROLLWAY_COLD_         __attribute__((cold))
#else
#error "rollway/logger.h needs gcc or clang"
#endif

enum rollway_level {
    ROLLWAY_TRACE,
    ROLLWAY_DEBUG,
    ROLLWAY_INFO,
    ROLLWAY_WARN,
    ROLLWAY_ERROR,
    ROLLWAY_FATAL, /* for the last words of a program; the call itself ends nothing */
    ROLLWAY_OFF    /* as a threshold: nothing */
};

/* ---- loggers ---- */

/* Records below `level` are not taken. Only rollway_logger_*() changes it. */
struct rollway_logger {
    int level; /* enum rollway_level; read without a lock */
    unsigned id;
    const char *name;
};

/* The one that the macros use, with the empty name. A source file that wants another defines ROLLWAY_LOGGER before it
 * includes this header: #define ROLLWAY_LOGGER net_logger */
extern ROLLWAY_API struct rollway_logger rollway_default_logger;
#ifndef ROLLWAY_LOGGER
#define ROLLWAY_LOGGER (&rollway_default_logger)
#endif
/* Call sites below this level are not compiled. */
#ifndef ROLLWAY_LEVEL_MIN
#define ROLLWAY_LEVEL_MIN ROLLWAY_TRACE
#endif

/* The logger of this name, the same one for the same name; it lives as long as the process. Names are made of parts
 * with dots between ("net.http"): a setting for "net" holds for it as well. At most 63 bytes; a longer one is cut. When
 * there are too many (1,000) the default logger. */
ROLLWAY_API struct rollway_logger *rollway_logger_get(const char *name);

/* ---- logging ---- */

#define rollway_trace(...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_TRACE, 0, 0, __VA_ARGS__)
#define rollway_debug(...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_DEBUG, 0, 0, __VA_ARGS__)
#define rollway_info(...)  ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_INFO, 0, 0, __VA_ARGS__)
#define rollway_warn(...)  ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_WARN, 0, 0, __VA_ARGS__)
#define rollway_error(...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_ERROR, 0, 0, __VA_ARGS__)
#define rollway_fatal(...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, ROLLWAY_FATAL, 0, 0, __VA_ARGS__)
/* To another logger, at a level that is a constant. */
#define rollway_to(logger, level, ...) ROLLWAY_EMIT_(logger, level, 0, 0, __VA_ARGS__)
/* At most once in `ms` milliseconds from this call site; the next one carries "suppressed", how many were not. */
#define rollway_every(ms, level, ...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, level, ms, 0, __VA_ARGS__)
/* One of every n from this call site; it carries "sample", n. */
#define rollway_sample(n, level, ...) ROLLWAY_EMIT_(ROLLWAY_LOGGER, level, 0, n, __VA_ARGS__)

#define rollway_tracef(...)             ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_TRACE, 0, 0, __VA_ARGS__)
#define rollway_debugf(...)             ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_DEBUG, 0, 0, __VA_ARGS__)
#define rollway_infof(...)              ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_INFO, 0, 0, __VA_ARGS__)
#define rollway_warnf(...)              ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_WARN, 0, 0, __VA_ARGS__)
#define rollway_errorf(...)             ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_ERROR, 0, 0, __VA_ARGS__)
#define rollway_fatalf(...)             ROLLWAY_EMITF_(ROLLWAY_LOGGER, ROLLWAY_FATAL, 0, 0, __VA_ARGS__)
#define rollway_tof(logger, level, ...) ROLLWAY_EMITF_(logger, level, 0, 0, __VA_ARGS__)
#define rollway_everyf(ms, level, ...)  ROLLWAY_EMITF_(ROLLWAY_LOGGER, level, ms, 0, __VA_ARGS__)
#define rollway_samplef(n, level, ...)  ROLLWAY_EMITF_(ROLLWAY_LOGGER, level, 0, n, __VA_ARGS__)

/* True when a record of this level would be taken: for what is dear to compute. */
#ifdef __cplusplus
#define ROLLWAY_INT_(v) static_cast<int>(v)
#define ROLLWAY_NONE_   nullptr
#else
#define ROLLWAY_INT_(v) ((int)(v))
#define ROLLWAY_NONE_   0
#endif
#define rollway_wanted(logger, level_)                                                             \
    (ROLLWAY_INT_(level_) >= ROLLWAY_INT_(ROLLWAY_LEVEL_MIN) &&                                    \
     ROLLWAY_INT_(level_) >= __atomic_load_n(&(logger)->level, __ATOMIC_RELAXED))

/* Text that is not NUL-terminated; bytes, written in hexadecimal; errno and its words. */
struct rollway_text {
    const char *p;
    size_t n;
};
struct rollway_bytes {
    const void *p;
    size_t n;
};
struct rollway_errno {
    int value;
};

/* ---- context: fields of every record of this thread from now on ---- */

/* Sets a field; NULL takes it away. At most 8 fields and 256 bytes in all: INVAL beyond. */
ROLLWAY_API int rollway_context_set(const char *key, const char *value);
ROLLWAY_API void rollway_context_clear(void);

/* ---- starting, flushing, ending ---- */

/* Zero-initialise, set `size`, set what you want. */
struct rollway_logger_options {
    size_t size;          /* sizeof(struct rollway_logger_options): lets the struct grow */
    const char *name;     /* the application; default: the program's name */
    const char *file;     /* settings from this file; default: none */
    const char *settings; /* settings as text, one in a line; they win over the file's */
};

/* Starts logging for the process. `options` may be NULL. INVAL (a setting is wrong, or `size` is not set: rollway_logger_error() says which, in
 * words), EXISTS as INVAL when it runs already, NOT_FOUND and PERM for the file, NOMEM, LIMIT (no thread). When it
 * fails, records go to standard error as before. */
ROLLWAY_API int rollway_logger_start(const struct rollway_logger_options *options);
/* Reads the settings file again: levels, rules and appenders change, and what was queued is written to the old ones first. On an error
 * everything stays as it was. */
ROLLWAY_API int rollway_logger_reload(void);
/* From now on this signal (SIGHUP) has the settings read again, by a thread of the library; how that went is told in the log, by the logger
 * "rollway". A handler that was there is called as well. 0: no longer, and the handler from before is back. The library never takes a
 * signal without being asked, here or by the setting "reload = SIGHUP". INVAL: not a signal that can be caught. */
ROLLWAY_API int rollway_logger_reload_on(int signal_number);
/* Opens the files of all appenders again, after somebody has moved them. (They find out themselves within a second.) */
ROLLWAY_API void rollway_logger_reopen(void);
/* Waits until what this process logged before the call was written by every appender (and synced, where one is set to),
 * at most timeout_ms (-1: without limit). TIMEOUT. */
ROLLWAY_API int rollway_logger_flush(int timeout_ms);
/* Flushes, ends the threads, takes the rings away. Returns how many records were not written because the time was over:
 * they stay in the file of the rings and are written by the next start, but for those that a full journal had pushed out into memory. */
ROLLWAY_API int64_t rollway_logger_close(int timeout_ms);
/* What the last failure of a start, a reload or a flush on this thread was about. "" when there was none. */
ROLLWAY_API const char *rollway_logger_error(void);

/* The level of a logger and those below it ("net" and "net.http"; "" is all), until the settings are read again. INVAL. */
ROLLWAY_API int rollway_logger_set_level(const char *name, int level);
/* Switches call sites on or off whatever the levels say: by a pattern with * for file, function or both
 * ("src/net/" "*.c", "parse_*"); NULL matches all. `on`: 1, 0, or -1, by level again. Returns how many call sites it concerns
 * now; it holds for those that come later. */
ROLLWAY_API int rollway_logger_switch(const char *file, const char *function, int on);

enum { ROLLWAY_LEVELS = 6 };

/* Since the start. */
struct rollway_logger_stats {
    size_t size; /* set by the caller: sizeof(struct rollway_logger_stats) */
    uint64_t
        accepted; /* records that were taken from the rings: a call's is, within milliseconds */
    uint64_t
        dropped[ROLLWAY_LEVELS]; /* by level: the ring was full, or a signal came inside a call */
    uint64_t suppressed; /* held back by rollway_every, rollway_sample and limits of settings */
    uint64_t blocked;    /* calls that had to wait */
    uint64_t blocked_ns; /* and how long in all */
    uint64_t truncated;  /* records that were too large and were cut */
    uint64_t rings;      /* rings in use */
    uint64_t ring_bytes_peak; /* most bytes that waited in one ring */
    uint64_t written;         /* records written, summed over the appenders */
    uint64_t failed;          /* records that appenders gave up, summed */
    uint64_t rescued;         /* records of an earlier process that was killed */
};
ROLLWAY_API void rollway_logger_get_stats(struct rollway_logger_stats *stats);

enum rollway_breaker { ROLLWAY_BREAKER_CLOSED, ROLLWAY_BREAKER_OPEN, ROLLWAY_BREAKER_HALF_OPEN };

/* What became of the records that an appender was for: written, failed, dropped, or waiting. Counts outlive a reload when the appender keeps its name. */
struct rollway_logger_appender_stats {
    size_t size; /* set by the caller: sizeof(struct rollway_logger_appender_stats) */
    char name[64];
    char type[16];
    uint64_t written; /* given to the destination; for a broker, put into the spool */
    uint64_t failed;  /* given up: they could not be formatted, or a callback refused them */
    uint64_t dropped[ROLLWAY_LEVELS]; /* by level: the journal was full */
    uint64_t lost;          /* of those written: given up later (the spool was full, or damaged) */
    uint64_t bytes;         /* of what was written */
    uint64_t writes;        /* how many times something was written */
    uint64_t errors;        /* attempts that failed */
    uint64_t waiting;       /* records that were taken from the journal and not yet written */
    uint64_t waiting_bytes; /* of the journal, whosever records these are */
    int breaker;            /* enum rollway_breaker */
    int last_error;         /* ROLLWAY_E_*; 0: none yet */
    int64_t last_error_ns;  /* Unix time */
    char last_error_text[64];
    /* A broker's: */
    uint64_t sent;       /* records that the broker has */
    uint64_t sent_twice; /* of these: may be there twice */
    uint64_t retried;    /* attempts to send that failed */
    uint64_t dead;       /* records in the dead-letter topic */
    uint64_t spooled_bytes;
};
/* The i-th appender, from 0. NOT_FOUND: there are fewer, or the logger does not run. */
ROLLWAY_API int rollway_logger_get_appender_stats(unsigned i,
                                                  struct rollway_logger_appender_stats *stats);
/* All of it as Prometheus text (exposition format 0.0.4), NUL-terminated when there is room for it. Returns how many bytes it takes without
 * the NUL, as snprintf() does. docs/logger.md lists the names. */
ROLLWAY_API size_t rollway_logger_metrics(char *out, size_t size);

/* What a memory appender of this name has kept: copies the newest whole lines that fit into `size` bytes to `out`, *ret_n bytes (no NUL
 * behind them), and returns how many bytes it has in all. 0: nothing, or no such appender. Not for signal handlers. */
ROLLWAY_API size_t rollway_logger_memory(const char *appender, char *out, size_t size,
                                         size_t *ret_n);

/* One record, for callbacks and formatters of the program; valid during the call. */
struct rollway_event;
/* Called by the thread of the appender for each record. Not 0: the record failed and is counted so. */
typedef int (*rollway_callback)(void *arg, const struct rollway_event *event);
/* Writes at most `size` bytes of the line, its newline included; returns how many it takes (more than size: it is called
 * again with more room). */
typedef size_t (*rollway_formatter)(void *arg, const struct rollway_event *event, char *out,
                                    size_t size);
/* Names for "appender.x.type = callback" with "appender.x.callback = name", and "appender.x.format = name". Before start. INVAL. */
ROLLWAY_API int rollway_logger_add_callback(const char *name, rollway_callback callback, void *arg);
ROLLWAY_API int rollway_logger_add_formatter(const char *name, rollway_formatter formatter,
                                             void *arg);
ROLLWAY_API int64_t rollway_event_time_ns(const struct rollway_event *event); /* Unix time */
ROLLWAY_API int rollway_event_level(const struct rollway_event *event);
ROLLWAY_API const char *rollway_event_logger(const struct rollway_event *event);
ROLLWAY_API const char *rollway_event_file(const struct rollway_event *event);
ROLLWAY_API int rollway_event_line(const struct rollway_event *event);
ROLLWAY_API int rollway_event_thread(const struct rollway_event *event); /* the system's id of it */
/* The message, formatted, cut to size - 1 bytes and NUL-terminated; returns its whole length. */
ROLLWAY_API size_t rollway_event_message(const struct rollway_event *event, char *out, size_t size);
/* The i-th field (those of the context first) as text in the same way; 0 and *ret_key NULL when there are fewer. */
ROLLWAY_API size_t rollway_event_field(const struct rollway_event *event, unsigned i,
                                       const char **ret_key, char *out, size_t size);

/* ---- what the macros are made of; nothing below is for direct use ---- */

enum {
    ROLLWAY_T_INT_ = 1,
    ROLLWAY_T_UINT_,
    ROLLWAY_T_DOUBLE_,
    ROLLWAY_T_FLOAT_, /* the bits of a double, written with the digits that a float has */
    ROLLWAY_T_BOOL_,
    ROLLWAY_T_CHAR_,
    ROLLWAY_T_POINTER_,
    ROLLWAY_T_ERRNO_,
    ROLLWAY_T_CSTR_, /* from here on the value has a length of its own */
    ROLLWAY_T_TEXT_,
    ROLLWAY_T_BYTES_
};

struct rollway_site_field {
    const char *key;
    unsigned char type;
};

/* A call site: what is known about it before it runs, and its switch. What each call looks at comes first, in one cache line. */
struct rollway_site {
    unsigned char level, n_fields;
    signed char gate; /* taken when the logger's level is at most this; 127 until its first run */
    unsigned char limited;
    unsigned id;              /* 0: not registered */
    unsigned long long quick; /* the head of its records; 0: something is in their way */
    unsigned long long
        follow; /* four bits for each field: its type, when more than its bits is to be copied */
    const char *message; /* or the format */
    const char *file;
    const char *function;
    const struct rollway_site_field *fields; /* NULL: a format */
    unsigned line;
    unsigned every_ms, sample;
    unsigned suppressed, counted;
    unsigned long long due_ns;
    unsigned long long mark; /* that it is this one, and not what was loaded over it */
} __attribute__((aligned(16)));

/* So many values, in registers; with more of them, in memory. */
ROLLWAY_API void rollway_put0_(struct rollway_site *site, const struct rollway_logger *logger);
ROLLWAY_API void rollway_put1_(struct rollway_site *site, const struct rollway_logger *logger,
                               unsigned long long a);
ROLLWAY_API void rollway_put2_(struct rollway_site *site, const struct rollway_logger *logger,
                               unsigned long long a, unsigned long long b);
ROLLWAY_API void rollway_put3_(struct rollway_site *site, const struct rollway_logger *logger,
                               unsigned long long a, unsigned long long b, unsigned long long c);
ROLLWAY_API void rollway_put4_(struct rollway_site *site, const struct rollway_logger *logger,
                               unsigned long long a, unsigned long long b, unsigned long long c,
                               unsigned long long d);
ROLLWAY_API void rollway_put_(struct rollway_site *site, const struct rollway_logger *logger,
                              const unsigned long long *values);
ROLLWAY_API void rollway_putf_(struct rollway_site *site, const struct rollway_logger *logger,
                               const char *format, ...) ROLLWAY_PRINTF_(3, 4);

static inline int rollway_gate_(const struct rollway_site *site,
                                const struct rollway_logger *logger)
{
    return __atomic_load_n(&logger->level, __ATOMIC_RELAXED) <=
           __atomic_load_n(&site->gate, __ATOMIC_RELAXED);
}

/* `values` has at least 4; n is a constant, so that the compiler keeps one of these calls, and no array. */
static inline __attribute__((always_inline)) void rollway_emit_(struct rollway_site *site,
                                                                const struct rollway_logger *logger,
                                                                const unsigned long long *values,
                                                                size_t n)
{
    if (n == 0)
        rollway_put0_(site, logger);
    else if (n == 1)
        rollway_put1_(site, logger, values[0]);
    else if (n == 2)
        rollway_put2_(site, logger, values[0], values[1]);
    else if (n == 3)
        rollway_put3_(site, logger, values[0], values[1], values[2]);
    else if (n == 4)
        rollway_put4_(site, logger, values[0], values[1], values[2], values[3]);
    else
        rollway_put_(site, logger, values);
}

/* Before a message and a key stands "": what is not a literal does not compile. It would be read once, and kept for all calls. */
#define ROLLWAY_FIRST_(...)         ROLLWAY_FIRST__(__VA_ARGS__, 0)
#define ROLLWAY_FIRST__(first, ...) first
#define ROLLWAY_SITE_(level_, every_, sample_, message_, fields_, n_)                              \
    {                                                                                              \
        level_, n_, 127, (every_) || (sample_), 0, 0, 0, "" message_, __FILE__, __func__, fields_, \
            __LINE__, every_, sample_, 0, 0, 0, 0                                                  \
    }

#define ROLLWAY_EMITF_(logger, level, every, sample, ...)                                          \
    do {                                                                                           \
        if (ROLLWAY_INT_(level) >= ROLLWAY_INT_(ROLLWAY_LEVEL_MIN)) {                              \
            static struct rollway_site rollway_site_ = ROLLWAY_SITE_(                              \
                level, every, sample, ROLLWAY_FIRST_(__VA_ARGS__), ROLLWAY_NONE_, 0);              \
            const struct rollway_logger *const rollway_logger_ = (logger);                         \
            if (rollway_gate_(&rollway_site_, rollway_logger_))                                    \
                rollway_putf_(&rollway_site_, rollway_logger_, __VA_ARGS__);                       \
        }                                                                                          \
    } while (0)

/* ROLLWAY_PAIRS_(M, message, k1, v1, ...) is M(k1, v1) M(k2, v2) ...; a key without a value does not compile. */
#define ROLLWAY_PAIRS_(M, ...)                                                                     \
    ROLLWAY_PICK_(__VA_ARGS__, ROLLWAY_P16_, ROLLWAY_ODD_, ROLLWAY_P15_, ROLLWAY_ODD_,             \
                  ROLLWAY_P14_, ROLLWAY_ODD_, ROLLWAY_P13_, ROLLWAY_ODD_, ROLLWAY_P12_,            \
                  ROLLWAY_ODD_, ROLLWAY_P11_, ROLLWAY_ODD_, ROLLWAY_P10_, ROLLWAY_ODD_,            \
                  ROLLWAY_P9_, ROLLWAY_ODD_, ROLLWAY_P8_, ROLLWAY_ODD_, ROLLWAY_P7_, ROLLWAY_ODD_, \
                  ROLLWAY_P6_, ROLLWAY_ODD_, ROLLWAY_P5_, ROLLWAY_ODD_, ROLLWAY_P4_, ROLLWAY_ODD_, \
                  ROLLWAY_P3_, ROLLWAY_ODD_, ROLLWAY_P2_, ROLLWAY_ODD_, ROLLWAY_P1_, ROLLWAY_ODD_, \
                  ROLLWAY_P0_, 0)                                                                  \
    (M, __VA_ARGS__, 0)
#define ROLLWAY_PICK_(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16,    \
                      a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31,   \
                      a32, pick, ...)                                                              \
    pick
#define ROLLWAY_ODD_(M, ...) rollway_a_key_has_no_value_
#define ROLLWAY_P0_(M, m, ...)
#define ROLLWAY_P1_(M, m, k, v, ...)  M(k, v)
#define ROLLWAY_P2_(M, m, k, v, ...)  M(k, v) ROLLWAY_P1_(M, m, __VA_ARGS__)
#define ROLLWAY_P3_(M, m, k, v, ...)  M(k, v) ROLLWAY_P2_(M, m, __VA_ARGS__)
#define ROLLWAY_P4_(M, m, k, v, ...)  M(k, v) ROLLWAY_P3_(M, m, __VA_ARGS__)
#define ROLLWAY_P5_(M, m, k, v, ...)  M(k, v) ROLLWAY_P4_(M, m, __VA_ARGS__)
#define ROLLWAY_P6_(M, m, k, v, ...)  M(k, v) ROLLWAY_P5_(M, m, __VA_ARGS__)
#define ROLLWAY_P7_(M, m, k, v, ...)  M(k, v) ROLLWAY_P6_(M, m, __VA_ARGS__)
#define ROLLWAY_P8_(M, m, k, v, ...)  M(k, v) ROLLWAY_P7_(M, m, __VA_ARGS__)
#define ROLLWAY_P9_(M, m, k, v, ...)  M(k, v) ROLLWAY_P8_(M, m, __VA_ARGS__)
#define ROLLWAY_P10_(M, m, k, v, ...) M(k, v) ROLLWAY_P9_(M, m, __VA_ARGS__)
#define ROLLWAY_P11_(M, m, k, v, ...) M(k, v) ROLLWAY_P10_(M, m, __VA_ARGS__)
#define ROLLWAY_P12_(M, m, k, v, ...) M(k, v) ROLLWAY_P11_(M, m, __VA_ARGS__)
#define ROLLWAY_P13_(M, m, k, v, ...) M(k, v) ROLLWAY_P12_(M, m, __VA_ARGS__)
#define ROLLWAY_P14_(M, m, k, v, ...) M(k, v) ROLLWAY_P13_(M, m, __VA_ARGS__)
#define ROLLWAY_P15_(M, m, k, v, ...) M(k, v) ROLLWAY_P14_(M, m, __VA_ARGS__)
#define ROLLWAY_P16_(M, m, k, v, ...) M(k, v) ROLLWAY_P15_(M, m, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#if defined(__cplusplus)

namespace rollway
{
namespace detail
{
template <class Value, bool = std::is_enum<Value>::value> struct number {
    typedef Value type;
};
template <class Value> struct number<Value, true> {
    typedef typename std::underlying_type<Value>::type type;
};
template <class Value> struct is_cstr {
    static const bool value =
        std::is_same<Value, char *>::value || std::is_same<Value, const char *>::value
#ifdef __cpp_char8_t
        || std::is_same<Value, char8_t *>::value || std::is_same<Value, const char8_t *>::value
#endif
        ;
};
/* The type of a field; what has data() and size() is text. */
template <class Value> struct type {
    static const unsigned char value =
        std::is_same<Value, bool>::value   ? ROLLWAY_T_BOOL_
        : std::is_same<Value, char>::value ? ROLLWAY_T_CHAR_
        : std::is_signed<typename number<Value>::type>::value &&
                !std::is_floating_point<Value>::value
            ? ROLLWAY_T_INT_
        : std::is_integral<typename number<Value>::type>::value ? ROLLWAY_T_UINT_
        : std::is_same<Value, float>::value                     ? ROLLWAY_T_FLOAT_
        : std::is_floating_point<Value>::value                  ? ROLLWAY_T_DOUBLE_
        : is_cstr<Value>::value                                 ? ROLLWAY_T_CSTR_
        : std::is_pointer<Value>::value || std::is_same<Value, decltype(nullptr)>::value
            ? ROLLWAY_T_POINTER_
        : std::is_same<Value, rollway_bytes>::value ? ROLLWAY_T_BYTES_
        : std::is_same<Value, rollway_errno>::value ? ROLLWAY_T_ERRNO_
                                                    : ROLLWAY_T_TEXT_;
};

struct slot {
    rollway_text text;
};
template <class Value>
inline typename std::enable_if<std::is_integral<Value>::value || std::is_enum<Value>::value,
                               unsigned long long>::type
bits(const Value &v, slot &)
{
    static_assert(sizeof(Value) <= sizeof(long long), "a field has at most 64 bits");
    return static_cast<unsigned long long>(static_cast<long long>(v));
}
template <class Value>
inline typename std::enable_if<std::is_floating_point<Value>::value, unsigned long long>::type bits(
    const Value &v, slot &)
{
    double d = static_cast<double>(v);
    unsigned long long u;
    __builtin_memcpy(&u, &d, sizeof(u));
    return u;
}
template <class Value> inline unsigned long long address(Value *p)
{
    return static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(p));
}
inline unsigned long long bits(const decltype(nullptr) &, slot &)
{
    return 0;
}
template <class Value> inline unsigned long long bits(Value *const &v, slot &)
{
    return address(v);
}
template <class Value, size_t count> inline unsigned long long bits(const Value (&v)[count], slot &)
{
    return address(v);
}
inline unsigned long long bits(const rollway_text &v, slot &)
{
    return address(&v);
}
inline unsigned long long bits(const rollway_bytes &v, slot &)
{
    return address(&v);
}
inline unsigned long long bits(const rollway_errno &v, slot &)
{
    return address(&v);
}
template <class Value>
inline auto bits(const Value &v, slot &s) -> decltype(v.data(), v.size(), 0ULL)
{
    s.text.p = v.data();
    s.text.n = v.size();
    return address(&s.text);
}
template <class... Values>
inline void put(rollway_site *site, const rollway_logger *logger, const Values &...v)
{
    slot slots[sizeof...(Values) + 1];
    unsigned i = 0;
    const unsigned long long values[sizeof...(Values) + 4] = {bits(v, slots[i++])...};
    static_cast<void>(slots), static_cast<void>(i); /* without fields nobody reads them */
    rollway_emit_(site, logger, values, sizeof...(Values));
}
} // namespace detail
} // namespace rollway

#define ROLLWAY_TEXT(p, n)  (rollway_text{(p), (n)})
#define ROLLWAY_BYTES(p, n) (rollway_bytes{(p), (n)})
#define ROLLWAY_ERRNO       "error", (rollway_errno{errno})
#define ROLLWAY_FIELD_(k, v)                                                                       \
    {"" k, ::rollway::detail::type<typename std::decay<decltype(v)>::type>::value},
#define ROLLWAY_VALUE_(k, v) , (v)
#define ROLLWAY_PUT_(site, logger, ...)                                                            \
    ::rollway::detail::put(site, logger ROLLWAY_PAIRS_(ROLLWAY_VALUE_, __VA_ARGS__))

#elif __STDC_VERSION__ >= 201112L

static inline unsigned long long rollway_int_(long long v)
{
    return (unsigned long long)v;
}
static inline unsigned long long rollway_uint_(unsigned long long v)
{
    return v;
}
static inline unsigned long long rollway_double_(double v)
{
    unsigned long long u;
    __builtin_memcpy(&u, &v, sizeof(u));
    return u;
}
static inline unsigned long long rollway_float_(float v)
{
    return rollway_double_((double)v);
}
static inline unsigned long long rollway_long_double_(long double v)
{
    return rollway_double_((double)v);
}
static inline unsigned long long rollway_pointer_(const volatile void *v)
{
    return (unsigned long long)(uintptr_t)v;
}
#ifdef __SIZEOF_INT128__
/* Takes nothing, so that a field of 128 bits does not compile. */
unsigned long long rollway_a_field_has_at_most_64_bits_(void);
__extension__ typedef __int128 rollway_int128_;
__extension__ typedef unsigned __int128 rollway_uint128_;
#define ROLLWAY_128_                                                                               \
    rollway_int128_:                                                                               \
    rollway_a_field_has_at_most_64_bits_, rollway_uint128_ : rollway_a_field_has_at_most_64_bits_,
#else
#define ROLLWAY_128_
#endif
/* What no other type is: a pointer, or a bit-field, which to gcc is an integer type of its own. */
#define ROLLWAY_IS_INTEGER_(v)                                                                     \
    (__builtin_classify_type(_Generic((v), float : 0.0, long double : 0.0, default : (v))) == 1)

#define ROLLWAY_TEXT(p, n)  (&(const struct rollway_text){(p), (n)})
#define ROLLWAY_BYTES(p, n) (&(const struct rollway_bytes){(p), (n)})
#define ROLLWAY_ERRNO       "error", (&(const struct rollway_errno){errno})
#define ROLLWAY_TYPE_(v)                                                                           \
    _Generic((v), _Bool: ROLLWAY_T_BOOL_, char: ROLLWAY_T_CHAR_, signed char: ROLLWAY_T_INT_, short: ROLLWAY_T_INT_,  \
        int: ROLLWAY_T_INT_, long: ROLLWAY_T_INT_, long long: ROLLWAY_T_INT_, unsigned char: ROLLWAY_T_UINT_,         \
        unsigned short: ROLLWAY_T_UINT_, unsigned: ROLLWAY_T_UINT_, unsigned long: ROLLWAY_T_UINT_,                   \
        unsigned long long: ROLLWAY_T_UINT_, float: ROLLWAY_T_FLOAT_, double: ROLLWAY_T_DOUBLE_,                     \
        long double: ROLLWAY_T_DOUBLE_, char *: ROLLWAY_T_CSTR_, const char *: ROLLWAY_T_CSTR_,                       \
        const struct rollway_text *: ROLLWAY_T_TEXT_, struct rollway_text *: ROLLWAY_T_TEXT_,                         \
        const struct rollway_bytes *: ROLLWAY_T_BYTES_, struct rollway_bytes *: ROLLWAY_T_BYTES_,                     \
        const struct rollway_errno *: ROLLWAY_T_ERRNO_,                                                               \
        default: ROLLWAY_IS_INTEGER_(v) ? ROLLWAY_T_INT_ : ROLLWAY_T_POINTER_)
#define ROLLWAY_BITS_(v)                                                                           \
    _Generic((v), ROLLWAY_128_ _Bool                                                               \
             : rollway_uint_, char                                                                 \
             : rollway_int_, signed char                                                           \
             : rollway_int_, short                                                                 \
             : rollway_int_, int                                                                   \
             : rollway_int_, long                                                                  \
             : rollway_int_, long long                                                             \
             : rollway_int_, unsigned char                                                         \
             : rollway_uint_, unsigned short                                                       \
             : rollway_uint_, unsigned                                                             \
             : rollway_uint_, unsigned long                                                        \
             : rollway_uint_, unsigned long long                                                   \
             : rollway_uint_, float                                                                \
             : rollway_float_, double                                                              \
             : rollway_double_, long double                                                        \
             : rollway_long_double_, default                                                       \
             : __builtin_choose_expr(ROLLWAY_IS_INTEGER_(v), rollway_int_, rollway_pointer_))(v)
#define ROLLWAY_FIELD_(k, v) {"" k, ROLLWAY_TYPE_(v)},
#define ROLLWAY_VALUE_(k, v) ROLLWAY_BITS_(v),
#define ROLLWAY_PUT_(site, logger, ...)                                                            \
    do {                                                                                           \
        const unsigned long long rollway_values_[ROLLWAY_COUNT_ + 4] = {                           \
            ROLLWAY_PAIRS_(ROLLWAY_VALUE_, __VA_ARGS__) 0};                                        \
        rollway_emit_(site, logger, rollway_values_, ROLLWAY_COUNT_);                              \
    } while (0)

#endif

#define ROLLWAY_COUNT_ (sizeof(rollway_fields_) / sizeof(rollway_fields_[0]) - 1)
#define ROLLWAY_EMIT_(logger, level, every, sample, ...)                                           \
    do {                                                                                           \
        if (ROLLWAY_INT_(level) >= ROLLWAY_INT_(ROLLWAY_LEVEL_MIN)) {                              \
            static const struct rollway_site_field rollway_fields_[] = {                           \
                ROLLWAY_PAIRS_(ROLLWAY_FIELD_, __VA_ARGS__){ROLLWAY_NONE_, 0}};                    \
            static struct rollway_site rollway_site_ =                                             \
                ROLLWAY_SITE_(level, every, sample, ROLLWAY_FIRST_(__VA_ARGS__), rollway_fields_,  \
                              ROLLWAY_COUNT_);                                                     \
            const struct rollway_logger *const rollway_logger_ = (logger);                         \
            if (rollway_gate_(&rollway_site_, rollway_logger_))                                    \
                ROLLWAY_PUT_(&rollway_site_, rollway_logger_, __VA_ARGS__);                        \
        }                                                                                          \
    } while (0)

#endif
