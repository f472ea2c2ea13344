#include "mockbroker/settings.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

enum type { INT, LONG, BOOLEAN, TIMESTAMP_TYPE, CLEANUP_POLICY };

struct row {
    struct mb_setting_info info;
    enum type type;
    int64_t minimum;
    int64_t maximum;
    enum mb_setting_id inherits;
};

static const char *const type_names[] = {"int", "long", "boolean", "string", "list"};

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

static bool parse_word(const char *text, const char *zero, const char *one, int64_t *value)
{
    *value = strcmp(text, one) == 0;
    return *value == 1 || strcmp(text, zero) == 0;
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
    switch (row->type) {
    case INT:
    case LONG:
        return parse_number(text, value) && *value >= row->minimum && *value <= row->maximum;
    case BOOLEAN:
        return parse_word(text, "false", "true", value);
    case TIMESTAMP_TYPE:
        return parse_word(text, "CreateTime", "LogAppendTime", value);
    case CLEANUP_POLICY:
        return parse_word(text, "delete", "compact", value);
    }
    KB_UNREACHABLE();
}

static void complain(const struct row *row, const char *value, struct mb_error *error)
{
    const struct mb_setting_info *info = &row->info;
    switch (row->type) {
    case INT:
    case LONG:
        snprintf(error->text, sizeof error->text,
                 "%s setting %s: \"%.40s\" is not a number from %lld to %lld", info->scope, info->name, value,
                 (long long)row->minimum, (long long)row->maximum);
        break;
    case BOOLEAN:
        snprintf(error->text, sizeof error->text, "%s setting %s: \"%.40s\" is neither true nor false",
                 info->scope, info->name, value);
        break;
    case TIMESTAMP_TYPE:
        snprintf(error->text, sizeof error->text,
                 "%s setting %s: \"%.40s\" is neither CreateTime nor LogAppendTime", info->scope, info->name,
                 value);
        break;
    case CLEANUP_POLICY:
        snprintf(error->text, sizeof error->text, "%s setting %s: \"%.40s\" is neither delete nor compact",
                 info->scope, info->name, value);
        break;
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
