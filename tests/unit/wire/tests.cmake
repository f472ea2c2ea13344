linger_unit_test(message SOURCES wire/message_test.c wire/message_random.c LAYERS base wire)
linger_unit_test(message_frame SOURCES wire/message_frame_test.c LAYERS base wire)
linger_unit_test(cursor SOURCES wire/cursor_test.c LAYERS base wire)
linger_unit_test(errors SOURCES wire/errors_test.c LAYERS base wire)
