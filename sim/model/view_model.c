#include "model/view_model.h"

#include <string.h>

#include "base/assert.h"
#include "model/fold.h"

void sim_model_init(struct sim_model *model, const struct sim_run_info *info)
{
    memset(model, 0, sizeof *model);
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        struct model_producer *producer = &model->producers[i];
        producer->memory = (struct model_memory){
            .available_bytes = info->producers[i].buffer_memory_bytes,
            .unallocated_bytes = info->producers[i].buffer_memory_bytes,
        };
        producer->metadata_us = -1;
        producer->producer_id = -1;
        producer->call = 0xff;
        for (uint32_t k = 0; k < SIM_THREADS_MAX; k++) {
            producer->threads[k].record = UINT32_MAX;
            producer->threads[k].blocked_since_us = -1;
        }
        for (uint32_t k = 0; k < MODEL_NODES; k++) {
            producer->nodes[k].id = k < info->broker_count ? info->brokers[k].id : MODEL_NONE;
        }
    }
    for (uint32_t i = 0; i < SIM_BROKERS_MAX; i++) {
        model->brokers[i].id = i < info->broker_count ? info->brokers[i].id : MODEL_NONE;
        model->brokers[i].is_up = i < info->broker_count;
    }
    for (uint32_t i = 0; i < MODEL_RECORDS; i++) {
        model->records[i].number = UINT32_MAX;
    }
    for (uint32_t i = 0; i < MODEL_REQUESTS; i++) {
        model->requests[i].api = -1;
    }
    for (uint32_t i = 0; i < MODEL_REPLICAS; i++) {
        model->replicas[i].partition = MODEL_NONE;
    }
    model->producer_count = info->producer_count > 0 ? info->producer_count : 1;
    int64_t step_us = info->duration_us / MODEL_PLOT_POINTS;
    model->plot.step_us = step_us > 0 ? step_us : 1;
}

uint32_t model_slot(const struct sim_model *model, uint32_t producer, uint32_t number, uint32_t slots)
{
    return (number * model->producer_count + producer) % slots;
}

void sim_model_fold(struct sim_model *model, const struct sim_run_info *info, const struct kb_event *event)
{
    model->sequence++;
    model->time_us = event->time_us;
    struct fold fold = {model, info, event};
    enum kb_lane lane = kb_event_info(event->kind)->lane;
    model->lane_events[lane]++;
    switch (lane) {
    case KB_LANE_APP:
        fold_application_event(&fold);
        break;
    case KB_LANE_SENDER:
        fold_sender_event(&fold);
        break;
    case KB_LANE_NETWORK:
        fold_network_event(&fold);
        break;
    case KB_LANE_BROKER:
    case KB_LANE_FAULT:
        fold_cluster_event(&fold);
        break;
    case KB_LANE_COUNT:
        KB_UNREACHABLE();
    }
}

/* --- Look-ups
 * ---------------------------------------------------------------------------------------------------------
 */

int32_t sim_model_find_batch(const struct sim_model *model, uint32_t producer, uint32_t number)
{
    uint32_t slot = model_slot(model, producer, number, MODEL_BATCHES);
    const struct model_batch *batch = &model->batches[slot];
    return number != 0 && batch->number == number && batch->producer == producer ? (int32_t)slot : MODEL_NONE;
}

int32_t sim_model_find_request(const struct sim_model *model, uint32_t producer, uint32_t number)
{
    uint32_t slot = model_slot(model, producer, number, MODEL_REQUESTS);
    const struct model_request *request = &model->requests[slot];
    bool found = request->api != -1 && request->number == number && request->producer == producer;
    return found ? (int32_t)slot : MODEL_NONE;
}

static uint32_t partition_hash(uint32_t topic, int32_t partition)
{
    uint32_t hash = (topic * 0x9e3779b9u) ^ ((uint32_t)partition * 0x85ebca6bu);
    return (hash ^ hash >> 15) % (2 * MODEL_PARTITIONS);
}

int32_t sim_model_find_partition(const struct sim_model *model, uint32_t topic, int32_t partition)
{
    for (uint32_t slot = partition_hash(topic, partition);; slot = (slot + 1) % (2 * MODEL_PARTITIONS)) {
        int32_t index = (int32_t)model->partition_slots[slot] - 1;
        if (index < 0 ||
            (model->partitions[index].topic == topic && model->partitions[index].partition == partition)) {
            return index;
        }
    }
}

int32_t sim_model_find_replica(const struct sim_model *model, int32_t partition_index, int32_t broker)
{
    int32_t index = partition_index >= 0 ? model->partitions[partition_index].first_replica : MODEL_NONE;
    while (index >= 0 && model->replicas[index].broker != broker) {
        index = model->replicas[index].next;
    }
    return index;
}

