/**
 * The log of a run: every trace event in order, the names that they mention, and what the run was about.
 *
 * Append-only. Sequence numbers begin at 1 and are the place in the log. The newest events of a very long run
 * live in a mapped temporary file instead of memory. Nothing here knows the engine that fills it or the model
 * that reads it.
 *
 * The hash covers every event and every name; the same run gives the same hash on every machine and in every
 * build. tests/scenario/event_hash.py computes it again from an exported log.
 */
#ifndef SIM_EVENT_LOG_H
#define SIM_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trace.h"
#include "log/run_info.h"

struct sim_event_log;

/** Events kept in memory before the mapped file takes over. */
enum { SIM_EVENT_LOG_MEMORY_EVENTS = 1 << 22 };
/** Different names a log can hold; later ones are number 0, "no name". */
enum { SIM_EVENT_LOG_NAMES_MAX = 65535 };

/** NULL when there is no memory. */
struct sim_event_log *sim_event_log_create(void);
/** Keep only the newest so many events, in memory: count, causes, names and hash go on as they would. For
 * runs of which only the outcome is wanted. Before the first event. */
enum { SIM_EVENT_LOG_NEWEST_EVENTS = 1 << 14 };
void sim_event_log_keep_newest(struct sim_event_log *log);
/** Called with each event when it has been appended, as it is in the log. Must append nothing. */
void sim_event_log_listen(struct sim_event_log *log,
                          void (*appended)(void *context, const struct kb_event *event), void *context);
void sim_event_log_destroy(struct sim_event_log *log);

/**
 * Append a copy. time_us must not be before that of the last event. cause is a sequence number below the new
 * one, or 0. Returns the sequence number; 0 when neither memory nor disk is left (sim_event_log_is_complete
 * is false from then on).
 */
uint64_t sim_event_log_append(struct sim_event_log *log, const struct kb_event *event, int64_t time_us,
                              uint64_t cause);
bool sim_event_log_is_complete(const struct sim_event_log *log);

uint64_t sim_event_log_count(const struct sim_event_log *log);
/** sequence from 1 to count (from count - SIM_EVENT_LOG_NEWEST_EVENTS + 1 on, when only the newest are kept).
 * Valid until the log is destroyed. */
const struct kb_event *sim_event_log_get(const struct sim_event_log *log, uint64_t sequence);
/** Sequence of the cause of an event, 0 for none. */
uint64_t sim_event_log_cause(const struct sim_event_log *log, uint64_t sequence);
/** The last event at or before a time; 0 when there is none. */
uint64_t sim_event_log_find_time(const struct sim_event_log *log, int64_t time_us);
int64_t sim_event_log_end_us(const struct sim_event_log *log);

/** The number of a name, from 1 on; 0 when the table is full. A name ends at its first NUL. */
uint32_t sim_event_log_intern(struct sim_event_log *log, const char *name, size_t length_bytes);
/** NUL-terminated; "" for 0 and for numbers never given. */
const char *sim_event_log_name(const struct sim_event_log *log, uint32_t number);
uint32_t sim_event_log_name_count(const struct sim_event_log *log);

/** What the run is about; filled in by whoever makes it, before the first event. */
struct sim_run_info *sim_event_log_info(struct sim_event_log *log);
const struct sim_run_info *sim_event_log_info_view(const struct sim_event_log *log);

uint64_t sim_event_log_hash(const struct sim_event_log *log);

/** Bytes of memory and of the mapped file in use. */
void sim_event_log_memory(const struct sim_event_log *log, size_t *memory_bytes, size_t *file_bytes);

#endif
