/* ListOffsets: the beginning, the end, or the first offset from a time on; version 0 lists where segments
 * begin. Kafka: KafkaApis.handleListOffsetRequest, Partition.fetchOffsetForTimestamp,
 * Log.fetchOffsetByTimestamp, Log.legacyFetchOffsetsBefore. */

#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

#include <string.h>

enum { LATEST = -1, EARLIEST = -2, MAX_TIMESTAMP = -3 };
enum { CONSUMER = -1, DEBUGGING = -2 };

struct found {
    int64_t timestamp_ms;
    int64_t offset;
    int32_t leader_epoch;
    bool is_found;
};

static struct found found_at(const struct mb_log *log, int64_t timestamp_ms, int64_t offset)
{
    return (struct found){timestamp_ms, offset, mb_epoch_cache_latest(&log->epochs), true};
}

/* A batch that cannot be read stands for its records with its first offset. */
static struct found search_batch(struct mb_cluster *cluster, const struct mb_log_entry *entry,
                                 int64_t target_ms, int64_t start_offset)
{
    const uint8_t *batch = entry->block->bytes;
    int32_t epoch = kw_record_batch_partition_leader_epoch(batch);
    struct kw_record_reader reader;
    struct kw_record record;
    if (mb_batch_open(cluster, batch, entry->block->size_bytes, &reader) == KW_ERROR_NONE) {
        while (kw_record_reader_next(&reader, &record)) {
            if (record.timestamp_ms >= target_ms && record.offset >= start_offset) {
                return (struct found){record.timestamp_ms, record.offset, epoch, true};
            }
        }
    }
    return (struct found){kw_record_batch_max_timestamp_ms(batch), entry->base_offset, epoch, true};
}

/* A leader remembers the record when it has appended the batch as it came; compressed, with its own time, or
 * fetched from another leader, the batch counts as a whole. Kafka: LogAppendInfo.offsetOfMaxTimestamp. */
static int64_t offset_of_largest(const struct mb_partition *partition, const struct mb_log_entry *entry,
                                 int64_t largest_ms)
{
    const uint8_t *batch = entry->block->bytes;
    struct kw_record_reader reader;
    struct kw_record record;
    if (partition->is_leader && kw_record_batch_partition_leader_epoch(batch) == partition->leader_epoch &&
        kw_record_batch_compression_id(batch) == KW_COMPRESSION_NONE &&
        kw_record_batch_timestamp_type(batch) == KW_TIMESTAMP_CREATE_TIME &&
        mb_batch_open(partition->cluster, batch, entry->block->size_bytes, &reader) == KW_ERROR_NONE) {
        while (kw_record_reader_next(&reader, &record)) {
            if (record.timestamp_ms == largest_ms) {
                return record.offset;
            }
        }
    }
    return entry->last_offset;
}

static struct found search_largest(const struct mb_partition *partition)
{
    const struct mb_log *log = &partition->log;
    const struct mb_log_entry *largest = NULL;
    int64_t largest_ms = KW_NO_TIMESTAMP;
    for (uint32_t i = 0; i < log->count; i++) {
        const struct mb_log_entry *entry = mb_log_entry_at(log, i);
        int64_t entry_ms = kw_record_batch_max_timestamp_ms(entry->block->bytes);
        if (entry_ms > largest_ms) {
            largest_ms = entry_ms;
            largest = entry;
        }
    }
    return found_at(log, largest_ms,
                    largest != NULL ? offset_of_largest(partition, largest, largest_ms) : log->start_offset);
}

static struct found search(const struct mb_partition *partition, int64_t target_ms)
{
    const struct mb_log *log = &partition->log;
    for (uint32_t i = 0; i < log->count; i++) {
        const struct mb_log_entry *entry = mb_log_entry_at(log, i);
        if (kw_record_batch_max_timestamp_ms(entry->block->bytes) >= target_ms) {
            return search_batch(partition->cluster, entry, target_ms, log->start_offset);
        }
    }
    return (struct found){-1, -1, -1, false};
}

