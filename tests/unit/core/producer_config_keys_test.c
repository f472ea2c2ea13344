#include "producer_config_support.h"
#include "unit.h"

#include "core/config_def.h"

#include <string.h>

static void describes_every_key(void)
{
    CU_ASSERT_EQUAL(kp_config_key_count(), 70);
    for (size_t i = 0; i < kp_config_key_count(); i++) {
        const struct kp_config_key *key = kp_config_key_at(i);
        CU_ASSERT_PTR_EQUAL(kp_config_key_find(key->name), key);
        CU_ASSERT_TRUE(key->has_default || key->default_text == NULL);
        size_t length_bytes = strlen(key->doc);
        CU_ASSERT_TRUE(length_bytes > 20 && length_bytes < 300);
        CU_ASSERT_TRUE(key->doc[length_bytes - 1] == '.' || key->doc[length_bytes - 1] == ')');
        bool is_security = strncmp(key->name, "ssl.", 4) == 0 || strncmp(key->name, "sasl.", 5) == 0 ||
                           strncmp(key->name, "security.", 9) == 0;
        CU_ASSERT_FALSE(is_security && key->has_effect);
    }
    CU_ASSERT_PTR_NULL(kp_config_key_find("linger"));
    CU_ASSERT_TRUE(kp_config_key_find("linger.ms")->has_effect);
    CU_ASSERT_STRING_EQUAL(kp_config_type_name(kp_config_key_find("ssl.key.password")->type), "password");
    CU_ASSERT_STRING_EQUAL(kp_config_importance_name(kp_config_key_find("batch.size")->importance), "medium");
}

/* Kafka parses and validates its own defaults; so do they here. */
static void defaults_are_valid(void)
{
    for (size_t i = 0; i < kp_config_key_count(); i++) {
        const struct kp_config_definition *definition = kp_config_definition((enum kp_config_id)i);
        const struct kp_config_key *key = &definition->key;
        max_align_t block[64];
        struct kp_text_arena arena;
        struct kp_config_value value;
        struct kp_failure failure;
        kp_text_arena_init(&arena, block, sizeof block);
        if (key->has_default) {
            CU_ASSERT_EQUAL(kp_config_parse(definition, key->default_text, NULL, &arena, &value, &failure),
                            KP_CONFIG_OK);
            CU_ASSERT_TRUE(value.is_valid);
            CU_ASSERT_EQUAL(value.is_null, key->default_text == NULL);
            CU_ASSERT_TRUE(value.is_null || strcmp(value.text, key->default_text) == 0);
        }
    }
}

static void knows_what_was_meant(void)
{
    static const char *const pairs[][2] = {
        {"linger.mss", "linger.ms"},
        {"LINGER_MS", "linger.ms"},
        {"ilnger.ms", "linger.ms"},
        {"batchsize", "batch.size"},
        {"ack", "acks"},
        {"max.in.flight.request.per.connection", "max.in.flight.requests.per.connection"},
        {"enable-idempotence", "enable.idempotence"},
        {"compresion.type", "compression.type"},
        {"bootstrap.server", "bootstrap.servers"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const char *nearest = kp_config_key_nearest(pairs[i][0]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(nearest);
        CU_ASSERT_STRING_EQUAL(nearest, pairs[i][1]);
    }
    CU_ASSERT_PTR_NULL(kp_config_key_nearest("group.id"));
    CU_ASSERT_PTR_NULL(kp_config_key_nearest("x"));
    CU_ASSERT_PTR_NULL(kp_config_key_nearest("packs.x"));
    CU_ASSERT_PTR_NULL(kp_config_key_nearest("ax"));
    CU_ASSERT_PTR_NULL(kp_config_key_nearest(""));
    char longest[500];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CU_ASSERT_PTR_NULL(kp_config_key_nearest(longest));
}

static void check_double(const char *text, const char *printed)
{
    char scratch[64];
    char out[KP_TEXT_DOUBLE_BYTES];
    double value;
    (void)snprintf(scratch, sizeof scratch, "%s", text);
    CU_ASSERT_TRUE_FATAL(kp_text_parse_double(scratch, &value));
    kp_text_format_double(value, out);
    CU_ASSERT_STRING_EQUAL(out, printed);
}

static void prints_doubles_like_java(void)
{
    check_double("0.05", "0.05");
    check_double("1", "1.0");
    check_double("-0", "-0.0");
    check_double(".5", "0.5");
    check_double("5.D", "5.0");
    check_double("0x1p-1f", "0.5");
    check_double("0.001", "0.001");
    check_double("0.00099", "9.9E-4");
    check_double("9999999.5", "9999999.5");
    check_double("1e7", "1.0E7");
    check_double("123456789.125", "1.23456789125E8");
    check_double("1e400", "Infinity");
    check_double("-Infinity", "-Infinity");
    check_double("NaN", "NaN");
    static const char *const no_numbers[] = {"",    ".",        "1 2", "0x1", "1e", "e5",
                                             "nan", "infinity", "1ff", "+",   "1_0"};
    for (size_t i = 0; i < COUNT_OF(no_numbers); i++) {
        char scratch[64];
        double value;
        (void)snprintf(scratch, sizeof scratch, "%s", no_numbers[i]);
        CU_ASSERT_FALSE(kp_text_parse_double(scratch, &value));
    }
}

static void parses_the_whole_range_of_integers(void)
{
    static const struct {
        const char *text;
        bool is_ok;
        int64_t value;
    } cases[] = {{"9223372036854775807", true, INT64_MAX},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"-9223372036854775809", false, 0},
                 {"+0", true, 0},
                 {"-", false, 0},
                 {"", false, 0},
                 {"\xef\xbc\x94\xef\xbc\x92", true, 42},
                 {"4\xef\xbc", false, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 0;
        CU_ASSERT_EQUAL(kp_text_parse_integer(kp_text_span_of(cases[i].text), INT64_MIN, INT64_MAX, &value),
                        cases[i].is_ok);
        CU_ASSERT_EQUAL(value, cases[i].value);
    }
}

int main(void)
{
    return unit_main("producer_config_keys",
                     (struct unit_test[]){
                         {"describes every key", describes_every_key},
                         {"defaults are valid", defaults_are_valid},
                         {"knows what was meant", knows_what_was_meant},
                         {"prints doubles like Java", prints_doubles_like_java},
                         {"parses the whole range of integers", parses_the_whole_range_of_integers},
                         {0},
                     });
}
