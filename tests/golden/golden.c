#include "golden.h"

#include "golden_run.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURE_BYTES = 8192, PATH_BYTES = 256, SHOWN_BYTES = 120, ALLOCATION_LIMIT_BYTES = 256 << 20 };

/* What a checker allocated, freed with its case. */
struct owned {
    struct owned *next;
    cJSON *tree;
    void *memory;
};

struct golden_case {
    char failure[FAILURE_BYTES];
    bool failed;
    const char *skipped;
    struct owned *owned;
};

static void *checked(void *memory)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "linger-golden: out of memory\n");
        abort();
    }
    return memory;
}

static void own(struct golden_case *golden, void *memory, cJSON *tree)
{
    struct owned *owned = checked(malloc(sizeof *owned));
    *owned = (struct owned){.next = golden->owned, .tree = tree, .memory = memory};
    golden->owned = owned;
}

struct golden_case *golden_case_run(const struct golden_checker *checker, const cJSON *row)
{
    struct golden_case *golden = checked(calloc(1, sizeof *golden));
    checker->check(golden, row);
    return golden;
}

void golden_case_destroy(struct golden_case *golden)
{
    while (golden->owned != NULL) {
        struct owned *owned = golden->owned;
        golden->owned = owned->next;
        cJSON_Delete(owned->tree);
        free(owned->memory);
        free(owned);
    }
    free(golden);
}

const char *golden_case_failure(const struct golden_case *golden)
{
    return golden->failed ? golden->failure : NULL;
}

const char *golden_case_skipped(const struct golden_case *golden)
{
    return golden->failed ? NULL : golden->skipped;
}

void golden_fail(struct golden_case *golden, const char *format, ...)
{
    if (golden->failed) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(golden->failure, sizeof golden->failure, format, arguments);
    va_end(arguments);
    golden->failed = true;
}

static bool dumping;

void golden_set_dumping(bool is_dumping)
{
    dumping = is_dumping;
}

bool golden_is_dumping(void)
{
    return dumping;
}

void golden_skip(struct golden_case *golden, const char *why)
{
    golden->skipped = why;
}

bool golden_is_ok(const struct golden_case *golden)
{
    return !golden->failed;
}

void *golden_allocate(struct golden_case *golden, size_t size_bytes)
{
    void *memory = checked(size_bytes <= ALLOCATION_LIMIT_BYTES ? calloc(1, size_bytes + 1) : NULL);
    own(golden, memory, NULL);
    return memory;
}

cJSON *golden_new_object(struct golden_case *golden)
{
    cJSON *object = checked(cJSON_CreateObject());
    own(golden, NULL, object);
    return object;
}

/* One difference, with both sides cut to a readable length. */
static void fail_difference(struct golden_case *golden, const char *path, const cJSON *expected,
                            const cJSON *actual)
{
    char *expected_text = expected != NULL ? json_print(expected) : NULL;
    char *actual_text = actual != NULL ? json_print(actual) : NULL;
    golden_fail(golden, "%s: expected %.*s, got %.*s", path[0] != '\0' ? path : "row", SHOWN_BYTES,
                expected_text != NULL ? expected_text : "nothing", SHOWN_BYTES,
                actual_text != NULL ? actual_text : "nothing");
    free(expected_text);
    free(actual_text);
}

static void compare_texts(struct golden_case *golden, const char *path, const char *expected,
                          const char *actual)
{
    size_t same = 0;
    while (expected[same] != '\0' && expected[same] == actual[same]) {
        same++;
    }
    size_t from = same > SHOWN_BYTES / 4 ? same - SHOWN_BYTES / 4 : 0;
    golden_fail(golden, "%s: expected %s\"%.*s\", got %s\"%.*s\" (they part at character %zu)", path,
                from > 0 ? "..." : "", SHOWN_BYTES, expected + from, from > 0 ? "..." : "", SHOWN_BYTES,
                actual + from, same);
}

static void join(char *joined, size_t capacity_bytes, const char *path, const char *name)
{
    (void)snprintf(joined, capacity_bytes, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
}

static void compare_objects(struct golden_case *golden, const char *path, const cJSON *expected,
                            const cJSON *actual)
{
    char joined[PATH_BYTES];
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, expected)
    {
        join(joined, sizeof joined, path, child->string);
        golden_compare(golden, joined, child, json_member(actual, child->string));
    }
    cJSON_ArrayForEach(child, actual)
    {
        if (json_member(expected, child->string) == NULL) {
            join(joined, sizeof joined, path, child->string);
            fail_difference(golden, joined, NULL, child);
        }
    }
}

