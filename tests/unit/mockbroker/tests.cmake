linger_unit_test(mockbroker_produce SOURCES mockbroker/produce_test.c mockbroker/harness.c LAYERS mockbroker base wire)
linger_unit_test(mockbroker_replication SOURCES mockbroker/replication_test.c mockbroker/harness.c LAYERS mockbroker base wire)
linger_unit_test(mockbroker_failover SOURCES mockbroker/failover_test.c mockbroker/harness.c LAYERS mockbroker base wire)
