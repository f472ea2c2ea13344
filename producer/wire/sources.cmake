# Kafka's bytes: cursors, record batches, messages.
linger_layer(wire DIR wire
  SOURCES
    cursor.c
    errors.c
  LAYERS base
)
