#include "unit.h"

#include <linger/failure.h>

#include <string.h>

static void keeps_class_and_message(void)
{
    struct kp_failure failure;
    kp_failure_clear(&failure);
    CU_ASSERT_FALSE(kp_failure_is_set(&failure));
    kp_failure_throwf(&failure, "ConfigException", "Invalid value %d", 7);
    CU_ASSERT_TRUE(kp_failure_is_set(&failure));
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "ConfigException");
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "Invalid value 7");
    CU_ASSERT_TRUE(failure.thrown.has_message);
    kp_failure_throw(&failure, "StackOverflowError", NULL);
    CU_ASSERT_FALSE(failure.thrown.has_message);
    CU_ASSERT_EQUAL(failure.cause_count, 0);
}

static void wraps_from_the_inside_out(void)
{
    struct kp_failure failure;
    kp_failure_throw(&failure, "A", "a");
    kp_failure_wrapf(&failure, "B", "%s", "b");
    kp_failure_wrap(&failure, "C", NULL);
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "C");
    CU_ASSERT_EQUAL_FATAL(failure.cause_count, 2);
    CU_ASSERT_STRING_EQUAL(failure.causes[0].message, "b");
    CU_ASSERT_STRING_EQUAL(failure.causes[1].exception, "A");
    for (int i = 0; i < 2 * KP_FAILURE_CAUSE_COUNT_MAX; i++) {
        kp_failure_wrapf(&failure, "D", "%d", i);
    }
    CU_ASSERT_EQUAL(failure.cause_count, KP_FAILURE_CAUSE_COUNT_MAX);
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "7");
    CU_ASSERT_STRING_EQUAL(failure.causes[0].message, "6");
}

/* A cut never leaves half a character. */
static void cuts_long_messages(void)
{
    for (size_t lead = 0; lead < 4; lead++) {
        char text[2 * KP_FAILURE_MESSAGE_BYTES];
        memset(text, 'x', lead);
        for (size_t at = lead; at + 3 < sizeof text; at += 3) {
            memcpy(text + at, "\xe2\x82\xac", 4);
        }
        struct kp_failure failure;
        for (int formatted = 0; formatted < 2; formatted++) {
            if (formatted) {
                kp_failure_throwf(&failure, "A", "%s", text);
            } else {
                kp_failure_throw(&failure, "A", text);
            }
            size_t length_bytes = strlen(failure.thrown.message);
            CU_ASSERT_TRUE_FATAL(length_bytes < KP_FAILURE_MESSAGE_BYTES && length_bytes > 3);
            CU_ASSERT_STRING_EQUAL(failure.thrown.message + length_bytes - 3, "...");
            CU_ASSERT_EQUAL((length_bytes - 3 - lead) % 3, 0);
            CU_ASSERT_EQUAL(memcmp(failure.thrown.message, text, length_bytes - 3), 0);
        }
    }
    char exact[KP_FAILURE_MESSAGE_BYTES];
    memset(exact, 'y', sizeof exact - 1);
    exact[sizeof exact - 1] = '\0';
    struct kp_failure failure;
    kp_failure_throwf(&failure, "A", "%s", exact);
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, exact);
}

int main(void)
{
    return unit_main("failure", (struct unit_test[]){
                                    {"keeps class and message", keeps_class_and_message},
                                    {"wraps from the inside out", wraps_from_the_inside_out},
                                    {"cuts long messages", cuts_long_messages},
                                    {0},
                                });
}
