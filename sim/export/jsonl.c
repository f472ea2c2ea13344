#include "export/jsonl.h"

#include <inttypes.h>
#include <string.h>

#include "wire/api_keys.h"
#include "wire/compression.h"
#include "wire/errors.h"

static const char *type_name(enum kb_field_type type)
{
    switch (type) {
    case KB_FIELD_I32:
        return "i32";
    case KB_FIELD_I64:
        return "i64";
    case KB_FIELD_U32:
        return "u32";
    case KB_FIELD_NAME:
        return "name";
    case KB_FIELD_TEXT16:
        return "text16";
    case KB_FIELD_ERROR:
        return "error";
    case KB_FIELD_API:
        return "api";
    case KB_FIELD_LEFT:
    case KB_FIELD_HELD:
        return "mask";
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
    case KB_FIELD_FAULT_POINT:
        return "word";
    }
    return "?";
}

/* Length of the UTF-8 character at text, 0 when there is none. */
static size_t character_bytes(const unsigned char *text, size_t length_bytes)
{
    unsigned char first = text[0];
    size_t expected = first < 0x80   ? 1
                      : first < 0xc2 ? 0
                      : first < 0xe0 ? 2
                      : first < 0xf0 ? 3
                      : first < 0xf5 ? 4
                                     : 0;
    if (expected == 0 || expected > length_bytes) {
        return 0;
    }
    for (size_t i = 1; i < expected; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    bool surrogate = first == 0xed && text[1] >= 0xa0;
    bool too_high = first == 0xf4 && text[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : expected;
}

void sim_write_json_text(FILE *file, const char *text, size_t length_bytes)
{
    fputc('"', file);
    for (size_t i = 0; i < length_bytes;) {
        unsigned char byte = (unsigned char)text[i];
        size_t count = character_bytes((const unsigned char *)text + i, length_bytes - i);
        if (count == 0) {
            fputs("\\ufffd", file);
            i++;
        } else if (byte == '"' || byte == '\\') {
            fprintf(file, "\\%c", byte);
            i++;
        } else if (byte < 0x20 || byte == 0x7f) {
            fprintf(file, "\\u%04x", byte);
            i++;
        } else {
            fwrite(text + i, 1, count, file);
            i += count;
        }
    }
    fputc('"', file);
}

static void write_string(FILE *file, const char *text)
{
    sim_write_json_text(file, text, strlen(text));
}

static void write_compressors(FILE *file)
{
    for (int i = KW_COMPRESSION_GZIP; i <= KW_COMPRESSION_ZSTD; i++) {
        enum kw_compression compression = (enum kw_compression)i;
        fprintf(file, "%s\"%s\":", i > KW_COMPRESSION_GZIP ? "," : "", kw_compression_name(compression));
        write_string(file, kw_compression_library_version(compression));
    }
}

static void write_kinds(FILE *file)
{
    for (uint32_t kind = 0; kind < KB_EVENT_KIND_COUNT; kind++) {
        const struct kb_event_info *info = kb_event_info(kind);
        fprintf(file, "%s{\"name\":\"%s\",\"fields\":[", kind > 0 ? "," : "", info->name);
        for (uint32_t i = 0; i < info->field_count; i++) {
            fprintf(file, "%s[\"%s\",\"%s\"]", i > 0 ? "," : "", info->fields[i].name,
                    type_name(info->fields[i].type));
        }
        fputs("]}", file);
    }
}

static void write_mask(FILE *file, enum kb_field_type type, uint32_t mask)
{
    fputc('[', file);
    bool first = true;
    for (uint32_t bit = 0; bit < 32; bit++) {
        const char *name = (mask >> bit & 1) != 0 ? kb_field_value_name(type, bit) : NULL;
        if (name != NULL) {
            fprintf(file, "%s\"%s\"", first ? "" : ",", name);
            first = false;
        }
    }
    fputc(']', file);
}

/* What a script reads is the number; a word for people stands beside it. */
static void write_field(FILE *file, const struct sim_event_log *log, const struct kb_event *event,
                        const struct kb_event_field *field)
{
    fprintf(file, ",\"%s\":", field->name);
    if (field->type == KB_FIELD_TEXT16) {
        const unsigned char *bytes = (const unsigned char *)event + field->offset_bytes;
        fputc('"', file);
        for (size_t i = 0; i < sizeof(struct kb_text16); i++) {
            fprintf(file, "%02x", bytes[i]);
        }
        fputc('"', file);
        return;
    }
    int64_t value = kb_event_field_value(event, field);
    if (field->type == KB_FIELD_NAME) {
        write_string(file, sim_event_log_name(log, (uint32_t)value));
        return;
    }
    fprintf(file, "%" PRId64, value);
    const char *word = kb_field_value_name(field->type, value);
    if (field->type == KB_FIELD_LEFT || field->type == KB_FIELD_HELD) {
        fprintf(file, ",\"%s_words\":", field->name);
        write_mask(file, field->type, (uint32_t)value);
        return;
    }
    if (field->type == KB_FIELD_ERROR && value != 0) {
        word = kw_error_name((enum kw_error)value);
    }
    const struct kw_api *api = field->type == KB_FIELD_API && value >= 0 ? kw_api_find((int16_t)value) : NULL;
    word = api != NULL ? api->name : word;
    if (word != NULL) {
        fprintf(file, ",\"%s_word\":\"%s\"", field->name, word);
    }
}

static void write_event(FILE *file, const struct sim_event_log *log, uint64_t sequence)
{
    const struct kb_event *event = sim_event_log_get(log, sequence);
    const struct kb_event_info *info = kb_event_info(event->kind);
    fprintf(file, "{\"seq\":%" PRIu64 ",\"t_us\":%" PRId64 ",\"ev\":\"%s\",\"method\":\"%s\",\"source\":%d",
            sequence, event->time_us, info->name, info->method,
            event->source == KB_SOURCE_CLUSTER ? -1 : event->source);
    if (event->cause_back != 0) {
        fprintf(file, ",\"cause\":%" PRIu64, sequence - event->cause_back);
    }
    for (uint32_t i = 0; i < info->field_count; i++) {
        write_field(file, log, event, &info->fields[i]);
    }
    fputs("}\n", file);
}

bool sim_export_jsonl(const struct sim_event_log *log, FILE *file)
{
    const struct sim_run_info *info = sim_event_log_info_view(log);
    fputs("{\"linger_events\":1,\"scenario\":", file);
    write_string(file, info->name);
    fprintf(file, ",\"seed\":\"%" PRIu64 "\",\"input_hash\":\"%016" PRIx64 "\",\"compressors\":{", info->seed,
            info->input_hash);
    write_compressors(file);
    fputs("},\"kinds\":[", file);
    write_kinds(file);
    fputs("]}\n", file);
    uint64_t count = sim_event_log_count(log);
    for (uint64_t sequence = 1; sequence <= count; sequence++) {
        write_event(file, log, sequence);
    }
    fprintf(file, "{\"events\":%" PRIu64 ",\"names\":[", count);
    for (uint32_t i = 1; i <= sim_event_log_name_count(log); i++) {
        if (i > 1) {
            fputc(',', file);
        }
        write_string(file, sim_event_log_name(log, i));
    }
    fprintf(file, "],\"hash\":\"%016" PRIx64 "\"}\n", sim_event_log_hash(log));
    return fflush(file) == 0 && ferror(file) == 0;
}
