# Time travel: every moment of every scenario, compared with a fresh run.
file(GLOB LINGER_SCENARIOS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/assets/scenarios/*.json)
add_executable(seek_test ${CMAKE_CURRENT_SOURCE_DIR}/scenario/seek_test.c)
target_link_libraries(seek_test PRIVATE linger_options linger_engine linger_model)
if(TARGET linger_view AND LINGER_PLAY)
  target_compile_definitions(seek_test PRIVATE LINGER_HAS_VIEW)
  target_link_libraries(seek_test PRIVATE linger_view)
endif()
add_test(NAME scenario.seek COMMAND seek_test ${LINGER_SCENARIOS})
