# Scenarios as people run them: the program, its reports and its exit codes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(LINGER_OTHER "" CACHE FILEPATH "A linger of another build, which must give the same hashes")
foreach(part hashes reports commands bad-input schema)
  set(other)
  if(part STREQUAL "hashes" AND LINGER_OTHER)
    set(other --other ${LINGER_OTHER})
  endif()
  add_test(NAME scenario.${part} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/run_test.py
    $<TARGET_FILE:linger> ${CMAKE_SOURCE_DIR} ${part} ${other})
endforeach()

# Real input, read back from the logs of every replica.
add_executable(scenario_read_back ${CMAKE_CURRENT_LIST_DIR}/read_back_test.c)
target_link_libraries(scenario_read_back PRIVATE linger_options linger_test_support cunit linger_engine_internal
                      linger_mockbroker linger_wire_internal linger_base_internal)
add_test(NAME scenario.read_back COMMAND scenario_read_back WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})

# What consumers have read, against the logs and the events.
add_executable(scenario_consumers ${CMAKE_CURRENT_LIST_DIR}/consumers_test.c)
target_link_libraries(scenario_consumers PRIVATE linger_options linger_test_support cunit linger_engine_internal
                      linger_mockbroker linger_wire_internal linger_base_internal)
add_test(NAME scenario.consumers COMMAND scenario_consumers WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})

# What breaks, and what comes of it.
foreach(part matrix verdicts)
  add_test(NAME scenario.${part} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/matrix_test.py
    $<TARGET_FILE:linger> ${CMAKE_SOURCE_DIR} ${part})
endforeach()
add_test(NAME scenario.shrink COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/shrink_test.py
  $<TARGET_FILE:linger> ${CMAKE_SOURCE_DIR})
