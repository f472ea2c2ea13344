#include "golden.h"

#include "base/murmur2.h"

#include <stdlib.h>

/* Each count of partitions is the name of a member, so it is taken from the row. */
void golden_check_murmur2(struct golden_case *golden, const cJSON *row)
{
    size_t length_bytes = 0;
    const uint8_t *key = golden_bytes(golden, row, "key_hex", &length_bytes);
    if (key == NULL) {
        golden_fail(golden, "key_hex: null");
        return;
    }
    int32_t hash = kb_murmur2(key, length_bytes);
    cJSON *actual = golden_new_object(golden);
    cJSON *partitions = cJSON_CreateObject();
    json_add_hex(actual, "key_hex", key, length_bytes);
    json_add_integer(actual, "murmur2", hash);
    json_add(actual, "partition", partitions);
    const cJSON *expected = NULL;
    cJSON_ArrayForEach(expected, json_member(row, "partition"))
    {
        long count = strtol(expected->string, NULL, 10);
        if (count <= 0) {
            golden_fail(golden, "partition: \"%s\" is no count of partitions", expected->string);
            return;
        }
        json_add_integer(partitions, expected->string, kb_to_positive(hash) % count);
    }
    golden_compare(golden, "", row, actual);
}
