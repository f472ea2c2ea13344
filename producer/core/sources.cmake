# The producer itself: everything between send() and the bytes, without I/O, clock or threads.
linger_layer(core DIR core
  SOURCES
    buffer_pool.c
    config_def.c
    failure.c
    incomplete_batches.c
    memory.c
    metadata_cache.c
    producer_batch.c
    producer_config.c
    producer_config_checks.c
    producer_config_classes.c
    producer_config_double.c
    producer_config_hosts.c
    producer_config_jaas.c
    producer_config_providers.c
    producer_config_security.c
    producer_config_text.c
    producer_metadata.c
    record_accumulator.c
    record_accumulator_drain.c
    record_accumulator_retry.c
    topics.c
  LAYERS base wire
  API include
)
