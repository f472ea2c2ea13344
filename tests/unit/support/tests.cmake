linger_unit_test(json_exact SOURCES support/json_exact_test.c)
