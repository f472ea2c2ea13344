#include "golden_trace.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A message of a difference: long, since whoever reads it debugs with it. */
enum { MESSAGE_BYTES = 6000, EVENT_BYTES = 620, BEFORE_COUNT = 4, AFTER_COUNT = 3, FRAME_BYTES = 48 };

struct message {
    char text[MESSAGE_BYTES];
    size_t used;
};

static void say(struct message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct message *message, const char *format, ...)
{
    size_t left = sizeof message->text - message->used;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message->text + message->used, left, format, arguments);
    va_end(arguments);
    message->used += length < 0 ? 0 : (size_t)length < left ? (size_t)length : left - 1;
}

/* --- Both sides in the same order */

struct ordered {
    /** Copies, in the order to be compared. */
    cJSON **events;
    size_t count;
};

static void *allocate(size_t count, size_t size_bytes)
{
    void *memory = calloc(count + 1, size_bytes);
    if (memory == NULL) {
        (void)fprintf(stderr, "linger-golden: out of memory\n");
        abort();
    }
    return memory;
}

static bool is_result(const cJSON *event)
{
    const char *kind = json_member_text(event, "ev", "");
    return strcmp(kind, "ack") == 0 || strcmp(kind, "fail") == 0;
}

static const char *topic_of(const struct trace_run *run, const cJSON *event)
{
    int64_t send = json_member_integer(event, "send", -1);
    return send >= 0 && send < (int64_t)run->send_count && run->sends[send].call == NULL
               ? run->sends[send].record.topic
               : "";
}

/* Results of one step come in the order of a hash table between partitions, so both sides are sorted by them.
 */
static bool comes_later(const struct trace_run *run, const cJSON *left, const cJSON *right)
{
    if (!is_result(left) || !is_result(right) ||
        json_member_integer(left, "t", -1) != json_member_integer(right, "t", -1)) {
        return false;
    }
    int topics = strcmp(topic_of(run, left), topic_of(run, right));
    return topics > 0 || (topics == 0 && json_member_integer(left, "partition", -1) >
                                             json_member_integer(right, "partition", -1));
}

static int by_text(const void *left, const void *right)
{
    const cJSON *a = *(cJSON *const *)left;
    const cJSON *b = *(cJSON *const *)right;
    return strcmp(json_is_text(a) ? a->valuestring : "", json_is_text(b) ? b->valuestring : "");
}

/* Names that a hash table gave in its order. */
static void sort_names(cJSON *event, const char *member)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(event, member);
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    cJSON **names = allocate((size_t)count, sizeof(cJSON *));
    for (int i = 0; i < count; i++) {
        names[i] = cJSON_DetachItemFromArray(list, 0);
    }
    qsort(names, (size_t)count, sizeof(cJSON *), by_text);
    for (int i = 0; i < count; i++) {
        json_add(list, NULL, names[i]);
    }
    free(names);
}

static struct ordered order(const struct trace_run *run, const cJSON *trace)
{
    struct ordered ordered = {.count = (size_t)cJSON_GetArraySize(trace)};
    const cJSON *event = NULL;
    size_t i = 0;
    ordered.events = allocate(ordered.count, sizeof(cJSON *));
    cJSON_ArrayForEach(event, trace)
    {
        size_t place = i++;
        cJSON *copy = cJSON_Duplicate(event, true);
        sort_names(copy, "topics");
        for (; place > 0 && comes_later(run, ordered.events[place - 1], copy); place--) {
            ordered.events[place] = ordered.events[place - 1];
        }
        ordered.events[place] = copy;
    }
    return ordered;
}

static void release(struct ordered *ordered)
{
    for (size_t i = 0; i < ordered->count; i++) {
        cJSON_Delete(ordered->events[i]);
    }
    free(ordered->events);
}

/* --- The first difference */

static void say_event(struct message *message, const char *label, cJSON *event)
{
    cJSON *shown = cJSON_Duplicate(event, true);
    cJSON_DeleteItemFromObjectCaseSensitive(shown, "frame_hex");
    char *text = json_print(shown);
    say(message, "\n      %-12s %.*s", label, EVENT_BYTES, text != NULL ? text : "");
    free(text);
    cJSON_Delete(shown);
}

static void say_frames(struct message *message, const char *expected, const char *actual)
{
    size_t same = 0;
    while (expected[same] != '\0' && expected[same] == actual[same]) {
        same++;
    }
    size_t from = (same & ~(size_t)1) >= FRAME_BYTES / 2 ? (same & ~(size_t)1) - FRAME_BYTES / 2 : 0;
    say(message,
        "\n      frame_hex parts at byte %zu (of %zu and %zu); from byte %zu on:\n"
        "        expected %.*s\n        got      %.*s",
        same / 2, strlen(expected) / 2, strlen(actual) / 2, from / 2, FRAME_BYTES * 2, expected + from,
        FRAME_BYTES * 2, actual + from);
}

static void say_member(struct message *message, const char *name, const cJSON *expected, const cJSON *actual)
{
    bool is_frame = strcmp(name, "frame_hex") == 0 && expected != NULL && actual != NULL;
    if (is_frame && json_is_text(expected) && json_is_text(actual)) {
        say_frames(message, expected->valuestring, actual->valuestring);
        return;
    }
    char *expected_text = expected != NULL ? json_print(expected) : NULL;
    char *actual_text = actual != NULL ? json_print(actual) : NULL;
    say(message, "\n      %s: expected %.*s, got %.*s", name, EVENT_BYTES,
        expected_text != NULL ? expected_text : "nothing", EVENT_BYTES,
        actual_text != NULL ? actual_text : "nothing");
    free(expected_text);
    free(actual_text);
}

