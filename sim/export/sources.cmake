# A run, or a moment of it, in other programs' formats.
linger_layer(export DIR export
  SOURCES
    jsonl.c
  LAYERS base wire log
)
