#include "mockbroker/replica_fetcher.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "wire/api_frame.h"
#include "wire/message_structs.h"

enum { ARENA_BLOCK_BYTES = 4096, NOT_KNOWN = -1 };

static void timer_fires(struct mb_cluster *cluster, struct mb_timer *timer);

/* --- Life --- */

static struct mb_fetcher *create(struct mb_broker *broker, int32_t leader)
{
    struct mb_cluster *cluster = broker->cluster;
    struct mb_fetcher *fetcher = mb_take(cluster->allocator, sizeof *fetcher);
    *fetcher = (struct mb_fetcher){
        .cluster = cluster,
        .broker = broker,
        .leader = leader,
        .timer = {.fire = timer_fires, .broker = broker},
        .latest_offset = NOT_KNOWN,
    };
    mb_buffer_init(&fetcher->input, cluster->allocator);
    kb_arena_init(&fetcher->arena, cluster->allocator, ARENA_BLOCK_BYTES, 0);
    kb_list_init(&fetcher->partitions);
    kb_list_init(&fetcher->to_name);
    kb_list_init(&fetcher->out_of_range);
    broker->fetchers[leader] = fetcher;
    return fetcher;
}

static void close_connection(struct mb_fetcher *fetcher)
{
    if (fetcher->connecting != NULL) {
        fetcher->connecting->fetcher = NULL;
        fetcher->connecting = NULL;
    }
    if (fetcher->connection != NULL) {
        mb_connection_announce_close(fetcher->cluster, fetcher->connection->id, fetcher->broker->id,
                                     mb_broker_id(fetcher->cluster, fetcher->leader));
        mb_connection_drop_fetcher(fetcher->cluster, fetcher->connection);
        fetcher->connection = NULL;
    }
    fetcher->is_connected = false;
    mb_buffer_release(&fetcher->input);
}

static void destroy(struct mb_fetcher *fetcher)
{
    const struct linger_allocator *allocator = fetcher->cluster->allocator;
    close_connection(fetcher);
    mb_timer_cancel(fetcher->cluster, &fetcher->timer);
    fetcher->broker->fetchers[fetcher->leader] = NULL;
    mb_give(allocator, fetcher->forgotten, fetcher->forgotten_capacity * sizeof(struct mb_topic_partition *));
    kb_arena_release(&fetcher->arena);
    mb_give(allocator, fetcher, sizeof *fetcher);
}

void mb_fetchers_close_idle(struct mb_broker *broker)
{
    for (uint32_t i = 0; i < broker->cluster->broker_count; i++) {
        if (broker->fetchers[i] != NULL && kb_list_is_empty(&broker->fetchers[i]->partitions)) {
            destroy(broker->fetchers[i]);
        }
    }
}

void mb_fetchers_stop(struct mb_broker *broker)
{
    for (uint32_t i = 0; i < broker->cluster->broker_count; i++) {
        struct mb_fetcher *fetcher = broker->fetchers[i];
        if (fetcher == NULL) {
            continue;
        }
        struct kb_list_node *node;
        while ((node = kb_list_first(&fetcher->partitions)) != NULL) {
            mb_fetcher_remove(KB_CONTAINER_OF(node, struct mb_partition, fetch.of_fetcher));
        }
        destroy(fetcher);
    }
}

/* --- Which partitions --- */

static void name(struct mb_fetcher *fetcher, struct mb_partition *partition)
{
    if (!kb_list_node_is_linked(&partition->fetch.of_changes)) {
        kb_list_push_back(&fetcher->to_name, &partition->fetch.of_changes);
    }
}

static void leave_session(struct mb_fetcher *fetcher, struct mb_partition *partition)
{
    struct mb_fetch_state *state = &partition->fetch;
    if (kb_list_node_is_linked(&state->of_changes)) {
        kb_list_remove(&state->of_changes);
    }
    if (state->is_in_session) {
        fetcher->forgotten =
            mb_reserve(fetcher->cluster->allocator, fetcher->forgotten, &fetcher->forgotten_capacity,
                       fetcher->forgotten_count + 1, sizeof(struct mb_topic_partition *));
        fetcher->forgotten[fetcher->forgotten_count++] = partition->tp;
        fetcher->in_session_count--;
        state->is_in_session = false;
    }
    state->sent_offset = -1;
}

static void delay_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_partition *partition = KB_CONTAINER_OF(timer, struct mb_partition, fetch.delay);
    partition->fetch.is_delayed = false;
    name(partition->fetch.fetcher, partition);
    mb_fetcher_run(partition->fetch.fetcher);
}