static struct found earliest(const struct mb_log *log)
{
    struct found found = found_at(log, -1, log->start_offset);
    bool is_known = log->epochs.count > 0 && log->epochs.entries[0].start_offset <= log->start_offset;
    found.leader_epoch = is_known ? log->epochs.entries[0].epoch : -1;
    return found;
}

static enum kw_error look_up(const struct mb_partition *partition, int64_t timestamp_ms,
                             enum mb_fetch_isolation isolation, struct found *found)
{
    const struct mb_log *log = &partition->log;
    bool is_consumer = isolation != MB_FETCH_LOG_END;
    int64_t limit = mb_partition_fetch_limit(partition, isolation);
    /* A new leader whose high watermark is behind the beginning of its epoch does not know the end yet. */
    enum kw_error not_yet =
        is_consumer && partition->is_leader && partition->epoch_start_offset > log->high_watermark
            ? KW_ERROR_OFFSET_NOT_AVAILABLE
            : KW_ERROR_NONE;
    if (timestamp_ms == EARLIEST) {
        *found = earliest(log);
        return KW_ERROR_NONE;
    }
    if (timestamp_ms == LATEST) {
        *found = (struct found){-1, limit, partition->leader_epoch, true};
        return not_yet;
    }
    *found = timestamp_ms == MAX_TIMESTAMP ? search_largest(partition) : search(partition, timestamp_ms);
    if (found->is_found && found->offset < limit) {
        return KW_ERROR_NONE;
    }
    found->is_found = false;
    return not_yet;
}

/* The replica that may answer. Kafka: ReplicaManager.getPartitionOrException, localLogWithEpochOrException.
 */
static int32_t find(struct mb_request *request, const struct kw_list_offsets_request *asked,
                    struct kw_string name, const struct kw_list_offsets_request_partition *in,
                    const struct mb_partition **partition)
{
    int32_t injected = mb_strike_error(request, name.data, name.length_bytes, in->partition_index);
    if (injected != 0) {
        return injected;
    }
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    const struct mb_topic_partition *tp =
        topic == NULL ? NULL : mb_topic_partition_at(topic, in->partition_index);
    if (tp == NULL || mb_broker_knows(request->broker, tp) == NULL) {
        return KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    *partition = mb_partition_online(request->broker, tp);
    if (*partition == NULL) {
        return KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    return (int32_t)mb_partition_check_epoch(*partition, in->current_leader_epoch,
                                             asked->replica_id != DEBUGGING);
}

/* --- Version 0 --- */

/* The time of a segment is that of its newest record; Kafka takes the file's. */
static int64_t segment_time_ms(const struct mb_log *log, uint32_t segment)
{
    int64_t end_offset =
        segment + 1 < log->segment_count ? log->segments[segment + 1].base_offset : log->end_offset;
    int64_t time_ms = KW_NO_TIMESTAMP;
    for (uint32_t i = mb_log_find(log, log->segments[segment].base_offset); i < log->count; i++) {
        const struct mb_log_entry *entry = mb_log_entry_at(log, i);
        if (entry->base_offset >= end_offset) {
            break;
        }
        int64_t entry_ms = kw_record_batch_max_timestamp_ms(entry->block->bytes);
        time_ms = entry_ms > time_ms ? entry_ms : time_ms;
    }
    return time_ms;
}

/* Where segments begin, and the end of the log, latest first. A consumer sees none above the high watermark,
 * which stands for them. Kafka: Log.legacyFetchOffsetsBefore, Partition.legacyFetchOffsetsForTimestamp. */
static void list_segments(struct mb_request *request, const struct mb_partition *partition, bool is_consumer,
                          const struct kw_list_offsets_request_partition *in,
                          struct kw_list_offsets_response_partition *answer)
{
    const struct mb_log *log = &partition->log;
    int64_t *offsets = mb_request_take(request, log->segment_count + 2, sizeof *offsets);
    int32_t count = 0;
    bool is_above = false;
    uint32_t last = log->segment_count;
    int64_t most = in->max_num_offsets;
    if (in->timestamp == EARLIEST) {
        last = 1;
    } else if ((in->timestamp == LATEST || in->timestamp >= mb_now_ms(partition->cluster)) &&
               log->end_position_bytes > (last == 0 ? 0 : log->segments[last - 1].position_bytes) &&
               most > 0) {
        offsets[count++] = log->end_offset;
        most--;
    }
    while (in->timestamp != EARLIEST && in->timestamp != LATEST && last > 0 &&
           segment_time_ms(log, last - 1) > in->timestamp) {
        last--;
    }
    if (log->segment_count == 0 && most > 0 && in->timestamp >= EARLIEST) {
        offsets[count++] = log->start_offset;
        last = 0;
    }
    for (; last > 0 && most > 0; most--) {
        int64_t base_offset = log->segments[--last].base_offset;
        offsets[count++] = base_offset > log->start_offset ? base_offset : log->start_offset;
    }
    while (is_consumer && count > 0 && offsets[0] > log->high_watermark) {
        is_above = true;
        offsets++;
        count--;
    }
    if (is_above) {
        *--offsets = log->high_watermark;
        count++;
    }
    answer->old_style_offsets.items = offsets;
    answer->old_style_offsets.count = count;
}

/* --- Versions 1 and up --- */

/* Kafka: ListOffsetsRequest.duplicatePartitions. */
static bool is_duplicated(const struct kw_list_offsets_request *asked, struct kw_string name, int32_t index)
{
    int32_t times = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_list_offsets_request_topic *topic = &asked->topics.items[i];
        if (topic->name.length_bytes != name.length_bytes ||
            memcmp(topic->name.data, name.data, (size_t)name.length_bytes) != 0) {
            continue;
        }
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            times += topic->partitions.items[j].partition_index == index;
        }
    }
    return times > 1;
}