/* Member by member, where the two are of the same kind at the same time. */
static void say_members(struct message *message, const cJSON *expected, const cJSON *actual)
{
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, expected)
    {
        if (!json_equal(member, json_member(actual, member->string))) {
            say_member(message, member->string, member, json_member(actual, member->string));
        }
    }
    cJSON_ArrayForEach(member, actual)
    {
        if (json_member(expected, member->string) == NULL) {
            say_member(message, member->string, NULL, member);
        }
    }
}

static bool are_alike(const cJSON *expected, const cJSON *actual)
{
    return json_equal(json_member(expected, "t"), json_member(actual, "t")) &&
           json_equal(json_member(expected, "ev"), json_member(actual, "ev"));
}

static void tell_difference(const struct trace_run *run, const struct ordered *expected,
                            const struct ordered *actual, size_t at)
{
    static const char *const nothing = "nothing: the trace ends";
    struct message *message = golden_allocate(run->golden, sizeof *message);
    cJSON *left = at < expected->count ? expected->events[at] : NULL;
    cJSON *right = at < actual->count ? actual->events[at] : NULL;
    say(message,
        "t=%lld, event %zu of %zu: ", (long long)json_member_integer(left != NULL ? left : right, "t", -1),
        at, expected->count);
    if (left != NULL && right != NULL && are_alike(left, right)) {
        say(message, "%s differs", json_member_text(left, "ev", "?"));
        say_members(message, left, right);
    } else {
        say(message, "expected %s, got %s", left != NULL ? json_member_text(left, "ev", "?") : nothing,
            right != NULL ? json_member_text(right, "ev", "?") : nothing);
        if (left != NULL && right != NULL) {
            say(message, " at t=%lld", (long long)json_member_integer(right, "t", -1));
        }
    }
    for (size_t i = at > BEFORE_COUNT ? at - BEFORE_COUNT : 0; i < at; i++) {
        say_event(message, "before", expected->events[i]);
    }
    for (size_t i = at; i < expected->count && i < at + AFTER_COUNT; i++) {
        say_event(message, i == at ? "EXPECTED" : "  then", expected->events[i]);
    }
    for (size_t i = at; i < actual->count && i < at + AFTER_COUNT; i++) {
        say_event(message, i == at ? "GOT" : "  then", actual->events[i]);
    }
    if (run->failure[0] != '\0') {
        say(message, "\n      the run itself: %s", run->failure);
    }
    golden_fail(run->golden, "%s", message->text);
}

void trace_compare(struct trace_run *run)
{
    struct ordered expected = order(run, json_member(run->row, "trace"));
    struct ordered actual = order(run, run->events);
    size_t at = 0;
    while (at < expected.count && at < actual.count && json_equal(expected.events[at], actual.events[at])) {
        at++;
    }
    if (at < expected.count || at < actual.count) {
        tell_difference(run, &expected, &actual, at);
    }
    release(&expected);
    release(&actual);
}

/* --- All of both */

static void print_event(char mark, size_t index, const cJSON *event)
{
    char *text = json_print(event);
    printf("%c %4zu %s\n", mark, index, text != NULL ? text : "");
    free(text);
}

/* lengths[i][j]: how many events the rest of both, from i and j on, have in common. */
static uint16_t *common_lengths(const struct ordered *expected, const struct ordered *actual)
{
    size_t width = actual->count + 1;
    uint16_t *lengths = allocate((expected->count + 1) * width, sizeof *lengths);
    for (size_t i = expected->count; i-- > 0;) {
        for (size_t j = actual->count; j-- > 0;) {
            uint16_t skip_left = lengths[(i + 1) * width + j];
            uint16_t skip_right = lengths[i * width + j + 1];
            lengths[i * width + j] = are_alike(expected->events[i], actual->events[j]) &&
                                             json_equal(expected->events[i], actual->events[j])
                                         ? (uint16_t)(lengths[(i + 1) * width + j + 1] + 1)
                                     : skip_left > skip_right ? skip_left
                                                              : skip_right;
        }
    }
    return lengths;
}

void trace_print_both(struct trace_run *run)
{
    struct ordered expected = order(run, json_member(run->row, "trace"));
    struct ordered actual = order(run, run->events);
    size_t width = actual.count + 1;
    uint16_t *lengths = common_lengths(&expected, &actual);
    size_t i = 0;
    size_t j = 0;
    printf("%s: '-' expected, '+' got\n", json_member_text(run->row, "name", "?"));
    while (i < expected.count || j < actual.count) {
        if (i < expected.count && j < actual.count && json_equal(expected.events[i], actual.events[j])) {
            print_event(' ', i++, actual.events[j]);
            j++;
        } else if (j == actual.count ||
                   (i < expected.count && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
            print_event('-', i, expected.events[i]);
            i++;
        } else {
            print_event('+', j, actual.events[j]);
            j++;
        }
    }
    free(lengths);
    release(&expected);
    release(&actual);
}
