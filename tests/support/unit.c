#include "unit.h"

#include <CUnit/Basic.h>
#include <stdlib.h>

int unit_main(const char *suite_name, const struct unit_test *tests)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return EXIT_FAILURE;
    }
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (; suite != NULL && tests->name != NULL; tests++) {
        if (CU_add_test(suite, tests->name, tests->run) == NULL) {
            suite = NULL;
        }
    }
    /* CU_basic_run_tests() answers success even when assertions failed. */
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode ran = suite != NULL ? CU_basic_run_tests() : CU_get_error();
    unsigned failures = CU_get_number_of_failures();
    unsigned run_count = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return ran == CUE_SUCCESS && failures == 0 && run_count > 0 && suite != NULL ? EXIT_SUCCESS
                                                                                 : EXIT_FAILURE;
}
