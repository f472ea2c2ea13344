/*
 * What the requests to coordinators say, from what was fixed when they were made. Kafka: the request builders
 * of TransactionManager's TxnRequestHandlers.
 */
#include "base/assert.h"
#include "core/transaction_manager_internal.h"

#include <string.h>

static struct kw_string text_of(const char *text)
{
    return text != NULL ? (struct kw_string){text, (int32_t)strlen(text)} : (struct kw_string){NULL, -1};
}

int16_t kp_txn_api_key(const struct kp_txn_request *request)
{
    switch (request->kind) {
    case KP_TXN_FIND_COORDINATOR:
        return KW_API_FIND_COORDINATOR;
    case KP_TXN_INIT_PRODUCER_ID:
        return KW_API_INIT_PRODUCER_ID;
    case KP_TXN_ADD_PARTITIONS:
        return KW_API_ADD_PARTITIONS_TO_TXN;
    case KP_TXN_ADD_OFFSETS:
        return KW_API_ADD_OFFSETS_TO_TXN;
    case KP_TXN_OFFSET_COMMIT:
        return KW_API_TXN_OFFSET_COMMIT;
    case KP_TXN_END:
        return KW_API_END_TXN;
    }
    KB_UNREACHABLE();
}

/* From version 4 on a request names several keys. */
static const void *find_coordinator(const struct kp_txn_request *request, int16_t max_version,
                                    struct kb_arena *arena)
{
    enum { FIRST_VERSION_WITH_KEYS = 4 };
    struct kw_find_coordinator_request *message = kb_arena_allocate(arena, sizeof(*message));
    struct kw_string *key = kb_arena_allocate(arena, sizeof(*key));

    if (message == NULL || key == NULL) {
        return NULL;
    }
    kw_find_coordinator_request_init(message);
    message->key_type = request->wanted_type == KP_COORDINATOR_TRANSACTION ? 1 : 0;
    if (max_version >= 0 && max_version < FIRST_VERSION_WITH_KEYS) {
        message->key = text_of(request->key);
        return message;
    }
    *key = text_of(request->key);
    message->coordinator_keys.items = key;
    message->coordinator_keys.count = 1;
    return message;
}

static const void *init_producer_id(const struct kp_transaction_manager *manager,
                                    const struct kp_txn_request *request, struct kb_arena *arena)
{
    struct kw_init_producer_id_request *message = kb_arena_allocate(arena, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    kw_init_producer_id_request_init(message);
    message->transactional_id = text_of(manager->transactional_id);
    message->transaction_timeout_ms =
        manager->transactional_id != NULL ? manager->options.transaction_timeout_ms : INT32_MAX;
    message->producer_id = request->identity.producer_id;
    message->producer_epoch = request->identity.epoch;
    return message;
}

/* Partitions are in the order of their indices; topics in that in which they are met first. */
static const void *add_partitions(const struct kp_transaction_manager *manager,
                                  const struct kp_txn_request *request, struct kb_arena *arena)
{
    struct kw_add_partitions_to_txn_request *message = kb_arena_allocate(arena, sizeof(*message));
    struct kw_add_partitions_to_txn_request_topic *topics =
        kb_arena_allocate_zeroed(arena, (size_t)request->count + 1, sizeof(*topics));
    int32_t topic_count = 0;

    if (message == NULL || topics == NULL) {
        return NULL;
    }
    kw_add_partitions_to_txn_request_init(message);
    message->transactional_id = text_of(manager->transactional_id);
    message->producer_id = request->identity.producer_id;
    message->producer_epoch = request->identity.epoch;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct kp_topic *topic = request->partitions[i]->topic;
        int32_t t = 0;

        while (t < topic_count && topics[t].name.data != topic->name) {
            t++;
        }
        if (t == topic_count) {
            kw_add_partitions_to_txn_request_topic_init(&topics[t]);
            topics[t].name = (struct kw_string){topic->name, (int32_t)topic->name_length_bytes};
            topics[t].partitions.items =
                kb_arena_allocate(arena, request->count * sizeof(*topics[t].partitions.items));
            if (topics[t].partitions.items == NULL) {
                return NULL;
            }
            topic_count++;
        }
        topics[t].partitions.items[topics[t].partitions.count++] = request->partitions[i]->partition;
    }
    message->topics.items = topics;
    message->topics.count = topic_count;
    return message;
}

