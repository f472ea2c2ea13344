/*
 * Java's .properties files. Kafka: Utils.loadProps; Java: Properties.load(InputStream).
 */
#include <linger/producer_config.h>

#include "base/allocator.h"
#include "core/producer_config_text.h"

#include <string.h>

struct kp_properties {
    struct linger_allocator allocator;
    size_t size_bytes;
    struct kp_config_entry *entries;
    uint32_t *lines;
    size_t entry_count;
};

/** What is left of the file, read as logical lines. */
struct source {
    const unsigned char *next;
    const unsigned char *end;
    /** Of the natural line that next is in, from 1. */
    uint32_t line;
};

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\f';
}

static bool is_line_end(unsigned char byte)
{
    return byte == '\n' || byte == '\r';
}

/** Past the end of a natural line; "\r\n" is one end. */
static void skip_line_end(struct source *source)
{
    if (source->next < source->end) {
        bool is_pair = source->end - source->next > 1 && source->next[0] == '\r' && source->next[1] == '\n';
        source->next += is_pair ? 2 : 1;
        source->line++;
    }
}

static void skip_blanks(struct source *source)
{
    while (source->next < source->end && is_blank(*source->next)) {
        source->next++;
    }
}

/** A backslash before the end of the line: the logical line goes on after the blanks of the next. */
static bool skip_continuation(struct source *source)
{
    if (source->end - source->next < 2 || source->next[0] != '\\' || !is_line_end(source->next[1])) {
        return false;
    }
    source->next++;
    skip_line_end(source);
    skip_blanks(source);
    return true;
}

/**
 * To the next line that is neither blank nor a comment; false at the end of the file. A continuation before
 * anything else does not begin a line, except that Java finds an empty one when the file ends with it.
 */
static bool skip_to_entry(struct source *source)
{
    while (source->next < source->end) {
        skip_blanks(source);
        if (source->next == source->end) {
            return false;
        }
        bool is_last = source->end - source->next == 2;
        if (skip_continuation(source)) {
            if (is_last) {
                return true;
            }
            continue;
        }
        if (*source->next == '#' || *source->next == '!') {
            while (source->next < source->end && !is_line_end(*source->next)) {
                source->next++;
            }
        }
        if (source->next < source->end && !is_line_end(*source->next)) {
            return true;
        }
        skip_line_end(source);
    }
    return false;
}

static bool at_end(const struct source *source)
{
    return source->next == source->end || is_line_end(*source->next);
}

/** Four hexadecimal digits; the line may be continued between them. */
static bool read_unit(struct source *source, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        while (skip_continuation(source)) {
        }
        bool has_byte = source->next < source->end && *source->next != '\0';
        const char *digit = has_byte ? strchr(digits, *source->next) : NULL;
        if (digit == NULL) {
            return false;
        }
        size_t value = (size_t)(digit - digits);
        *unit = *unit * 16 + (uint32_t)(value < 16 ? value : value - 6);
        source->next++;
    }
    return true;
}

/** One character of a name or value, escapes undone. False for a malformed one. */
static bool read_character(struct source *source, uint32_t *code_point)
{
    *code_point = *source->next++;
    if (*code_point != '\\') {
        return true;
    }
    if (source->next == source->end) {
        /* A lone backslash at the end of the file stands for nothing; the caller drops it. */
        *code_point = UINT32_MAX;
        return true;
    }
    unsigned char escaped = *source->next++;
    static const char names[] = "tnrf";
    static const char values[] = "\t\n\r\f";
    const char *name = escaped != '\0' ? strchr(names, escaped) : NULL;
    *code_point = name != NULL ? (unsigned char)values[name - names] : escaped;
    return escaped != 'u' || read_unit(source, code_point);
}

/** Text that is being written; a high surrogate waits for its other half. */
struct writer {
    char *next;
    uint32_t high_surrogate;
};

static void write_pending(struct writer *writer)
{
    if (writer->high_surrogate != 0) {
        *writer->next++ = '?';
        writer->high_surrogate = 0;
    }
}

static void write_code_point(struct writer *writer, uint32_t code_point)
{
    bool is_low = code_point >= 0xDC00 && code_point < 0xE000;
    if (is_low && writer->high_surrogate != 0) {
        code_point = 0x10000 + ((writer->high_surrogate - 0xD800) << 10) + (code_point - 0xDC00);
        writer->high_surrogate = 0;
    } else {
        write_pending(writer);
        if (code_point >= 0xD800 && code_point < 0xDC00) {
            writer->high_surrogate = code_point;
            return;
        }
        if (is_low) {
            /* Half a character has no UTF-8; Java writes a question mark for it. */
            code_point = '?';
        }
    }
    writer->next += kp_text_encode(code_point, writer->next);
}

static void write_end(struct writer *writer)
{
    write_pending(writer);
    *writer->next++ = '\0';
}

enum read_status { READ_OK, READ_MALFORMED, READ_NUL };

