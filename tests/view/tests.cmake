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

# The program itself, driven from outside; it takes minutes: ctest --preset dev -C drive -R view.drive. (Leaks of the display drivers and of fontconfig are not ours to report.)
if(TARGET linger_view AND TARGET linger)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME view.drive CONFIGURATIONS drive
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/view/drive_linger.py
                                   $<TARGET_FILE:linger> ${CMAKE_SOURCE_DIR})
  set_tests_properties(view.drive PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 RUN_SERIAL TRUE)
endif()
