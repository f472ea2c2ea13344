/* Text into boxes: eliding and breaking lines. */
#include "view/text.h"

#include "base/assert.h"

#include <string.h>

#define ELLIPSIS       "\xE2\x80\xA6"
#define ELLIPSIS_BYTES 3

/* The most bytes, in whole characters, whose width is at most max_width: widths grow with length, so halve.
 */
static size_t fitting_prefix(struct view_text *text, struct view_font font, const char *utf8, size_t length,
                             int32_t max_width)
{
    size_t low = 0;
    size_t high = length;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        while (middle < high && ((unsigned char)utf8[middle] & 0xC0) == 0x80) {
            middle++;
        }
        if (view_text_width(text, font, utf8, middle) <= max_width) {
            low = middle;
        } else {
            high = low + (high - low + 1) / 2 - 1;
            while (high > low && high < length && ((unsigned char)utf8[high] & 0xC0) == 0x80) {
                high--;
            }
        }
    }
    return low;
}

static size_t copy_prefix(const char *utf8, size_t length, char *out, size_t capacity)
{
    size_t count = length < capacity ? length : capacity - 1;
    while (count < length && count > 0 && ((unsigned char)utf8[count] & 0xC0) == 0x80) {
        count--;
    }
    memcpy(out, utf8, count);
    out[count] = '\0';
    return count;
}

size_t view_text_elide(struct view_text *text, struct view_font font, const char *utf8, size_t length_bytes,
                       int32_t max_width, char *out, size_t capacity)
{
    KB_ASSERT(capacity > 0);
    if (length_bytes < capacity && view_text_width(text, font, utf8, length_bytes) <= max_width) {
        return copy_prefix(utf8, length_bytes, out, capacity);
    }
    int32_t ellipsis_width = view_text_width(text, font, ELLIPSIS, ELLIPSIS_BYTES);
    if (ellipsis_width > max_width || capacity <= ELLIPSIS_BYTES) {
        out[0] = '\0';
        return 0;
    }
    size_t kept = fitting_prefix(text, font, utf8, length_bytes, max_width - ellipsis_width);
    kept = copy_prefix(utf8, kept, out, capacity - ELLIPSIS_BYTES);
    while (kept > 0 && out[kept - 1] == ' ') {
        kept--;
    }
    memcpy(out + kept, ELLIPSIS, ELLIPSIS_BYTES + 1);
    return kept + ELLIPSIS_BYTES;
}

/* --- Lines
 * ------------------------------------------------------------------------------------------------------ */

static bool is_ideograph(uint32_t c)
{
    return (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xF900 && c < 0xFB00) ||
           (c >= 0xFF00 && c < 0xFF61) || (c >= 0x20000 && c < 0x30000);
}

/* Marks that never begin a line. */
static bool is_closing(uint32_t c)
{
    switch (c) {
    case 0x3001:
    case 0x3002:
    case 0x300D:
    case 0x300F:
    case 0x3011:
    case 0xFF01:
    case 0xFF09:
    case 0xFF0C:
    case 0xFF1A:
    case 0xFF1B:
    case 0xFF1F:
    case 0x2019:
    case 0x201D:
        return true;
    default:
        return false;
    }
}

static bool is_opening(uint32_t c)
{
    return c == 0xFF08 || c == 0x300C || c == 0x300E || c == 0x3010 || c == 0x2018 || c == 0x201C;
}

/* The bytes up to the next place where a line may break, spaces not included. *spaces counts those after it.
 */
static size_t next_break(const char *utf8, size_t length, size_t *spaces)
{
    size_t at = 0;
    uint32_t before = 0;
    while (at < length && utf8[at] != ' ' && utf8[at] != '\n') {
        uint32_t codepoint = 0;
        size_t step = view_text_decode(utf8 + at, length - at, &codepoint);
        bool between = is_ideograph(before) || is_ideograph(codepoint);
        if (at > 0 && between && !is_closing(codepoint) && !is_opening(before)) {
            break;
        }
        before = codepoint;
        at += step;
    }
    size_t blank = at;
    while (blank < length && utf8[blank] == ' ') {
        blank++;
    }
    *spaces = blank - at;
    return at;
}

size_t view_text_next_line(struct view_text *text, struct view_font font, const char *utf8,
                           size_t length_bytes, int32_t max_width, size_t *consumed_bytes)
{
    size_t line = 0;     /* what is shown */
    size_t consumed = 0; /* with the spaces after it */
    while (consumed < length_bytes && utf8[consumed] != '\n') {
        size_t spaces = 0;
        size_t word = next_break(utf8 + consumed, length_bytes - consumed, &spaces);
        if (line > 0 && view_text_width(text, font, utf8, consumed + word) > max_width) {
            *consumed_bytes = consumed;
            return line;
        }
        line = consumed + word;
        consumed = line + spaces;
    }
    if (consumed < length_bytes) {
        consumed++; /* the '\n' */
    }
    if (line > 0 && view_text_width(text, font, utf8, line) > max_width) {
        /* One word alone is wider than the box. */
        size_t kept = fitting_prefix(text, font, utf8, line, max_width);
        uint32_t codepoint = 0;
        line = kept > 0 ? kept : view_text_decode(utf8, length_bytes, &codepoint);
        consumed = line;
    }
    *consumed_bytes = consumed;
    return line;
}
