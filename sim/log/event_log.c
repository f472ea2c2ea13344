#define _GNU_SOURCE /* mkostemp */
#include "log/event_log.h"

#include "base/assert.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHUNK_SHIFT = 14,
    CHUNK_EVENTS = SIM_EVENT_LOG_NEWEST_EVENTS,
    CHUNK_BYTES = CHUNK_EVENTS * (int)sizeof(struct kb_event),
    MEMORY_CHUNKS = SIM_EVENT_LOG_MEMORY_EVENTS / CHUNK_EVENTS,
    NAME_SLOTS = 1 << 17,
};

struct sim_event_log {
    struct kb_event **chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    uint64_t count;
    uint64_t hash;
    int file; /* of the chunks past MEMORY_CHUNKS; -1 before it is needed */
    bool incomplete;
    bool keeps_newest; /* in one chunk, which is used again */
    void (*appended)(void *context, const struct kb_event *event);
    void *appended_context;
    struct sim_run_info info;

    char **names; /* by number - 1 */
    uint32_t name_count;
    uint32_t name_capacity;
    uint32_t *name_slots; /* open addressing: number, 0 is free */
};

/* The hash is a fold of 64-bit little-endian words, so a script can follow it. */
static const uint64_t HASH_START = 0x6c696e6765723031u;
static const uint64_t HASH_FACTOR = 0x9e3779b97f4a7c15u;

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_FACTOR;
    return hash ^ hash >> 32;
}

static uint64_t load_little_endian(const unsigned char *bytes, size_t length_bytes)
{
    uint64_t word = 0;
    for (size_t i = 0; i < length_bytes; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

static uint64_t hash_bytes(uint64_t hash, const char *text, size_t length_bytes)
{
    hash = hash_word(hash, length_bytes);
    for (size_t i = 0; i < length_bytes; i += 8) {
        size_t rest_bytes = length_bytes - i < 8 ? length_bytes - i : 8;
        hash = hash_word(hash, load_little_endian((const unsigned char *)text + i, rest_bytes));
    }
    return hash;
}

/* Field by field, so that neither padding nor the byte order of the machine gets in. */
static uint64_t hash_event(uint64_t hash, const struct kb_event *event)
{
    hash = hash_word(hash, (uint64_t)event->time_us);
    hash = hash_word(hash, event->cause_back | (uint64_t)event->kind << 32 | (uint64_t)event->source << 48);
    const struct kb_event_info *info = kb_event_info(event->kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        const struct kb_event_field *field = &info->fields[i];
        if (field->type == KB_FIELD_TEXT16) {
            const unsigned char *text = (const unsigned char *)event + field->offset_bytes;
            hash = hash_word(hash, load_little_endian(text, 8));
            hash = hash_word(hash, load_little_endian(text + 8, 8));
        } else {
            hash = hash_word(hash, (uint64_t)kb_event_field_value(event, field));
        }
    }
    return hash;
}

struct sim_event_log *sim_event_log_create(void)
{
    struct sim_event_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    log->hash = HASH_START;
    log->file = -1;
    log->name_slots = calloc(NAME_SLOTS, sizeof *log->name_slots);
    if (log->name_slots == NULL) {
        free(log);
        return NULL;
    }
    return log;
}

void sim_event_log_keep_newest(struct sim_event_log *log)
{
    KB_ASSERT(log->count == 0);
    log->keeps_newest = true;
}

void sim_event_log_listen(struct sim_event_log *log,
                          void (*appended)(void *context, const struct kb_event *event), void *context)
{
    log->appended = appended;
    log->appended_context = context;
}

void sim_event_log_destroy(struct sim_event_log *log)
{
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < log->chunk_count; i++) {
        if (i < MEMORY_CHUNKS) {
            free(log->chunks[i]);
        } else {
            munmap(log->chunks[i], CHUNK_BYTES);
        }
    }
    if (log->file >= 0) {
        close(log->file);
    }
    for (uint32_t i = 0; i < log->name_count; i++) {
        free(log->names[i]);
    }
    free(log->chunks);
    free(log->names);
    free(log->name_slots);
    free(log);
}

static int open_unlinked_file(void)
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    if (folder == NULL || folder[0] == '\0') {
        folder = "/tmp";
    }
    int path_bytes = snprintf(path, sizeof path, "%s/linger-events-XXXXXX", folder);
    if (path_bytes < 0 || (size_t)path_bytes >= sizeof path) {
        return -1;
    }
    int file = mkostemp(path, 0);
    if (file >= 0) {
        unlink(path);
    }
    return file;
}

static struct kb_event *map_chunk(struct sim_event_log *log)
{
    if (log->file < 0 && (log->file = open_unlinked_file()) < 0) {
        return NULL;
    }
    off_t offset = (off_t)(log->chunk_count - MEMORY_CHUNKS) * CHUNK_BYTES;
    /* Blocks are reserved now: writing into a hole on a full disk would be a signal. */
    if (posix_fallocate(log->file, offset, CHUNK_BYTES) != 0) {
        return NULL;
    }
    void *memory = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, log->file, offset);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool add_chunk(struct sim_event_log *log)
{
    if (log->chunk_count == log->chunk_capacity) {
        size_t capacity = log->chunk_capacity != 0 ? 2 * log->chunk_capacity : 16;
        struct kb_event **chunks = realloc(log->chunks, capacity * sizeof(struct kb_event *));
        if (chunks == NULL) {
            return false;
        }
        log->chunks = chunks;
        log->chunk_capacity = capacity;
    }
    struct kb_event *chunk = log->chunk_count < MEMORY_CHUNKS ? malloc(CHUNK_BYTES) : map_chunk(log);
    if (chunk == NULL) {
        return false;
    }
    log->chunks[log->chunk_count++] = chunk;
    return true;
}

