// All kinds of values in fields, in C++; prints lines that install.sh compares.
#include <rollway/logger.h>

#include <cstddef>
#include <string>
#include <vector>

enum class small : unsigned char { value = 200 };
enum plain { minus = -1 };
enum class big : unsigned long long { most = ~0ULL };

struct started_before_main {
    started_before_main()
    {
        rollway_debug("a constructor of a static object", "n", 1);
    }
} before;

template <class Value> static void tell(const Value &value)
{
    rollway_info("template", "value", value);
}

int main(int argc, char **)
{
    rollway_logger_options o{};
    o.size = sizeof(o);
    o.settings = "rings.dir = none\nappender.x.type = console\nappender.x.stream = "
                 "stdout\nappender.x.format = %m%k%n\n";
    if (rollway_logger_start(&o) != 0)
        return 1;
    char array[8] = "array";
    const char *null = nullptr;
    const std::string text("text");
    const std::vector<char> characters{'a', 'b'};
    rollway_info("text", "a", array, "t", text, "new", text + "!", "v", characters, "n", null, "c",
                 text.c_str());
    rollway_info("enums", "s", small::value, "m", minus, "b", big::most);
    rollway_info("wide", "w", L'x', "16", u'y', "32", U'z');
    rollway_info("numbers", "f", 0.1f, "ld", 2.5L, "b", true, "c", 'c', "u", ~0ULL, "i", -1);
    rollway_info("pointers", "n", nullptr, "v", static_cast<void *>(nullptr));
    tell(42);
    tell(std::string("in a template"));
    const auto lambda = [&] { rollway_infof("lambda %s", text.c_str()); };
    lambda();
    if (!rollway_wanted(ROLLWAY_LOGGER, ROLLWAY_INFO) ||
        rollway_wanted(ROLLWAY_LOGGER, ROLLWAY_DEBUG) || rollway_wanted(ROLLWAY_LOGGER, argc - 9))
        return 1;
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