/* Kafka: delayPartitions: it is left alone for replica.fetch.backoff.ms. */
static void delay(struct mb_fetcher *fetcher, struct mb_partition *partition)
{
    struct mb_cluster *cluster = fetcher->cluster;
    struct mb_fetch_state *state = &partition->fetch;
    if (!state->is_delayed) {
        leave_session(fetcher, partition);
        state->is_delayed = true;
        mb_timer_set(cluster, &state->delay,
                     cluster->now_us + mb_setting(cluster, MB_SETTING_REPLICA_FETCH_BACKOFF_MS) * 1000);
    }
}

static void back_off_is_over(struct mb_fetcher *fetcher)
{
    fetcher->state = MB_FETCHER_IDLE;
    mb_timer_cancel(fetcher->cluster, &fetcher->timer);
    /* handlePartitionsWithErrors comes after the wait: the delay is there twice. */
    KB_LIST_FOR_EACH(node, &fetcher->partitions)
    {
        delay(fetcher, KB_CONTAINER_OF(node, struct mb_partition, fetch.of_fetcher));
    }
}

void mb_fetcher_add(struct mb_partition *partition)
{
    struct mb_broker *broker = partition->broker;
    struct mb_fetch_state *state = &partition->fetch;
    KB_ASSERT(state->fetcher == NULL && partition->leader >= 0 && partition->leader != broker->index);
    struct mb_fetcher *fetcher = broker->fetchers[partition->leader];
    if (fetcher == NULL) {
        fetcher = create(broker, partition->leader);
    } else if (fetcher->state == MB_FETCHER_BACKOFF) {
        back_off_is_over(fetcher); /* addPartitions wakes the thread */
    }
    /* Kafka: ReplicaManager.initialFetchOffset: the log's end; without epochs it is cut to the high
     * watermark. */
    if (mb_epoch_cache_latest(&partition->log.epochs) == MB_UNDEFINED_EPOCH) {
        mb_fetcher_truncate(partition, partition->log.high_watermark);
    }
    *state = (struct mb_fetch_state){
        .fetcher = fetcher,
        .delay = {.fire = delay_is_over, .broker = broker},
        .fetch_offset = partition->log.end_offset,
        .current_leader_epoch = partition->leader_epoch,
        .last_fetched_epoch = mb_epoch_cache_latest(&partition->log.epochs),
        .sent_offset = -1,
    };
    kb_list_push_back(&fetcher->partitions, &state->of_fetcher);
    name(fetcher, partition);
    mb_fetcher_run(fetcher);
}

void mb_fetcher_remove(struct mb_partition *partition)
{
    struct mb_fetch_state *state = &partition->fetch;
    struct mb_fetcher *fetcher = state->fetcher;
    if (fetcher == NULL) {
        return;
    }
    leave_session(fetcher, partition);
    mb_timer_cancel(fetcher->cluster, &state->delay);
    kb_list_remove(&state->of_fetcher);
    if (fetcher->asking == partition) {
        fetcher->asking = NULL;
    }
    state->fetcher = NULL;
    state->is_verified = false;
}

/* --- Connection --- */

void mb_fetcher_await(struct mb_fetcher *fetcher, enum mb_fetcher_state state)
{
    struct mb_cluster *cluster = fetcher->cluster;
    fetcher->state = state;
    mb_timer_set(cluster, &fetcher->timer,
                 cluster->now_us + mb_setting(cluster, MB_SETTING_REPLICA_SOCKET_TIMEOUT_MS) * 1000);
}

static void connect(struct mb_fetcher *fetcher)
{
    struct mb_cluster *cluster = fetcher->cluster;
    struct mb_connecting *connecting = mb_take(cluster->allocator, sizeof *connecting);
    *connecting = (struct mb_connecting){
        .fetcher = fetcher,
        .message = cluster->next_message++,
        .from = fetcher->broker->id,
        .to = mb_broker_id(cluster, fetcher->leader),
    };
    mb_map_insert(&cluster->connecting, connecting->message, connecting);
    kb_list_push_back(&cluster->connecting_list, &connecting->all);
    fetcher->connecting = connecting;
    struct mb_pending_output *output = mb_output_create(cluster->allocator, MB_OUTPUT_CONNECT);
    output->out.from = connecting->from;
    output->out.to = connecting->to;
    output->out.message = connecting->message;
    mb_output_push(&cluster->outputs, output);
    mb_fetcher_await(fetcher, MB_FETCHER_CONNECTING);
}

