#include "view/lane_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "model/timeline.h"

/* Requests and packets do not name a partition; what the newest of them carry is remembered. */
enum { CARRIED = 1 << 12, START_BUCKET_US = 16 };

/* So many events are counted one by one, which is exact, before buckets take over. */
enum { COUNTED_EVENTS = 1 << 16 };

struct carried {
    uint32_t number;
    uint16_t producer;
    uint16_t topic;
    uint16_t partition;
};

struct view_lane_index {
    const struct sim_event_log *log;
    uint64_t taken; /* events */
    int64_t end_us; /* of the last of them */
    int64_t bucket_us;
    struct view_lane_cell buckets[KB_LANE_COUNT][VIEW_LANE_BUCKETS];
    struct carried requests[CARRIED];
    struct carried packets[CARRIED];
    uint64_t marks[VIEW_LANE_MARKS_MAX];
    uint32_t mark_count;
    uint64_t marks_seen;
    /* The last answer. */
    int64_t from_us, to_us;
    uint32_t columns;
    uint64_t answered; /* events that were taken then */
    struct view_lane_cell cells[KB_LANE_COUNT * VIEW_LANE_COLUMNS_MAX];
};

struct view_lane_index *view_lane_index_create(void)
{
    struct view_lane_index *index = calloc(1, sizeof *index);
    if (index != NULL) {
        index->bucket_us = START_BUCKET_US;
    }
    return index;
}

void view_lane_index_destroy(struct view_lane_index *index)
{
    free(index);
}

static void start_over(struct view_lane_index *index, const struct sim_event_log *log)
{
    memset(index, 0, sizeof *index);
    index->log = log;
    index->bucket_us = START_BUCKET_US;
}

/* --- What an event is about
 * -------------------------------------------------------------------------------------------- */

bool view_event_is_mark(const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_FAULT:
    case KB_EVENT_FAULT_ARMED:
    case KB_EVENT_FOLLOWER_REFUSED:
    case KB_EVENT_SETTING_CHANGED:
    case KB_EVENT_ISR_SHRUNK:
    case KB_EVENT_ISR_EXPANDED:
    case KB_EVENT_BROKER_DOWN:
    case KB_EVENT_BROKER_LOSS_NOTICED:
        return true;
    case KB_EVENT_LEADER_ELECTED:
        return event->as.leader_elected.why != KB_ELECTION_WHY_CREATED;
    case KB_EVENT_LOG_TRUNCATED:
        return event->as.log_truncated.end_offset < event->as.log_truncated.old_end_offset;
    default:
        return false;
    }
}

/* Where each kind keeps a field of a name; −1: it has none. The table never changes, so once is enough. */
static int32_t field_offset(uint32_t kind, const char *name, enum kb_field_type type)
{
    const struct kb_event_info *info = kb_event_info(kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (info->fields[i].type == type && strcmp(info->fields[i].name, name) == 0) {
            return (int32_t)info->fields[i].offset_bytes;
        }
    }
    return -1;
}

struct offsets {
    int32_t topic[KB_EVENT_KIND_COUNT];
    int32_t partition[KB_EVENT_KIND_COUNT];
    bool is_known;
};

static const struct offsets *offsets(void)
{
    static struct offsets table;
    if (!table.is_known) {
        for (uint32_t kind = 0; kind < KB_EVENT_KIND_COUNT; kind++) {
            table.topic[kind] = field_offset(kind, "topic", KB_FIELD_NAME);
            table.partition[kind] = field_offset(kind, "partition", KB_FIELD_I32);
        }
        table.is_known = true;
    }
    return &table;
}

bool view_event_partition(const struct kb_event *event, uint32_t *topic, int32_t *partition)
{
    const struct offsets *table = offsets();
    *topic = 0;
    *partition = 0;
    if (event->kind >= KB_EVENT_KIND_COUNT || table->topic[event->kind] < 0 ||
        table->partition[event->kind] < 0) {
        return false;
    }
    memcpy(topic, (const char *)event + table->topic[event->kind], sizeof *topic);
    memcpy(partition, (const char *)event + table->partition[event->kind], sizeof *partition);
    return *topic != 0 && *partition >= 0;
}

