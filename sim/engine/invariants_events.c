/*
 * The invariants that the events of a run show: one pass over them, with a little memory of each partition,
 * connection and producer.
 */
#include "engine/invariants.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/api_keys.h"
#include "wire/errors.h"

enum { BROKERS_MAX = 16, PARTITIONS_MAX = 64, CONNECTIONS_MAX = 4096, APPENDS_MAX = 256 };
enum { ISR_NEWS_US = 60000 }; /* that a leader learns of its ISR takes less, when nothing parts them */

struct partition {
    uint32_t topic; /* as names are numbered in the log */
    int32_t number;
    int32_t min_insync_replicas;
    int32_t leader_epoch;
    uint32_t isr_count; /* 0: not known yet */
    int64_t isr_since_us;
    int32_t leader;
    int64_t highest_known[BROKERS_MAX]; /* high watermark, by broker id */
    int64_t known_before[BROKERS_MAX];  /* the one before it */
    int64_t known_since_us[BROKERS_MAX];
};

/* A batch appended for a request that was not answered yet. */
struct append {
    uint32_t connection;
    uint32_t request;
    uint32_t partition;
    int32_t broker;
    int64_t last_offset;
};

struct pass {
    struct sim_invariants *checks;
    struct partition partitions[PARTITIONS_MAX];
    uint32_t partition_count;
    int32_t producer_of[CONNECTIONS_MAX]; /* index, or -1 */
    uint32_t answered[CONNECTIONS_MAX];   /* the highest request answered, plus one */
    struct append appends[APPENDS_MAX];
    uint32_t append_count;
    int64_t available_bytes[SIM_PRODUCERS_MAX]; /* -1: nothing allocated yet */
    int64_t *created_us;                        /* by record; -1 */
    uint8_t *told;
    uint32_t record_capacity;
    bool has_failed[SIM_PRODUCERS_MAX]; /* a batch was refused or expired, or the producer is another one */
    int64_t now_us;
};

#define BROKEN(pass, ...)                                                                                    \
    do {                                                                                                     \
        if ((pass)->checks->complaints->count < SIM_INVARIANT_COMPLAINTS_MAX) {                              \
            sim_complain((pass)->checks->complaints, __VA_ARGS__);                                           \
        }                                                                                                    \
    } while (0)

static struct partition *find_partition(struct pass *pass, uint32_t topic, int32_t number)
{
    for (uint32_t i = 0; i < pass->partition_count; i++) {
        if (pass->partitions[i].topic == topic && pass->partitions[i].number == number) {
            return &pass->partitions[i];
        }
    }
    if (pass->partition_count == PARTITIONS_MAX) {
        return NULL;
    }
    struct partition *partition = &pass->partitions[pass->partition_count++];
    *partition = (struct partition){.topic = topic, .number = number, .leader_epoch = -1, .leader = -1};
    const char *name = sim_event_log_name(pass->checks->log, topic);
    for (uint32_t i = 0; i < pass->checks->info->topic_count; i++) {
        if (strcmp(pass->checks->info->topics[i].name, name) == 0) {
            partition->min_insync_replicas = pass->checks->info->topics[i].min_insync_replicas;
        }
    }
    return partition;
}

static bool is_acks_all(const struct pass *pass, uint32_t connection)
{
    int32_t producer = connection < CONNECTIONS_MAX ? pass->producer_of[connection] : -1;
    return producer >= 0 && strcmp(pass->checks->info->producers[producer].acks, "all") == 0;
}

/* --- The cluster
 * -------------------------------------------------------------------------------------------------------- */

static void on_appended(struct pass *pass, const struct kb_event_leader_appended *event)
{
    struct partition *partition = find_partition(pass, event->topic, event->partition);
    if (partition == NULL || !is_acks_all(pass, event->connection)) {
        return;
    }
    if (!pass->checks->has_partings && partition->isr_count > 0 && partition->leader == event->broker &&
        (int32_t)partition->isr_count < partition->min_insync_replicas &&
        pass->now_us - partition->isr_since_us > ISR_NEWS_US) {
        BROKEN(pass, "rule 11: at %" PRId64 " us broker %d appends for acks=all with %" PRIu32 " in the ISR",
               pass->now_us, event->broker, partition->isr_count);
    }
    if (pass->append_count < APPENDS_MAX) {
        pass->appends[pass->append_count++] =
            (struct append){.connection = event->connection,
                            .request = event->request,
                            .partition = (uint32_t)(partition - pass->partitions),
                            .broker = event->broker,
                            .last_offset = event->last_offset};
    }
}