int32_t sim_model_find_connection(const struct sim_model *model, uint32_t number)
{
    uint32_t slot = number % MODEL_CONNECTIONS;
    return number != 0 && model->connections[slot].number == number ? (int32_t)slot : MODEL_NONE;
}

int32_t sim_model_find_packet(const struct sim_model *model, uint32_t number)
{
    uint32_t slot = number % MODEL_PACKETS;
    return number != 0 && model->packets[slot].number == number ? (int32_t)slot : MODEL_NONE;
}

const struct model_record *sim_model_find_record(const struct sim_model *model, uint32_t number)
{
    const struct model_record *record = &model->records[number % MODEL_RECORDS];
    return record->number == number && number != UINT32_MAX ? record : NULL;
}

const struct model_span *sim_model_find_span(const struct model_partition *partition, int64_t offset)
{
    for (uint32_t i = partition->span_count; i-- > 0;) {
        const struct model_span *span = &partition->spans[i];
        if (span->first_offset <= offset && offset <= span->last_offset) {
            return span;
        }
    }
    return NULL;
}

int64_t sim_model_lag(const struct sim_model *model, const struct sim_run_info *info, uint32_t consumer,
                      const struct model_partition *partition)
{
    int64_t position = partition->consumer_positions[consumer];
    int32_t leader =
        sim_model_find_replica(model, (int32_t)(partition - model->partitions), partition->leader);
    if (position < 0 || leader < 0) {
        return -1;
    }
    const struct model_replica *replica = &model->replicas[leader];
    int64_t limit =
        info->consumers[consumer].is_read_committed ? replica->last_stable_offset : replica->high_watermark;
    return limit > position ? limit - position : 0;
}

bool sim_model_is_link_cut(const struct sim_model *model, int32_t place, int32_t other)
{
    return (model->brokers[place].cut_to[other / 64] >> (other % 64) & 1) != 0;
}

int32_t sim_model_find_broker(const struct sim_model *model, int32_t id)
{
    for (int32_t i = 0; i < SIM_BROKERS_MAX && model->brokers[i].id != MODEL_NONE; i++) {
        if (model->brokers[i].id == id) {
            return i;
        }
    }
    return MODEL_NONE;
}

bool sim_model_equals(const struct sim_model *a, const struct sim_model *b)
{
    /* Initialising clears the padding, and folding assigns members only. */
    return memcmp(a, b, sizeof *a) == 0; /* NOLINT(bugprone-suspicious-memory-comparison) */
}

/* --- What the parts of the fold share
 * ----------------------------------------------------------------------------------- */

struct model_producer *fold_producer(const struct fold *fold)
{
    KB_ASSERT(fold->event->source < SIM_PRODUCERS_MAX);
    return &fold->model->producers[fold->event->source];
}

struct model_batch *fold_batch(const struct fold *fold, uint32_t number)
{
    int32_t index = sim_model_find_batch(fold->model, fold->event->source, number);
    return index >= 0 ? &fold->model->batches[index] : NULL;
}

struct model_record *fold_record(const struct fold *fold, uint32_t number)
{
    struct model_record *record = &fold->model->records[number % MODEL_RECORDS];
    return record->number == number ? record : NULL;
}

struct model_request *fold_request(const struct fold *fold, uint32_t number)
{
    int32_t index = sim_model_find_request(fold->model, fold->event->source, number);
    return index >= 0 ? &fold->model->requests[index] : NULL;
}

struct model_node *fold_node(const struct fold *fold, int32_t id)
{
    int32_t place = sim_model_find_broker(fold->model, id);
    return place >= 0 ? &fold_producer(fold)->nodes[place] : NULL;
}

struct model_partition *fold_partition(const struct fold *fold, uint32_t topic, int32_t partition)
{
    struct sim_model *model = fold->model;
    int32_t found = sim_model_find_partition(model, topic, partition);
    if (found >= 0) {
        return &model->partitions[found];
    }
    if (model->partition_count == MODEL_PARTITIONS || topic == 0 || partition < 0) {
        model->partitions_unseen++;
        return NULL;
    }
    uint32_t slot = partition_hash(topic, partition);
    while (model->partition_slots[slot] != 0) {
        slot = (slot + 1) % (2 * MODEL_PARTITIONS);
    }
    struct model_partition *added = &model->partitions[model->partition_count++];
    model->partition_slots[slot] = (uint16_t)model->partition_count;
    added->topic = topic;
    added->partition = partition;
    added->believed_leader = MODEL_NONE;
    added->leader = MODEL_NONE;
    added->first_replica = MODEL_NONE;
    for (uint32_t i = 0; i < SIM_CONSUMERS_MAX; i++) {
        added->consumer_positions[i] = MODEL_NOT_ASSIGNED;
    }
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        added->first_batch[i] = MODEL_NONE;
        added->last_batch[i] = MODEL_NONE;
    }
    return added;
}

