#include "base/murmur2.h"

#include "unit.h"

#include <string.h>

/* Kafka 3.0.0's UtilsTest.testMurmur2 gives these; the golden vectors hold many more. */
static void agrees_with_java(void)
{
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {{"a", -1563381124},
                 {"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"abc", 479470107},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(kb_murmur2(cases[i].key, strlen(cases[i].key)), cases[i].hash);
    }
    CU_ASSERT_EQUAL(kb_murmur2(NULL, 0), 275646681);
}

static void drops_the_sign_bit(void)
{
    CU_ASSERT_EQUAL(kb_to_positive(0), 0);
    CU_ASSERT_EQUAL(kb_to_positive(7), 7);
    CU_ASSERT_EQUAL(kb_to_positive(-1), INT32_MAX);
    CU_ASSERT_EQUAL(kb_to_positive(INT32_MIN), 0);
}

int main(void)
{
    return unit_main("murmur2", (struct unit_test[]){{"agrees_with_java", agrees_with_java},
                                                     {"drops_the_sign_bit", drops_the_sign_bit},
                                                     {0}});
}
