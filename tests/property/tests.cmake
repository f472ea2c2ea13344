# Random scenarios: what must hold of every run, and that the seeds met what there is to meet.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(LINGER_SIMULATE_SEEDS "1..2000" CACHE STRING "Seeds of property.simulate")
add_test(NAME property.simulate COMMAND linger simulate --seeds ${LINGER_SIMULATE_SEEDS} --require-coverage
  --failures ${CMAKE_BINARY_DIR})
set_tests_properties(property.simulate PROPERTIES TIMEOUT 600)

# What random scenarios have found once, as small as they could be made.
file(GLOB LINGER_REGRESSIONS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/property/regressions/*.json)
foreach(scenario ${LINGER_REGRESSIONS})
  get_filename_component(name ${scenario} NAME_WE)
  add_test(NAME property.regression.${name} COMMAND linger run ${scenario} --check)
endforeach()

# The ledger that forgets, against the one that keeps everything.
file(GLOB LINGER_LEDGER_SCENARIOS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/assets/scenarios/*.json)
add_executable(ledger_test ${CMAKE_CURRENT_SOURCE_DIR}/property/ledger_test.c)
target_link_libraries(ledger_test PRIVATE linger_options linger_engine)
add_test(NAME property.ledger COMMAND ledger_test 1 300 ${LINGER_LEDGER_SCENARIOS})
set_tests_properties(property.ledger PROPERTIES TIMEOUT 600)

# Every rule that is broken on purpose is found. The seed that finds each is in docs/testing.md; a longer search is
# `linger simulate --plant all --seeds 1..20000`.
if(LINGER_PLANTED_FAULTS)
  set(LINGER_PLANTED_SEEDS "1..2000" CACHE STRING "Seeds in which property.planted must find each planted fault")
  add_test(NAME property.planted COMMAND linger simulate --plant all --seeds ${LINGER_PLANTED_SEEDS})
  set_tests_properties(property.planted PROPERTIES TIMEOUT 1800)
else()
  add_test(NAME property.planted_refused COMMAND linger simulate --plant pool-leak)
  set_tests_properties(property.planted_refused PROPERTIES PASS_REGULAR_EXPRESSION "no planted faults")
endif()
