#include "wire/errors.h"

#include <stddef.h>
#include <string.h>

/* Ascending by code, as errors.def is; tests hold the table to it. */
static const struct kw_error_info rows[] = {
#define KW_ERROR_ROW(code, row_name, row_exception, is_retriable, refreshes, text)                           \
    {.error = KW_ERROR_##row_name,                                                                           \
     .name = #row_name,                                                                                      \
     .exception = (row_exception),                                                                           \
     .message = (text),                                                                                      \
     .retriable = (is_retriable),                                                                            \
     .refreshes_metadata = (refreshes)},
#include "wire/errors.def"
#undef KW_ERROR_ROW
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct kw_error_info *find_row(int code)
{
    size_t low = 0;
    size_t high = ROW_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int)rows[middle].error < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < ROW_COUNT && (int)rows[low].error == code ? &rows[low] : NULL;
}

enum kw_error kw_error_from_code(int16_t code)
{
    const struct kw_error_info *row = code >= KW_ERROR_UNKNOWN_SERVER_ERROR ? find_row(code) : NULL;
    return row != NULL ? row->error : KW_ERROR_UNKNOWN_SERVER_ERROR;
}

const struct kw_error_info *kw_error_info(enum kw_error error)
{
    const struct kw_error_info *row = find_row((int)error);
    return row != NULL ? row : find_row(KW_ERROR_UNKNOWN_SERVER_ERROR);
}

const char *kw_error_name(enum kw_error error)
{
    return kw_error_info(error)->name;
}

const char *kw_error_exception(enum kw_error error)
{
    return kw_error_info(error)->exception;
}

const char *kw_error_message(enum kw_error error)
{
    return kw_error_info(error)->message;
}

bool kw_error_is_retriable(enum kw_error error)
{
    return kw_error_info(error)->retriable;
}

bool kw_error_refreshes_metadata(enum kw_error error)
{
    return kw_error_info(error)->refreshes_metadata;
}

bool kw_error_find(const char *name, enum kw_error *error)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *error = rows[i].error;
            return true;
        }
    }
    return false;
}
