/**
 * Java's rules for text, as far as configurations need them: String.trim, Integer.parseInt,
 * Double.parseDouble, Double.toString, String.split, and the memory that parsed text is put into.
 */
#ifndef KP_PRODUCER_CONFIG_TEXT_H
#define KP_PRODUCER_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * One block of memory that is handed out from front to back. When it is used up it stays exhausted and gives
 * NULL; the caller checks that once at the end.
 */
struct kp_text_arena {
    unsigned char *next;
    unsigned char *end;
    bool is_exhausted;
};

void kp_text_arena_init(struct kp_text_arena *arena, void *memory, size_t size_bytes);
/** Memory aligned for any object; NULL when exhausted. */
void *kp_text_arena_take(struct kp_text_arena *arena, size_t size_bytes);
/** A NUL-terminated copy; NULL when exhausted. */
char *kp_text_arena_copy(struct kp_text_arena *arena, const char *text, size_t length_bytes);

/** A piece of a text, without a NUL of its own. */
struct kp_text_span {
    const char *text;
    size_t length_bytes;
};

struct kp_text_span kp_text_span_of(const char *text);
bool kp_text_equals(struct kp_text_span span, const char *text);

/** String.trim: without the characters up to U+0020 at both ends. */
struct kp_text_span kp_text_trim(const char *text);

/** String.equalsIgnoreCase with an ASCII text in lower case. */
bool kp_text_equals_ignore_case(struct kp_text_span span, const char *lower_case);

/**
 * Integer.parseInt, Long.parseLong and Short.parseShort: a sign or none, then decimal digits of any script of
 * the Basic Multilingual Plane (Character.digit). False where Java throws NumberFormatException.
 */
bool kp_text_parse_integer(struct kp_text_span span, int64_t minimum, int64_t maximum, int64_t *out);

/** Double.parseDouble of a trimmed text, which is scratch memory afterwards. False for NumberFormatException.
 */
bool kp_text_parse_double(char *text, double *out);

#define KP_TEXT_DOUBLE_BYTES 40
/** Double.toString: the shortest decimal number that reads back as this value, "1.0E10" outside [10^-3,
 * 10^7). */
void kp_text_format_double(double value, char out[KP_TEXT_DOUBLE_BYTES]);

/** The next element of a list split at commas together with the white space around them (ConfigDef's LIST).
 */
struct kp_text_span kp_text_next_element(struct kp_text_span *rest, bool *is_last);

/**
 * String.toUpperCase(Locale.ROOT) for the scripts of Europe; others stay as they are. Needs at most twice the
 * bytes. Returns false when it does not fit.
 */
bool kp_text_to_upper_case(struct kp_text_span span, char *out, size_t capacity_bytes);

/** The next code point of UTF-8; a byte that is none is returned as itself. *length_bytes is at least 1. */
uint32_t kp_text_code_point(struct kp_text_span span, size_t *length_bytes);
/** Write a code point as UTF-8 and return its length, at most 4. */
size_t kp_text_encode(uint32_t code_point, char out[4]);

#endif
