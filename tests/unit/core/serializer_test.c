#include "core/serializer.h"

#include "failing_allocator.h"
#include "unit.h"

#include <string.h>

static struct failing_allocator memory;
static struct kp_serialized scratch;
static struct kp_failure failure;
static struct kp_bytes out;

static void set_up(struct kp_serializer_state *serializer, enum kp_serializer_kind kind,
                   const struct kp_serializer *custom)
{
    failing_allocator_init(&memory);
    kp_serializer_init(serializer, kind, "x.Serializer", "value", custom);
}

static void tear_down(void)
{
    kp_serialized_release(&scratch, &memory.allocator);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static bool serialize(const struct kp_serializer_state *serializer, const char *text)
{
    struct kp_bytes object = text != NULL ? (struct kp_bytes){text, (int32_t)strlen(text)} : KP_BYTES_NULL;
    return kp_serializer_serialize(serializer, &memory.allocator, "t", object, &scratch, &out, &failure);
}

static void bytes_and_text_pass_through(void)
{
    static const enum kp_serializer_kind kinds[] = {KP_SERIALIZER_BYTE_ARRAY, KP_SERIALIZER_BYTE_BUFFER,
                                                    KP_SERIALIZER_BYTES, KP_SERIALIZER_STRING,
                                                    KP_SERIALIZER_UUID};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct kp_serializer_state serializer;
        const char *text = "as it is";
        set_up(&serializer, kinds[i], NULL);
        CU_ASSERT_TRUE(serialize(&serializer, text));
        CU_ASSERT_PTR_EQUAL(out.data, text);
        CU_ASSERT_TRUE(serialize(&serializer, NULL));
        CU_ASSERT_EQUAL(out.length_bytes, -1);
        tear_down();
    }
}

static void numbers_are_big_endian(void)
{
    static const struct {
        enum kp_serializer_kind kind;
        const char *text;
        const char *bytes;
        int32_t length_bytes;
    } cases[] = {
        {KP_SERIALIZER_SHORT, "-2", "\xff\xfe", 2},
        {KP_SERIALIZER_INTEGER, "305419896", "\x12\x34\x56\x78", 4},
        {KP_SERIALIZER_LONG, "-9223372036854775808", "\x80\0\0\0\0\0\0\0", 8},
        {KP_SERIALIZER_FLOAT, "1.5", "\x3f\xc0\0\0", 4},
        {KP_SERIALIZER_DOUBLE, "-2", "\xc0\0\0\0\0\0\0\0", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kp_serializer_state serializer;
        set_up(&serializer, cases[i].kind, NULL);
        CU_ASSERT_TRUE(serialize(&serializer, cases[i].text));
        CU_ASSERT_EQUAL_FATAL(out.length_bytes, cases[i].length_bytes);
        CU_ASSERT_EQUAL(memcmp(out.data, cases[i].bytes, (size_t)out.length_bytes), 0);
        CU_ASSERT_TRUE(serialize(&serializer, NULL));
        CU_ASSERT_EQUAL(out.length_bytes, -1);
        CU_ASSERT_FALSE(serialize(&serializer, "number"));
        CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "SerializationException");
        CU_ASSERT_STRING_EQUAL(failure.thrown.message, "Can't convert value of class java.lang.String to "
                                                       "class x.Serializer specified in value.serializer");
        CU_ASSERT_FALSE(serialize(&serializer, ""));
        tear_down();
    }
    struct kp_serializer_state serializer;
    set_up(&serializer, KP_SERIALIZER_SHORT, NULL);
    CU_ASSERT_FALSE(serialize(&serializer, "32768"));
    memory.allowed_count = 0;
    CU_ASSERT_FALSE(serialize(&serializer, "1"));
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "OutOfMemoryError");
    tear_down();
}

static void void_takes_null_only(void)
{
    struct kp_serializer_state serializer;
    set_up(&serializer, KP_SERIALIZER_VOID, NULL);
    CU_ASSERT_TRUE(serialize(&serializer, NULL));
    CU_ASSERT_EQUAL(out.length_bytes, -1);
    CU_ASSERT_FALSE(serialize(&serializer, "x"));
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "IllegalArgumentException");
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "Data should be null for a VoidSerializer.");
    tear_down();
}

/* Writes nothing for "empty", 100 bytes in pieces for anything else. */
static const char *in_pieces(void *context, const char *topic, struct kp_bytes object, struct kp_sink *sink)
{
    (void)context;
    (void)topic;
    for (int i = 0; i < 10 && object.length_bytes >= 0 && memcmp(object.data, "empty", 5) != 0; i++) {
        if (!sink->write(sink->context, "0123456789", 10)) {
            return "ignored: it is the memory";
        }
    }
    return NULL;
}

static void custom_in_pieces(void)
{
    struct kp_serializer_state serializer;
    struct kp_serializer custom = {NULL, in_pieces};
    set_up(&serializer, KP_SERIALIZER_CUSTOM, &custom);
    CU_ASSERT_TRUE(serialize(&serializer, "12345"));
    CU_ASSERT_EQUAL(out.length_bytes, 100);
    CU_ASSERT_TRUE(serialize(&serializer, "empty"));
    CU_ASSERT_EQUAL(out.length_bytes, 0);
    CU_ASSERT_PTR_NOT_NULL(out.data);
    CU_ASSERT_TRUE(serialize(&serializer, NULL));
    CU_ASSERT_EQUAL(out.length_bytes, -1);
    tear_down();
    set_up(&serializer, KP_SERIALIZER_CUSTOM, &custom);
    memory.allowed_count = 2;
    CU_ASSERT_FALSE(serialize(&serializer, "12345"));
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "OutOfMemoryError");
    tear_down();
}

int main(void)
{
    return unit_main("serializer",
                     (struct unit_test[]){{"bytes and text pass through", bytes_and_text_pass_through},
                                          {"numbers are big-endian", numbers_are_big_endian},
                                          {"void takes null only", void_takes_null_only},
                                          {"custom in pieces", custom_in_pieces},
                                          {0}});
}
