/* Bytes that would move the cursor, end the line or colour the screen, in words. */
#include "cli/printable.h"

#include <string.h>
#include "base/utf8.h"

static void escape(struct rw_buf *out, uint8_t c)
{
    if (c == '\n')
        rw_buf_add_str(out, "\\n");
    else if (c == '\t')
        rw_buf_add_str(out, "\\t");
    else if (c == '\r')
        rw_buf_add_str(out, "\\r");
    else
        rw_buf_printf(out, "\\x%02x", c);
}

/* Of the character at p: how many bytes of it are to be escaped. C1 controls are U+0080 to U+009F. */
static size_t unprintable(const uint8_t *p, size_t n)
{
    if (p[0] < 0x20 || p[0] == 0x7f)
        return 1;
    return n > 1 && p[0] == 0xc2 && p[1] < 0xa0 ? 2 : 0;
}

void rw_printable(struct rw_buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = strlen(text);
    size_t valid = rw_utf8_prefix(p, n); /* from p */
    while (n > 0) {
        size_t escaped = valid == 0 ? 1 : unprintable(p, valid), taken = escaped ? escaped : 1;
        if (!escaped)
            rw_buf_add_u8(out, *p);
        for (size_t i = 0; i < escaped; i++)
            escape(out, p[i]);
        p += taken;
        n -= taken;
        valid = valid == 0 ? rw_utf8_prefix(p, n) : valid - taken;
    }
}
