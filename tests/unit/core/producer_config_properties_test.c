#include "producer_config_support.h"
#include "unit.h"

#include <string.h>

static struct counting_memory memory;

/* Exactly length_bytes on the heap, so that the sanitizer sees a read beyond. */
static enum kp_config_status parse(const char *text, size_t length_bytes, struct kp_properties **out,
                                   uint32_t *line, struct kp_failure *failure)
{
    struct linger_allocator allocator = counting_allocator(&memory);
    char *exact = malloc(length_bytes > 0 ? length_bytes : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
    memcpy(exact, text, length_bytes);
    enum kp_config_status status = kp_properties_parse(&allocator, exact, length_bytes, out, line, failure);
    free(exact);
    return status;
}

/* pairs: name, value, name, value, ..., NULL. */
static void check(const char *text, const char *const *pairs)
{
    struct kp_properties *properties = NULL;
    CU_ASSERT_EQUAL_FATAL(parse(text, strlen(text), &properties, NULL, NULL), KP_CONFIG_OK);
    size_t count = 0;
    const struct kp_config_entry *entries = kp_properties_entries(properties, &count);
    size_t at = 0;
    for (; pairs[2 * at] != NULL && at < count; at++) {
        CU_ASSERT_STRING_EQUAL(entries[at].name, pairs[2 * at]);
        CU_ASSERT_STRING_EQUAL(entries[at].value, pairs[2 * at + 1]);
    }
    CU_ASSERT_EQUAL(at, count);
    CU_ASSERT_PTR_NULL(pairs[2 * at]);
    kp_properties_destroy(properties);
    CU_ASSERT_EQUAL(memory.live_count, 0);
}

#define CHECK(text, ...) check(text, (const char *const[]){__VA_ARGS__, NULL})

static void separates_names_and_values(void)
{
    CHECK("a=1\nb:2\r\nc 3\rd\t=\f4", "a", "1", "b", "2", "c", "3", "d", "4");
    CHECK("  linger.ms = 5  \n", "linger.ms", "5  ");
    CHECK("a==b", "a", "=b");
    CHECK("a = : b", "a", ": b");
    CHECK("a\nb=\n=c", "a", "", "b", "", "", "c");
    CHECK("a=1\na=2", "a", "1", "a", "2");
}

static void skips_comments_and_blank_lines(void)
{
    CHECK("# x=1\n  ! y=2\n\n \t\nz=3 # not a comment\n#", "z", "3 # not a comment");
    CHECK("#a \\\nb=1", "b", "1");
    check("", (const char *const[]){NULL});
    check("  \n# only", (const char *const[]){NULL});
}

static void continues_lines(void)
{
    CHECK("a=1,\\\n    2,\\\r\n\t3\nb=4", "a", "1,2,3", "b", "4");
    CHECK("na\\\n  me \\\n = \\\n val", "name", "val");
    CHECK("a=x\\\\\nb=y", "a", "x\\", "b", "y");
    CHECK("a=1\\\n# part", "a", "1# part");
    CHECK("a=1\\", "a", "1");
    /* Nothing before the continuation: the line has not begun, so this is a comment. */
    CHECK("\\\n#a\nb=1", "b", "1");
    /* But a file that ends there has an empty last line. */
    CHECK("a=1\n\\\n", "a", "1", "", "");
    CHECK("a=1\n\\\r\n", "a", "1");
}

static void undoes_escapes(void)
{
    CHECK("a\\ b\\:c\\=d=\\te\\nf\\rg\\fh\\zi\\\\", "a b:c=d", "\te\nf\rg\fhzi\\");
    CHECK("a=\\u0041\\u00E9\\u20ac\\ud83d\\ude00", "a", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK("a=\\ud83dx\\ude00", "a", "?x?");
    CHECK("a=\\u00\\\n  41", "a", "A");
    /* The bytes are ISO 8859-1. */
    CHECK("a=\xe9", "a", "\xc3\xa9");
}

static void refuses_malformed_escapes(void)
{
    static const char *const texts[] = {"a=1\nb=\\u12", "a=1\nb=\\u12g4", "a=1\nb\\uzzzz=1",
                                        "a=1\nb=\\u0000"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct kp_properties *properties = NULL;
        struct kp_failure failure;
        uint32_t line = 0;
        CU_ASSERT_EQUAL(parse(texts[i], strlen(texts[i]), &properties, &line, &failure), KP_CONFIG_REFUSED);
        CU_ASSERT_PTR_NULL(properties);
        CU_ASSERT_EQUAL(line, 2);
        CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "IllegalArgumentException");
        CU_ASSERT_EQUAL(strcmp(failure.thrown.message, "Malformed \\uxxxx encoding.") == 0, i < 3);
        CU_ASSERT_EQUAL(memory.live_count, 0);
    }
    struct kp_properties *properties = NULL;
    CU_ASSERT_EQUAL(parse("a=\0b", 4, &properties, NULL, NULL), KP_CONFIG_REFUSED);
}

static void knows_the_lines(void)
{
    static const char text[] = "# one\n\na=1\\\n 2\nb=3";
    struct kp_properties *properties = NULL;
    CU_ASSERT_EQUAL_FATAL(parse(text, sizeof text - 1, &properties, NULL, NULL), KP_CONFIG_OK);
    CU_ASSERT_EQUAL(kp_properties_line(properties, 0), 3);
    CU_ASSERT_EQUAL(kp_properties_line(properties, 1), 5);
    kp_properties_destroy(properties);
}

/* No text overruns the one allocation, however it is put together; the sanitizer watches. */
static void has_room_for_any_text(void)
{
    static const char pieces[][6] = {"=",    ":",     "\\", "\n", "\r",  " ",
                                     "\xff", "u00e9", "a",  "#",  "\\u", "d83d"};
    uint32_t state = 7;
    for (int round = 0; round < 20000; round++) {
        char text[160] = "";
        size_t used = 0;
        for (uint32_t n = state >> 27; n > 0; n--) {
            state = state * 1664525u + 1013904223u;
            const char *piece = pieces[(state >> 16) % COUNT_OF(pieces)];
            memcpy(text + used, piece, strlen(piece));
            used += strlen(piece);
        }
        state = state * 1664525u + 1013904223u;
        struct kp_properties *properties = NULL;
        CU_ASSERT_NOT_EQUAL(parse(text, used, &properties, NULL, NULL), KP_CONFIG_NO_MEMORY);
        kp_properties_destroy(properties);
    }
    CU_ASSERT_EQUAL(memory.live_count, 0);
}

static void survives_the_end_of_memory(void)
{
    struct kp_properties *properties = NULL;
    memory = (struct counting_memory){.failing = 1};
    CU_ASSERT_EQUAL(parse("a=1", 3, &properties, NULL, NULL), KP_CONFIG_NO_MEMORY);
    CU_ASSERT_PTR_NULL(properties);
    CU_ASSERT_EQUAL(memory.live_count, 0);
    memory = (struct counting_memory){0};
}

int main(void)
{
    return unit_main("producer_config_properties",
                     (struct unit_test[]){
                         {"separates names and values", separates_names_and_values},
                         {"skips comments and blank lines", skips_comments_and_blank_lines},
                         {"continues lines", continues_lines},
                         {"undoes escapes", undoes_escapes},
                         {"refuses malformed escapes", refuses_malformed_escapes},
                         {"knows the lines", knows_the_lines},
                         {"has room for any text", has_room_for_any_text},
                         {"survives the end of memory", survives_the_end_of_memory},
                         {0},
                     });
}
