#include "base/trace.h"

#include "base/assert.h"

#include <string.h>

const struct kb_event_info *kb_event_info(uint32_t kind)
{
    switch ((enum kb_event_kind)kind) {
#define FIELD(TYPE, name_)                                                                                   \
    {#name_, KB_FIELD_##TYPE, offsetof(struct kb_event, as) + offsetof(payload, name_)},
#define EVENT(NAME, name_, lane_, method_, sentence_, fields_)                                               \
    case KB_EVENT_##NAME: {                                                                                  \
        typedef struct kb_event_##name_ payload;                                                             \
        static const struct kb_event_field list[] = {KB_UNWRAP fields_};                                     \
        static const struct kb_event_info info = {                                                           \
            #name_, KB_LANE_##lane_, method_, sentence_, sizeof list / sizeof list[0], list};                \
        return &info;                                                                                        \
    }
#include "base/trace_events.def"
#undef EVENT
#undef FIELD
    case KB_EVENT_KIND_COUNT:
        break;
    }
    KB_UNREACHABLE();
}

int64_t kb_event_field_value(const struct kb_event *event, const struct kb_event_field *field)
{
    const unsigned char *place = (const unsigned char *)event + field->offset_bytes;
    switch (field->type) {
    case KB_FIELD_I64: {
        int64_t value;
        memcpy(&value, place, sizeof value);
        return value;
    }
    case KB_FIELD_U32:
    case KB_FIELD_NAME:
    case KB_FIELD_LEFT:
    case KB_FIELD_HELD: {
        uint32_t value;
        memcpy(&value, place, sizeof value);
        return value;
    }
    case KB_FIELD_I32:
    case KB_FIELD_ERROR:
    case KB_FIELD_API:
    case KB_FIELD_PARTITION_WHY:
    case KB_FIELD_CLOSE_WHY:
    case KB_FIELD_WAIT:
    case KB_FIELD_CALL:
    case KB_FIELD_SENDER_STATE:
    case KB_FIELD_CONNECTION_STATE:
    case KB_FIELD_METADATA_WHY:
    case KB_FIELD_TXN_STATE:
    case KB_FIELD_ELECTION_WHY:
    case KB_FIELD_COORDINATOR_STATE:
    case KB_FIELD_MARKER:
    case KB_FIELD_POSITION_WHY:
    case KB_FIELD_MEMBER_STATE:
    case KB_FIELD_FAULT_KIND:
    case KB_FIELD_FAULT_POINT: {
        int32_t value;
        memcpy(&value, place, sizeof value);
        return value;
    }
    case KB_FIELD_TEXT16:
        break;
    }
    KB_UNREACHABLE();
}

struct word {
    const char *name;
    const char *text;
};

#define WORD(NAME, number, explanation) [number] = {#NAME, explanation},
#define WORDS(TYPE)                                                                                          \
    case KB_FIELD_##TYPE: {                                                                                  \
        static const struct word words[] = {KB_##TYPE##_LIST(WORD)};                                         \
        return value >= 0 && value < (int64_t)(sizeof words / sizeof words[0]) ? &words[value] : NULL;       \
    }

static const struct word *find_word(enum kb_field_type type, int64_t value)
{
    switch (type) {
        WORDS(LEFT)
        WORDS(HELD)
        WORDS(PARTITION_WHY)
        WORDS(CLOSE_WHY)
        WORDS(WAIT)
        WORDS(CALL)
        WORDS(SENDER_STATE)
        WORDS(CONNECTION_STATE)
        WORDS(METADATA_WHY)
        WORDS(TXN_STATE)
        WORDS(ELECTION_WHY)
        WORDS(COORDINATOR_STATE)
        WORDS(MARKER)
        WORDS(POSITION_WHY)
        WORDS(MEMBER_STATE)
        WORDS(FAULT_KIND)
        WORDS(FAULT_POINT)
    case KB_FIELD_I32:
    case KB_FIELD_I64:
    case KB_FIELD_U32:
    case KB_FIELD_NAME:
    case KB_FIELD_TEXT16:
    case KB_FIELD_ERROR:
    case KB_FIELD_API:
        break;
    }
    return NULL;
}

const char *kb_field_value_name(enum kb_field_type type, int64_t value)
{
    const struct word *word = find_word(type, value);
    return word != NULL ? word->name : NULL;
}

const char *kb_field_value_text(enum kb_field_type type, int64_t value)
{
    const struct word *word = find_word(type, value);
    return word != NULL ? word->text : NULL;
}

struct kb_text16 kb_text16_of(const void *text, int64_t length_bytes)
{
    struct kb_text16 result = {{0}};
    if (length_bytes > 0) {
        memcpy(result.bytes, text,
               length_bytes < (int64_t)sizeof result.bytes ? (size_t)length_bytes : sizeof result.bytes);
    }
    return result;
}

uint64_t kb_trace_emit(struct kb_trace *trace, uint64_t cause, struct kb_event *event)
{
    event->source = trace->source;
    return trace->emit(trace->context, event, cause);
}

uint32_t kb_trace_intern(struct kb_trace *trace, const char *name, size_t length_bytes)
{
    return trace != NULL ? trace->intern(trace->context, name, length_bytes) : 0;
}
