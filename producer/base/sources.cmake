# Shared ground: no I/O, no clock.
linger_layer(base DIR base
  SOURCES
    arena.c
    assert.c
    trace.c
)
target_include_directories(linger_base PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
