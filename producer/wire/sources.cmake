# Kafka's bytes: cursors, record batches, messages.
linger_layer(wire DIR wire
  SOURCES
    api_frame.c
    api_keys.c
    cursor.c
    errors.c
    record.c
    record_batch.c
    record_batch_builder.c
    record_batch_reader.c
    message.c
    message_decode.c
    message_encode.c
    message_structs.c
    schema.c
  LAYERS base
)
