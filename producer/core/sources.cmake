# The producer itself: everything between send() and the bytes, without I/O, clock or threads.
linger_layer(core DIR core
  SOURCES
    buffer_pool.c
    cluster_connection_states.c
    config_def.c
    failure.c
    in_flight_requests.c
    incomplete_batches.c
    interceptors.c
    memory.c
    metadata_cache.c
    metadata_updater.c
    network_client.c
    network_client_poll.c
    partitioner.c
    producer.c
    producer_batch.c
    producer_calls.c
    producer_config.c
    producer_config_checks.c
    producer_config_classes.c
    producer_config_double.c
    producer_config_hosts.c
    producer_config_jaas.c
    producer_config_lint.c
    producer_config_properties.c
    producer_config_providers.c
    producer_config_security.c
    producer_config_text.c
    producer_metadata.c
    producer_send.c
    producer_waiting.c
    record_accumulator.c
    record_accumulator_drain.c
    record_accumulator_retry.c
    serializer.c
    sticky_partition_cache.c
    topics.c
    transaction_manager.c
    transaction_requests.c
    transaction_responses.c
    transaction_sequences.c
  LAYERS base wire
  API include
)
