#include "golden_run.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 256 };

/* A place where a mutation can be made; found in document order, then one is chosen. */
struct places {
    const struct golden_checker *checker;
    enum golden_mutation kind;
    /* The place to stop at, or -1 to count them. */
    int64_t wanted;
    int64_t found;
    cJSON *node;
    cJSON *parent;
    char path[PATH_BYTES];
};

static const char *kind_name(enum golden_mutation kind)
{
    static const char *const names[GOLDEN_MUTATION_COUNT] = {"number", "hex",   "text",   "bool",
                                                             "null",   "order", "removal"};
    return names[kind];
}

/* Does pattern, perhaps "KIND:PATH", cover path? */
static bool pattern_covers(const char *pattern, enum golden_mutation kind, const char *path)
{
    const char *colon = strchr(pattern, ':');
    if (colon != NULL) {
        size_t length = (size_t)(colon - pattern);
        if (strlen(kind_name(kind)) != length || strncmp(pattern, kind_name(kind), length) != 0) {
            return false;
        }
        pattern = colon + 1;
    }
    for (;;) {
        size_t pattern_length = strcspn(pattern, ".");
        size_t path_length = strcspn(path, ".");
        bool is_any = pattern_length == 1 && pattern[0] == '*';
        if (path_length == 0 ||
            (!is_any && (pattern_length != path_length || strncmp(pattern, path, path_length) != 0))) {
            return false;
        }
        if (pattern[pattern_length] == '\0') {
            return true;
        }
        if (strcmp(pattern + pattern_length, ".$") == 0) {
            return path[path_length] == '\0';
        }
        if (path[path_length] == '\0') {
            return false;
        }
        pattern += pattern_length + 1;
        path += path_length + 1;
    }
}

static bool is_excluded(const struct places *places, const char *path)
{
    const char *const *pattern = places->checker->not_mutated;
    for (; pattern != NULL && *pattern != NULL; pattern++) {
        if (pattern_covers(*pattern, places->kind, path)) {
            return true;
        }
    }
    return false;
}

static bool is_hex(const char *text)
{
    size_t length = strlen(text);
    return length >= 2 && length % 2 == 0 && strspn(text, "0123456789abcdef") == length;
}

/* Can a mutation of the kind be made at this node? Order and removal are made at the element, not at the
 * array. */
static bool is_place(enum golden_mutation kind, const cJSON *parent, const cJSON *node)
{
    bool in_array = cJSON_IsArray(parent);
    switch (kind) {
    case GOLDEN_MUTATION_NUMBER:
        return json_is_integer(node);
    case GOLDEN_MUTATION_HEX:
        return json_is_text(node) && is_hex(node->valuestring);
    case GOLDEN_MUTATION_TEXT:
        return json_is_text(node);
    case GOLDEN_MUTATION_BOOL:
        return cJSON_IsBool(node);
    case GOLDEN_MUTATION_NULL:
        return cJSON_IsNull(node) || json_is_text(node) || json_is_integer(node);
    case GOLDEN_MUTATION_ORDER:
        return in_array && node->next != NULL && !json_equal(node, node->next);
    case GOLDEN_MUTATION_REMOVAL:
        return in_array;
    case GOLDEN_MUTATION_COUNT:
        break;
    }
    return false;
}

/* Document order; true when the wanted place is reached, which then is in places. */
static bool walk(struct places *places, cJSON *parent, cJSON *node, const char *path)
{
    if (parent != NULL) {
        if (is_excluded(places, path)) {
            return false;
        }
        if (is_place(places->kind, parent, node) && places->found++ == places->wanted) {
            places->node = node;
            places->parent = parent;
            (void)snprintf(places->path, sizeof places->path, "%s", path);
            return true;
        }
    }
    unsigned index = 0;
    for (cJSON *child = cJSON_IsArray(node) || cJSON_IsObject(node) ? node->child : NULL; child != NULL;
         child = child->next, index++) {
        char index_text[16];
        char child_path[PATH_BYTES];
        (void)snprintf(index_text, sizeof index_text, "%u", index);
        (void)snprintf(child_path, sizeof child_path, "%s%s%s", path, path[0] != '\0' ? "." : "",
                       child->string != NULL ? child->string : index_text);
        if (walk(places, node, child, child_path)) {
            return true;
        }
    }
    return false;
}