_Static_assert(CHUNK_EVENTS == 1 << CHUNK_SHIFT, "a chunk holds the newest events");

static struct kb_event *slot_of(const struct sim_event_log *log, uint64_t index)
{
    size_t chunk = log->keeps_newest ? 0 : index >> CHUNK_SHIFT;
    return &log->chunks[chunk][index & (CHUNK_EVENTS - 1)];
}

uint64_t sim_event_log_append(struct sim_event_log *log, const struct kb_event *event, int64_t time_us,
                              uint64_t cause)
{
    KB_ASSERT(cause <= log->count);
    KB_ASSERT(time_us >= sim_event_log_end_us(log));
    bool is_full = (log->count & (CHUNK_EVENTS - 1)) == 0 && (log->count == 0 || !log->keeps_newest);
    if (log->incomplete || (is_full && !add_chunk(log))) {
        log->incomplete = true;
        return 0;
    }
    uint64_t sequence = log->count + 1;
    uint64_t back = cause != 0 ? sequence - cause : 0;
    struct kb_event *stored = slot_of(log, log->count);
    *stored = *event;
    stored->time_us = time_us;
    stored->cause_back = back <= UINT32_MAX ? (uint32_t)back : 0;
    log->hash = hash_event(log->hash, stored);
    log->count = sequence;
    if (log->appended != NULL) {
        log->appended(log->appended_context, stored);
    }
    return sequence;
}

bool sim_event_log_is_complete(const struct sim_event_log *log)
{
    return !log->incomplete;
}

uint64_t sim_event_log_count(const struct sim_event_log *log)
{
    return log->count;
}

const struct kb_event *sim_event_log_get(const struct sim_event_log *log, uint64_t sequence)
{
    KB_ASSERT(sequence >= 1 && sequence <= log->count);
    KB_ASSERT(!log->keeps_newest || log->count - sequence < CHUNK_EVENTS);
    return slot_of(log, sequence - 1);
}

uint64_t sim_event_log_cause(const struct sim_event_log *log, uint64_t sequence)
{
    uint32_t back = sim_event_log_get(log, sequence)->cause_back;
    return back != 0 ? sequence - back : 0;
}

uint64_t sim_event_log_find_time(const struct sim_event_log *log, int64_t time_us)
{
    uint64_t low = 0;
    uint64_t high = log->count;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (sim_event_log_get(log, middle)->time_us <= time_us) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

int64_t sim_event_log_end_us(const struct sim_event_log *log)
{
    return log->count != 0 ? sim_event_log_get(log, log->count)->time_us : 0;
}

static uint32_t *find_name_slot(const struct sim_event_log *log, const char *name, size_t length_bytes)
{
    uint64_t hash = hash_bytes(HASH_START, name, length_bytes);
    for (uint32_t i = (uint32_t)hash & (NAME_SLOTS - 1);; i = (i + 1) & (NAME_SLOTS - 1)) {
        uint32_t number = log->name_slots[i];
        if (number == 0 || (strncmp(log->names[number - 1], name, length_bytes) == 0 &&
                            log->names[number - 1][length_bytes] == '\0')) {
            return &log->name_slots[i];
        }
    }
}

uint32_t sim_event_log_intern(struct sim_event_log *log, const char *name, size_t length_bytes)
{
    length_bytes = strnlen(name, length_bytes);
    uint32_t *slot = find_name_slot(log, name, length_bytes);
    if (*slot != 0 || log->name_count == SIM_EVENT_LOG_NAMES_MAX) {
        return *slot;
    }
    if (log->name_count == log->name_capacity) {
        uint32_t capacity = log->name_capacity != 0 ? 2 * log->name_capacity : 64;
        char **names = realloc(log->names, capacity * sizeof(char *));
        if (names == NULL) {
            return 0;
        }
        log->names = names;
        log->name_capacity = capacity;
    }
    char *copy = malloc(length_bytes + 1);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, name, length_bytes);
    copy[length_bytes] = '\0';
    log->names[log->name_count++] = copy;
    *slot = log->name_count;
    return log->name_count;
}

const char *sim_event_log_name(const struct sim_event_log *log, uint32_t number)
{
    return number >= 1 && number <= log->name_count ? log->names[number - 1] : "";
}

uint32_t sim_event_log_name_count(const struct sim_event_log *log)
{
    return log->name_count;
}

struct sim_run_info *sim_event_log_info(struct sim_event_log *log)
{
    return &log->info;
}

const struct sim_run_info *sim_event_log_info_view(const struct sim_event_log *log)
{
    return &log->info;
}

uint64_t sim_event_log_hash(const struct sim_event_log *log)
{
    uint64_t hash = hash_word(log->hash, log->info.input_hash);
    hash = hash_word(hash, log->info.seed);
    for (uint32_t i = 0; i < log->name_count; i++) {
        hash = hash_bytes(hash, log->names[i], strlen(log->names[i]));
    }
    return hash;
}

void sim_event_log_memory(const struct sim_event_log *log, size_t *memory_bytes, size_t *file_bytes)
{
    size_t in_memory = log->chunk_count < MEMORY_CHUNKS ? log->chunk_count : MEMORY_CHUNKS;
    *memory_bytes = in_memory * CHUNK_BYTES;
    *file_bytes = (log->chunk_count - in_memory) * CHUNK_BYTES;
}
