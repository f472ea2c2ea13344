/*
 * "records" of a thread: made up, a list, or a file.
 */
#include "engine/scenario_reader.h"

#include <string.h>

enum { RECORDS_MAX = 100000000, TIME_MAX_MS = 86400000, RATE_MAX = 10000000, VALUE_MAX_BYTES = 16 << 20 };

static const char *const record_keys[] = {"topic", "count",       "rate_per_s", "arrivals", "burst",
                                          "key",   "value_bytes", "partition",  "start_ms", "headers",
                                          "list",  "file",        NULL};

static void read_key(struct scenario_reader *reader, const struct json_place *place, const cJSON *records,
                     struct sim_source *source)
{
    static const char *const kinds[] = {"constant", "cycle", "uniform", "zipf", NULL};
    static const char *const known[] = {"keys", "exponent", "prefix", NULL};
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(records, "key");
    struct json_place at = {place, "key", 0};
    source->key_kind = SIM_KEY_NULL;
    if (key == NULL || cJSON_IsNull(key)) {
        return;
    }
    if (cJSON_IsString(key)) {
        source->key_kind = SIM_KEY_CONSTANT;
        source->key_text = reader_copy(reader, key->valuestring);
        return;
    }
    if (!cJSON_IsObject(key) || key->child == NULL) {
        reader_complain(
            reader, &at,
            "found %s; a key is null, a text, or {\"cycle\" | \"uniform\" | \"zipf\": {\"keys\": 50}}",
            reader_show(key));
        return;
    }
    reader_check_keys(reader, &at, key, kinds);
    const cJSON *kind = key->child;
    if (kind->next != NULL) {
        reader_complain(reader, &at, "says more than one thing; keep one of them");
    }
    struct json_place deeper = {&at, kind->string, 0};
    if (strcmp(kind->string, "constant") == 0) {
        source->key_kind = SIM_KEY_CONSTANT;
        source->key_text = reader_text(reader, &at, key, "constant", "");
        return;
    }
    source->key_kind = strcmp(kind->string, "cycle") == 0  ? SIM_KEY_CYCLE
                       : strcmp(kind->string, "zipf") == 0 ? SIM_KEY_ZIPF
                                                           : SIM_KEY_UNIFORM;
    if (!cJSON_IsObject(kind)) {
        reader_complain(reader, &deeper, "found %s; write {\"keys\": 50}", reader_show(kind));
        return;
    }
    reader_check_keys(reader, &deeper, kind, known);
    reader_require(reader, &deeper, kind, "keys", "say how many different keys there are");
    source->key_count = reader_whole(reader, &deeper, kind, "keys", 1, 100000, 1);
    source->key_text = reader_text(reader, &deeper, kind, "prefix", "key-");
    const cJSON *exponent = cJSON_GetObjectItemCaseSensitive(kind, "exponent");
    struct json_place at_exponent = {&deeper, "exponent", 0};
    source->zipf_exponent_milli = 1000;
    if (exponent != NULL &&
        (!cJSON_IsNumber(exponent) || !(exponent->valuedouble >= 0 && exponent->valuedouble <= 4))) {
        reader_complain(reader, &at_exponent, "found %s; must be a number from 0 to 4",
                        reader_show(exponent));
    } else if (exponent != NULL) {
        source->zipf_exponent_milli = (int64_t)(exponent->valuedouble * 1000 + 0.5);
    }
}

static void read_headers(struct scenario_reader *reader, const struct json_place *place, const cJSON *records,
                         struct sim_source *source)
{
    const cJSON *headers = reader_object(reader, place, records, "headers");
    struct json_place at = {place, "headers", 0};
    size_t count = headers != NULL ? (size_t)cJSON_GetArraySize(headers) : 0;
    source->header_names = reader_allocate(reader, count, sizeof(char *));
    source->header_values = reader_allocate(reader, count, sizeof(char *));
    for (const cJSON *header = headers != NULL ? headers->child : NULL; header != NULL;
         header = header->next) {
        struct json_place here = {&at, header->string, 0};
        if (!cJSON_IsString(header) && !cJSON_IsNull(header)) {
            reader_complain(reader, &here, "found %s; a header's value is a text or null",
                            reader_show(header));
            continue;
        }
        source->header_names[source->header_count] = reader_copy(reader, header->string);
        source->header_values[source->header_count++] =
            cJSON_IsString(header) ? reader_copy(reader, header->valuestring) : NULL;
    }
}

