/**
 * The few lines every CUnit program here shares.
 *
 *     static void grows(void) { CU_ASSERT_EQUAL(1, 1); }
 *     int main(void) { return unit_main("buffer_pool", (struct unit_test[]){{"grows", grows}, {0}}); }
 */
#ifndef LINGER_TESTS_UNIT_H
#define LINGER_TESTS_UNIT_H

#include <CUnit/CUnit.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

/** Run the tests up to the one without a name. Returns the exit code: 0 only when at least one ran and none
 * failed. */
int unit_main(const char *suite, const struct unit_test *tests);

#endif
