#include "core/record_accumulator_internal.h"

#include "base/assert.h"
#include "base/planted.h"
#include "core/memory.h"
#include "core/producer_metadata.h"
#include "core/transaction_manager.h"

/* --- Why a batch may leave, and why it stays */

static bool is_backing_off(const struct kp_record_accumulator *accumulator,
                           const struct kp_producer_batch *batch, int64_t now_ms)
{
    return batch->attempts > 0 && !KB_PLANTED(BACKOFF_IGNORED) &&
           kp_producer_batch_waited_ms(batch, now_ms) < accumulator->options.retry_backoff_ms;
}

/* Bits of enum kb_left that hold for every queue. */
static uint32_t conditions(const struct kp_record_accumulator *accumulator)
{
    uint32_t left = 0;
    if (accumulator->pool.waiter_count > 0) {
        left |= KB_LEFT_MEMORY_WAITER;
    }
    if (accumulator->is_closed) {
        left |= KB_LEFT_CLOSE;
    }
    if (accumulator->flush_count > 0) {
        left |= KB_LEFT_FLUSH;
    }
    if (accumulator->options.transaction_manager != NULL &&
        kp_transaction_manager_is_completing(accumulator->options.transaction_manager)) {
        left |= KB_LEFT_TXN_COMPLETING;
    }
    return left;
}

/* Bits of enum kb_left that hold for a head batch; 0: it is not sendable. Kafka: the conditions of ready().
 */
static uint32_t left_why(const struct kp_record_accumulator *accumulator,
                         const struct kp_partition_queue *queue, const struct kp_producer_batch *batch,
                         int64_t now_ms)
{
    if (is_backing_off(accumulator, batch, now_ms)) {
        return 0;
    }
    uint32_t left = 0;
    if (batch->attempts > 0) {
        left |= KB_LEFT_BACKOFF_OVER;
    } else {
        if (kp_producer_batch_has_reached_capacity(batch)) {
            left |= KB_LEFT_FULL;
        } else if (queue->batch_count > 1 || kp_producer_batch_is_full(batch)) {
            left |= KB_LEFT_NO_ROOM;
        }
        if (kp_producer_batch_waited_ms(batch, now_ms) >= accumulator->options.linger_ms) {
            left |= KB_LEFT_LINGER;
        }
    }
    return left | conditions(accumulator);
}

/* Until linger or back-off are over. */
static int64_t time_left_ms(const struct kp_record_accumulator *accumulator,
                            const struct kp_producer_batch *batch, int64_t now_ms)
{
    int64_t wait_ms = is_backing_off(accumulator, batch, now_ms) ? accumulator->options.retry_backoff_ms
                                                                 : accumulator->options.linger_ms;
    int64_t waited_ms = kp_producer_batch_waited_ms(batch, now_ms);
    return wait_ms > waited_ms ? wait_ms - waited_ms : 0;
}

static int32_t leader_of(const struct kp_record_accumulator *accumulator,
                         const struct kp_topic_partition *partition)
{
    return kp_producer_metadata_partition(accumulator->options.metadata, partition)->leader;
}

static void note_held(const struct kp_record_accumulator *accumulator, struct kp_producer_batch *batch,
                      int32_t node, uint32_t held, int64_t left_ms)
{
    if (batch->held_mask == held) {
        return;
    }
    batch->held_mask = held;
    KB_TRACE(accumulator->options.trace, 0, BATCH_HELD, batch_held, .left_ms = left_ms,
             .batch = batch->number, .topic = batch->partition->topic->trace_name,
             .partition = batch->partition->partition, .node = node, .held = held);
}

static void note_ready(const struct kp_record_accumulator *accumulator, struct kp_producer_batch *batch,
                       int32_t node, uint32_t left, int64_t now_ms)
{
    /* The same as the last time, perhaps held since then for a reason of the sender's. */
    if (batch->left_mask == left) {
        return;
    }
    batch->left_mask = left;
    batch->held_mask = 0;
    KB_TRACE(accumulator->options.trace, 0, BATCH_READY, batch_ready,
             .waited_ms = kp_producer_batch_waited_ms(batch, now_ms), .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .node = node, .left = left);
}