/* splitmix64: the choice must not depend on the library that is tested. */
static uint64_t next_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

static void replace(struct places *places, cJSON *with)
{
    if (cJSON_IsArray(places->parent)) {
        int index = 0;
        for (const cJSON *at = places->parent->child; at != places->node; at = at->next) {
            index++;
        }
        (void)cJSON_ReplaceItemInArray(places->parent, index, with);
    } else {
        /* Replacing keeps the name; it is copied because the old node and its name go away. */
        char name[PATH_BYTES];
        (void)snprintf(name, sizeof name, "%s", places->node->string);
        (void)cJSON_ReplaceItemInObjectCaseSensitive(places->parent, name, with);
    }
}

static cJSON *mutated_number(const cJSON *node, uint64_t random)
{
    int64_t value = json_integer(node);
    bool up = value == INT64_MIN || (value != INT64_MAX && random % 2 == 0);
    return json_create_integer(up ? value + 1 : value - 1);
}

static cJSON *mutated_text(const cJSON *node, bool is_digit_flip, uint64_t random)
{
    size_t length = strlen(node->valuestring);
    char *text = malloc(length + 2);
    if (text == NULL) {
        return NULL;
    }
    memcpy(text, node->valuestring, length + 1);
    if (is_digit_flip) {
        /* Another digit: add 1 to 15 modulo 16. */
        static const char digits[] = "0123456789abcdef";
        size_t at = (size_t)(random % length);
        size_t digit = (size_t)(strchr(digits, text[at]) - digits);
        text[at] = digits[(digit + 1 + random / length % 15) % 16];
    } else if (random % 2 == 0 || length == 0) {
        text[length] = 'x';
        text[length + 1] = '\0';
    } else {
        text[length - 1] = text[length - 1] == 'q' ? 'r' : 'q';
    }
    cJSON *mutated = cJSON_CreateString(text);
    free(text);
    return mutated;
}

/* Contents change places, links stay: the lists of cJSON_Duplicate() are not linked as detaching expects. */
static void swap_with_next(cJSON *node)
{
    cJSON *next = node->next;
    cJSON first = *node;
    cJSON second = *next;
    *node = second;
    node->next = first.next;
    node->prev = first.prev;
    *next = first;
    next->next = second.next;
    next->prev = second.prev;
}

static void apply(struct places *places, uint64_t random)
{
    cJSON *node = places->node;
    switch (places->kind) {
    case GOLDEN_MUTATION_NUMBER:
        replace(places, mutated_number(node, random));
        break;
    case GOLDEN_MUTATION_HEX:
        replace(places, mutated_text(node, true, random));
        break;
    case GOLDEN_MUTATION_TEXT:
        replace(places, mutated_text(node, false, random));
        break;
    case GOLDEN_MUTATION_BOOL:
        replace(places, cJSON_CreateBool(!cJSON_IsTrue(node)));
        break;
    case GOLDEN_MUTATION_NULL:
        /* Where null stands for "no number" or "no text" is not known; the text is hexadecimal in case. */
        replace(places, !cJSON_IsNull(node) ? cJSON_CreateNull()
                        : random % 2 == 0   ? cJSON_CreateString("00")
                                            : cJSON_CreateNumber(1));
        break;
    case GOLDEN_MUTATION_ORDER:
        swap_with_next(node);
        break;
    case GOLDEN_MUTATION_REMOVAL:
        cJSON_Delete(cJSON_DetachItemViaPointer(places->parent, node));
        break;
    case GOLDEN_MUTATION_COUNT:
        break;
    }
}

bool golden_mutate(const struct golden_checker *checker, cJSON *row, enum golden_mutation kind, uint64_t seed,
                   char *description, size_t description_capacity_bytes)
{
    struct places places = {.checker = checker, .kind = kind, .wanted = -1};
    (void)walk(&places, NULL, row, "");
    if (places.found == 0) {
        return false;
    }
    uint64_t state = seed;
    places.wanted = (int64_t)(next_random(&state) % (uint64_t)places.found);
    places.found = 0;
    if (!walk(&places, NULL, row, "")) {
        return false;
    }
    (void)snprintf(description, description_capacity_bytes, "%s at %s", kind_name(kind), places.path);
    apply(&places, next_random(&state));
    return true;
}
