/**
 * A log as JSON Lines: a header that says how to read the rest, one line an event, and a last line with the
 * names and the hash.
 *
 *     {"linger_events":1,"scenario":"...","seed":42,"input_hash":"...","compressors":{"gzip":"1.2.13",...},
 *      "kinds":[{"name":...,"fields":[[...]]}]}
 *     {"seq":1,"t_us":0,"ev":"replica_placed","method":"-","source":"cluster","broker":1,"topic":"orders",...}
 *     {"events":1204,"names":["orders",...],"hash":"0123456789abcdef"}
 *
 * Scenario, seed and input hash determine the rest; where a producer compresses, the versions of the
 * compressors do so too, because sizes decide about batches.
 */
#ifndef SIM_JSONL_H
#define SIM_JSONL_H

#include <stdbool.h>
#include <stdio.h>

#include "log/event_log.h"

/** false when something could not be written; errno says why. */
bool sim_export_jsonl(const struct sim_event_log *log, FILE *file);

/** A text as a JSON string, with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void sim_write_json_text(FILE *file, const char *text, size_t length_bytes);

#endif
