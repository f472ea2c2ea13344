/*
 * Asking for records. Kafka: Fetcher.sendFetches, FetchSessionHandler.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"

enum { CONSUMER_REPLICA = -1 };

/* One that has nothing left to read of what was fetched before. Kafka: Fetcher.fetchablePartitions. */
static bool is_fetchable(const struct consumer_partition *partition)
{
    return partition->state == CONSUMER_FETCHING && partition->fetched_count == 0;
}

static uint32_t collect(const struct sim_consumer_driver *consumer, int32_t node,
                        struct consumer_asked *asked)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        uint32_t index = consumer->order[i];
        const struct consumer_partition *partition = &consumer->partitions[index];
        if (is_fetchable(partition) && partition->leader.leader == node) {
            asked[count++] = (struct consumer_asked){index, partition->leader.epoch, partition->position};
        }
    }
    return count;
}

/* The brokers here give consumers no sessions: each request names all that it wants. */
static void ask_node(struct sim_consumer_driver *consumer, int32_t node)
{
    const struct sim_consumer_config *config = consumer->config;
    struct consumer_asked *asked = consumer_allocate(consumer->partition_count, sizeof *asked);
    uint32_t count = collect(consumer, node, asked);
    struct kw_fetch_request_topic *topics = consumer_allocate(count, sizeof *topics);
    struct kw_fetch_request_partition *all = consumer_allocate(count, sizeof *all);
    struct kw_fetch_request request;
    kw_fetch_request_init(&request);
    uint32_t last_topic = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct consumer_partition *partition = &consumer->partitions[asked[i].partition];
        if (partition->topic != last_topic) {
            struct kw_fetch_request_topic *topic = &topics[request.topics.count++];
            kw_fetch_request_topic_init(topic);
            topic->topic = consumer_text(consumer->topics[partition->topic].name);
            topic->partitions.items = &all[i];
            last_topic = partition->topic;
        }
        topics[request.topics.count - 1].partitions.count++;
        kw_fetch_request_partition_init(&all[i]);
        all[i].partition = partition->partition;
        all[i].current_leader_epoch = partition->leader.epoch;
        all[i].fetch_offset = partition->position;
        all[i].partition_max_bytes = (int32_t)config->max_partition_fetch_bytes;
    }
    request.replica_id = CONSUMER_REPLICA;
    request.max_wait_ms = (int32_t)config->fetch_max_wait_ms;
    request.min_bytes = (int32_t)config->fetch_min_bytes;
    request.max_bytes = (int32_t)config->fetch_max_bytes;
    request.isolation_level = (int8_t)config->isolation_level;
    request.session_epoch = 0;
    request.rack_id = consumer_text(config->client_rack);
    request.topics.items = topics;
    consumer_send(consumer, node, KW_API_FETCH, &request, asked, count);
    free(topics);
    free(all);
}

void consumer_send_fetches(struct sim_consumer_driver *consumer)
{
    consumer_validate_on_metadata(consumer);
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        const struct consumer_partition *partition = &consumer->partitions[consumer->order[i]];
        int32_t leader = partition->leader.leader;
        if (!is_fetchable(partition)) {
            continue;
        }
        if (leader < 0) {
            consumer->is_metadata_wanted = true;
            continue;
        }
        const struct consumer_node *node = consumer_node_at(consumer, leader);
        if ((node == NULL || !node->has_fetch) && consumer_is_ready(consumer, leader, leader)) {
            ask_node(consumer, leader);
        }
    }
}

void consumer_move_to_end(struct sim_consumer_driver *consumer, uint32_t partition)
{
    uint32_t place = 0;
    while (place < consumer->partition_count && consumer->order[place] != partition) {
        place++;
    }
    for (; place + 1 < consumer->partition_count; place++) {
        consumer->order[place] = consumer->order[place + 1];
    }
    consumer->order[place] = partition;
}

/* --- Answers --- */

static void copy_aborted(struct consumer_fetched *fetched, const struct kw_fetch_response_partition *answer)
{
    int32_t count = answer->aborted_transactions.count;
    if (count <= 0) {
        return;
    }
    fetched->aborted = consumer_allocate((size_t)count, sizeof *fetched->aborted);
    fetched->aborted_producers = consumer_allocate((size_t)count, sizeof(int64_t));
    for (int32_t i = 0; i < count; i++) {
        struct consumer_aborted aborted = {answer->aborted_transactions.items[i].producer_id,
                                           answer->aborted_transactions.items[i].first_offset};
        uint32_t place = fetched->aborted_count++;
        for (; place > 0 && fetched->aborted[place - 1].first_offset > aborted.first_offset; place--) {
            fetched->aborted[place] = fetched->aborted[place - 1];
        }
        fetched->aborted[place] = aborted;
    }
}

static void queue(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                  const struct consumer_asked *asked, const struct kw_fetch_response_partition *answer)
{
    struct consumer_partition *partition = &consumer->partitions[asked->partition];
    const struct consumer_topic *topic = &consumer->topics[partition->topic];
    struct consumer_fetched *fetched = consumer_allocate(1, sizeof *fetched);
    size_t length_bytes = answer->records.bytes != NULL ? (size_t)answer->records.length_bytes : 0;
    *fetched = (struct consumer_fetched){
        .assignment = consumer->assignment,
        .partition = asked->partition,
        .broker = request->node,
        .offset = asked->offset,
        .next_offset = asked->offset,
        .last_epoch = -1,
        .error = kw_error_from_code(answer->error_code),
        .high_watermark = answer->high_watermark,
        .last_stable_offset = answer->last_stable_offset,
        .bytes = consumer_allocate(length_bytes + 1, 1),
        .length_bytes = length_bytes,
    };
    if (length_bytes > 0) {
        memcpy(fetched->bytes, answer->records.bytes, length_bytes);
    }
    copy_aborted(fetched, answer);
    kb_list_push_back(&consumer->fetched, &fetched->node);
    partition->fetched_count++;
    KB_TRACE(consumer_trace(consumer), 0, CONSUMER_FETCHED, consumer_fetched, .offset = asked->offset,
             .high_watermark = answer->high_watermark, .last_stable_offset = answer->last_stable_offset,
             .consumer = consumer->name, .topic = topic->trace_name, .partition = partition->partition,
             .broker = request->node, .bytes = (int32_t)length_bytes, .error = answer->error_code);
}

void consumer_on_fetch(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                       const struct kw_fetch_response *response)
{
    if (response == NULL || response->error_code != KW_ERROR_NONE ||
        request->assignment != consumer->assignment) {
        return;
    }
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct kw_fetch_response_topic *topic = &response->responses.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct kw_fetch_response_partition *answer = &topic->partitions.items[j];
            const struct consumer_partition *partition =
                consumer_partition_find(consumer, topic->topic, answer->partition_index);
            for (uint32_t k = 0; partition != NULL && k < request->asked_count; k++) {
                if (&consumer->partitions[request->asked[k].partition] == partition) {
                    queue(consumer, request, &request->asked[k], answer);
                    break;
                }
            }
        }
    }
}
