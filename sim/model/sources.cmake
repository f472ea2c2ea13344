# What is on the stage, as a fold of events: no SDL, no engine.
linger_layer(model DIR model
  SOURCES
    event_text.c
    fold_application.c
    fold_cluster.c
    fold_consumers.c
    fold_sender.c
    percentiles.c
    summary.c
    timeline.c
    verdicts.c
    verdicts_logs.c
    view_model.c
  LAYERS base log wire
)