void mb_fetcher_numbered(struct mb_cluster *cluster, struct mb_connecting *connecting, uint32_t id)
{
    struct mb_fetcher *fetcher = connecting->fetcher;
    if (fetcher == NULL) {
        mb_connection_announce_close(cluster, id, connecting->from, connecting->to);
    } else {
        fetcher->connecting = NULL;
        fetcher->connection = mb_connection_find(cluster, id);
        if (fetcher->connection == NULL) {
            fetcher->connection = mb_connection_create(cluster, id);
        }
        fetcher->connection->fetcher = fetcher;
    }
    kb_list_remove(&connecting->all);
    mb_give(cluster->allocator, connecting, sizeof *connecting);
}

void mb_fetcher_connected(struct mb_fetcher *fetcher)
{
    fetcher->is_connected = true;
    if (fetcher->state == MB_FETCHER_CONNECTING) {
        mb_timer_cancel(fetcher->cluster, &fetcher->timer);
        fetcher->state = MB_FETCHER_IDLE;
        mb_fetcher_run(fetcher);
    }
}

/* Kafka: processFetchRequest's catch: wait replica.fetch.backoff.ms, then all partitions are delayed. */
static void fail(struct mb_fetcher *fetcher)
{
    struct mb_cluster *cluster = fetcher->cluster;
    fetcher->session_epoch = 0; /* FetchSessionHandler.handleError: a new session, in full */
    fetcher->forgotten_count = 0;
    fetcher->in_session_count = 0;
    fetcher->asking = NULL;
    fetcher->has_waited = false;
    KB_LIST_FOR_EACH(node, &fetcher->partitions)
    {
        struct mb_partition *partition = KB_CONTAINER_OF(node, struct mb_partition, fetch.of_fetcher);
        partition->fetch.is_in_session = false;
        partition->fetch.sent_offset = -1;
        if (!partition->fetch.is_delayed) {
            name(fetcher, partition);
        }
    }
    fetcher->state = MB_FETCHER_BACKOFF;
    mb_timer_set(cluster, &fetcher->timer,
                 cluster->now_us + mb_setting(cluster, MB_SETTING_REPLICA_FETCH_BACKOFF_MS) * 1000);
}

void mb_fetcher_disconnected(struct mb_fetcher *fetcher)
{
    mb_connection_drop_fetcher(fetcher->cluster, fetcher->connection);
    fetcher->connection = NULL;
    fetcher->is_connected = false;
    mb_buffer_release(&fetcher->input);
    if (fetcher->state != MB_FETCHER_BACKOFF) {
        fail(fetcher);
    }
}

static void give_up_connection(struct mb_fetcher *fetcher)
{
    close_connection(fetcher);
    fail(fetcher);
}

void mb_fetcher_run(struct mb_fetcher *fetcher)
{
    struct mb_cluster *cluster = fetcher->cluster;
    if (fetcher->state != MB_FETCHER_IDLE || fetcher->broker->is_frozen) {
        return;
    }
    bool has_work = fetcher->in_session_count > 0 || !kb_list_is_empty(&fetcher->to_name) ||
                    !kb_list_is_empty(&fetcher->out_of_range) ||
                    (fetcher->forgotten_count > 0 && fetcher->session_epoch > 0);
    if (!has_work) {
        return;
    }
    if (!fetcher->is_connected) {
        connect(fetcher);
        return;
    }
    if (fetcher->broker->fetch_delay_us > 0 && !fetcher->has_waited) {
        fetcher->state = MB_FETCHER_DELAYED;
        mb_timer_set(cluster, &fetcher->timer, cluster->now_us + fetcher->broker->fetch_delay_us);
        return;
    }
    fetcher->has_waited = false;
    struct kb_list_node *node = kb_list_pop_front(&fetcher->out_of_range);
    if (node != NULL) {
        fetcher->asking = KB_CONTAINER_OF(node, struct mb_partition, fetch.of_changes);
        fetcher->latest_offset = NOT_KNOWN;
        mb_fetcher_ask_offset(fetcher, MB_ASK_LATEST);
        return;
    }
    mb_fetcher_send_fetch(fetcher);
}

/* --- Answers --- */

static void judge(struct mb_fetcher *fetcher, struct mb_partition *partition, enum mb_fetched outcome)
{
    switch (outcome) {
    case MB_FETCHED_FINE:
        /* FetchSessionHandler.Builder: whatever differs is named; after a truncation it may be the epoch
         * alone. */
        if (partition->fetch.sent_offset != partition->fetch.fetch_offset ||
            partition->fetch.sent_epoch != partition->fetch.last_fetched_epoch) {
            name(fetcher, partition);
        }
        return;
    case MB_FETCHED_RETRY:
        delay(fetcher, partition);
        return;
    case MB_FETCHED_FAILED:
        mb_fetcher_remove(partition);
        return;
    case MB_FETCHED_OUT_OF_RANGE:
        leave_session(fetcher, partition);
        kb_list_push_back(&fetcher->out_of_range, &partition->fetch.of_changes);
        return;
    }
}

