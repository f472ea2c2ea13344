#include "core/producer_config_text.h"

#include "base/assert.h"

#include <stdalign.h>
#include <string.h>

void kp_text_arena_init(struct kp_text_arena *arena, void *memory, size_t size_bytes)
{
    arena->next = memory;
    arena->end = arena->next + size_bytes;
    arena->is_exhausted = false;
}

void *kp_text_arena_take(struct kp_text_arena *arena, size_t size_bytes)
{
    size_t alignment = alignof(max_align_t);
    size_t padding_bytes = (alignment - (uintptr_t)arena->next % alignment) % alignment;
    size_t room_bytes = (size_t)(arena->end - arena->next);
    if (arena->is_exhausted || room_bytes < padding_bytes || room_bytes - padding_bytes < size_bytes) {
        arena->is_exhausted = true;
        return NULL;
    }
    void *memory = arena->next + padding_bytes;
    arena->next += padding_bytes + size_bytes;
    return memory;
}

char *kp_text_arena_copy(struct kp_text_arena *arena, const char *text, size_t length_bytes)
{
    /* Text needs no alignment. */
    if (arena->is_exhausted || (size_t)(arena->end - arena->next) <= length_bytes) {
        arena->is_exhausted = true;
        return NULL;
    }
    char *copy = (char *)arena->next;
    memcpy(copy, text, length_bytes);
    copy[length_bytes] = '\0';
    arena->next += length_bytes + 1;
    return copy;
}

struct kp_text_span kp_text_span_of(const char *text)
{
    return (struct kp_text_span){text, strlen(text)};
}

bool kp_text_equals(struct kp_text_span span, const char *text)
{
    return strlen(text) == span.length_bytes && memcmp(span.text, text, span.length_bytes) == 0;
}

struct kp_text_span kp_text_trim(const char *text)
{
    struct kp_text_span span = kp_text_span_of(text);
    /* In UTF-8 every byte of a longer character is above 0x20. */
    while (span.length_bytes > 0 && (unsigned char)span.text[0] <= 0x20) {
        span.text++;
        span.length_bytes--;
    }
    while (span.length_bytes > 0 && (unsigned char)span.text[span.length_bytes - 1] <= 0x20) {
        span.length_bytes--;
    }
    return span;
}

uint32_t kp_text_code_point(struct kp_text_span span, size_t *length_bytes)
{
    KB_ASSERT(span.length_bytes > 0);
    const unsigned char *bytes = (const unsigned char *)span.text;
    *length_bytes = 1;
    size_t more = bytes[0] >= 0xF0 && bytes[0] < 0xF8 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
    if (more == 0 || bytes[0] >= 0xF8 || span.length_bytes <= more) {
        return bytes[0];
    }
    uint32_t code_point = bytes[0] & (0x3Fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return bytes[0];
        }
        code_point = code_point << 6 | (bytes[i] & 0x3Fu);
    }
    *length_bytes = more + 1;
    return code_point;
}

size_t kp_text_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t length_bytes = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length_bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[length_bytes] | code_point);
    return length_bytes;
}

bool kp_text_equals_ignore_case(struct kp_text_span span, const char *lower_case)
{
    for (; *lower_case != '\0'; lower_case++) {
        if (span.length_bytes == 0) {
            return false;
        }
        size_t length_bytes;
        uint32_t code_point = kp_text_code_point(span, &length_bytes);
        if (code_point >= 'A' && code_point <= 'Z') {
            code_point += 'a' - 'A';
        }
        /* Java compares upper cases too: the long s has S, the dotless i has I. The Kelvin sign's lower case
         * is k. */
        if (code_point == 0x17F) {
            code_point = 's';
        } else if (code_point == 0x131 || code_point == 0x130) {
            code_point = 'i';
        } else if (code_point == 0x212A) {
            code_point = 'k';
        }
        if (code_point != (unsigned char)*lower_case) {
            return false;
        }
        span.text += length_bytes;
        span.length_bytes -= length_bytes;
    }
    return span.length_bytes == 0;
}

