// Logging from C++17: what has data() and size() is text. The program's output is its log.
#include <rollway/logger.h>

#include <stdexcept>
#include <string>
#include <string_view>

template <class T> static void tell(std::string_view what, const T &value)
{
    rollway_info("told", "what", what, "value", value);
}

int main()
{
    rollway_logger_options options{};
    options.size = sizeof(options);
    options.settings = "appender.out.type = console\n"
                       "appender.out.stream = stdout\n"
                       "appender.out.format = %-5p %m%k%n\n";
    if (rollway_logger_start(&options) != 0)
        rollway_warn("logging to standard error", "why", rollway_logger_error());
    tell("number", 42);
    tell("text", std::string("in two words"));
    try {
        throw std::runtime_error("no more ink");
    } catch (const std::exception &e) {
        rollway_error("printing failed", "why", e.what());
    }
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
