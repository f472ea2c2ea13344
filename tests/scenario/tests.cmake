# Time travel: every moment of every scenario, compared with a fresh run.
file(GLOB LINGER_SCENARIOS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/assets/scenarios/*.json)
add_executable(seek_test ${CMAKE_CURRENT_SOURCE_DIR}/scenario/seek_test.c)
target_link_libraries(seek_test PRIVATE linger_options linger_engine linger_model)
if(TARGET linger_view)
  target_compile_definitions(seek_test PRIVATE LINGER_HAS_VIEW)
  target_link_libraries(seek_test PRIVATE linger_view)
endif()
add_test(NAME scenario.seek COMMAND seek_test ${LINGER_SCENARIOS})

# Verdicts as they are seen while a run is watched, against the ledger that settles it.
add_executable(verdicts_test ${CMAKE_CURRENT_SOURCE_DIR}/scenario/verdicts_test.c)
target_link_libraries(verdicts_test PRIVATE linger_options linger_engine linger_model)
add_test(NAME scenario.verdicts_live COMMAND verdicts_test 150 ${LINGER_SCENARIOS})
include(scenario/run_tests.cmake)

# Memory of a long run, counted.
add_executable(memory_test ${CMAKE_CURRENT_SOURCE_DIR}/scenario/memory_test.c)
target_link_libraries(memory_test PRIVATE linger_options linger_engine)
add_test(NAME scenario.memory COMMAND memory_test)
