# The log of a run: read by everything that shows it, filled by the engine.
linger_layer(log DIR log
  SOURCES
    event_log.c
  LAYERS base
)
