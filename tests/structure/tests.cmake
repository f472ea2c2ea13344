find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME structure.layers
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/structure/check_layers.py ${CMAKE_SOURCE_DIR}
          ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY})