static void on_response(struct pass *pass, const struct kb_event_response_sent *event)
{
    if (event->connection >= CONNECTIONS_MAX || pass->producer_of[event->connection] < 0) {
        return;
    }
    if (event->request + 1 <= pass->answered[event->connection]) {
        BROKEN(pass, "rule 14: at %" PRId64 " us request %" PRIu32 " is answered behind a later one",
               pass->now_us, event->request);
    }
    pass->answered[event->connection] = event->request + 1;
    int32_t producer = pass->producer_of[event->connection];
    if (event->error == KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER && pass->checks->is_clean &&
        producer < SIM_PRODUCERS_MAX && !pass->has_failed[producer]) {
        BROKEN(pass, "rule 15: at %" PRId64 " us a batch is out of sequence, and none was refused before it",
               pass->now_us);
    }
    if (event->error != 0 && producer < SIM_PRODUCERS_MAX) {
        pass->has_failed[producer] = true; /* what was sent behind it comes too early now */
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pass->append_count; i++) {
        struct append append = pass->appends[i];
        if (append.connection != event->connection || append.request != event->request) {
            pass->appends[kept++] = append;
            continue;
        }
        int64_t high_watermark = append.broker < BROKERS_MAX
                                     ? pass->partitions[append.partition].highest_known[append.broker]
                                     : INT64_MAX;
        if (event->error == 0 && high_watermark <= append.last_offset) {
            BROKEN(pass,
                   "rule 1: at %" PRId64 " us broker %d acknowledges offset %" PRId64
                   " under acks=all, and its high watermark is %" PRId64,
                   pass->now_us, append.broker, append.last_offset, high_watermark);
        }
    }
    pass->append_count = kept;
}

static void on_high_watermark(struct pass *pass, const struct kb_event_hw_advanced *event)
{
    struct partition *partition = find_partition(pass, event->topic, event->partition);
    if (partition != NULL && event->broker < BROKERS_MAX &&
        partition->highest_known[event->broker] < event->high_watermark) {
        partition->known_before[event->broker] = partition->highest_known[event->broker];
        partition->known_since_us[event->broker] = pass->now_us;
        partition->highest_known[event->broker] = event->high_watermark;
    }
}

static void on_truncated(struct pass *pass, const struct kb_event_log_truncated *event)
{
    struct partition *partition = find_partition(pass, event->topic, event->partition);
    if (partition == NULL || event->broker >= BROKERS_MAX) {
        return;
    }
    /* AbstractFetcherThread.processFetchRequest of 3.0.0 takes over the leader's high watermark before it
     * truncates for the diverging epoch of the same answer: that one does not count. */
    int64_t known = partition->known_since_us[event->broker] == pass->now_us
                        ? partition->known_before[event->broker]
                        : partition->highest_known[event->broker];
    if (pass->checks->is_clean && event->end_offset < known) {
        BROKEN(pass,
               "rule 9: at %" PRId64 " us broker %d truncates to %" PRId64
               ", below its high watermark %" PRId64,
               pass->now_us, event->broker, event->end_offset, known);
    }
    if (event->end_offset < partition->highest_known[event->broker]) {
        partition->highest_known[event->broker] = event->end_offset;
    }
}

static void on_elected(struct pass *pass, const struct kb_event_leader_elected *event)
{
    struct partition *partition = find_partition(pass, event->topic, event->partition);
    if (partition == NULL) {
        return;
    }
    if (event->leader_epoch <= partition->leader_epoch && event->leader >= 0) {
        BROKEN(pass, "rule 10: at %" PRId64 " us leader epoch %d comes after %d", pass->now_us,
               event->leader_epoch, partition->leader_epoch);
    }
    if (pass->checks->is_clean && event->why == KB_ELECTION_WHY_UNCLEAN) {
        BROKEN(pass, "rule 9: at %" PRId64 " us broker %d is elected uncleanly", pass->now_us, event->leader);
    }
    partition->leader_epoch = event->leader_epoch;
    partition->leader = event->leader;
}

