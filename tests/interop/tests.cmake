# What other implementations make of the producer's bytes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
# The system's Python has the system's modules, whichever Python is first in the path.
find_program(LINGER_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT LINGER_SYSTEM_PYTHON)
  set(LINGER_SYSTEM_PYTHON ${Python3_EXECUTABLE})
endif()
add_executable(compressed_batches ${CMAKE_CURRENT_LIST_DIR}/compressed_batches.c)
target_link_libraries(compressed_batches PRIVATE linger_options linger_wire_internal linger_base_internal)
add_test(NAME interop.compressed_batches COMMAND ${LINGER_SYSTEM_PYTHON}
  ${CMAKE_CURRENT_LIST_DIR}/compressed_batches.py $<TARGET_FILE:compressed_batches>)