struct model_replica *fold_replica(const struct fold *fold, int32_t broker, uint32_t topic, int32_t partition)
{
    struct sim_model *model = fold->model;
    struct model_partition *owner = fold_partition(fold, topic, partition);
    if (owner == NULL) {
        return NULL;
    }
    int32_t *link = &owner->first_replica;
    while (*link >= 0) {
        if (model->replicas[*link].broker == broker) {
            return &model->replicas[*link];
        }
        link = &model->replicas[*link].next;
    }
    if (model->replica_count == MODEL_REPLICAS) {
        return NULL;
    }
    *link = (int32_t)model->replica_count++;
    struct model_replica *replica = &model->replicas[*link];
    replica->broker = broker;
    replica->partition = (int32_t)(owner - model->partitions);
    replica->next = MODEL_NONE;
    replica->is_in_sync = 1;
    return replica;
}

static struct model_partition *deque_of(const struct fold *fold, const struct model_batch *batch)
{
    return fold_partition(fold, batch->topic, batch->partition);
}

void deque_push_back(const struct fold *fold, int32_t index)
{
    struct model_batch *batch = &fold->model->batches[index];
    struct model_partition *partition = deque_of(fold, batch);
    batch->next = MODEL_NONE;
    if (partition == NULL) {
        return;
    }
    int32_t *first = &partition->first_batch[batch->producer];
    int32_t *last = &partition->last_batch[batch->producer];
    if (*last >= 0) {
        fold->model->batches[*last].next = index;
    } else {
        *first = index;
    }
    *last = index;
    partition->batch_count[batch->producer]++;
}

/* before: the batch that it comes behind; MODEL_NONE: it becomes the head. */
static void deque_insert_after(const struct fold *fold, int32_t index, int32_t before)
{
    struct model_batch *batch = &fold->model->batches[index];
    struct model_partition *partition = deque_of(fold, batch);
    batch->next = MODEL_NONE;
    if (partition == NULL) {
        return;
    }
    int32_t *link =
        before >= 0 ? &fold->model->batches[before].next : &partition->first_batch[batch->producer];
    batch->next = *link;
    *link = index;
    if (batch->next < 0) {
        partition->last_batch[batch->producer] = index;
    }
    partition->batch_count[batch->producer]++;
}

/* Kafka: RecordAccumulator.insertInSequenceOrder. Behind the batches at the head that hold earlier sequence
 * numbers, which were drained before and came back before. Without a sequence number: at the head. */
void deque_put_back(const struct fold *fold, int32_t index)
{
    const struct model_batch *batches = fold->model->batches;
    const struct model_batch *batch = &batches[index];
    const struct model_partition *partition = deque_of(fold, batch);
    int32_t before = MODEL_NONE;
    if (partition != NULL && batch->base_sequence >= 0) {
        int32_t head = partition->first_batch[batch->producer];
        while (head >= 0 && batches[head].base_sequence >= 0 &&
               batches[head].base_sequence < batch->base_sequence) {
            before = head;
            head = batches[head].next;
        }
    }
    deque_insert_after(fold, index, before);
}

void deque_remove(const struct fold *fold, int32_t index)
{
    struct model_batch *batches = fold->model->batches;
    struct model_batch *batch = &batches[index];
    struct model_partition *partition = deque_of(fold, batch);
    if (partition == NULL) {
        return;
    }
    int32_t before = MODEL_NONE;
    for (int32_t i = partition->first_batch[batch->producer]; i >= 0; before = i, i = batches[i].next) {
        if (i != index) {
            continue;
        }
        if (before >= 0) {
            batches[before].next = batch->next;
        } else {
            partition->first_batch[batch->producer] = batch->next;
        }
        if (partition->last_batch[batch->producer] == index) {
            partition->last_batch[batch->producer] = before;
        }
        partition->batch_count[batch->producer]--;
        batch->next = MODEL_NONE;
        return;
    }
}

uint32_t plot_point(struct sim_model *model)
{
    struct model_plot *plot = &model->plot;
    uint32_t point = (uint32_t)(model->time_us / plot->step_us);
    if (point >= MODEL_PLOT_POINTS) {
        point = MODEL_PLOT_POINTS - 1;
    }
    /* Levels last until they change. */
    for (; plot->count <= point; plot->count++) {
        if (plot->count > 0) {
            plot->used_bytes_k[plot->count] = plot->used_bytes_k[plot->count - 1];
            plot->in_flight[plot->count] = plot->in_flight[plot->count - 1];
        }
    }
    return point;
}
