/**
 * Events as people read them: as a sentence, as a field, as a short title.
 */
#ifndef SIM_EVENT_TEXT_H
#define SIM_EVENT_TEXT_H

#include <stddef.h>

#include "base/trace.h"
#include "log/event_log.h"

/**
 * The sentence of an event, its fields filled in. Always NUL-terminated, cut to fit between two characters.
 * Returns the bytes written without the NUL.
 */
size_t sim_event_sentence(const struct sim_event_log *log, const struct kb_event *event, char *text,
                          size_t capacity_bytes);

/** One field as people read it: "orders", "LINGER + FULL", "NOT_LEADER_OR_FOLLOWER", "17". */
size_t sim_event_field_text(const struct sim_event_log *log, const struct kb_event *event,
                            const struct kb_event_field *field, char *text, size_t capacity_bytes);

/** The Kafka API's name, "Produce"; "?" for one that does not exist. */
const char *sim_api_name(int32_t api);
/** The name of an error, "no error" for 0. */
const char *sim_error_name(int32_t error);
/** What the error says to people. */
const char *sim_error_message(int32_t error);

#endif