static struct mb_partition *find(const struct mb_fetcher *fetcher, struct kw_string topic, int32_t index)
{
    const struct mb_topic *found = mb_topic_find(fetcher->cluster, topic.data, topic.length_bytes);
    const struct mb_topic_partition *tp = found == NULL ? NULL : mb_topic_partition_at(found, index);
    struct mb_partition *partition = tp == NULL ? NULL : mb_partition_online(fetcher->broker, tp);
    return partition != NULL && partition->fetch.fetcher == fetcher ? partition : NULL;
}

static void process_fetch(struct mb_fetcher *fetcher, const struct kw_fetch_response *response)
{
    if (response->error_code != KW_ERROR_NONE) {
        /* FetchSessionHandler.handleResponse: start over with a full request. */
        fetcher->session_epoch = 0;
        fetcher->forgotten_count = 0;
        fetcher->in_session_count = 0;
        KB_LIST_FOR_EACH(node, &fetcher->partitions)
        {
            struct mb_partition *partition = KB_CONTAINER_OF(node, struct mb_partition, fetch.of_fetcher);
            partition->fetch.is_in_session = false;
            if (!partition->fetch.is_delayed) {
                name(fetcher, partition);
            }
        }
        return;
    }
    fetcher->session_id = response->session_id;
    fetcher->session_epoch = fetcher->session_epoch == INT32_MAX ? 1 : fetcher->session_epoch + 1;
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct kw_fetch_response_topic *topic = &response->responses.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct kw_fetch_response_partition *data = &topic->partitions.items[j];
            struct mb_partition *partition = find(fetcher, topic->topic, data->partition_index);
            /* It may have been removed, added again or cut meanwhile: then this is not for it. */
            if (partition != NULL && partition->fetch.is_in_session &&
                partition->fetch.sent_offset == partition->fetch.fetch_offset) {
                judge(fetcher, partition, mb_fetcher_process(partition, data));
            }
        }
    }
}

static void resume_at(struct mb_fetcher *fetcher, struct mb_partition *partition)
{
    partition->fetch.fetch_offset = partition->log.end_offset;
    partition->fetch.last_fetched_epoch = mb_epoch_cache_latest(&partition->log.epochs);
    fetcher->asking = NULL;
    name(fetcher, partition);
}

/* Kafka: fetchOffsetAndTruncate. True when another question follows. */
static bool process_offset(struct mb_fetcher *fetcher, int32_t error, int64_t offset)
{
    struct mb_partition *partition = fetcher->asking;
    if (partition == NULL) {
        return false;
    }
    if (error != KW_ERROR_NONE) {
        fetcher->asking = NULL;
        judge(fetcher, partition,
              error == KW_ERROR_FENCED_LEADER_EPOCH ? MB_FETCHED_FAILED : MB_FETCHED_RETRY);
        return false;
    }
    if (fetcher->latest_offset == NOT_KNOWN && offset >= partition->log.end_offset) {
        fetcher->latest_offset = offset;
        mb_fetcher_ask_offset(fetcher, MB_ASK_EARLIEST);
        return true;
    }
    if (fetcher->latest_offset == NOT_KNOWN) {
        mb_fetcher_truncate(partition, offset);
    } else if (offset > partition->log.end_offset) {
        int64_t old_end_offset = partition->log.end_offset;
        mb_log_truncate_fully_and_start_at(&partition->log, offset, fetcher->cluster->now_us);
        KB_TRACE(fetcher->cluster->trace, 0, LOG_TRUNCATED, log_truncated, .end_offset = offset,
                 .old_end_offset = old_end_offset, .broker = fetcher->broker->id,
                 .topic = partition->tp->topic->trace_name, .partition = partition->tp->index);
    }
    resume_at(fetcher, partition);
    return false;
}

static bool has_records(const struct kw_fetch_response *response)
{
    for (int32_t i = 0; i < response->responses.count; i++) {
        for (int32_t j = 0; j < response->responses.items[i].partitions.count; j++) {
            if (response->responses.items[i].partitions.items[j].records.length_bytes > 0) {
                return true;
            }
        }
    }
    return false;
}

