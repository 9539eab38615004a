/* All kinds of values in fields, in C11, as strictly as compilers can be asked; prints lines that install.sh compares. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <sys/types.h>
#include <wchar.h>
#include <rollway/logger.h>

enum colour { RED, BLUE = -3 };
struct bits {
    unsigned u3 : 3;
    signed int i5 : 5;
    _Bool b : 1;
};
struct opaque;

int main(int argc, char **argv)
{
    struct rollway_logger_options o = {.size = sizeof(o),
                                       .settings = "rings.dir = none\n"
                                                   "appender.x.type = console\n"
                                                   "appender.x.stream = stdout\n"
                                                   "appender.x.format = %m%k%n\n"};
    if (rollway_logger_start(&o) != 0)
        return 1;
    char array[8] = "array";
    const char constant[] = "constant";
    const char *pointer = "pointer";
    char *const fixed = array;
    rollway_info("text", "a", array, "c", constant, "p", pointer, "f", fixed, "l", "literal", "n",
                 (char *)NULL);
    const volatile int cv = 6;
    size_t size = SIZE_MAX;
    ssize_t signed_size = -1;
    short s = -7;
    unsigned short us = 65535;
    signed char sc = -8;
    unsigned char uc = 255;
    rollway_info("integers", "e", RED, "b", (enum colour)BLUE, "z", size, "ss", signed_size, "cv",
                 cv, "s", s, "us", us, "sc", sc, "uc", uc, "w", (wchar_t)L'x', "ll", LLONG_MIN,
                 "ull", ULLONG_MAX);
    struct bits bits = {5, -3, 1};
    rollway_info("bits", "u3", bits.u3, "i5", bits.i5, "b", bits.b);
    float f = 0.1f;
    long double ld = 2.5L;
    _Bool yes = 1;
    char c = 'c';
    rollway_info("more", "f", f, "ld", ld, "yes", yes, "c", c, "max", DBL_MAX, "inf",
                 (double)INFINITY);
    struct opaque *opaque = NULL;
    volatile int *hardware = NULL;
    rollway_info("pointers", "o", opaque, "h", hardware, "v", (void *)NULL);
    if (argc > 5)
        rollway_info("an else follows", "argv", argv[0]);
    else
        rollway_info("sixteen", "a", 1, "b", 2, "c", 3, "d", 4, "e", 5, "f", 6, "g", 7, "h", 8, "i",
                     9, "j", 10, "k", 11, "l", 12, "m", 13, "n", 14, "o", 15, "p", 16);
    if (!rollway_wanted(ROLLWAY_LOGGER, ROLLWAY_INFO) ||
        rollway_wanted(ROLLWAY_LOGGER, ROLLWAY_DEBUG) || rollway_wanted(ROLLWAY_LOGGER, argc - 9))
        return 1;
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
