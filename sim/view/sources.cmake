# The view and its pictures. Without SDL2, SDL2_ttf, fontconfig or libpng the rest of the project builds alone.
find_package(PkgConfig)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(LINGER_VIEW_LIBS IMPORTED_TARGET sdl2>=2.26 SDL2_ttf>=2.20 fontconfig libpng)
endif()
if(NOT LINGER_VIEW_LIBS_FOUND)
  message(STATUS "linger is built without a view: it needs SDL2 2.26, SDL2_ttf 2.20, fontconfig and libpng")
  return()
endif()

# Pixels to files.
linger_layer(image DIR export
  SOURCES
    png.c
  LIBRARIES PkgConfig::LINGER_VIEW_LIBS
)

# The toolkit (a draw list, what executes it, text, widgets, the window), and the stage and its panels on top.
linger_layer(view DIR view
  SOURCES
    draw_list.c
    draw_list_dump.c
    font_find.c
    glossary.c
    icon.c
    input.c
    lane_index.c
    life.c
    menu_faults.c
    menu_links.c
    overlay.c
    panel_accumulator.c
    panel_application.c
    panel_cluster.c
    panel_cluster_consumers.c
    panel_cluster_links.c
    panel_cluster_mark.c
    panel_cluster_replica.c
    panel_cluster_verdict.c
    panel_network.c
    panel_pool.c
    panel_sender.c
    panel_sender_history.c
    panel_side.c
    panel_side_config.c
    panel_side_consumer.c
    panel_side_inspect.c
    panel_side_plots.c
    panel_side_why.c
    panel_timeline.c
    panel_timeline_marks.c
    panel_top.c
    picture.c
    raster.c
    raster_box.c
    raster_path.c
    raster_stroke.c
    stage.c
    stage_actions.c
    stage_draw.c
    stage_input.c
    stage_layout.c
    stage_motion.c
    stage_playback.c
    stage_settings.c
    stage_title.c
    story.c
    story_event.c
    story_fault.c
    story_more.c
    text.c
    text_atlas.c
    text_face.c
    text_fit.c
    theme.c
    verdict.c
    widget.c
    widget_control.c
    widget_field.c
    widget_plot.c
    widget_popup.c
    widget_status.c
    window.c
  LAYERS base image log model
  LIBRARIES PkgConfig::LINGER_VIEW_LIBS
)

# Measures itself; not a test.
if(LINGER_TESTS)
  add_executable(bench_raster ${CMAKE_SOURCE_DIR}/tests/bench/bench_raster.c)
  target_link_libraries(bench_raster PRIVATE linger_options linger_view)
endif()