void kp_record_accumulator_note_held_node(struct kp_record_accumulator *accumulator, int32_t node,
                                          uint32_t held, int64_t left_ms, int64_t now_ms)
{
    if (accumulator->options.trace == NULL) {
        return;
    }
    accumulator->ready_look.is_valid = false; /* what is noted here is noted anew then */
    KB_LIST_FOR_EACH(active, &accumulator->active)
    {
        struct kp_partition_queue *queue = kp_active_queue(active);
        struct kp_producer_batch *batch = kp_partition_queue_first(queue);
        if (!queue->is_muted && leader_of(accumulator, queue->partition) == node &&
            left_why(accumulator, queue, batch, now_ms) != 0) {
            note_held(accumulator, batch, node, held, left_ms);
        }
    }
}

void kp_record_accumulator_note_held_all(struct kp_record_accumulator *accumulator, uint32_t held,
                                         int64_t left_ms, int64_t now_ms)
{
    (void)now_ms;
    if (accumulator->options.trace == NULL) {
        return;
    }
    accumulator->ready_look.is_valid = false;
    KB_LIST_FOR_EACH(active, &accumulator->active)
    {
        struct kp_partition_queue *queue = kp_active_queue(active);
        note_held(accumulator, kp_partition_queue_first(queue), leader_of(accumulator, queue->partition),
                  held, left_ms);
    }
}

/* --- Ready */

/* Without memory a node or topic is left out, and comes in a later pass. */
static void add_ready_node(struct kp_record_accumulator *accumulator, int32_t node)
{
    uint32_t place = accumulator->ready_node_count;
    while (place > 0 && accumulator->ready_nodes[place - 1] > node) {
        place--;
    }
    if ((place > 0 && accumulator->ready_nodes[place - 1] == node) ||
        !kp_grow(accumulator->options.allocator, &accumulator->ready_nodes, &accumulator->ready_node_capacity,
                 accumulator->ready_node_count + 1, sizeof *accumulator->ready_nodes)) {
        return;
    }
    for (uint32_t i = accumulator->ready_node_count; i > place; i--) {
        accumulator->ready_nodes[i] = accumulator->ready_nodes[i - 1];
    }
    accumulator->ready_nodes[place] = node;
    accumulator->ready_node_count++;
}

static bool is_ready_node(const struct kp_record_accumulator *accumulator, int32_t node)
{
    for (uint32_t i = 0; i < accumulator->ready_node_count; i++) {
        if (accumulator->ready_nodes[i] == node) {
            return true;
        }
    }
    return false;
}

static void add_unknown_leader_topic(struct kp_record_accumulator *accumulator, const struct kp_topic *topic)
{
    uint32_t place = accumulator->unknown_leader_topic_count;
    while (place > 0 && accumulator->unknown_leader_topics[place - 1]->index > topic->index) {
        place--;
    }
    if ((place > 0 && accumulator->unknown_leader_topics[place - 1] == topic) ||
        !kp_grow(accumulator->options.allocator, &accumulator->unknown_leader_topics,
                 &accumulator->unknown_leader_topic_capacity, accumulator->unknown_leader_topic_count + 1,
                 sizeof *accumulator->unknown_leader_topics)) {
        return;
    }
    for (uint32_t i = accumulator->unknown_leader_topic_count; i > place; i--) {
        accumulator->unknown_leader_topics[i] = accumulator->unknown_leader_topics[i - 1];
    }
    accumulator->unknown_leader_topics[place] = topic;
    accumulator->unknown_leader_topic_count++;
}

/* Decide about one head batch, and tell why. */
static void check_head(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                       int64_t now_ms)
{
    struct kp_producer_batch *batch = kp_partition_queue_first(queue);
    int32_t leader = leader_of(accumulator, queue->partition);
    uint32_t left = left_why(accumulator, queue, batch, now_ms);
    uint32_t held = 0;
    if (left == 0) {
        held |= is_backing_off(accumulator, batch, now_ms) ? KB_HELD_BACKOFF : KB_HELD_LINGER;
    }
    if (leader == KP_NODE_NONE) {
        held |= KB_HELD_NO_LEADER;
        add_unknown_leader_topic(accumulator, queue->partition->topic);
    } else if (queue->is_muted) {
        held |= KB_HELD_MUTED;
    }
    if (held != 0) {
        batch->left_mask = 0;
        note_held(accumulator, batch, leader == KP_NODE_NONE ? -1 : leader, held,
                  left == 0 ? time_left_ms(accumulator, batch, now_ms) : 0);
    } else {
        note_ready(accumulator, batch, leader, left, now_ms);
        add_ready_node(accumulator, leader);
    }
}