static void on_isr(struct pass *pass, uint32_t topic, int32_t number, uint32_t isr_count)
{
    struct partition *partition = find_partition(pass, topic, number);
    if (partition == NULL) {
        return;
    }
    if (isr_count == 0) {
        BROKEN(pass, "rule 10: at %" PRId64 " us an ISR is empty", pass->now_us);
    }
    bool was_enough =
        partition->isr_count == 0 || (int32_t)partition->isr_count >= partition->min_insync_replicas;
    if (was_enough && (int32_t)isr_count < partition->min_insync_replicas) {
        partition->isr_since_us = pass->now_us;
    }
    partition->isr_count = isr_count;
}

/* --- The producers
 * ------------------------------------------------------------------------------------------------------ */

static int64_t longest_wait_us(const struct sim_producer_info *producer)
{
    /* A second is more than all the steps between these waits take. */
    return (producer->max_block_ms + producer->delivery_timeout_ms + producer->request_timeout_ms) * 1000 +
           1000000;
}

static void on_created(struct pass *pass, uint32_t record)
{
    if (record >= pass->record_capacity) {
        uint32_t capacity = 2 * (record + 64);
        pass->created_us = realloc(pass->created_us, capacity * sizeof *pass->created_us);
        pass->told = realloc(pass->told, capacity);
        KB_ASSERT(pass->created_us != NULL && pass->told != NULL);
        for (uint32_t i = pass->record_capacity; i < capacity; i++) {
            pass->created_us[i] = -1;
            pass->told[i] = 0;
        }
        pass->record_capacity = capacity;
    }
    pass->created_us[record] = pass->now_us;
}

static void on_completed(struct pass *pass, const struct kb_event *event, uint32_t record)
{
    if (record >= pass->record_capacity || pass->created_us[record] < 0) {
        return;
    }
    if (pass->told[record]++ > 0) {
        BROKEN(pass, "rule 6: at %" PRId64 " us record %" PRIu32 " is told a second time", pass->now_us,
               record);
    }
    int64_t took_us = pass->now_us - pass->created_us[record];
    if (took_us > longest_wait_us(&pass->checks->info->producers[event->source])) {
        BROKEN(pass, "rule 7: record %" PRIu32 " is told after %" PRId64 " us", record, took_us);
    }
}

static void on_closed(struct pass *pass, uint16_t source)
{
    int64_t available_bytes = pass->available_bytes[source];
    int64_t all_bytes = pass->checks->info->producers[source].buffer_memory_bytes;
    if (available_bytes >= 0 && available_bytes != all_bytes) {
        BROKEN(pass, "rule 8: producer %d closes with %" PRId64 " of %" PRId64 " bytes in its pool", source,
               available_bytes, all_bytes);
    }
    pass->available_bytes[source] = -1;
}

static void on_request(struct pass *pass, const struct kb_event *event)
{
    int64_t limit = pass->checks->info->producers[event->source].max_in_flight;
    if (event->as.request_built.api == KW_API_PRODUCE && (int64_t)event->as.request_built.in_flight > limit) {
        BROKEN(pass, "rule 12: at %" PRId64 " us %" PRIu32 " requests are in flight", pass->now_us,
               event->as.request_built.in_flight);
    }
}

static void on_fault(struct pass *pass, int32_t fault)
{
    if (fault == KB_FAULT_KIND_CUT || fault == KB_FAULT_KIND_FREEZE || fault == KB_FAULT_KIND_SLOW_DISK) {
        pass->checks->has_partings = true;
    }
}

/* --- The pass
 * ------------------------------------------------------------------------------------------------------------
 */