static const struct carried *request_of(const struct view_lane_index *index, uint32_t producer,
                                        uint32_t number)
{
    const struct carried *found = &index->requests[(number + producer * 61) % CARRIED];
    return found->number == number && found->producer == producer && found->topic != 0 ? found : NULL;
}

static const struct carried *carried_by(const struct view_lane_index *index, const struct kb_event *event)
{
    uint32_t request = 0;
    switch (event->kind) {
    case KB_EVENT_PACKET_SENT: {
        const struct kb_event_packet_sent *packet = &event->as.packet_sent;
        int32_t end = packet->from < 0 ? packet->from : packet->to;
        return end < 0 ? request_of(index, (uint32_t)(-1 - end), packet->request) : NULL;
    }
    case KB_EVENT_PACKET_ARRIVED: {
        const struct carried *found = &index->packets[event->as.packet_arrived.packet % CARRIED];
        return found->number == event->as.packet_arrived.packet && found->topic != 0 ? found : NULL;
    }
    case KB_EVENT_REQUEST_BUILT:
        request = event->as.request_built.request;
        break;
    case KB_EVENT_REQUEST_SENT:
        request = event->as.request_sent.request;
        break;
    case KB_EVENT_RESPONSE_RECEIVED:
        request = event->as.response_received.request;
        break;
    default:
        return NULL;
    }
    return request_of(index, event->source, request);
}

static void remember(struct view_lane_index *index, const struct kb_event *event)
{
    if (event->kind == KB_EVENT_REQUEST_CARRIES) {
        const struct kb_event_request_carries *carries = &event->as.request_carries;
        struct carried *slot = &index->requests[(carries->request + event->source * 61u) % CARRIED];
        *slot = (struct carried){carries->request, event->source, (uint16_t)carries->topic,
                                 (uint16_t)carries->partition};
    } else if (event->kind == KB_EVENT_PACKET_SENT) {
        const struct carried *found = carried_by(index, event);
        struct carried *slot = &index->packets[event->as.packet_sent.packet % CARRIED];
        *slot = found != NULL ? *found : (struct carried){0};
        slot->number = event->as.packet_sent.packet;
    }
}

/* --- Counting
 * ----------------------------------------------------------------------------------------------------------
 */

static void count_event(const struct view_lane_index *index, const struct kb_event *event,
                        struct view_lane_cell *cell)
{
    uint32_t topic = 0;
    int32_t partition = 0;
    cell->count++;
    cell->errors += sim_event_is_error(event);
    if (cell->topic != 0) {
        return;
    }
    if (view_event_partition(event, &topic, &partition)) {
        cell->topic = (uint16_t)topic;
        cell->partition = (uint16_t)partition;
        return;
    }
    const struct carried *found = carried_by(index, event);
    if (found != NULL) {
        cell->topic = found->topic;
        cell->partition = found->partition;
    }
}

static void merge(struct view_lane_cell *into, const struct view_lane_cell *more)
{
    into->count += more->count;
    into->errors += more->errors;
    if (into->topic == 0) {
        into->topic = more->topic;
        into->partition = more->partition;
    }
}

/* Twice the time in the same number of buckets. */
static void widen(struct view_lane_index *index)
{
    for (uint32_t lane = 0; lane < KB_LANE_COUNT; lane++) {
        struct view_lane_cell *buckets = index->buckets[lane];
        for (uint32_t i = 0; i < VIEW_LANE_BUCKETS / 2; i++) {
            struct view_lane_cell both = buckets[2 * i];
            merge(&both, &buckets[2 * i + 1]);
            buckets[i] = both;
        }
        memset(buckets + VIEW_LANE_BUCKETS / 2, 0, VIEW_LANE_BUCKETS / 2 * sizeof *buckets);
    }
    index->bucket_us *= 2;
}