static const void *add_offsets(const struct kp_transaction_manager *manager,
                               const struct kp_txn_request *request, struct kb_arena *arena)
{
    struct kw_add_offsets_to_txn_request *message = kb_arena_allocate(arena, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    kw_add_offsets_to_txn_request_init(message);
    message->transactional_id = text_of(manager->transactional_id);
    message->producer_id = request->identity.producer_id;
    message->producer_epoch = request->identity.epoch;
    message->group_id = text_of(request->key);
    return message;
}

static const void *offset_commit(const struct kp_transaction_manager *manager,
                                 const struct kp_txn_request *request, struct kb_arena *arena)
{
    struct kw_txn_offset_commit_request *message = kb_arena_allocate(arena, sizeof(*message));
    struct kw_txn_offset_commit_request_topic *topics =
        kb_arena_allocate_zeroed(arena, (size_t)request->count + 1, sizeof(*topics));
    int32_t topic_count = 0;

    if (message == NULL || topics == NULL) {
        return NULL;
    }
    kw_txn_offset_commit_request_init(message);
    message->transactional_id = text_of(manager->transactional_id);
    message->group_id = text_of(request->key);
    message->producer_id = request->identity.producer_id;
    message->producer_epoch = request->identity.epoch;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct kp_txn_offset *offset = &request->offsets[i];
        const struct kp_topic *topic = offset->partition->topic;
        struct kw_txn_offset_commit_request_partition *partition;
        int32_t t = 0;

        while (t < topic_count && topics[t].name.data != topic->name) {
            t++;
        }
        if (t == topic_count) {
            kw_txn_offset_commit_request_topic_init(&topics[t]);
            topics[t].name = (struct kw_string){topic->name, (int32_t)topic->name_length_bytes};
            topics[t].partitions.items =
                kb_arena_allocate(arena, request->count * sizeof(*topics[t].partitions.items));
            if (topics[t].partitions.items == NULL) {
                return NULL;
            }
            topic_count++;
        }
        partition = &topics[t].partitions.items[topics[t].partitions.count++];
        kw_txn_offset_commit_request_partition_init(partition);
        partition->partition_index = offset->partition->partition;
        partition->committed_offset = offset->offset;
        partition->committed_leader_epoch = offset->leader_epoch;
        partition->committed_metadata = text_of(offset->metadata);
    }
    message->topics.items = topics;
    message->topics.count = topic_count;
    return message;
}

static const void *end_txn(const struct kp_transaction_manager *manager, const struct kp_txn_request *request,
                           struct kb_arena *arena)
{
    struct kw_end_txn_request *message = kb_arena_allocate(arena, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    kw_end_txn_request_init(message);
    message->transactional_id = text_of(manager->transactional_id);
    message->producer_id = request->identity.producer_id;
    message->producer_epoch = request->identity.epoch;
    message->committed = request->is_commit;
    return message;
}

bool kp_transaction_manager_fill(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                 int16_t max_version, struct kb_arena *arena, struct kp_client_request *out)
{
    const struct kw_api *api = kw_api_find(kp_txn_api_key(request));

    *out = (struct kp_client_request){
        .api_key = api->key,
        .oldest_version = api->min_version,
        .latest_version = api->max_version,
        .expects_response = true,
        .callback = kp_txn_on_complete,
        .context = manager,
        .subject = request,
    };
    switch (request->kind) {
    case KP_TXN_FIND_COORDINATOR:
        /* Version 0 knows only groups. */
        if (request->wanted_type == KP_COORDINATOR_TRANSACTION) {
            out->oldest_version = 1;
        }
        out->message = find_coordinator(request, max_version, arena);
        break;
    case KP_TXN_INIT_PRODUCER_ID:
        out->message = init_producer_id(manager, request, arena);
        break;
    case KP_TXN_ADD_PARTITIONS:
        out->message = add_partitions(manager, request, arena);
        break;
    case KP_TXN_ADD_OFFSETS:
        out->message = add_offsets(manager, request, arena);
        break;
    case KP_TXN_OFFSET_COMMIT:
        out->message = offset_commit(manager, request, arena);
        break;
    case KP_TXN_END:
        out->message = end_txn(manager, request, arena);
        break;
    }
    return out->message != NULL;
}