static const char *text_or_null(struct scenario_reader *reader, const struct json_place *place,
                                const cJSON *object, const char *key, int32_t *length_bytes)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    *length_bytes = -1;
    if (value == NULL || cJSON_IsNull(value)) {
        return NULL;
    }
    const char *text = reader_text(reader, place, object, key, NULL);
    *length_bytes = text != NULL ? (int32_t)strlen(text) : -1;
    return text;
}

static void read_list(struct scenario_reader *reader, const struct json_place *place, const cJSON *list,
                      struct sim_source *source)
{
    static const char *const known[] = {"at_ms", "key", "value", "partition", "timestamp_ms", NULL};
    int count = cJSON_GetArraySize(list);
    source->kind = SIM_SOURCE_GIVEN;
    source->given = reader_allocate(reader, (size_t)count, sizeof(struct sim_given_record));
    int64_t last_us = 0;
    int index = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next, index++) {
        struct json_place here = {place, NULL, index};
        if (!cJSON_IsObject(item)) {
            reader_complain(reader, &here, "found %s; a record is an object with key and value",
                            reader_show(item));
            continue;
        }
        reader_check_keys(reader, &here, item, known);
        int64_t at_ms = reader_whole(reader, &here, item, "at_ms", 0, TIME_MAX_MS, -1);
        struct sim_given_record record = {
            .at_us = at_ms >= 0 ? at_ms * 1000 : -1,
            .partition = (int32_t)reader_whole(reader, &here, item, "partition", 0, 9999, -1),
            .timestamp_ms = reader_whole(reader, &here, item, "timestamp_ms", 0, INT64_MAX / 2, -1),
        };
        record.key = text_or_null(reader, &here, item, "key", &record.key_bytes);
        record.value = text_or_null(reader, &here, item, "value", &record.value_bytes);
        if (record.at_us >= 0 && record.at_us < last_us) {
            struct json_place at_time = {&here, "at_ms", 0};
            reader_complain(reader, &at_time,
                            "is before the record in front of it; write them in their order");
        }
        last_us = record.at_us >= 0 ? record.at_us : last_us;
        source->given[source->given_count++] = record;
    }
    source->count = (int64_t)source->given_count;
}

void read_records(struct scenario_reader *reader, const struct json_place *place, const cJSON *records,
                  struct sim_source *source)
{
    static const char *const arrivals[] = {"steady", "poisson", "burst", NULL};
    reader_check_keys(reader, place, records, record_keys);
    source->topic = reader_text(reader, place, records, "topic", NULL);
    struct json_place at_topic = {place, "topic", 0};
    if (source->topic == NULL && reader->scenario->topic_count == 1) {
        source->topic = reader->scenario->topics[0].name;
    } else if (source->topic == NULL) {
        reader_complain(reader, &at_topic, "is missing; name one of the cluster's topics");
    } else if (find_topic(reader->scenario, source->topic) == NULL) {
        reader_complain(reader, &at_topic, "found \"%.60s\"; cluster.topics has no such topic",
                        source->topic);
    }
    source->count = reader_whole(reader, place, records, "count", 0, RECORDS_MAX, 100);
    source->rate_per_s = reader_whole(reader, place, records, "rate_per_s", 1, RATE_MAX, 1000);
    source->arrivals = (enum sim_arrivals_kind)reader_word(reader, place, records, "arrivals", arrivals,
                                                           SIM_ARRIVALS_STEADY);
    source->burst_records = reader_whole(reader, place, records, "burst", 1, RECORDS_MAX, 10);
    source->start_us = reader_whole(reader, place, records, "start_ms", 0, TIME_MAX_MS, 0) * 1000;
    source->partition = (int32_t)reader_whole(reader, place, records, "partition", 0, 9999, -1);
    source->value_bytes = reader_distribution(reader, place, records, "value_bytes", VALUE_MAX_BYTES, 100);
    read_key(reader, place, records, source);
    read_headers(reader, place, records, source);
    const cJSON *list = reader_array(reader, place, records, "list");
    const cJSON *file = reader_object(reader, place, records, "file");
    if (list != NULL && file != NULL) {
        reader_complain(reader, place, "has both a list and a file; keep one of them");
    } else if (list != NULL) {
        struct json_place at = {place, "list", 0};
        read_list(reader, &at, list, source);
    } else if (file != NULL) {
        struct json_place at = {place, "file", 0};
        read_record_file(reader, &at, file, source);
    }
}
