#include "model/event_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire/api_keys.h"
#include "wire/errors.h"

const char *sim_api_name(int32_t api)
{
    const struct kw_api *found = api >= 0 && api <= INT16_MAX ? kw_api_find((int16_t)api) : NULL;
    return found != NULL ? found->name : "?";
}

const char *sim_error_name(int32_t error)
{
    return error == 0 ? "no error" : kw_error_name((enum kw_error)error);
}

const char *sim_error_message(int32_t error)
{
    return error == 0 ? "" : kw_error_message((enum kw_error)error);
}

/* Text that is cut to fit, never within a UTF-8 character. */
struct text {
    char *bytes;
    size_t capacity_bytes;
    size_t length_bytes;
};

static void add(struct text *text, const char *more, size_t more_bytes)
{
    size_t room_bytes = text->capacity_bytes - 1 - text->length_bytes;
    if (more_bytes > room_bytes) {
        more_bytes = room_bytes;
        while (more_bytes > 0 && ((unsigned char)more[more_bytes] & 0xc0) == 0x80) {
            more_bytes--;
        }
        text->capacity_bytes = text->length_bytes + more_bytes + 1; /* nothing fits behind a cut */
    }
    memcpy(text->bytes + text->length_bytes, more, more_bytes);
    text->length_bytes += more_bytes;
    text->bytes[text->length_bytes] = '\0';
}

static void add_text(struct text *text, const char *more)
{
    add(text, more, strlen(more));
}

static void add_number(struct text *text, int64_t value)
{
    char digits[24];
    int length_bytes = snprintf(digits, sizeof digits, "%" PRId64, value);
    add(text, digits, (size_t)length_bytes);
}

static void add_mask(struct text *text, enum kb_field_type type, uint32_t mask)
{
    bool first = true;
    for (uint32_t bit = 0; bit < 32; bit++) {
        const char *name = (mask >> bit & 1) != 0 ? kb_field_value_name(type, bit) : NULL;
        if (name != NULL) {
            add_text(text, first ? "" : " + ");
            add_text(text, name);
            first = false;
        }
    }
    if (first) {
        add_text(text, "no reason");
    }
}

static size_t text16_bytes(const struct kb_text16 *beginning)
{
    const char *end = memchr(beginning->bytes, '\0', sizeof beginning->bytes);
    return end != NULL ? (size_t)(end - beginning->bytes) : sizeof beginning->bytes;
}

/* A beginning of a key: it may have been cut within a character, and may be no text at all. */
static void add_text16(struct text *text, const struct kb_text16 *beginning)
{
    size_t length_bytes = text16_bytes(beginning);
    bool cut = length_bytes == sizeof beginning->bytes;
    if (length_bytes == 0) {
        add_text(text, "none");
        return;
    }
    add_text(text, "\"");
    for (size_t i = 0; i < length_bytes; i++) {
        unsigned char byte = (unsigned char)beginning->bytes[i];
        if (byte < 0x20 || byte == 0x7f) {
            char escaped[8];
            int escaped_bytes = snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            add(text, escaped, (size_t)escaped_bytes);
        } else if (byte < 0x80) {
            add(text, &beginning->bytes[i], 1);
        } else {
            size_t character_bytes = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            if (byte < 0xc2 || i + character_bytes > length_bytes) {
                add_text(text, "?");
            } else {
                add(text, &beginning->bytes[i], character_bytes);
                i += character_bytes - 1;
            }
        }
    }
    add_text(text, cut ? "…\"" : "\"");
}

static void add_field(const struct sim_event_log *log, const struct kb_event *event,
                      const struct kb_event_field *field, struct text *text)
{
    if (field->type == KB_FIELD_TEXT16) {
        struct kb_text16 beginning;
        memcpy(&beginning, (const char *)event + field->offset_bytes, sizeof beginning);
        add_text16(text, &beginning);
        return;
    }
    int64_t value = kb_event_field_value(event, field);
    const char *word;
    switch (field->type) {
    case KB_FIELD_NAME:
        add_text(text, sim_event_log_name(log, (uint32_t)value));
        return;
    case KB_FIELD_ERROR:
        add_text(text, sim_error_name((int32_t)value));
        return;
    case KB_FIELD_API:
        add_text(text, sim_api_name((int32_t)value));
        return;
    case KB_FIELD_LEFT:
    case KB_FIELD_HELD:
        add_mask(text, field->type, (uint32_t)value);
        return;
    case KB_FIELD_I32:
    case KB_FIELD_I64:
    case KB_FIELD_U32:
        add_number(text, value);
        return;
    case KB_FIELD_PARTITION_WHY:
    case KB_FIELD_CLOSE_WHY:
    case KB_FIELD_WAIT:
    case KB_FIELD_CALL:
    case KB_FIELD_SENDER_STATE:
    case KB_FIELD_CONNECTION_STATE:
    case KB_FIELD_METADATA_WHY:
    case KB_FIELD_TXN_STATE:
    case KB_FIELD_ELECTION_WHY:
    case KB_FIELD_FAULT_KIND:
        word = kb_field_value_text(field->type, value);
        add_text(text, word != NULL ? word : "?");
        return;
    case KB_FIELD_TEXT16:
        return;
    }
}

static struct text begin(char *bytes, size_t capacity_bytes)
{
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .capacity_bytes = capacity_bytes};
}

size_t sim_event_field_text(const struct sim_event_log *log, const struct kb_event *event,
                            const struct kb_event_field *field, char *bytes, size_t capacity_bytes)
{
    struct text text = begin(bytes, capacity_bytes);
    add_field(log, event, field, &text);
    return text.length_bytes;
}

static const struct kb_event_field *find_field(const struct kb_event_info *info, const char *name,
                                               size_t name_bytes)
{
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (strncmp(info->fields[i].name, name, name_bytes) == 0 &&
            info->fields[i].name[name_bytes] == '\0') {
            return &info->fields[i];
        }
    }
    return NULL;
}

size_t sim_event_sentence(const struct sim_event_log *log, const struct kb_event *event, char *bytes,
                          size_t capacity_bytes)
{
    struct text text = begin(bytes, capacity_bytes);
    const struct kb_event_info *info = kb_event_info(event->kind);
    const char *rest = info->sentence;
    for (const char *open; (open = strchr(rest, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        const struct kb_event_field *field =
            close != NULL ? find_field(info, open + 1, (size_t)(close - open - 1)) : NULL;
        if (field == NULL) {
            break;
        }
        add(&text, rest, (size_t)(open - rest));
        add_field(log, event, field, &text);
        rest = close + 1;
    }
    add_text(&text, rest);
    return text.length_bytes;
}