static void compare_arrays(struct golden_case *golden, const char *path, const cJSON *expected,
                           const cJSON *actual)
{
    char joined[PATH_BYTES];
    char index_text[16];
    const cJSON *left = expected->child;
    const cJSON *right = actual->child;
    for (unsigned i = 0; left != NULL || right != NULL; i++) {
        (void)snprintf(index_text, sizeof index_text, "%u", i);
        join(joined, sizeof joined, path, index_text);
        golden_compare(golden, joined, left, right);
        left = left != NULL ? left->next : NULL;
        right = right != NULL ? right->next : NULL;
    }
}

void golden_compare(struct golden_case *golden, const char *path, const cJSON *expected, const cJSON *actual)
{
    if (golden->failed) {
        return;
    }
    if (cJSON_IsObject(expected) && cJSON_IsObject(actual)) {
        compare_objects(golden, path, expected, actual);
    } else if (cJSON_IsArray(expected) && cJSON_IsArray(actual)) {
        compare_arrays(golden, path, expected, actual);
    } else if (expected == NULL || actual == NULL || !json_equal(expected, actual)) {
        if (json_is_text(expected) && json_is_text(actual)) {
            compare_texts(golden, path, expected->valuestring, actual->valuestring);
        } else {
            fail_difference(golden, path, expected, actual);
        }
    }
}

void golden_compare_integer(struct golden_case *golden, const char *path, int64_t expected, int64_t actual)
{
    if (expected != actual) {
        golden_fail(golden, "%s: expected %lld, got %lld", path, (long long)expected, (long long)actual);
    }
}

void golden_compare_text(struct golden_case *golden, const char *path, const char *expected,
                         const char *actual)
{
    if (expected == NULL || actual == NULL) {
        if (expected != actual) {
            golden_fail(golden, "%s: expected %s, got %s", path, expected != NULL ? expected : "null",
                        actual != NULL ? actual : "null");
        }
    } else if (strcmp(expected, actual) != 0) {
        compare_texts(golden, path, expected, actual);
    }
}

void golden_compare_bytes(struct golden_case *golden, const char *path, const void *expected,
                          size_t expected_length_bytes, const void *actual, size_t actual_length_bytes)
{
    cJSON *both = golden_new_object(golden);
    json_add_hex(both, "expected", expected, expected_length_bytes);
    json_add_hex(both, "actual", actual, actual_length_bytes);
    golden_compare(golden, path, json_member(both, "expected"), json_member(both, "actual"));
}

static void fail_type(struct golden_case *golden, const char *name, const char *wanted, const cJSON *node)
{
    char *text = node != NULL ? json_print(node) : NULL;
    golden_fail(golden, "%s: %s is wanted here, not %.*s", name, wanted, SHOWN_BYTES,
                text != NULL ? text : "nothing");
    free(text);
}

int64_t golden_integer(struct golden_case *golden, const cJSON *object, const char *name)
{
    const cJSON *node = json_member(object, name);
    if (!json_is_integer(node)) {
        fail_type(golden, name, "an integer", node);
    }
    return json_integer(node);
}

int64_t golden_integer_in(struct golden_case *golden, const cJSON *object, const char *name, int64_t minimum,
                          int64_t maximum)
{
    int64_t value = golden_integer(golden, object, name);
    if (value < minimum || value > maximum) {
        golden_fail(golden, "%s: %lld is not from %lld to %lld", name, (long long)value, (long long)minimum,
                    (long long)maximum);
        return minimum;
    }
    return value;
}

const char *golden_text(struct golden_case *golden, const cJSON *object, const char *name)
{
    const cJSON *node = json_member(object, name);
    if (!json_is_text(node)) {
        fail_type(golden, name, "a text", node);
        return "";
    }
    return node->valuestring;
}

bool golden_bool(struct golden_case *golden, const cJSON *object, const char *name)
{
    const cJSON *node = json_member(object, name);
    if (!cJSON_IsBool(node)) {
        fail_type(golden, name, "true or false", node);
    }
    return cJSON_IsTrue(node);
}

const cJSON *golden_array(struct golden_case *golden, const cJSON *object, const char *name)
{
    static const cJSON empty = {.type = cJSON_Array};
    const cJSON *node = json_member(object, name);
    if (!cJSON_IsArray(node)) {
        fail_type(golden, name, "an array", node);
        return &empty;
    }
    return node;
}

const uint8_t *golden_bytes(struct golden_case *golden, const cJSON *object, const char *name,
                            size_t *length_bytes)
{
    const cJSON *node = json_member(object, name);
    *length_bytes = 0;
    if (cJSON_IsNull(node)) {
        return NULL;
    }
    uint8_t *bytes = json_is_text(node) ? json_decode_hex(node->valuestring, length_bytes) : NULL;
    if (bytes == NULL) {
        fail_type(golden, name, "hexadecimal or null", node);
        return NULL;
    }
    own(golden, bytes, NULL);
    return bytes;
}
