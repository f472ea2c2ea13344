/* What a fetcher writes. Kafka: ReplicaFetcherThread.buildFetch, FetchSessionHandler.Builder,
 * ReplicaFetcherThread.fetchOffsetFromLeader. */

#include "base/assert.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/replica_fetcher.h"
#include "wire/api_frame.h"
#include "wire/message_structs.h"

static void *take(struct mb_fetcher *fetcher, size_t count, size_t item_bytes)
{
    void *memory = kb_arena_allocate(&fetcher->arena, count * item_bytes);
    KB_ASSERT(memory != NULL || count == 0);
    return memory;
}

static void send(struct mb_fetcher *fetcher, enum kw_api_key key, int16_t version, const void *body)
{
    struct mb_cluster *cluster = fetcher->cluster;
    struct kw_frame frame = {
        .api = kw_api_find((int16_t)key),
        .version = version,
        .is_request = true,
        .correlation_id = fetcher->correlation_id,
        .client_id = {fetcher->broker->host, (int32_t)fetcher->broker->host_bytes - 1},
        .body = body,
    };
    struct mb_pending_output *output = mb_output_create(cluster->allocator, MB_OUTPUT_BYTES);
    struct kw_message_error error;
    enum kw_message_status status = kw_frame_size(&frame, &output->memory_bytes, NULL, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    output->memory = mb_take(cluster->allocator, output->memory_bytes);
    struct kw_writer writer;
    kw_writer_init(&writer, output->memory, output->memory_bytes);
    status = kw_frame_encode(&frame, &writer, NULL, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    output->segments = mb_reserve(cluster->allocator, output->segments, &output->segment_capacity, 1,
                                  sizeof *output->segments);
    output->segments[0] = (struct mb_segment){output->memory, output->memory_bytes};
    output->out.segment_count = 1;
    output->out.length_bytes = output->memory_bytes;
    output->out.connection = fetcher->connection->id;
    output->out.from = fetcher->broker->id;
    output->out.to = mb_broker_id(cluster, fetcher->leader);
    output->out.request = (uint32_t)fetcher->correlation_id;
    output->out.api = (int32_t)key;
    mb_output_push(&cluster->outputs, output);
}

static struct kw_string topic_name(const struct mb_topic_partition *tp)
{
    return (struct kw_string){tp->topic->name, tp->topic->name_length_bytes};
}

/* One topic's entry may come several times: partitions of one topic that follow each other share it. */
static void add_partition(struct mb_fetcher *fetcher, struct kw_fetch_request *request,
                          struct kw_fetch_request_partition *items, int32_t *used,
                          struct mb_partition *partition)
{
    struct mb_fetch_state *state = &partition->fetch;
    struct kw_string topic = topic_name(partition->tp);
    struct kw_fetch_request_topic *last =
        request->topics.count == 0 ? NULL : &request->topics.items[request->topics.count - 1];
    if (last == NULL || last->topic.data != topic.data) {
        last = &request->topics.items[request->topics.count++];
        kw_fetch_request_topic_init(last);
        last->topic = topic;
        last->partitions.items = &items[*used];
    }
    struct kw_fetch_request_partition *out = &items[(*used)++];
    last->partitions.count++;
    kw_fetch_request_partition_init(out);
    out->partition = partition->tp->index;
    out->current_leader_epoch = state->current_leader_epoch;
    out->fetch_offset = state->fetch_offset;
    out->last_fetched_epoch = state->last_fetched_epoch;
    out->log_start_offset = partition->log.start_offset;
    out->partition_max_bytes = (int32_t)mb_setting(fetcher->cluster, MB_SETTING_REPLICA_FETCH_MAX_BYTES);
    state->sent_offset = state->fetch_offset;
    state->sent_epoch = state->last_fetched_epoch;
    if (!state->is_in_session) {
        state->is_in_session = true;
        fetcher->in_session_count++;
    }
    KB_TRACE(fetcher->cluster->trace, 0, FOLLOWER_FETCHED, follower_fetched, .offset = state->fetch_offset,
             .broker = fetcher->broker->id, .leader = mb_broker_id(fetcher->cluster, fetcher->leader),
             .topic = partition->tp->topic->trace_name, .partition = partition->tp->index);
}

static void add_forgotten(struct mb_fetcher *fetcher, struct kw_fetch_request *request)
{
    request->forgotten_topics_data.items =
        take(fetcher, fetcher->forgotten_count, sizeof *request->forgotten_topics_data.items);
    for (uint32_t i = 0; i < fetcher->forgotten_count; i++) {
        struct kw_fetch_request_forgotten_topic *out = &request->forgotten_topics_data.items[i];
        kw_fetch_request_forgotten_topic_init(out);
        out->topic = topic_name(fetcher->forgotten[i]);
        out->partitions.items = &fetcher->forgotten[i]->index;
        out->partitions.count = 1;
    }
    request->forgotten_topics_data.count = (int32_t)fetcher->forgotten_count;
}

void mb_fetcher_send_fetch(struct mb_fetcher *fetcher)
{
    struct mb_cluster *cluster = fetcher->cluster;
    struct kw_fetch_request request;
    kw_fetch_request_init(&request);
    request.replica_id = fetcher->broker->id;
    request.max_wait_ms = (int32_t)mb_setting(cluster, MB_SETTING_REPLICA_FETCH_WAIT_MAX_MS);
    request.min_bytes = (int32_t)mb_setting(cluster, MB_SETTING_REPLICA_FETCH_MIN_BYTES);
    request.max_bytes = (int32_t)mb_setting(cluster, MB_SETTING_REPLICA_FETCH_RESPONSE_MAX_BYTES);
    request.session_id = fetcher->session_epoch == 0 ? 0 : fetcher->session_id;
    request.session_epoch = fetcher->session_epoch;
    if (fetcher->session_epoch == 0) {
        fetcher->forgotten_count = 0;
    }
    size_t count = kb_list_count(&fetcher->to_name);
    struct kw_fetch_request_partition *items = take(fetcher, count, sizeof *items);
    request.topics.items = take(fetcher, count, sizeof *request.topics.items);
    int32_t used = 0;
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&fetcher->to_name)) != NULL) {
        add_partition(fetcher, &request, items, &used,
                      KB_CONTAINER_OF(node, struct mb_partition, fetch.of_changes));
    }
    add_forgotten(fetcher, &request);
    fetcher->correlation_id++;
    send(fetcher, KW_API_FETCH, MB_FETCHER_FETCH_VERSION, &request);
    fetcher->forgotten_count = 0;
    kb_arena_reset(&fetcher->arena);
    mb_fetcher_await(fetcher, MB_FETCHER_FETCHING);
}

/* Kafka: fetchOffsetFromLeader. */
void mb_fetcher_ask_offset(struct mb_fetcher *fetcher, int64_t which)
{
    const struct mb_partition *partition = fetcher->asking;
    struct kw_list_offsets_request request;
    struct kw_list_offsets_request_topic topic;
    struct kw_list_offsets_request_partition item;
    kw_list_offsets_request_init(&request);
    kw_list_offsets_request_topic_init(&topic);
    kw_list_offsets_request_partition_init(&item);
    item.partition_index = partition->tp->index;
    item.current_leader_epoch = partition->fetch.current_leader_epoch;
    item.timestamp = which;
    topic.name = topic_name(partition->tp);
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = fetcher->broker->id;
    request.topics.items = &topic;
    request.topics.count = 1;
    fetcher->correlation_id++;
    send(fetcher, KW_API_LIST_OFFSETS, MB_FETCHER_LIST_OFFSETS_VERSION, &request);
    mb_fetcher_await(fetcher, MB_FETCHER_ASKING);
}
