#include "engine/text_builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

void sim_text_release(struct sim_text *text)
{
    free(text->bytes);
    *text = (struct sim_text){0};
}

void sim_text_add(struct sim_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int added_bytes = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    KB_ASSERT(added_bytes >= 0);
    size_t needed_bytes = text->length_bytes + (size_t)added_bytes + 1;
    if (needed_bytes > text->capacity_bytes) {
        text->capacity_bytes = 2 * needed_bytes;
        char *grown = realloc(text->bytes, text->capacity_bytes);
        KB_ASSERT(grown != NULL);
        text->bytes = grown;
    }
    va_start(arguments, format);
    (void)vsnprintf(text->bytes + text->length_bytes, (size_t)added_bytes + 1, format, arguments);
    va_end(arguments);
    text->length_bytes += (size_t)added_bytes;
}

bool sim_text_write_file(const struct sim_text *text, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    bool written = fwrite(text->bytes, 1, text->length_bytes, file) == text->length_bytes;
    return fclose(file) == 0 && written;
}
