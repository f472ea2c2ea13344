# The producer itself: everything between send() and the bytes, without I/O, clock or threads.
linger_layer(core DIR core
  SOURCES
    failure.c
  LAYERS base wire
  API include
)
