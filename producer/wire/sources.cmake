# Kafka's bytes: cursors, record batches, messages.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LINGER_COMPRESSION REQUIRED IMPORTED_TARGET GLOBAL zlib liblz4 snappy libzstd)
linger_layer(wire DIR wire
  SOURCES
    api_frame.c
    api_keys.c
    compression.c
    cursor.c
    decompression.c
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
  LIBRARIES PkgConfig::LINGER_COMPRESSION
)
target_compile_definitions(linger_wire PRIVATE LINGER_SNAPPY_VERSION="${LINGER_COMPRESSION_snappy_VERSION}")
