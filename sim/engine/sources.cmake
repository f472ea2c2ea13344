# Virtual time: the producers, the cluster and the network between them, as a scenario says.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LINGER_CJSON REQUIRED IMPORTED_TARGET libcjson)
linger_layer(engine DIR engine
  SOURCES
    app_thread.c
    consumer.c
    consumer_client.c
    consumer_config.c
    consumer_fetch.c
    consumer_group.c
    consumer_ledger.c
    consumer_membership.c
    consumer_metadata.c
    consumer_positions.c
    consumer_records.c
    consumer_validation.c
    faults.c
    input_file.c
    invariants.c
    invariants_cluster.c
    invariants_delays.c
    invariants_logs.c
    invariants_network.c
    invariants_producer.c
    ledger.c
    ledger_index.c
    ledger_logs.c
    ledger_retention.c
    matrix.c
    network.c
    producer_driver.c
    random.c
    scenario.c
    scenario_cluster.c
    scenario_consumer.c
    scenario_producer.c
    scenario_reader.c
    scenario_records.c
    scenario_save.c
    scenario_timeline.c
    scheduler.c
    simulate.c
    simulate_plan.c
    simulate_plan_write.c
    text_builder.c
    workload.c
    world.c
    world_check.c
    world_info.c
  LAYERS base wire core mockbroker log
  LIBRARIES PkgConfig::LINGER_CJSON
)
