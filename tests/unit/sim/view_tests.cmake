# The toolkit of the view; without its libraries there is nothing to test.
if(TARGET linger_view)
  linger_unit_test(view_draw_list SOURCES sim/draw_list_test.c LAYERS view)
  linger_unit_test(view_png SOURCES sim/png_test.c LAYERS view image)
  linger_unit_test(view_raster SOURCES sim/raster_test.c LAYERS view)
  linger_unit_test(view_text SOURCES sim/text_test.c LAYERS view)
  linger_unit_test(view_theme SOURCES sim/theme_test.c LAYERS view)
  linger_unit_test(view_widget SOURCES sim/widget_test.c LAYERS view)
endif()
