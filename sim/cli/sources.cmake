# The program.
add_executable(linger
  cli/bench_bounds.c
  cli/bench_core.c
  cli/bench_scale.c
  cli/bench_seek.c
  cli/bench_simulation.c
  cli/bench_world.c
  cli/command_bench.c
  cli/command_config.c
  cli/command_events.c
  cli/command_matrix.c
  cli/command_run.c
  cli/command_simulate.c
  cli/main.c
  cli/options.c
  cli/report.c
  cli/report_consumers.c
  cli/scenario_options.c
  cli/simulate_planted.c
  cli/simulate_report.c
  cli/simulate_search.c
)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/layers/cli)
file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/cli ${CMAKE_BINARY_DIR}/layers/cli/cli SYMBOLIC)
target_include_directories(linger PRIVATE ${CMAKE_BINARY_DIR}/layers/cli)
target_compile_definitions(linger PRIVATE LINGER_VERSION="${PROJECT_VERSION}"
  LINGER_BUILD_TYPE="${CMAKE_BUILD_TYPE}")
target_link_libraries(linger PRIVATE linger_options linger_base linger_engine linger_export linger_model)
if(TARGET linger_view)
  target_sources(linger PRIVATE
    cli/bench_frame.c
    cli/command_play.c
    cli/pictures.c
    cli/session.c
  )
  target_compile_definitions(linger PRIVATE LINGER_HAS_VIEW)
  target_link_libraries(linger PRIVATE linger_view)
endif()
install(TARGETS linger)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/assets/ DESTINATION share/linger)
