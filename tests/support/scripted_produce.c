#include "scripted_internal.h"
#include "wire/record_batch.h"

#include <string.h>

static struct scripted_producer_state *find_producer(struct scripted_partition *partition,
                                                     int64_t producer_id)
{
    for (size_t i = 0; i < partition->producer_count; i++) {
        if (partition->producers[i].producer_id == producer_id) {
            return &partition->producers[i];
        }
    }
    return NULL;
}

static struct scripted_producer_state *add_producer(struct scripted_cluster *cluster,
                                                    struct scripted_partition *partition, int64_t producer_id)
{
    size_t count = partition->producer_count;
    struct scripted_producer_state *grown = scripted_lasting(cluster, count + 1, sizeof *grown);
    if (count > 0) {
        memcpy(grown, partition->producers, count * sizeof *grown);
    }
    partition->producers = grown;
    partition->producer_count++;
    grown[count].producer_id = producer_id;
    return &grown[count];
}

/* NULL: not one of the batches that are remembered. */
static const struct scripted_kept_batch *find_kept(const struct scripted_producer_state *state,
                                                   const uint8_t *batch)
{
    for (int i = 0; state != NULL && i < state->kept_count; i++) {
        if (kw_record_batch_producer_epoch(batch) == state->epoch &&
            kw_record_batch_base_sequence(batch) == state->kept[i].first_sequence &&
            kw_record_batch_last_sequence(batch) == state->kept[i].last_sequence) {
            return &state->kept[i];
        }
    }
    return NULL;
}

static enum kw_error check_sequence(const struct scripted_producer_state *state, const uint8_t *batch)
{
    int16_t epoch = kw_record_batch_producer_epoch(batch);
    int32_t sequence = kw_record_batch_base_sequence(batch);
    if (state == NULL) {
        return KW_ERROR_NONE;
    }
    if (epoch < state->epoch) {
        return KW_ERROR_INVALID_PRODUCER_EPOCH;
    }
    int32_t wanted = epoch > state->epoch ? 0 : kw_increment_sequence(state->last_sequence, 1);
    return sequence == wanted ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static void remember(struct scripted_producer_state *state, const uint8_t *batch, int64_t base_offset)
{
    if (kw_record_batch_producer_epoch(batch) != state->epoch) {
        state->kept_count = 0;
    }
    state->kept_count += state->kept_count < SCRIPTED_KEPT_BATCH_COUNT ? 1 : 0;
    memmove(&state->kept[1], &state->kept[0], (size_t)(state->kept_count - 1) * sizeof state->kept[0]);
    state->epoch = kw_record_batch_producer_epoch(batch);
    state->last_sequence = kw_record_batch_last_sequence(batch);
    state->kept[0] = (struct scripted_kept_batch){.first_sequence = kw_record_batch_base_sequence(batch),
                                                  .last_sequence = state->last_sequence,
                                                  .base_offset = base_offset};
}

static enum kw_error append(struct scripted_request *request, struct scripted_partition *partition,
                            const uint8_t *batch, int64_t *base_offset)
{
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id > KW_NO_PRODUCER_ID) {
        struct scripted_producer_state *state = find_producer(partition, producer_id);
        const struct scripted_kept_batch *kept = find_kept(state, batch);
        if (kept != NULL) {
            *base_offset = kept->base_offset;
            return KW_ERROR_NONE;
        }
        enum kw_error error = check_sequence(state, batch);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        state = state != NULL ? state : add_producer(request->cluster, partition, producer_id);
        remember(state, batch, partition->next_offset);
    }
    *base_offset = partition->next_offset;
    partition->next_offset += kw_record_batch_record_count(batch);
    return KW_ERROR_NONE;
}