/* Decode the answer in the buffer. False: it is not one. */
static bool decode(struct mb_fetcher *fetcher, enum kw_api_key key, int16_t version, size_t length_bytes,
                   void *body)
{
    const struct kw_api *api = kw_api_find((int16_t)key);
    struct kw_reader reader;
    struct kw_response_header header;
    struct kw_message_error error;
    kw_reader_init(&reader, mb_buffer_front(&fetcher->input) + KW_FRAME_LENGTH_BYTES, length_bytes);
    return kw_response_header_decode(api, version, &reader, &header, &error) == KW_MESSAGE_OK &&
           header.correlation_id == fetcher->correlation_id &&
           kw_message_decode(api->response, version, &reader, &fetcher->arena, body, &error) == KW_MESSAGE_OK;
}

/* True: there is an answer and it is dealt with; the buffer moves on. */
static bool handle_answer(struct mb_fetcher *fetcher, size_t length_bytes, bool *is_fine)
{
    struct mb_cluster *cluster = fetcher->cluster;
    if (fetcher->state == MB_FETCHER_ASKING) {
        struct kw_list_offsets_response response;
        *is_fine =
            decode(fetcher, KW_API_LIST_OFFSETS, MB_FETCHER_LIST_OFFSETS_VERSION, length_bytes, &response) &&
            response.topics.count == 1 && response.topics.items[0].partitions.count == 1;
        if (*is_fine) {
            mb_timer_cancel(cluster, &fetcher->timer);
            fetcher->state = MB_FETCHER_IDLE;
            const struct kw_list_offsets_response_partition *answer =
                &response.topics.items[0].partitions.items[0];
            (void)process_offset(fetcher, answer->error_code, answer->offset);
        }
        return true;
    }
    struct kw_fetch_response response;
    *is_fine = decode(fetcher, KW_API_FETCH, MB_FETCHER_FETCH_VERSION, length_bytes, &response);
    if (!*is_fine) {
        return true;
    }
    if (fetcher->state == MB_FETCHER_FETCHING && fetcher->broker->append_us > 0 && has_records(&response)) {
        fetcher->state = MB_FETCHER_APPENDING;
        mb_timer_set(cluster, &fetcher->timer, mb_broker_disk_done_us(fetcher->broker));
        return false;
    }
    mb_timer_cancel(cluster, &fetcher->timer);
    fetcher->state = MB_FETCHER_IDLE;
    process_fetch(fetcher, &response);
    return true;
}

static void read_answer(struct mb_fetcher *fetcher)
{
    size_t held = mb_buffer_length_bytes(&fetcher->input);
    if (held < KW_FRAME_LENGTH_BYTES) {
        return;
    }
    int32_t length = kw_load_i32(mb_buffer_front(&fetcher->input));
    bool awaits = fetcher->state == MB_FETCHER_FETCHING || fetcher->state == MB_FETCHER_ASKING ||
                  fetcher->state == MB_FETCHER_APPENDING;
    if (length < 0 || !awaits) {
        give_up_connection(fetcher);
        return;
    }
    if (held - KW_FRAME_LENGTH_BYTES < (size_t)length) {
        return;
    }
    bool is_fine = false;
    bool is_done = handle_answer(fetcher, (size_t)length, &is_fine);
    kb_arena_reset(&fetcher->arena);
    if (!is_fine) {
        give_up_connection(fetcher);
        return;
    }
    if (is_done) {
        mb_buffer_take(&fetcher->input, (size_t)length + KW_FRAME_LENGTH_BYTES);
        mb_fetcher_run(fetcher);
    }
}

void mb_fetcher_read(struct mb_fetcher *fetcher)
{
    if (!fetcher->broker->is_frozen && fetcher->state != MB_FETCHER_APPENDING) {
        read_answer(fetcher);
    }
}

void mb_fetcher_receive(struct mb_fetcher *fetcher, const void *bytes, size_t length_bytes)
{
    mb_buffer_append(&fetcher->input, bytes, length_bytes);
    mb_fetcher_read(fetcher);
}

static void timer_fires(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_fetcher *fetcher = KB_CONTAINER_OF(timer, struct mb_fetcher, timer);
    switch (fetcher->state) {
    case MB_FETCHER_IDLE:
        return;
    case MB_FETCHER_BACKOFF:
        back_off_is_over(fetcher);
        return;
    case MB_FETCHER_DELAYED:
        fetcher->has_waited = true;
        fetcher->state = MB_FETCHER_IDLE;
        mb_fetcher_run(fetcher);
        return;
    case MB_FETCHER_APPENDING:
        read_answer(fetcher);
        return;
    case MB_FETCHER_CONNECTING:
    case MB_FETCHER_FETCHING:
    case MB_FETCHER_ASKING:
        give_up_connection(fetcher); /* replica.socket.timeout.ms */
        return;
    }
}
