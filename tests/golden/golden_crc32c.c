#include "golden.h"

#include "base/crc32c.h"

/* Whole, with tables, and in two parts that are cut at every possible place. */
void golden_check_crc32c(struct golden_case *golden, const cJSON *row)
{
    size_t length_bytes = 0;
    const uint8_t *data = golden_bytes(golden, row, "data_hex", &length_bytes);
    if (data == NULL) {
        golden_fail(golden, "data_hex: null");
        return;
    }
    uint32_t crc = kb_crc32c(data, length_bytes);
    cJSON *actual = golden_new_object(golden);
    json_add_hex(actual, "data_hex", data, length_bytes);
    json_add_integer(actual, "crc32c", crc);
    golden_compare(golden, "", row, actual);
    golden_compare_integer(golden, "crc32c with tables", crc,
                           kb_crc32c_update_portable(0, data, length_bytes));
    for (size_t cut = 1; cut < length_bytes; cut++) {
        golden_compare_integer(golden, "crc32c in two parts", crc,
                               kb_crc32c_update(kb_crc32c(data, cut), data + cut, length_bytes - cut));
    }
}