static void take_of_producer(struct pass *pass, const struct kb_event *event)
{
    struct sim_invariants *checks = pass->checks;
    uint16_t source = event->source;
    switch ((int)event->kind) {
    case KB_EVENT_RECORD_CREATED:
        on_created(pass, event->as.record_created.record);
        break;
    case KB_EVENT_RECORD_COMPLETED:
        on_completed(pass, event, event->as.record_completed.record);
        break;
    case KB_EVENT_MEMORY_ALLOCATED:
        pass->available_bytes[source] = event->as.memory_allocated.available_bytes;
        break;
    case KB_EVENT_MEMORY_DEALLOCATED:
        pass->available_bytes[source] = event->as.memory_deallocated.available_bytes;
        break;
    case KB_EVENT_PRODUCER_CLOSED:
        on_closed(pass, source);
        break;
    case KB_EVENT_REQUEST_BUILT:
        on_request(pass, event);
        break;
    case KB_EVENT_BATCH_EXPIRED:
        checks->has_expired[source] = true;
        pass->has_failed[source] = true;
        break;
    case KB_EVENT_SETTING_CHANGED:
        checks->has_set[source] = true;
        pass->has_failed[source] = true;
        break;
    case KB_EVENT_BATCH_DONE:
        pass->has_failed[source] = pass->has_failed[source] || event->as.batch_done.error != 0;
        break;
    case KB_EVENT_PRODUCER_EPOCH_BUMPED:
        checks->has_bumped[source] = true;
        break;
    default:
        break;
    }
}

static void take(struct pass *pass, const struct kb_event *event)
{
    pass->now_us = event->time_us;
    if (event->source < SIM_PRODUCERS_MAX) {
        take_of_producer(pass, event);
    }
    switch ((int)event->kind) {
    case KB_EVENT_CONNECTION_OPENED:
        if (event->as.connection_opened.connection < CONNECTIONS_MAX) {
            int32_t from = event->as.connection_opened.from;
            pass->producer_of[event->as.connection_opened.connection] = from < 0 ? -1 - from : -1;
        }
        break;
    case KB_EVENT_LEADER_APPENDED:
        on_appended(pass, &event->as.leader_appended);
        break;
    case KB_EVENT_RESPONSE_SENT:
        on_response(pass, &event->as.response_sent);
        break;
    case KB_EVENT_HW_ADVANCED:
        on_high_watermark(pass, &event->as.hw_advanced);
        break;
    case KB_EVENT_LOG_TRUNCATED:
        on_truncated(pass, &event->as.log_truncated);
        break;
    case KB_EVENT_LEADER_ELECTED:
        on_elected(pass, &event->as.leader_elected);
        break;
    case KB_EVENT_ISR_SHRUNK:
        on_isr(pass, event->as.isr_shrunk.topic, event->as.isr_shrunk.partition,
               event->as.isr_shrunk.isr_count);
        break;
    case KB_EVENT_ISR_EXPANDED:
        on_isr(pass, event->as.isr_expanded.topic, event->as.isr_expanded.partition,
               event->as.isr_expanded.isr_count);
        break;
    case KB_EVENT_FAULT:
        on_fault(pass, event->as.fault.fault);
        break;
    default:
        break;
    }
}

/* Records that were never told anything, though they are old enough. */
static void check_pending(struct pass *pass)
{
    struct sim_ledger *ledger = sim_world_ledger(pass->checks->world);
    int64_t end_us = sim_event_log_end_us(pass->checks->log);
    for (uint32_t i = 0; i < pass->record_capacity && i < sim_ledger_count(ledger); i++) {
        struct sim_ledger_record record;
        if (!sim_ledger_record(ledger, i, &record)) {
            continue; /* settled long ago */
        }
        if (record.verdict == SIM_VERDICT_PENDING && pass->created_us[i] >= 0 &&
            end_us - pass->created_us[i] > longest_wait_us(&pass->checks->info->producers[record.producer])) {
            BROKEN(pass, "rule 7: record %" PRIu32 " is pending since %" PRId64 " us", i,
                   pass->created_us[i]);
        }
    }
}

void sim_invariants_of_events(struct sim_invariants *checks)
{
    struct pass *pass = calloc(1, sizeof *pass);
    KB_ASSERT(pass != NULL);
    pass->checks = checks;
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        pass->available_bytes[i] = -1;
    }
    memset(pass->producer_of, 0xff, sizeof pass->producer_of);
    for (uint64_t i = 1; i <= sim_event_log_count(checks->log); i++) {
        take(pass, sim_event_log_get(checks->log, i));
    }
    check_pending(pass);
    free(pass->created_us);
    free(pass->told);
    free(pass);
}
