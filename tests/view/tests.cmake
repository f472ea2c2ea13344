# The view with its eyes open: the test scene as pictures, and in a real window.
if(TARGET linger_view)
  foreach(program render_scene window_scene)
    add_executable(${program} view/${program}.c view/scene.c)
    target_link_libraries(${program} PRIVATE linger_options linger_view)
    target_include_directories(${program} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/view)
  endforeach()
  add_test(NAME view.picture COMMAND render_scene ${CMAKE_BINARY_DIR}/scene.png 1280 720 light presenter menu keys toast)
  add_test(NAME view.window COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/view/window_test.sh $<TARGET_FILE:window_scene>)
  set_tests_properties(view.window PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120 RUN_SERIAL TRUE)
endif()

# The stage on a synthetic run: by its draw lists, and as a picture.
if(TARGET linger_view)
  add_executable(stage_picture view/stage_picture.c view/synthetic_log.c)
  add_executable(stage_test view/stage_test.c view/synthetic_log.c)
  foreach(program stage_picture stage_test)
    target_link_libraries(${program} PRIVATE linger_options linger_view)
    target_include_directories(${program} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/view)
  endforeach()
  target_link_libraries(stage_test PRIVATE cunit)
  add_test(NAME view.stage COMMAND stage_test)
  add_test(NAME view.stage_picture COMMAND stage_picture ${CMAKE_BINARY_DIR}/stage.png --seq 2200 --size 1280x720 --light)
endif()

# Each verdict of the ledger within ten seconds of watching.
if(TARGET linger_view)
  add_executable(verdicts_shown_test view/verdicts_shown_test.c)
  target_link_libraries(verdicts_shown_test PRIVATE linger_options linger_engine linger_model linger_view)
  add_test(NAME view.verdicts COMMAND verdicts_shown_test ${CMAKE_SOURCE_DIR}/assets/scenarios)
endif()

# What is done by hand, from the view to the run.
if(TARGET linger_view)
  add_executable(session_test view/session_test.c ${CMAKE_SOURCE_DIR}/sim/cli/session.c ${CMAKE_SOURCE_DIR}/sim/cli/report.c
                 ${CMAKE_SOURCE_DIR}/sim/cli/report_consumers.c ${CMAKE_SOURCE_DIR}/sim/cli/options.c)
  target_include_directories(session_test PRIVATE ${CMAKE_BINARY_DIR}/layers/cli)
  target_link_libraries(session_test PRIVATE linger_options linger_base linger_engine linger_export linger_model linger_view
                        cunit)
  add_test(NAME view.session COMMAND session_test ${CMAKE_SOURCE_DIR}/assets/scenarios/linger-and-batch.json)
  set_tests_properties(view.session PROPERTIES WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
endif()

# The program itself, driven from outside: what must never break, and (on demand, it takes minutes) everything:
# ctest --preset dev -C drive -R view.drive. (Leaks of the display drivers and of fontconfig are not ours to report.)
if(TARGET linger_view AND TARGET linger)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(LINGER_DRIVE ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/view/drive_linger.py $<TARGET_FILE:linger> ${CMAKE_SOURCE_DIR})
  add_test(NAME view.drive COMMAND ${LINGER_DRIVE} --short)
  add_test(NAME view.drive_all CONFIGURATIONS drive COMMAND ${LINGER_DRIVE})
  set_tests_properties(view.drive PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
  set_tests_properties(view.drive_all PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800 RUN_SERIAL TRUE)
endif()