/** Characters up to the end of the logical line or, in a name, to its separator. */
static enum read_status read_text(struct source *source, struct writer *writer, bool is_name)
{
    while (!at_end(source)) {
        if (skip_continuation(source)) {
            continue;
        }
        unsigned char byte = *source->next;
        if (is_name && (byte == '=' || byte == ':' || is_blank(byte))) {
            break;
        }
        uint32_t code_point;
        if (!read_character(source, &code_point)) {
            return READ_MALFORMED;
        }
        if (code_point == 0) {
            return READ_NUL;
        }
        if (code_point != UINT32_MAX) {
            write_code_point(writer, code_point);
        }
    }
    write_end(writer);
    return READ_OK;
}

/** Blanks, one = or :, blanks; continuations count as nothing. */
static void skip_separator(struct source *source)
{
    bool has_sign = false;
    while (!at_end(source)) {
        if (skip_continuation(source)) {
            continue;
        }
        bool is_sign = *source->next == '=' || *source->next == ':';
        if (!is_blank(*source->next) && (has_sign || !is_sign)) {
            return;
        }
        has_sign |= is_sign;
        source->next++;
    }
}

static enum read_status read_entry(struct source *source, struct writer *writer,
                                   struct kp_config_entry *entry)
{
    entry->name = writer->next;
    enum read_status status = read_text(source, writer, true);
    if (status != READ_OK) {
        return status;
    }
    skip_separator(source);
    entry->value = writer->next;
    status = read_text(source, writer, false);
    if (status == READ_OK) {
        skip_line_end(source);
    }
    return status;
}

static struct kp_properties *allocate_for(const struct linger_allocator *allocator,
                                          const unsigned char *bytes, size_t length_bytes, char **text)
{
    /* No more entries than line ends and one; a byte of ISO 8859-1 becomes at most two; two NULs for each
     * entry. */
    size_t entry_count = 1;
    for (size_t i = 0; i < length_bytes; i++) {
        entry_count += is_line_end(bytes[i]);
    }
    size_t table_bytes = entry_count * (sizeof(struct kp_config_entry) + sizeof(uint32_t));
    size_t size_bytes = sizeof(struct kp_properties) + table_bytes + 2 * length_bytes + 2 * entry_count + 2;
    struct kp_properties *properties = allocator->allocate(allocator->context, size_bytes);
    if (properties == NULL) {
        return NULL;
    }
    *properties = (struct kp_properties){.allocator = *allocator, .size_bytes = size_bytes};
    properties->entries = (struct kp_config_entry *)(properties + 1);
    properties->lines = (uint32_t *)(properties->entries + entry_count);
    *text = (char *)(properties->lines + entry_count);
    return properties;
}

static enum read_status read_all(struct kp_properties *properties, struct source *source, char *text)
{
    struct writer writer = {.next = text};
    while (skip_to_entry(source)) {
        struct kp_config_entry entry;
        uint32_t line = source->line;
        enum read_status status = read_entry(source, &writer, &entry);
        if (status != READ_OK) {
            return status;
        }
        properties->entries[properties->entry_count] = entry;
        properties->lines[properties->entry_count] = line;
        properties->entry_count++;
    }
    return READ_OK;
}

enum kp_config_status kp_properties_parse(const struct linger_allocator *allocator, const void *bytes,
                                          size_t length_bytes, struct kp_properties **out, uint32_t *line,
                                          struct kp_failure *failure)
{
    if (allocator == NULL) {
        allocator = kb_allocator_default();
    }
    static const unsigned char empty[1] = {0};
    const unsigned char *text = length_bytes > 0 ? bytes : empty;
    *out = NULL;
    if (failure != NULL) {
        kp_failure_clear(failure);
    }
    char *destination;
    struct kp_properties *properties = allocate_for(allocator, text, length_bytes, &destination);
    if (properties == NULL) {
        return KP_CONFIG_NO_MEMORY;
    }
    struct source source = {.next = text, .end = text + length_bytes, .line = 1};
    enum read_status status = read_all(properties, &source, destination);
    if (status == READ_OK) {
        *out = properties;
        return KP_CONFIG_OK;
    }
    if (line != NULL) {
        *line = source.line;
    }
    if (failure != NULL) {
        kp_failure_throw(failure, "IllegalArgumentException",
                         status == READ_MALFORMED ? "Malformed \\uxxxx encoding."
                                                  : "A setting cannot hold the character U+0000.");
    }
    kp_properties_destroy(properties);
    return KP_CONFIG_REFUSED;
}

void kp_properties_destroy(struct kp_properties *properties)
{
    if (properties != NULL) {
        struct linger_allocator allocator = properties->allocator;
        allocator.release(allocator.context, properties, properties->size_bytes);
    }
}

const struct kp_config_entry *kp_properties_entries(const struct kp_properties *properties,
                                                    size_t *entry_count)
{
    *entry_count = properties->entry_count;
    return properties->entries;
}

uint32_t kp_properties_line(const struct kp_properties *properties, size_t index)
{
    return properties->lines[index];
}
