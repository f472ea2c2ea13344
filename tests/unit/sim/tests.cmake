linger_unit_test(event_log SOURCES sim/event_log_test.c LAYERS log)
linger_unit_test(event_text SOURCES sim/event_text_test.c LAYERS model log)
include(sim/view_tests.cmake)
linger_unit_test(scenario SOURCES sim/scenario_test.c sim/scenario_file.c LAYERS engine)