static bool is_true_still(const struct kp_record_accumulator *accumulator, const struct kp_look *look,
                          int64_t now_ms)
{
    return look->is_valid && look->now_ms == now_ms && look->conditions == conditions(accumulator) &&
           look->metadata_version == kp_producer_metadata_update_version(accumulator->options.metadata);
}

static void remember(const struct kp_record_accumulator *accumulator, struct kp_look *look, int64_t now_ms)
{
    look->is_valid = true;
    look->now_ms = now_ms;
    look->conditions = conditions(accumulator);
    look->metadata_version = kp_producer_metadata_update_version(accumulator->options.metadata);
    while (kb_list_pop_front(&look->fresh) != NULL) {
    }
}

/* Java looks no further at a partition whose node is ready already; which those are depends on the order of
 * its hash table, so here none of them counts. */
static int64_t delay_of(const struct kp_record_accumulator *accumulator,
                        const struct kp_partition_queue *queue, int64_t now_ms)
{
    int32_t leader = leader_of(accumulator, queue->partition);
    return leader == KP_NODE_NONE || queue->is_muted || is_ready_node(accumulator, leader)
               ? INT64_MAX
               : time_left_ms(accumulator, kp_partition_queue_first(queue), now_ms);
}

static void look_at_all(struct kp_record_accumulator *accumulator, int64_t now_ms)
{
    struct kp_look *look = &accumulator->ready_look;
    accumulator->ready_node_count = 0;
    accumulator->unknown_leader_topic_count = 0;
    KB_LIST_FOR_EACH(active, &accumulator->active)
    {
        check_head(accumulator, kp_active_queue(active), now_ms);
    }
    look->found_ms = INT64_MAX;
    KB_LIST_FOR_EACH(active, &accumulator->active)
    {
        int64_t delay_ms = delay_of(accumulator, kp_active_queue(active), now_ms);
        look->found_ms = delay_ms < look->found_ms ? delay_ms : look->found_ms;
    }
    remember(accumulator, look, now_ms);
}

/* false: they make a node ready that was not, or leave one that waited: then all count anew. */
static bool look_at_fresh(struct kp_record_accumulator *accumulator, int64_t now_ms)
{
    struct kp_look *look = &accumulator->ready_look;
    uint32_t ready_node_count = accumulator->ready_node_count;
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&look->fresh)) != NULL) {
        struct kp_partition_queue *queue = KB_CONTAINER_OF(node, struct kp_partition_queue, fresh_for_ready);
        check_head(accumulator, queue, now_ms);
        if (accumulator->ready_node_count != ready_node_count) {
            return false;
        }
        int64_t delay_ms = delay_of(accumulator, queue, now_ms);
        look->found_ms = delay_ms < look->found_ms ? delay_ms : look->found_ms;
    }
    return true;
}

void kp_record_accumulator_ready(struct kp_record_accumulator *accumulator, int64_t now_ms,
                                 struct kp_ready_check *out)
{
    if (!is_true_still(accumulator, &accumulator->ready_look, now_ms) ||
        !look_at_fresh(accumulator, now_ms)) {
        look_at_all(accumulator, now_ms);
    }
    *out = (struct kp_ready_check){.ready_nodes = accumulator->ready_nodes,
                                   .ready_node_count = accumulator->ready_node_count,
                                   .next_ready_check_delay_ms = accumulator->ready_look.found_ms,
                                   .unknown_leader_topics = accumulator->unknown_leader_topics,
                                   .unknown_leader_topic_count = accumulator->unknown_leader_topic_count};
}

/* --- Drain */

