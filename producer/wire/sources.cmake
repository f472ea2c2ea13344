# Kafka's bytes: cursors, record batches, messages.
linger_layer(wire DIR wire
  SOURCES
    api_frame.c
    api_keys.c
    cursor.c
    errors.c
    message.c
    message_decode.c
    message_encode.c
    message_structs.c
    schema.c
  LAYERS base
)
