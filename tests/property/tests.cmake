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
