linger_unit_test(json_exact SOURCES support/json_exact_test.c)
linger_unit_test(scripted_cluster SOURCES support/scripted_cluster_test.c LAYERS base wire
                 LIBRARIES linger_scripted_cluster)
linger_unit_test(scripted_cluster_recorded SOURCES support/scripted_cluster_recorded_test.c LAYERS base wire
                 LIBRARIES linger_scripted_cluster)
