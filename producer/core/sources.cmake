# The producer itself: everything between send() and the bytes, without I/O, clock or threads.
linger_layer(core DIR core
  SOURCES
    buffer_pool.c
    failure.c
    memory.c
    metadata_cache.c
    producer_metadata.c
    topics.c
  LAYERS base wire
  API include
)