/* A bit of enum kb_held, or 0. Kafka: shouldStopDrainBatchesForPartition. */
static uint32_t stop_why(const struct kp_transaction_manager *manager, const struct kp_producer_batch *first)
{
    const struct kp_topic_partition *partition = first->partition;
    if (manager == NULL) {
        return 0;
    }
    if (!kp_transaction_manager_is_send_allowed(manager, partition)) {
        return KB_HELD_NOT_IN_TXN;
    }
    if (!kp_producer_identity_is_valid(kp_transaction_manager_identity(manager))) {
        return KB_HELD_NO_PRODUCER_ID;
    }
    if (!kp_producer_batch_has_sequence(first)) {
        /* A batch of a new epoch, with sequence 0, must not overtake those of the old one. */
        if (kp_transaction_manager_has_inflight_batches(manager, partition) &&
            kp_transaction_manager_has_stale_identity(manager, partition)) {
            return KB_HELD_STALE_EPOCH;
        }
        if (kp_transaction_manager_has_unresolved_sequence(manager, partition)) {
            return KB_HELD_UNRESOLVED_SEQUENCE;
        }
        return 0;
    }
    /* It is a retry: one at a time, in the order of the sequences. */
    int32_t first_in_flight = kp_transaction_manager_first_in_flight_sequence(manager, partition);
    if (first_in_flight != KW_NO_SEQUENCE && kp_producer_batch_base_sequence(first) != first_in_flight) {
        return KB_HELD_EARLIER_SEQUENCE;
    }
    return 0;
}

/* A batch that never had a sequence gets the next ones of its partition. */
static void assign_sequence(struct kp_transaction_manager *manager, struct kp_producer_batch *batch)
{
    if (manager == NULL || kp_producer_batch_has_sequence(batch)) {
        return;
    }
    struct kp_producer_identity identity = kp_transaction_manager_identity(manager);
    kp_transaction_manager_maybe_update_identity(manager, batch->partition);
    kp_producer_batch_set_producer_state(batch, identity.producer_id, identity.epoch,
                                         kp_transaction_manager_sequence_number(manager, batch->partition),
                                         kp_transaction_manager_is_transactional(manager));
    kp_transaction_manager_increment_sequence_number(manager, batch->partition, (int32_t)batch->record_count);
    kp_transaction_manager_add_in_flight_batch(manager, batch);
}

static void take_head(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                      int32_t node, int64_t now_ms, struct kp_batch_list *out)
{
    struct kp_producer_batch *batch = kp_partition_queue_first(queue);
    uint32_t left = left_why(accumulator, queue, batch, now_ms);
    kp_accumulator_remove(accumulator, queue, batch);
    assign_sequence(accumulator->options.transaction_manager, batch);
    kp_producer_batch_close(batch);
    kp_batch_list_add(out, batch);
    batch->drained_ms = batch->drained_ms > now_ms ? batch->drained_ms : now_ms;
    KB_TRACE(accumulator->options.trace, 0, BATCH_DRAINED, batch_drained,
             .queued_ms = batch->drained_ms - batch->created_ms, .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .node = node, .bytes = kp_producer_batch_size_bytes(batch), .records = batch->record_count,
             .left = left != 0 ? left : KB_LEFT_PIGGYBACK);
}

/* The queues of a node that are not empty, by their distance from where the drain begins. Idle partitions are
 * not looked at, however many there are. Without memory nothing is drained in this pass. */
static bool order_queues(struct kp_record_accumulator *accumulator, const struct kp_node *node,
                         uint32_t start)
{
    uint64_t sequence = 0;
    KB_LIST_FOR_EACH(active, &accumulator->active)
    {
        struct kp_partition_queue *queue = kp_active_queue(active);
        const struct kp_partition_metadata *known =
            kp_producer_metadata_partition(accumulator->options.metadata, queue->partition);
        if (known->leader != node->id) {
            continue;
        }
        uint32_t distance = (known->place_in_node + node->partition_count - start) % node->partition_count;
        if (!kb_heap_push(&accumulator->drain_order, &queue->drain_node, distance, sequence++)) {
            return false;
        }
    }
    return true;
}

