/* Writes one batch of the golden records per codec into FOLDER/ours-<codec>, for other
 * implementations to read. */
#include "golden.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        char path[1024];
        struct rw_builder b;
        struct rw_slice out;
        rw_builder_init(&b);
        b.codec = (enum rw_codec)codec;
        golden_fill(&b);
        if (rw_builder_finish(&b, &out))
            return 1;
        snprintf(path, sizeof(path), "%s/ours-%s", argv[1], rw_codec_name(b.codec));
        FILE *f = fopen(path, "w");
        if (!f || fwrite(out.p, 1, out.n, f) != out.n || fclose(f))
            return 1;
        rw_builder_deinit(&b);
    }
    return 0;
}
