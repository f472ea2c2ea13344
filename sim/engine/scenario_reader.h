/**
 * Reading JSON with complaints: every getter checks what it takes, says what is wrong and where, and goes on
 * with a harmless value, so that one reading finds all mistakes of a file.
 *
 * The only header, with the .c files that include it, that knows cJSON.
 */
#ifndef SIM_SCENARIO_READER_H
#define SIM_SCENARIO_READER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "engine/scenario.h"

/* Where in the file: a chain of keys and indices up to the root. */
struct json_place {
    const struct json_place *up; /* NULL: the root, $ */
    const char *key;             /* NULL: an element, index */
    int index;
};

struct scenario_reader {
    const char *path; /* of the file, for complaints */
    struct sim_complaints *complaints;
    struct sim_complaints *warnings; /* NULL: nobody wants them */
    struct kb_arena *arena;          /* of the scenario */
    struct sim_scenario *scenario;
};

/* "FILE: $.a.b[2]: MESSAGE" */
void reader_complain(struct scenario_reader *reader, const struct json_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void reader_warn(struct scenario_reader *reader, const struct json_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What a value looks like in a complaint: at most a short line; static storage. */
const char *reader_show(const cJSON *value);

/* Members of an object. A missing member gives the fallback without a complaint, unless it is required. */
int64_t reader_whole(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                     const char *key, int64_t minimum, int64_t maximum, int64_t fallback);
bool reader_bool(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                 const char *key, bool fallback);
/* A copy in the arena; never NULL unless fallback is. */
const char *reader_text(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                        const char *key, const char *fallback);
/* NULL when it is not there, or with a complaint when it is something else. */
const cJSON *reader_object(struct scenario_reader *reader, const struct json_place *place,
                           const cJSON *object, const char *key);
const cJSON *reader_array(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                          const char *key);
/* One of the words, by its index; words end with NULL. */
int reader_word(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                const char *key, const char *const *words, int fallback);
/* A whole number, {"uniform": [a, b]} or {"exponential": mean}. */
struct sim_distribution reader_distribution(struct scenario_reader *reader, const struct json_place *place,
                                            const cJSON *object, const char *key, int64_t maximum,
                                            int64_t fallback);
void reader_require(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                    const char *key, const char *what);
/* Complain about members that nobody knows, and about members given twice. known ends with NULL. */
void reader_check_keys(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                       const char *const *known);
/* Complain when a list or an object has more entries than anybody would write: looking for repeated names
 * takes time with the square of their number. */
enum { READER_MEMBERS_MAX = 10000 };
bool reader_check_count(struct scenario_reader *reader, const struct json_place *place, const cJSON *list);
/* The word that was probably meant; NULL when none is near. */
const char *reader_nearest(const char *word, const char *const *known);

/* Zeroed memory of the scenario. */
void *reader_allocate(struct scenario_reader *reader, size_t count, size_t size_bytes);
const char *reader_copy(struct scenario_reader *reader, const char *text);
/* A setting's value as text, whether the file has it as text, number or truth; NULL with a complaint. */
const char *reader_setting_text(struct scenario_reader *reader, const struct json_place *place,
                                const cJSON *value);

/* scenario_cluster.c */
void read_cluster(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster);
const struct mb_topic_options *find_topic(const struct sim_scenario *scenario, const char *name);
bool has_broker(const struct sim_scenario *scenario, int64_t id);
/* Is the value the id of a broker? */
bool take_broker(const struct sim_scenario *scenario, const cJSON *value, int32_t *id);

/* scenario_producer.c */
void read_producers(struct scenario_reader *reader, const struct json_place *place, const cJSON *producers);
/* Whether the producer could be made again with this setting changed. */
bool check_producer_setting(struct scenario_reader *reader, const struct json_place *place,
                            const struct sim_producer *producer, const char *name, const char *value);

/* scenario_consumer.c: after the producers */
void read_consumers(struct scenario_reader *reader, const struct json_place *place, const cJSON *consumers);

/* scenario_records.c */
void read_records(struct scenario_reader *reader, const struct json_place *place, const cJSON *records,
                  struct sim_source *source);

/* input_file.c: CSV or JSON Lines, as the records object says. bytes are the file's. */
void read_record_file(struct scenario_reader *reader, const struct json_place *place, const cJSON *file,
                      struct sim_source *source);

/* scenario_timeline.c */
void read_timeline(struct scenario_reader *reader, const struct json_place *place, const cJSON *timeline);

/* scenario.c: the bytes of a file, with a NUL behind them, in *bytes (free() it); false with a complaint. */
bool load_file(const char *path, size_t limit_bytes, char **bytes, size_t *length_bytes,
               struct sim_complaints *complaints);
uint64_t hash_input(uint64_t hash, const void *bytes, size_t length_bytes);

#endif