static struct kp_partition_queue *next_queue(struct kp_record_accumulator *accumulator, uint32_t *distance)
{
    const struct kb_heap_entry *first = kb_heap_first(&accumulator->drain_order);
    if (first == NULL) {
        return NULL;
    }
    *distance = (uint32_t)first->key;
    struct kb_heap_node *popped = kb_heap_pop(&accumulator->drain_order);
    return KB_CONTAINER_OF(popped, struct kp_partition_queue, drain_node);
}

/* The drain of a node has stopped: what is ready and was not looked at waits for the next pass. */
static void pass_over_rest(struct kp_record_accumulator *accumulator, int32_t node, bool has_stopped,
                           int64_t now_ms)
{
    struct kp_partition_queue *queue;
    uint32_t distance;
    while ((queue = next_queue(accumulator, &distance)) != NULL) {
        struct kp_producer_batch *batch = kp_partition_queue_first(queue);
        if (has_stopped && accumulator->options.trace != NULL && !queue->is_muted &&
            left_why(accumulator, queue, batch, now_ms) != 0) {
            note_held(accumulator, batch, node, KB_HELD_DRAIN_STOPPED, 0);
            accumulator->ready_look.is_valid = false;
        }
    }
}

void kp_record_accumulator_drain_node(struct kp_record_accumulator *accumulator, int32_t node_id,
                                      int32_t max_size_bytes, int64_t now_ms, struct kp_batch_list *out)
{
    *out = (struct kp_batch_list){0};
    const struct kp_node *node = kp_producer_metadata_find_node(accumulator->options.metadata, node_id);
    if (node == NULL || node->partition_count == 0) {
        return;
    }
    /* After a whole turn the index is where it was; after a stop, behind the partition that stopped it. */
    uint32_t start = accumulator->drain_index % node->partition_count;
    accumulator->drain_index = start;
    if (!order_queues(accumulator, node, start)) {
        pass_over_rest(accumulator, node_id, false, now_ms);
        return;
    }
    int64_t size_bytes = 0;
    struct kp_partition_queue *queue;
    uint32_t distance;
    while ((queue = next_queue(accumulator, &distance)) != NULL) {
        struct kp_producer_batch *first = kp_partition_queue_first(queue);
        if (queue->is_muted || is_backing_off(accumulator, first, now_ms)) {
            continue;
        }
        /* The first batch always goes. */
        uint32_t held = out->count > 0 && size_bytes + kp_producer_batch_size_bytes(first) > max_size_bytes
                            ? (uint32_t)KB_HELD_REQUEST_CAP
                            : stop_why(accumulator->options.transaction_manager, first);
        if (held != 0) {
            accumulator->drain_index = (start + distance + 1) % node->partition_count;
            note_held(accumulator, first, node_id, held, 0);
            pass_over_rest(accumulator, node_id, true, now_ms);
            return;
        }
        take_head(accumulator, queue, node_id, now_ms, out);
        size_bytes += kp_producer_batch_size_bytes(first);
    }
}

/* --- Expiry and deadlines */

void kp_record_accumulator_reset_next_expiry(struct kp_record_accumulator *accumulator)
{
    accumulator->next_expiry_ms = INT64_MAX;
}

void kp_record_accumulator_update_next_expiry(struct kp_record_accumulator *accumulator, int64_t created_ms)
{
    int64_t expiry_ms = created_ms + accumulator->options.delivery_timeout_ms;
    if (expiry_ms > 0 && expiry_ms < accumulator->next_expiry_ms) {
        accumulator->next_expiry_ms = expiry_ms;
    }
}

int64_t kp_record_accumulator_next_expiry_ms(const struct kp_record_accumulator *accumulator)
{
    return accumulator->next_expiry_ms;
}

/* When the oldest of the heads was created; INT64_MAX: there is none. */
static int64_t oldest_head_ms(struct kp_record_accumulator *accumulator)
{
    if (!accumulator->is_oldest_known) {
        accumulator->oldest_ms = INT64_MAX;
        KB_LIST_FOR_EACH(active, &accumulator->active)
        {
            int64_t created_ms = kp_partition_queue_first(kp_active_queue(active))->created_ms;
            accumulator->oldest_ms =
                created_ms < accumulator->oldest_ms ? created_ms : accumulator->oldest_ms;
        }
        accumulator->is_oldest_known = true;
    }
    return accumulator->oldest_ms;
}

