linger_unit_test(mockbroker_produce SOURCES mockbroker/produce_test.c mockbroker/harness.c LAYERS mockbroker base wire)
