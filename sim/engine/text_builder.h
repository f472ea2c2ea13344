/**
 * A text that grows: for scenarios written by the program itself.
 */
#ifndef SIM_TEXT_BUILDER_H
#define SIM_TEXT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>

struct sim_text {
    char *bytes; /* NUL-terminated and owned; NULL while nothing was added */
    size_t length_bytes;
    size_t capacity_bytes;
};

void sim_text_release(struct sim_text *text);
/** Add to the end. printf-like. */
void sim_text_add(struct sim_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** false: the file cannot be written; errno says why. */
bool sim_text_write_file(const struct sim_text *text, const char *path);

#endif