static void take_expired(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                         int64_t now_ms, struct kp_batch_list *out)
{
    struct kp_producer_batch *batch;
    while ((batch = kp_partition_queue_first(queue)) != NULL &&
           kp_producer_batch_has_reached_delivery_timeout(batch, accumulator->options.delivery_timeout_ms,
                                                          now_ms)) {
        kp_accumulator_remove(accumulator, queue, batch);
        kp_producer_batch_abort_appends(batch);
        kp_batch_list_add(out, batch);
        KB_TRACE(accumulator->options.trace, 0, BATCH_EXPIRED, batch_expired,
                 .age_ms = now_ms - batch->created_ms, .batch = batch->number,
                 .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
                 .in_flight = 0);
    }
}

void kp_record_accumulator_expired(struct kp_record_accumulator *accumulator, int64_t now_ms,
                                   struct kp_batch_list *out)
{
    *out = (struct kp_batch_list){0};
    int64_t oldest_ms = oldest_head_ms(accumulator);
    if (oldest_ms != INT64_MAX && now_ms - oldest_ms >= accumulator->options.delivery_timeout_ms) {
        struct kb_list_node *active = kb_list_first(&accumulator->active);
        while (active != NULL) {
            struct kp_partition_queue *queue = kp_active_queue(active);
            active = kb_list_next(&accumulator->active, active); /* an emptied queue leaves the list */
            take_expired(accumulator, queue, now_ms, out);
        }
        oldest_ms = oldest_head_ms(accumulator);
    }
    if (oldest_ms != INT64_MAX) {
        kp_record_accumulator_update_next_expiry(accumulator, oldest_ms);
    }
}

/* When linger or back-off of the head are over; INT64_MAX: it waits for neither. */
static int64_t deadline_of(const struct kp_record_accumulator *accumulator,
                           const struct kp_partition_queue *queue, int64_t now_ms)
{
    const struct kp_producer_batch *batch = kp_partition_queue_first(queue);
    return !queue->is_muted && left_why(accumulator, queue, batch, now_ms) == 0
               ? now_ms + time_left_ms(accumulator, batch, now_ms)
               : INT64_MAX;
}

static void count_deadline(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           int64_t deadline_ms)
{
    struct kp_look *look = &accumulator->deadline_look;
    queue->has_deadline = deadline_ms != INT64_MAX;
    look->found_ms = deadline_ms < look->found_ms ? deadline_ms : look->found_ms;
}

/* false: one of them counted and does so no more. */
static bool count_fresh_deadlines(struct kp_record_accumulator *accumulator, int64_t now_ms)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&accumulator->deadline_look.fresh)) != NULL) {
        struct kp_partition_queue *queue =
            KB_CONTAINER_OF(node, struct kp_partition_queue, fresh_for_deadline);
        int64_t deadline_ms = deadline_of(accumulator, queue, now_ms);
        if (deadline_ms == INT64_MAX && queue->has_deadline) {
            return false;
        }
        count_deadline(accumulator, queue, deadline_ms);
    }
    return true;
}

int64_t kp_record_accumulator_next_deadline_ms(struct kp_record_accumulator *accumulator, int64_t now_ms)
{
    struct kp_look *look = &accumulator->deadline_look;
    if (!is_true_still(accumulator, look, now_ms) || !count_fresh_deadlines(accumulator, now_ms)) {
        look->found_ms = INT64_MAX;
        KB_LIST_FOR_EACH(active, &accumulator->active)
        {
            struct kp_partition_queue *queue = kp_active_queue(active);
            count_deadline(accumulator, queue, deadline_of(accumulator, queue, now_ms));
        }
        remember(accumulator, look, now_ms);
    }
    int64_t oldest_ms = oldest_head_ms(accumulator);
    int64_t expiry_ms =
        oldest_ms != INT64_MAX ? oldest_ms + accumulator->options.delivery_timeout_ms : INT64_MAX;
    return expiry_ms < look->found_ms ? expiry_ms : look->found_ms;
}
