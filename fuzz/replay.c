/* Feeds every file of the folders and files given to a fuzz target: the tests' replay of the corpora,
 * with any compiler, and the way to look at one crash. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include "fuzz.h"

#define FILE_MAX (1u << 22)

static int feed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(FILE_MAX);
    if (!f || !p) {
        perror(path);
        return 1;
    }
    size_t n = fread(p, 1, FILE_MAX, f);
    fclose(f);
    LLVMFuzzerTestOneInput(p, n);
    free(p);
    return 0;
}

static int feed(const char *path, unsigned *count)
{
    struct stat st;
    if (stat(path, &st)) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(st.st_mode)) {
        ++*count;
        return feed_file(path);
    }
    DIR *d = opendir(path);
    if (!d) {
        perror(path);
        return 1;
    }
    int bad = 0;
    for (const struct dirent *e; !bad && (e = readdir(d));) {
        char inner[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
        bad = feed(inner, count);
    }
    closedir(d);
    return bad;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        if (feed(argv[i], &count))
            return 1;
    printf("%u inputs\n", count);
    return count ? 0 : 1; /* an empty corpus proves nothing */
}
