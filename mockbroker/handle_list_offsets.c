/* ListOffsets: the beginning, the end, or the first offset from a time on.
 * Kafka: KafkaApis.handleListOffsetRequest, Partition.fetchOffsetForTimestamp, Log.fetchOffsetByTimestamp. */

#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

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

static struct found search(struct mb_cluster *cluster, const struct mb_log *log, int64_t target_ms)
{
    struct found best = {-1, -1, -1, false};
    for (uint32_t i = 0; i < log->count; i++) {
        const struct mb_log_entry *entry = mb_log_entry_at(log, i);
        int64_t largest_ms = kw_record_batch_max_timestamp_ms(entry->block->bytes);
        if (target_ms == MAX_TIMESTAMP) {
            if (!best.is_found || largest_ms > best.timestamp_ms) {
                best = found_at(log, largest_ms, entry->last_offset);
            }
        } else if (largest_ms >= target_ms) {
            return search_batch(cluster, entry, target_ms, log->start_offset);
        }
    }
    return best;
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
    *found = search(partition->cluster, log, timestamp_ms);
    if (found->is_found && found->offset < limit) {
        return KW_ERROR_NONE;
    }
    found->is_found = false;
    return not_yet;
}

static int32_t answer_partition(struct mb_request *request, const struct kw_list_offsets_request *asked,
                                struct kw_string name, const struct kw_list_offsets_request_partition *in,
                                struct found *found)
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
    const struct mb_partition *partition = mb_partition_online(request->broker, tp);
    if (partition == NULL) {
        return KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    enum kw_error error =
        mb_partition_check_epoch(partition, in->current_leader_epoch, asked->replica_id != DEBUGGING);
    if (error == KW_ERROR_NONE) {
        enum mb_fetch_isolation consumer =
            asked->isolation_level == MB_READ_COMMITTED ? MB_FETCH_COMMITTED : MB_FETCH_HIGH_WATERMARK;
        error = look_up(partition, in->timestamp, asked->replica_id == CONSUMER ? consumer : MB_FETCH_LOG_END,
                        found);
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
            struct found found = {-1, -1, -1, false};
            kw_list_offsets_response_partition_init(answer);
            answer->partition_index = in->partitions.items[j].partition_index;
            int32_t error = answer_partition(request, asked, in->name, &in->partitions.items[j], &found);
            answer->error_code = (int16_t)error;
            first_error = first_error != KW_ERROR_NONE ? first_error : error;
            if (error != KW_ERROR_NONE || !found.is_found) {
                continue;
            }
            if (request->version == 0) {
                answer->old_style_offsets.items = mb_request_take(request, 1, sizeof(int64_t));
                answer->old_style_offsets.items[0] = found.offset;
                answer->old_style_offsets.count = 1;
            } else {
                answer->timestamp = found.timestamp_ms;
                answer->offset = found.offset;
                answer->leader_epoch = request->version >= 4 ? found.leader_epoch : -1;
            }
        }
    }
    mb_request_respond(request, &response, first_error, NULL);
}