static void take(struct view_lane_index *index, const struct kb_event *event, uint64_t sequence)
{
    int64_t time_us = event->time_us > 0 ? event->time_us : 0;
    while (time_us / index->bucket_us >= VIEW_LANE_BUCKETS) {
        widen(index);
    }
    remember(index, event);
    enum kb_lane lane = kb_event_info(event->kind)->lane;
    count_event(index, event, &index->buckets[lane][time_us / index->bucket_us]);
    index->end_us = time_us;
    if (view_event_is_mark(event)) {
        index->marks_seen++;
        if (index->mark_count < VIEW_LANE_MARKS_MAX) {
            index->marks[index->mark_count++] = sequence;
        }
    }
}

bool view_lane_index_update(struct view_lane_index *index, const struct sim_event_log *log,
                            uint64_t event_count_max)
{
    uint64_t count = sim_event_log_count(log);
    if (index->log != log || count < index->taken) {
        start_over(index, log);
    }
    for (uint64_t i = 0; i < event_count_max && index->taken < count; i++) {
        index->taken++;
        take(index, sim_event_log_get(log, index->taken), index->taken);
    }
    return index->taken == count;
}

/* --- Answers
 * -----------------------------------------------------------------------------------------------------------
 */

static uint32_t column_of(const struct view_lane_index *index, int64_t time_us)
{
    int64_t span_us = index->to_us - index->from_us;
    int64_t column = (time_us - index->from_us) * index->columns / span_us;
    return column >= index->columns ? index->columns - 1 : (uint32_t)column;
}

static void add_buckets(struct view_lane_index *index)
{
    int64_t first = index->from_us / index->bucket_us;
    int64_t last = (index->to_us - 1) / index->bucket_us;
    last = last < VIEW_LANE_BUCKETS ? last : VIEW_LANE_BUCKETS - 1;
    for (uint32_t lane = 0; lane < KB_LANE_COUNT; lane++) {
        for (int64_t i = first; i <= last; i++) {
            const struct view_lane_cell *bucket = &index->buckets[lane][i];
            if (bucket->count > 0) {
                int64_t time_us = i * index->bucket_us;
                time_us = time_us < index->from_us ? index->from_us : time_us;
                merge(&index->cells[lane * index->columns + column_of(index, time_us)], bucket);
            }
        }
    }
}

/* first: the first event of the part. */
static void add_events(struct view_lane_index *index, uint64_t first)
{
    for (uint64_t sequence = first; sequence <= index->taken; sequence++) {
        const struct kb_event *event = sim_event_log_get(index->log, sequence);
        if (event->time_us >= index->to_us) {
            break;
        }
        enum kb_lane lane = kb_event_info(event->kind)->lane;
        uint32_t column = column_of(index, event->time_us > 0 ? event->time_us : 0);
        count_event(index, event, &index->cells[lane * index->columns + column]);
    }
}

const struct view_lane_cell *view_lane_index_query(struct view_lane_index *index, int64_t from_us,
                                                   int64_t to_us, uint32_t columns)
{
    KB_ASSERT(columns > 0 && columns <= VIEW_LANE_COLUMNS_MAX);
    from_us = from_us > 0 ? from_us : 0;
    to_us = to_us > from_us ? to_us : from_us + 1;
    bool same = index->answered == index->taken && index->from_us == from_us && index->to_us == to_us &&
                index->columns == columns;
    if (same) {
        return index->cells;
    }
    index->from_us = from_us;
    index->to_us = to_us;
    index->columns = columns;
    index->answered = index->taken;
    memset(index->cells, 0, KB_LANE_COUNT * columns * sizeof index->cells[0]);
    if (index->log == NULL) {
        return index->cells;
    }
    uint64_t first = from_us > 0 ? sim_event_log_find_time(index->log, from_us - 1) + 1 : 1;
    uint64_t last = sim_event_log_find_time(index->log, to_us - 1);
    bool is_coarse = (to_us - from_us) / columns >= index->bucket_us;
    if (is_coarse && last > first && last - first > COUNTED_EVENTS) {
        add_buckets(index);
    } else {
        add_events(index, first);
    }
    return index->cells;
}

const uint64_t *view_lane_index_marks(const struct view_lane_index *index, uint32_t *count)
{
    *count = index->mark_count;
    return index->marks;
}

uint64_t view_lane_index_marks_seen(const struct view_lane_index *index)
{
    return index->marks_seen;
}