static int32_t answer_partition(struct mb_request *request, const struct kw_list_offsets_request *asked,
                                struct kw_string name, const struct kw_list_offsets_request_partition *in,
                                struct kw_list_offsets_response_partition *answer)
{
    const struct mb_partition *partition = NULL;
    bool is_consumer = asked->replica_id == CONSUMER;
    if (request->version > 0 && is_duplicated(asked, name, in->partition_index)) {
        return KW_ERROR_INVALID_REQUEST;
    }
    int32_t error = find(request, asked, name, in, &partition);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    if (request->version == 0) {
        list_segments(request, partition, is_consumer, in, answer);
        return KW_ERROR_NONE;
    }
    struct found found = {-1, -1, -1, false};
    enum mb_fetch_isolation consumer =
        asked->isolation_level == MB_READ_COMMITTED ? MB_FETCH_COMMITTED : MB_FETCH_HIGH_WATERMARK;
    error = (int32_t)look_up(partition, in->timestamp, is_consumer ? consumer : MB_FETCH_LOG_END, &found);
    if (error == KW_ERROR_NONE && found.is_found) {
        answer->timestamp = found.timestamp_ms;
        answer->offset = found.offset;
        answer->leader_epoch = request->version >= 4 ? found.leader_epoch : -1;
    }
    return error == KW_ERROR_OFFSET_NOT_AVAILABLE && request->version < 5 ? KW_ERROR_LEADER_NOT_AVAILABLE
                                                                          : error;
}

void mb_handle_list_offsets(struct mb_request *request)
{
    const struct kw_list_offsets_request *asked = request->body;
    struct kw_list_offsets_response response;
    int32_t first_error = KW_ERROR_NONE;
    kw_list_offsets_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.topics.count = asked->topics.count;
    response.topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response.topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_list_offsets_request_topic *in = &asked->topics.items[i];
        struct kw_list_offsets_response_topic *out = &response.topics.items[i];
        kw_list_offsets_response_topic_init(out);
        out->name = in->name;
        out->partitions.count = in->partitions.count;
        out->partitions.items =
            mb_request_take(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        for (int32_t j = 0; j < in->partitions.count; j++) {
            struct kw_list_offsets_response_partition *answer = &out->partitions.items[j];
            kw_list_offsets_response_partition_init(answer);
            answer->partition_index = in->partitions.items[j].partition_index;
            int32_t error = answer_partition(request, asked, in->name, &in->partitions.items[j], answer);
            answer->error_code = (int16_t)error;
            first_error = first_error != KW_ERROR_NONE ? first_error : error;
        }
    }
    mb_request_respond(request, &response, first_error, NULL);
}
