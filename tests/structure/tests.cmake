find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME structure.layers
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/structure/check_layers.py ${CMAKE_SOURCE_DIR}
          ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY})
add_test(NAME structure.event_catalogue
  COMMAND sh -c "$<TARGET_FILE:linger> events | diff ${CMAKE_SOURCE_DIR}/docs/event-catalogue.md -")
add_test(NAME structure.kafka_map
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/structure/check_kafka_map.py ${CMAKE_SOURCE_DIR})
add_test(NAME structure.broker_rules
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/structure/check_broker_rules.py ${CMAKE_SOURCE_DIR})
