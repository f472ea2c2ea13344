linger_unit_test(event_log SOURCES sim/event_log_test.c LAYERS log)
