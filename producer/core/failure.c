#include <linger/failure.h>

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** Cut an over-long text between two UTF-8 characters and show that it was cut. */
static void mark_cut(char *text, size_t capacity_bytes)
{
    static const char mark[] = "...";
    size_t length_bytes = capacity_bytes - sizeof mark;
    while (length_bytes > 0 && ((unsigned char)text[length_bytes] & 0xC0) == 0x80) {
        length_bytes--;
    }
    memcpy(text + length_bytes, mark, sizeof mark);
}

static void set_throwable(struct kp_throwable *thrown, const char *exception, const char *message)
{
    KB_ASSERT(exception != NULL && strlen(exception) < sizeof thrown->exception);
    memset(thrown, 0, sizeof *thrown);
    memcpy(thrown->exception, exception, strlen(exception) + 1);
    thrown->has_message = message != NULL;
    if (message == NULL) {
        return;
    }
    size_t length_bytes = strlen(message);
    if (length_bytes < sizeof thrown->message) {
        memcpy(thrown->message, message, length_bytes + 1);
        return;
    }
    memcpy(thrown->message, message, sizeof thrown->message);
    mark_cut(thrown->message, sizeof thrown->message);
}

void kp_failure_clear(struct kp_failure *failure)
{
    memset(failure, 0, sizeof *failure);
}

bool kp_failure_is_set(const struct kp_failure *failure)
{
    return failure->thrown.exception[0] != '\0';
}

void kp_failure_throw(struct kp_failure *failure, const char *exception, const char *message)
{
    failure->cause_count = 0;
    set_throwable(&failure->thrown, exception, message);
}

/* One byte more than fits, so that an over-long message is seen to be one. */
#define FORMATTED_BYTES (KP_FAILURE_MESSAGE_BYTES + 1)

void kp_failure_throwf(struct kp_failure *failure, const char *exception, const char *format, ...)
{
    char message[FORMATTED_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    KB_ASSERT(length >= 0);
    kp_failure_throw(failure, exception, message);
}

void kp_failure_wrap(struct kp_failure *failure, const char *exception, const char *message)
{
    KB_ASSERT(kp_failure_is_set(failure));
    uint32_t kept = failure->cause_count;
    if (kept == KP_FAILURE_CAUSE_COUNT_MAX) {
        kept--;
    }
    memmove(failure->causes + 1, failure->causes, kept * sizeof failure->causes[0]);
    failure->causes[0] = failure->thrown;
    failure->cause_count = kept + 1;
    set_throwable(&failure->thrown, exception, message);
}

void kp_failure_wrapf(struct kp_failure *failure, const char *exception, const char *format, ...)
{
    char message[FORMATTED_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    KB_ASSERT(length >= 0);
    kp_failure_wrap(failure, exception, message);
}
