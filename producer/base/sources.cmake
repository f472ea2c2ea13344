# Shared ground: no I/O, no clock.
linger_layer(base DIR base
  SOURCES
    allocator.c
    arena.c
    assert.c
    crc32c.c
    heap.c
    list.c
    murmur2.c
    planted.c
    prng.c
    trace.c
)
target_include_directories(linger_base PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