/* What a broker does by itself. */
static enum kw_error append_as_leader(struct scripted_request *request, struct scripted_partition *partition,
                                      struct kw_bytes records, int64_t *base_offset)
{
    if (partition == NULL) {
        return KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (partition->leader != request->broker) {
        return KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    if (records.bytes == NULL ||
        kw_record_batch_validate(records.bytes, (size_t)records.length_bytes) != KW_ERROR_NONE) {
        scripted_fail(request->cluster, "a Produce request holds something else than one valid batch");
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    return append(request, partition, records.bytes, base_offset);
}

static void copy_record_errors(struct scripted_request *request, const cJSON *entry,
                               struct kw_produce_response_partition *out)
{
    const cJSON *errors = json_member(entry, "record_errors");
    const cJSON *pair = NULL;
    out->record_errors.items = scripted_passing(request->cluster, (size_t)cJSON_GetArraySize(errors) + 1,
                                                sizeof *out->record_errors.items);
    cJSON_ArrayForEach(pair, errors)
    {
        struct kw_produce_response_record_error *item = &out->record_errors.items[out->record_errors.count++];
        kw_produce_response_record_error_init(item);
        item->batch_index = (int32_t)json_integer(cJSON_GetArrayItem(pair, 0));
        if (json_is_text(cJSON_GetArrayItem(pair, 1))) {
            item->batch_index_error_message = scripted_string(cJSON_GetArrayItem(pair, 1)->valuestring);
        }
    }
}

/* What the script does instead. */
static void answer_with_error(struct scripted_request *request, const cJSON *entry,
                              struct scripted_partition *partition, struct kw_bytes records,
                              struct kw_produce_response_partition *out)
{
    const char *message = json_member_text(entry, "error_message", NULL);
    int64_t unused_offset = -1;
    if (json_member_bool(entry, "append", false)) {
        (void)append_as_leader(request, partition, records, &unused_offset);
    }
    out->error_code = scripted_error_code(entry);
    out->base_offset = json_member_integer(entry, "base_offset", -1);
    out->log_start_offset = json_member_integer(entry, "log_start_offset", -1);
    if (message != NULL) {
        out->error_message = scripted_string(message);
    }
    copy_record_errors(request, entry, out);
    if (partition != NULL && json_member(entry, "move_leader_to") != NULL) {
        scripted_move_leader(request->cluster, partition, json_member_integer(entry, "move_leader_to", -1));
    }
    if (partition != NULL && json_member_bool(entry, "forget_producer", false)) {
        partition->producer_count = 0;
    }
}

static void produce_partition(struct scripted_request *request, struct scripted_topic *topic,
                              const char *name, const struct kw_produce_request_partition *data,
                              struct kw_produce_response_partition *out)
{
    struct scripted_partition *partition = topic != NULL ? scripted_partition_at(topic, data->index) : NULL;
    const cJSON *entry = scripted_error_entry(request, name, data->index);
    kw_produce_response_partition_init(out);
    out->index = data->index;
    if (entry != NULL) {
        answer_with_error(request, entry, partition, data->records, out);
        return;
    }
    out->base_offset = -1;
    out->error_code = (int16_t)append_as_leader(request, partition, data->records, &out->base_offset);
    if (out->error_code == KW_ERROR_NONE) {
        out->log_start_offset = 0;
        out->log_append_time_ms =
            topic->has_log_append_time ? request->cluster->epoch_ms + request->t : out->log_append_time_ms;
    }
}

bool scripted_produce(struct scripted_request *request)
{
    const struct kw_produce_request *body = request->body;
    struct kw_produce_response *response = request->response;
    struct scripted_cluster *cluster = request->cluster;
    const cJSON *throttle = scripted_entry(request, "throttle", NULL);
    response->throttle_time_ms = (int32_t)json_member_integer(throttle, "ms", 0);
    response->responses.count = body->topic_data.count;
    response->responses.items =
        scripted_passing(cluster, (size_t)body->topic_data.count + 1, sizeof *response->responses.items);
    for (int32_t i = 0; i < body->topic_data.count; i++) {
        const struct kw_produce_request_topic *data = &body->topic_data.items[i];
        struct kw_produce_response_topic *out = &response->responses.items[i];
        struct scripted_topic *topic = scripted_topic_find(cluster, data->name, request->t);
        char *name = scripted_passing(cluster, (size_t)data->name.length_bytes + 1, 1);
        memcpy(name, data->name.data, (size_t)data->name.length_bytes);
        out->name = data->name;
        out->partition_responses.count = data->partition_data.count;
        out->partition_responses.items = scripted_passing(cluster, (size_t)data->partition_data.count + 1,
                                                          sizeof *out->partition_responses.items);
        for (int32_t p = 0; p < data->partition_data.count; p++) {
            produce_partition(request, topic, name, &data->partition_data.items[p],
                              &out->partition_responses.items[p]);
        }
    }
    return body->acks != 0;
}
