# Virtual time: the producers, the cluster and the network between them, as a scenario says.
linger_layer(engine DIR engine
  SOURCES
    app_thread.c
    faults.c
    ledger.c
    network.c
    producer_driver.c
    random.c
    scheduler.c
    world.c
    world_info.c
  LAYERS base wire core mockbroker log
)
