# The installed library, used from outside: see check_install.py.
add_test(NAME install.consumers
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/install/check_install.py ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}
          "${LINGER_SANITIZE}" ${CMAKE_CURRENT_BINARY_DIR}/install)
