#include "mockbroker/settings.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

enum type { INT, LONG, BOOLEAN, TIMESTAMP_TYPE, CLEANUP_POLICY, COMPRESSION_TYPE };

struct row {
    struct mb_setting_info info;
    enum type type;
    int64_t minimum;
    int64_t maximum;
    enum mb_setting_id inherits;
};

static const char *const type_names[] = {"int", "long", "boolean", "string", "list", "string"};

static const struct row rows[] = {
#define SETTING(ID, scope_, name_, type_, minimum_, maximum_, default_, kafka_, broker_, doc_)               \
    {.info =                                                                                                 \
         {.name = name_, .scope = scope_, .default_value = default_, .doc = doc_, .kafka_default = kafka_},  \
     .type = type_,                                                                                          \
     .minimum = minimum_,                                                                                    \
     .maximum = maximum_,                                                                                    \
     .inherits = MB_SETTING_##broker_},
#include "mockbroker/settings.def"
#undef SETTING
};

bool mb_setting_info(uint32_t index, struct mb_setting_info *out)
{
    if (index >= MB_SETTING_COUNT) {
        return false;
    }
    *out = rows[index].info;
    out->type = type_names[rows[index].type];
    return true;
}

/* A text and what it means. */
struct word {
    const char *text;
    int64_t value;
};

static const struct word booleans[] = {{"false", 0}, {"true", 1}, {NULL, 0}};
static const struct word timestamp_types[] = {
    {"CreateTime", MB_CREATE_TIME}, {"LogAppendTime", MB_LOG_APPEND_TIME}, {NULL, 0}};
static const struct word cleanup_policies[] = {
    {"delete", MB_CLEANUP_DELETE},
    {"compact", MB_CLEANUP_COMPACT},
    {"compact,delete", MB_CLEANUP_COMPACT | MB_CLEANUP_DELETE},
    {"delete,compact", MB_CLEANUP_COMPACT | MB_CLEANUP_DELETE},
    {NULL, 0},
};
static const struct word compression_types[] = {
    {"producer", MB_COMPRESSION_PRODUCER},
    {"uncompressed", MB_COMPRESSION_UNCOMPRESSED},
    {"gzip", MB_COMPRESSION_GZIP},
    {"snappy", MB_COMPRESSION_SNAPPY},
    {"lz4", MB_COMPRESSION_LZ4},
    {"zstd", MB_COMPRESSION_ZSTD},
    {NULL, 0},
};

/* The words that a type has; NULL: it is a number. */
static const struct word *words_of(enum type type)
{
    switch (type) {
    case INT:
    case LONG:
        return NULL;
    case BOOLEAN:
        return booleans;
    case TIMESTAMP_TYPE:
        return timestamp_types;
    case CLEANUP_POLICY:
        return cleanup_policies;
    case COMPRESSION_TYPE:
        return compression_types;
    }
    KB_UNREACHABLE();
}

static bool parse_word(const struct word *words, const char *text, int64_t *value)
{
    for (const struct word *word = words; word->text != NULL; word++) {
        if (strcmp(word->text, text) == 0) {
            *value = word->value;
            return true;
        }
    }
    return false;
}

/* Decimal digits with an optional minus; no overflow. */
static bool parse_number(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    const char *digit = text + negative;
    int64_t result = 0;
    if (*digit == '\0') {
        return false;
    }
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        int64_t step = *digit - '0';
        if (result < (INT64_MIN + step) / 10) {
            return false;
        }
        result = result * 10 - step;
    }
    if (!negative && result == INT64_MIN) {
        return false;
    }
    *value = negative ? result : -result;
    return true;
}

static bool parse(const struct row *row, const char *text, int64_t *value)
{
    const struct word *words = words_of(row->type);
    if (words != NULL) {
        return parse_word(words, text, value);
    }
    return parse_number(text, value) && *value >= row->minimum && *value <= row->maximum;
}

static void complain(const struct row *row, const char *value, struct mb_error *error)
{
    const struct mb_setting_info *info = &row->info;
    const struct word *words = words_of(row->type);
    int length = snprintf(error->text, sizeof error->text, "%s setting %s: \"%.40s\" is ", info->scope,
                          info->name, value);
    if (words == NULL) {
        snprintf(error->text + length, sizeof error->text - (size_t)length, "not a number from %lld to %lld",
                 (long long)row->minimum, (long long)row->maximum);
        return;
    }
    for (const struct word *word = words; word->text != NULL; word++) {
        const char *joint = word == words ? "neither " : word[1].text == NULL ? " nor " : ", ";
        length +=
            snprintf(error->text + length, sizeof error->text - (size_t)length, "%s%s", joint, word->text);
    }
}

static uint32_t find(const char *scope, const char *name)
{
    for (uint32_t i = 0; i < MB_SETTING_COUNT; i++) {
        if (strcmp(rows[i].info.scope, scope) == 0 && strcmp(rows[i].info.name, name) == 0) {
            return i;
        }
    }
    return MB_SETTING_COUNT;
}

bool mb_settings_set(struct mb_settings *settings, const char *scope, const struct mb_setting *setting,
                     struct mb_error *error)
{
    uint32_t index = find(scope, setting->name);
    if (index == MB_SETTING_COUNT) {
        snprintf(error->text, sizeof error->text, "%s setting %.100s is not known here", scope,
                 setting->name);
        return false;
    }
    int64_t value = 0;
    if (!parse(&rows[index], setting->value, &value)) {
        complain(&rows[index], setting->value, error);
        return false;
    }
    settings->values[index] = value;
    return true;
}

const char *mb_setting_check(const char *scope, const char *name, const char *value, struct mb_error *error)
{
    struct mb_settings scratch;
    struct mb_setting setting = {name, value};
    return mb_settings_set(&scratch, scope, &setting, error) ? NULL : error->text;
}

void mb_settings_default(struct mb_settings *settings)
{
    for (uint32_t i = 0; i < MB_SETTING_COUNT; i++) {
        bool is_fine = parse(&rows[i], rows[i].info.default_value, &settings->values[i]);
        KB_ASSERT(is_fine);
    }
}

void mb_settings_inherit(struct mb_settings *topic, const struct mb_settings *broker)
{
    *topic = *broker;
    for (uint32_t i = 0; i < MB_SETTING_COUNT; i++) {
        if (rows[i].inherits != MB_SETTING_COUNT) {
            topic->values[i] = broker->values[rows[i].inherits];
        }
    }
}
