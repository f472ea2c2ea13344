#define _POSIX_C_SOURCE 200809L /* mkstemp, fdopen */

#include "json_exact.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cJSON *parse(const char *text)
{
    return json_parse(text, strlen(text));
}

static void keeps_64_bits(void)
{
    cJSON *root =
        parse("{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":9007199254740993,\"d\":-5,"
              "\"e\":123456789012345,\"f\":1234567890123456,\"g\":[1600000000000000001]}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(json_member_integer(root, "a", 0), INT64_MAX);
    CU_ASSERT_EQUAL(json_member_integer(root, "b", 0), INT64_MIN);
    CU_ASSERT_EQUAL(json_member_integer(root, "c", 0), 9007199254740993);
    CU_ASSERT_EQUAL(json_member_integer(root, "d", 0), -5);
    CU_ASSERT_EQUAL(json_member_integer(root, "e", 0), 123456789012345);
    CU_ASSERT_EQUAL(json_member_integer(root, "f", 0), 1234567890123456);
    CU_ASSERT_EQUAL(json_integer(json_member(root, "g")->child), 1600000000000000001);
    CU_ASSERT_FALSE(json_is_text(json_member(root, "a")));
    CU_ASSERT_PTR_NULL(json_member_text(root, "a", NULL));
    char *text = json_print(root);
    CU_ASSERT_STRING_EQUAL(
        text, "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":9007199254740993,"
              "\"d\":-5,\"e\":123456789012345,\"f\":1234567890123456,\"g\":[1600000000000000001]}");
    free(text);
    cJSON_Delete(root);
}

static void refuses_what_it_cannot_keep(void)
{
    CU_ASSERT_PTR_NULL(parse("[9223372036854775808]"));
    CU_ASSERT_PTR_NULL(parse("{\"a\":[{\"b\":-9223372036854775809}]}"));
    CU_ASSERT_PTR_NULL(parse("{\"a\":1} x"));
    CU_ASSERT_PTR_NULL(parse("{\"a\":"));
    CU_ASSERT_PTR_NULL(parse(""));
    CU_ASSERT_PTR_NULL(parse("\"abc"));
    CU_ASSERT_PTR_NULL(parse("\"abc\\"));
}

/* Digits in strings and fractions are not touched. */
static void leaves_other_things_alone(void)
{
    cJSON *root = parse("{\"12345678901234567890\":\"9223372036854775807 \\\"1234567890123456789\",\"x\":1.5,"
                        "\"y\":1234567890.1234567,\"n\":null,\"t\":true}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(json_member_text(root, "12345678901234567890", ""),
                           "9223372036854775807 \"1234567890123456789");
    CU_ASSERT_FALSE(json_is_integer(json_member(root, "x")));
    CU_ASSERT_FALSE(json_is_integer(json_member(root, "y")));
    CU_ASSERT_FALSE(json_is_integer(json_member(root, "n")));
    CU_ASSERT_FALSE(json_is_integer(NULL));
    CU_ASSERT_EQUAL(json_member_integer(root, "x", -7), -7);
    CU_ASSERT_TRUE(json_member_bool(root, "t", false));
    CU_ASSERT_TRUE(json_member_bool(root, "n", true));
    CU_ASSERT_FALSE(json_member_has_value(root, "n"));
    CU_ASSERT_FALSE(json_member_has_value(root, "missing"));
    CU_ASSERT_TRUE(json_member_has_value(root, "t"));
    cJSON_Delete(root);
}

static bool are_equal(const char *left_text, const char *right_text)
{
    cJSON *left = parse(left_text);
    cJSON *right = parse(right_text);
    bool equal = json_equal(left, right);
    CU_ASSERT_EQUAL(json_equal(right, left), equal);
    cJSON_Delete(left);
    cJSON_Delete(right);
    return equal;
}

static void compares(void)
{
    CU_ASSERT_TRUE(are_equal("{\"a\":1,\"b\":[true,null,\"x\"]}", "{\"b\":[true,null,\"x\"],\"a\":1}"));
    CU_ASSERT_TRUE(are_equal("9007199254740993", "9007199254740993"));
    CU_ASSERT_FALSE(are_equal("9007199254740993", "9007199254740992"));
    CU_ASSERT_FALSE(are_equal("[1,2]", "[2,1]"));
    CU_ASSERT_FALSE(are_equal("[1,2]", "[1,2,3]"));
    CU_ASSERT_FALSE(are_equal("{\"a\":1}", "{\"a\":1,\"b\":1}"));
    CU_ASSERT_FALSE(are_equal("{\"a\":1}", "{\"b\":1}"));
    CU_ASSERT_FALSE(are_equal("{\"a\":null}", "{}"));
    CU_ASSERT_FALSE(are_equal("true", "false"));
    CU_ASSERT_FALSE(are_equal("1", "\"1\""));
    CU_ASSERT_FALSE(are_equal("1.5", "1.25"));
    CU_ASSERT_FALSE(are_equal("null", "0"));
    CU_ASSERT_FALSE(are_equal("\"a\"", "\"b\""));
}

static void converts_hex(void)
{
    size_t length_bytes = 0;
    uint8_t *bytes = json_decode_hex("00ff1a", &length_bytes);
    CU_ASSERT_EQUAL(length_bytes, 3);
    CU_ASSERT_EQUAL(memcmp(bytes, "\x00\xff\x1a", 3), 0);
    cJSON *root = cJSON_CreateObject();
    json_add_hex(root, "x", bytes, 3);
    json_add_hex(root, "empty", bytes, 0);
    json_add_hex(root, "null", NULL, 0);
    CU_ASSERT_STRING_EQUAL(json_member_text(root, "x", ""), "00ff1a");
    CU_ASSERT_STRING_EQUAL(json_member_text(root, "empty", "?"), "");
    CU_ASSERT_TRUE(cJSON_IsNull(json_member(root, "null")));
    cJSON_Delete(root);
    free(bytes);
    CU_ASSERT_PTR_NULL(json_decode_hex("0", &length_bytes));
    CU_ASSERT_PTR_NULL(json_decode_hex("0g", &length_bytes));
    CU_ASSERT_PTR_NULL(json_decode_hex("0A", &length_bytes));
    bytes = json_decode_hex("", &length_bytes);
    CU_ASSERT_PTR_NOT_NULL(bytes);
    free(bytes);
}

/* Lines of many lengths, some longer than any buffer to begin with; the last one has no end. */
static void reads_lines_of_any_length(void)
{
    static const size_t lengths[] = {0, 1, 65534, 65535, 65536, 65537, 1400000, 3};
    enum { LINE_COUNT = sizeof lengths / sizeof lengths[0] };
    char path[] = "/tmp/json_exact_test_XXXXXX";
    int descriptor = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(descriptor >= 0);
    FILE *file = fdopen(descriptor, "wb");
    for (size_t i = 0; i < LINE_COUNT; i++) {
        for (size_t at = 0; at < lengths[i]; at++) {
            (void)fputc('a' + (int)i, file);
        }
        if (i + 1 < LINE_COUNT) {
            (void)fputc('\n', file);
        }
    }
    (void)fclose(file);
    struct json_lines lines;
    const char *line = NULL;
    size_t length_bytes = 0;
    size_t count = 0;
    CU_ASSERT_TRUE(json_lines_open(&lines, path));
    while (json_lines_next(&lines, &line, &length_bytes) && count < LINE_COUNT) {
        CU_ASSERT_EQUAL(length_bytes, lengths[count]);
        CU_ASSERT_EQUAL(strlen(line), length_bytes);
        CU_ASSERT_TRUE(length_bytes == 0 || line[length_bytes - 1] == (char)('a' + (int)count));
        count++;
        CU_ASSERT_EQUAL(lines.line_number, count);
    }
    CU_ASSERT_EQUAL(count, LINE_COUNT);
    json_lines_close(&lines);
    (void)unlink(path);
    CU_ASSERT_FALSE(json_lines_open(&lines, path));
    json_lines_close(&lines);
}

int main(void)
{
    return unit_main("json_exact",
                     (struct unit_test[]){{"keeps_64_bits", keeps_64_bits},
                                          {"refuses_what_it_cannot_keep", refuses_what_it_cannot_keep},
                                          {"leaves_other_things_alone", leaves_other_things_alone},
                                          {"compares", compares},
                                          {"converts_hex", converts_hex},
                                          {"reads_lines_of_any_length", reads_lines_of_any_length},
                                          {0}});
}