/** Character.digit(c, 10) for the Basic Multilingual Plane; -1 for no digit. */
static int digit_value(uint32_t code_point)
{
    /* The zeros of Unicode's decimal digits (category Nd); each block has ten in a row. */
    static const uint16_t zeros[] = {
        0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6,
        0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0,
        0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
        0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    };
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        if (code_point >= zeros[i] && code_point < zeros[i] + 10u) {
            return (int)(code_point - zeros[i]);
        }
    }
    return -1;
}

bool kp_text_parse_integer(struct kp_text_span span, int64_t minimum, int64_t maximum, int64_t *out)
{
    bool is_negative = span.length_bytes > 0 && span.text[0] == '-';
    if (span.length_bytes > 0 && (span.text[0] == '-' || span.text[0] == '+')) {
        span.text++;
        span.length_bytes--;
    }
    if (span.length_bytes == 0) {
        return false;
    }
    /* Counted downwards, since the most negative number has no positive counterpart. */
    int64_t value = 0;
    while (span.length_bytes > 0) {
        size_t length_bytes;
        int digit = digit_value(kp_text_code_point(span, &length_bytes));
        if (digit < 0 || value < (INT64_MIN + digit) / 10) {
            return false;
        }
        value = value * 10 - digit;
        span.text += length_bytes;
        span.length_bytes -= length_bytes;
    }
    if (!is_negative && value == INT64_MIN) {
        return false;
    }
    value = is_negative ? value : -value;
    if (value < minimum || value > maximum) {
        return false;
    }
    *out = value;
    return true;
}

/** The white space of Java's regular expressions: \s. */
static bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

struct kp_text_span kp_text_next_element(struct kp_text_span *rest, bool *is_last)
{
    struct kp_text_span element = *rest;
    const char *comma = memchr(rest->text, ',', rest->length_bytes);
    *is_last = comma == NULL;
    if (comma == NULL) {
        return element;
    }
    const char *end = rest->text + rest->length_bytes;
    const char *next = comma + 1;
    while (next < end && is_space(*next)) {
        next++;
    }
    rest->text = next;
    rest->length_bytes = (size_t)(end - next);
    while (comma > element.text && is_space(comma[-1])) {
        comma--;
    }
    element.length_bytes = (size_t)(comma - element.text);
    return element;
}

static uint32_t upper_case(uint32_t code_point)
{
    if ((code_point >= 'a' && code_point <= 'z') ||
        (code_point >= 0xE0 && code_point <= 0xFE && code_point != 0xF7) ||
        (code_point >= 0x3B1 && code_point <= 0x3CB && code_point != 0x3C2) ||
        (code_point >= 0x430 && code_point <= 0x44F)) {
        return code_point - 0x20;
    }
    if (code_point >= 0x450 && code_point <= 0x45F) {
        return code_point - 0x50;
    }
    switch (code_point) {
    case 0xB5:
        return 0x39C;
    case 0xFF:
        return 0x178;
    case 0x131:
        return 'I';
    case 0x17F:
        return 'S';
    case 0x3C2:
        return 0x3A3;
    default:
        return code_point;
    }
}

bool kp_text_to_upper_case(struct kp_text_span span, char *out, size_t capacity_bytes)
{
    size_t used_bytes = 0;
    while (span.length_bytes > 0) {
        if (capacity_bytes - used_bytes < 5) {
            return false;
        }
        size_t length_bytes;
        uint32_t code_point = kp_text_code_point(span, &length_bytes);
        if (code_point == 0xDF && length_bytes == 2) {
            out[used_bytes++] = 'S';
            out[used_bytes++] = 'S';
        } else if (length_bytes == 1 && code_point >= 0x80) {
            out[used_bytes++] = span.text[0];
        } else {
            used_bytes += kp_text_encode(upper_case(code_point), out + used_bytes);
        }
        span.text += length_bytes;
        span.length_bytes -= length_bytes;
    }
    if (used_bytes >= capacity_bytes) {
        return false;
    }
    out[used_bytes] = '\0';
    return true;
}
