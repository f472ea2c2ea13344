#include "core/producer_internal.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "core/memory.h"
#include "wire/record.h"

#include <inttypes.h>
#include <string.h>

/* --- The send object */

static struct kp_send *take_send(struct kp_producer *producer)
{
    struct kp_send *send = producer->free_sends;
    if (send != NULL) {
        producer->free_sends = send->next_free;
        return send;
    }
    return kb_allocate_zeroed(producer->allocator, 1, sizeof *send);
}

/* Only where it must be: copying what the caller has just written waits until the writes are done, which cost
 * more than any other step of a record. */
static void keep_record(struct kp_send *send)
{
    if (send->record != &send->kept_record) {
        send->kept_record = *send->record;
        send->record = &send->kept_record;
    }
}

static void give_send_back(struct kp_producer *producer, struct kp_send *send)
{
    kp_waiting_end(producer, &send->waiting);
    send->next_free = producer->free_sends;
    producer->free_sends = send;
}

void kp_send_destroy(struct kp_producer *producer, struct kp_send *send)
{
    if (send->append.waiter.is_waiting) {
        kp_buffer_pool_abandon(kp_record_accumulator_pool(producer->accumulator), &send->append.waiter);
    }
    kp_serialized_release(&send->key_scratch, producer->allocator);
    kp_serialized_release(&send->value_scratch, producer->allocator);
    kb_deallocate(producer->allocator, send->headers, send->header_capacity * sizeof *send->headers);
    kb_deallocate(producer->allocator, send, sizeof *send);
}

/* --- Ends */

/* The catch blocks of doSend: an ApiException comes as a failed future, everything else is thrown. */
static void finish_failed(struct kp_producer *producer, struct kp_send *send, bool is_api_exception,
                          enum kw_error error, struct kp_outcome *out)
{
    out->kind = is_api_exception ? KP_OUTCOME_FAILED : KP_OUTCOME_THROWN;
    int32_t partition = send->partition >= 0 ? send->partition : send->record->partition;
    KB_TRACE(producer->trace, 0, RECORD_REJECTED, record_rejected, .record = send->record->id,
             .topic = send->topic != NULL ? send->topic->trace_name : 0, .error = (int32_t)error,
             .thrown = !is_api_exception);
    kp_interceptors_on_send_error(&producer->interceptors, send->record->topic,
                                  partition < 0 ? -1 : partition, &out->failure);
    give_send_back(producer, send);
}

static void finish_no_memory(struct kp_producer *producer, struct kp_send *send, struct kp_outcome *out)
{
    kp_failure_throw(&out->failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                     kw_error_message(KW_ERROR_OUT_OF_MEMORY));
    finish_failed(producer, send, false, KW_ERROR_OUT_OF_MEMORY, out);
}

static void finish_appended(struct kp_producer *producer, struct kp_send *send, struct kp_outcome *out)
{
    const struct kp_append *append = &send->append;
    if (producer->transaction_manager != NULL &&
        kp_transaction_manager_is_transactional(producer->transaction_manager)) {
        kp_transaction_manager_maybe_add_partition(producer->transaction_manager, append->partition);
    }
    out->kind = KP_OUTCOME_DONE;
    out->partition = append->partition->partition;
    out->wakes_sender = append->wakes_sender;
    if (out->wakes_sender) {
        KB_TRACE(producer->trace, 0, SENDER_WOKEN, sender_woken, .record = send->record->id);
    }
    give_send_back(producer, send);
}

static void block(struct kp_producer *producer, struct kp_send *send, enum kp_waiting_kind kind,
                  int64_t deadline_ms, int64_t now_ms, struct kp_outcome *out)
{
    kp_waiting_begin(producer, &send->waiting, kind, deadline_ms, now_ms, out);
    send->awaits_memory_since_ms = now_ms;
    KB_TRACE(producer->trace, 0, THREAD_BLOCKED, thread_blocked, .deadline_ms = deadline_ms,
             .record = send->record->id, .wait = out->wait,
             .bytes = kind == KP_WAITING_FOR_MEMORY ? send->append.waiter.size_bytes : 0);
}

static void announce_unblocked(const struct kp_producer *producer, const struct kp_send *send,
                               enum kw_error error, int64_t now_ms)
{
    if (send->waiting.ticket != 0) {
        KB_TRACE(producer->trace, 0, THREAD_UNBLOCKED, thread_unblocked,
                 .waited_ms = now_ms - send->waiting.since_ms, .record = send->record->id,
                 .wait = send->waiting.kind == KP_WAITING_FOR_METADATA ? KB_WAIT_METADATA : KB_WAIT_MEMORY,
                 .error = (int32_t)error);
    }
}

/* --- Into the accumulator */

static void after_append(struct kp_producer *producer, struct kp_send *send, enum kp_accumulate result,
                         enum kw_error error, int64_t now_ms, struct kp_outcome *out)
{
    switch (result) {
    case KP_ACCUMULATE_APPENDED:
        finish_appended(producer, send, out);
        return;
    case KP_ACCUMULATE_BLOCKED:
        if (send->waiting.ticket != 0 && send->waiting.kind == KP_WAITING_FOR_MEMORY) {
            kp_waiting_continue(&send->waiting, out);
        } else {
            block(producer, send, KP_WAITING_FOR_MEMORY, send->append.waiter.deadline_ms, now_ms, out);
        }
        return;
    case KP_ACCUMULATE_FAILED:
        /* BufferExhaustedException is a TimeoutException, hence an ApiException. */
        finish_failed(producer, send, error == KW_ERROR_BUFFER_EXHAUSTED, error, out);
        return;
    case KP_ACCUMULATE_ABORTED:
        break;
    }
    KB_UNREACHABLE();
}

/* Kafka: KafkaProducer.partition. False: the send is over. */
static bool choose_partition(struct kp_producer *producer, struct kp_send *send, struct kp_outcome *out)
{
    struct kp_topic_view view;
    kp_producer_metadata_topic_view(producer->metadata, send->topic, &view);
    struct kp_partition_choice choice = {send->record->partition, KB_PARTITION_WHY_EXPLICIT, 0};
    if (send->record->partition < 0 &&
        !kp_partitioner_choose(&producer->partitioner, send->topic, &view, send->key, send->value, &choice,
                               &out->failure)) {
        finish_failed(producer, send, false, kp_error_of_failure(&out->failure), out);
        return false;
    }
    if (choice.partition != send->partition) {
        KB_TRACE(producer->trace, 0, RECORD_PARTITIONED, record_partitioned, .record = send->record->id,
                 .topic = send->topic->trace_name, .partition = choice.partition, .why = (int32_t)choice.why,
                 .murmur2 = choice.murmur2, .partition_count = view.partition_count);
    }
    send->partition = choice.partition;
    const struct kp_topic_partition *last = send->append.partition; /* perhaps of the record before */
    if (last == NULL || last->topic != send->topic || last->partition != choice.partition) {
        send->append.partition = kp_topics_partition(producer->topics, send->topic, choice.partition);
    }
    if (send->append.partition == NULL) {
        finish_no_memory(producer, send, out);
        return false;
    }
    return true;
}

/* Kafka: ensureValidRecordSize. False: the send is over. */
static bool check_size(struct kp_producer *producer, struct kp_send *send, struct kp_outcome *out)
{
    int64_t size_bytes = kw_record_batch_size_upper_bound_bytes(&send->append.fields);
    KB_TRACE(producer->trace, 0, RECORD_SIZE_CHECKED, record_size_checked, .upper_bound_bytes = size_bytes,
             .limit_bytes = producer->config->max_request_size_bytes, .record = send->record->id);
    if (size_bytes > producer->config->max_request_size_bytes) {
        kp_failure_throwf(&out->failure, "RecordTooLargeException",
                          "The message is %" PRId64 " bytes when serialized which is larger than %" PRId32
                          ", which is the value of the max.request.size configuration.",
                          size_bytes, producer->config->max_request_size_bytes);
    } else if (size_bytes > producer->config->buffer_memory_bytes) {
        kp_failure_throwf(&out->failure, "RecordTooLargeException",
                          "The message is %" PRId64
                          " bytes when serialized which is larger than the total memory buffer you have "
                          "configured with the buffer.memory configuration.",
                          size_bytes);
    } else {
        send->append.upper_bound_bytes = (int32_t)size_bytes; /* max.request.size is an int */
        return true;
    }
    finish_failed(producer, send, true, KW_ERROR_MESSAGE_TOO_LARGE, out);
    return false;
}

/* The rest of doSend behind the size check. Waiting for memory may end it for now. */
static void append(struct kp_producer *producer, struct kp_send *send, int64_t now_ms, struct kp_outcome *out)
{
    struct kp_transaction_manager *manager = producer->transaction_manager;
    if (manager != NULL && kp_transaction_manager_is_transactional(manager) &&
        !kp_transaction_manager_is_ready_for_send(manager, &out->failure)) {
        finish_failed(producer, send, false, kp_error_of_failure(&out->failure), out);
        return;
    }
    int64_t remaining_ms = producer->config->max_block_ms - send->waited_on_metadata_ms;
    remaining_ms = remaining_ms > 0 ? remaining_ms : 0;
    enum kw_error error = KW_ERROR_NONE;
    send->append.abort_on_new_batch = true;
    enum kp_accumulate result = kp_record_accumulator_append(producer->accumulator, &send->append,
                                                             remaining_ms, now_ms, &out->failure, &error);
    if (result == KP_ACCUMULATE_ABORTED) {
        /* A batch is about to be opened: the partitioner hears of it and may choose again. */
        struct kp_topic_view view;
        kp_producer_metadata_topic_view(producer->metadata, send->topic, &view);
        kp_partitioner_on_new_batch(&producer->partitioner, send->topic, &view, send->partition);
        if (!choose_partition(producer, send, out)) {
            return;
        }
        send->append.abort_on_new_batch = false;
        result = kp_record_accumulator_append(producer->accumulator, &send->append, remaining_ms, now_ms,
                                              &out->failure, &error);
    }
    after_append(producer, send, result, error, now_ms, out);
}

/* --- Serialization */

static struct kw_bytes bytes_of(struct kp_bytes bytes)
{
    static const uint8_t nothing[1] = {0};
    if (bytes.length_bytes < 0) {
        return (struct kw_bytes){NULL, 0};
    }
    return (struct kw_bytes){bytes.data != NULL ? bytes.data : nothing, bytes.length_bytes};
}

static bool copy_headers(struct kp_producer *producer, struct kp_send *send)
{
    const struct kp_record *record = send->record;
    if (!kp_grow(producer->allocator, &send->headers, &send->header_capacity, record->header_count,
                 sizeof *send->headers)) {
        return false;
    }
    for (uint32_t i = 0; i < record->header_count; i++) {
        send->headers[i].key = bytes_of(record->headers[i].key);
        send->headers[i].value = bytes_of(record->headers[i].value);
    }
    return true;
}

/* doSend from the serializers on. */
static void serialize(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                      struct kp_outcome *out)
{
    const struct kp_record *record = send->record;
    if (!kp_serializer_serialize(&producer->key_serializer, producer->allocator, record->topic, record->key,
                                 &send->key_scratch, &send->key, &out->failure) ||
        !kp_serializer_serialize(&producer->value_serializer, producer->allocator, record->topic,
                                 record->value, &send->value_scratch, &send->value, &out->failure)) {
        finish_failed(producer, send, false, kp_error_of_failure(&out->failure), out);
        return;
    }
    KB_TRACE(producer->trace, 0, RECORD_SERIALIZED, record_serialized, .record = record->id,
             .key_bytes = send->key.length_bytes, .value_bytes = send->value.length_bytes);
    if (!choose_partition(producer, send, out)) {
        return;
    }
    if (!copy_headers(producer, send)) {
        finish_no_memory(producer, send, out);
        return;
    }
    send->append.fields = (struct kw_record_fields){.key = bytes_of(send->key),
                                                    .value = bytes_of(send->value),
                                                    .headers = send->headers,
                                                    .header_count = (int32_t)record->header_count};
    send->append.record_id = record->id;
    send->append.timestamp_ms = record->timestamp_ms >= 0 ? record->timestamp_ms : now_ms;
    if (check_size(producer, send, out)) {
        append(producer, send, now_ms, out);
    }
}

/* --- Metadata. Kafka: waitOnMetadata */

static void metadata_known(struct kp_producer *producer, struct kp_send *send, int32_t partition_count,
                           int64_t now_ms, struct kp_outcome *out)
{
    send->waited_on_metadata_ms = now_ms - send->start_ms;
    KB_TRACE(producer->trace, 0, RECORD_METADATA_READY, record_metadata_ready,
             .waited_ms = send->waited_on_metadata_ms, .record = send->record->id,
             .topic = send->topic->trace_name, .partitions = partition_count);
    serialize(producer, send, now_ms, out);
}

static void metadata_failed(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                            struct kp_outcome *out)
{
    bool is_api_exception = true;
    if (kp_producer_metadata_is_closed(producer->metadata)) {
        kp_failure_wrap(&out->failure, "KafkaException", "Producer closed while send in progress");
        is_api_exception = false;
    }
    enum kw_error error = kp_error_of_failure(&out->failure);
    announce_unblocked(producer, send, error, now_ms);
    finish_failed(producer, send, is_api_exception, error, out);
}

static void throw_not_present(const struct kp_producer *producer, const struct kp_send *send,
                              bool names_partition, struct kp_failure *failure)
{
    if (names_partition) {
        kp_failure_throwf(failure, "TimeoutException",
                          "Partition %" PRId32 " of topic %s with partition count %" PRId32
                          " is not present in metadata after %" PRId64 " ms.",
                          send->record->partition, send->topic->name, send->old_partition_count,
                          producer->config->max_block_ms);
    } else {
        kp_failure_throwf(failure, "TimeoutException",
                          "Topic %s not present in metadata after %" PRId64 " ms.", send->topic->name,
                          producer->config->max_block_ms);
    }
}

/* A turn of the loop of waitOnMetadata, up to awaitUpdate. */
static void request_metadata(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                             struct kp_outcome *out)
{
    kp_producer_metadata_add(producer->metadata, send->topic, now_ms);
    send->awaited_version = kp_producer_metadata_request_update_for_topic(
        producer->metadata, send->topic,
        send->old_partition_count < 0 ? KB_METADATA_WHY_NEW_TOPIC : KB_METADATA_WHY_PARTITION_RANGE);
    out->wakes_sender = true;
    KB_TRACE(producer->trace, 0, SENDER_WOKEN, sender_woken, .record = send->record->id);
    if (kp_producer_metadata_throws_fatal(producer->metadata, &out->failure)) {
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    int64_t deadline_ms = kp_deadline_ms(send->start_ms, producer->config->max_block_ms);
    if (kp_producer_metadata_is_closed(producer->metadata)) {
        kp_failure_throw(&out->failure, "KafkaException", "Requested metadata update after close");
        metadata_failed(producer, send, now_ms, out);
    } else if (now_ms >= deadline_ms) {
        throw_not_present(producer, send, false, &out->failure);
        metadata_failed(producer, send, now_ms, out);
    } else if (send->waiting.ticket != 0) {
        kp_waiting_continue(&send->waiting, out);
    } else {
        block(producer, send, KP_WAITING_FOR_METADATA, deadline_ms, now_ms, out);
    }
}

static bool has_partition(const struct kp_send *send, int32_t partition_count)
{
    return partition_count >= 0 && send->record->partition < partition_count;
}

static void wait_on_metadata(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                             struct kp_outcome *out)
{
    int32_t partition_count = kp_producer_metadata_renew(producer->metadata, send->topic, now_ms);
    if (has_partition(send, partition_count)) {
        metadata_known(producer, send, partition_count, now_ms, out);
        return;
    }
    if (kp_producer_metadata_is_invalid_topic(producer->metadata, send->topic)) {
        kp_failure_throw(&out->failure, "InvalidTopicException", send->topic->name);
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    kp_producer_metadata_add(producer->metadata, send->topic, now_ms);
    send->old_partition_count = kp_producer_metadata_partition_count(producer->metadata, send->topic);
    request_metadata(producer, send, now_ms, out);
}

/* awaitUpdate is over; the rest of the turn. */
static void resume_metadata(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                            struct kp_outcome *out)
{
    const struct kp_producer_metadata *metadata = producer->metadata;
    if (kp_producer_metadata_throws_fatal(producer->metadata, &out->failure)) {
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    if (kp_producer_metadata_is_closed(metadata)) {
        kp_failure_throw(&out->failure, "KafkaException", "Requested metadata update after close");
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    bool is_updated = kp_producer_metadata_update_version(metadata) > send->awaited_version;
    if (!is_updated || now_ms >= send->waiting.deadline_ms) {
        throw_not_present(producer, send, is_updated && send->old_partition_count >= 0, &out->failure);
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    if (kp_producer_metadata_throws_for_topic(producer->metadata, send->topic, &out->failure)) {
        metadata_failed(producer, send, now_ms, out);
        return;
    }
    int32_t partition_count = kp_producer_metadata_partition_count(metadata, send->topic);
    send->old_partition_count = partition_count;
    if (has_partition(send, partition_count)) {
        announce_unblocked(producer, send, KW_ERROR_NONE, now_ms);
        metadata_known(producer, send, partition_count, now_ms, out);
        return;
    }
    request_metadata(producer, send, now_ms, out);
}

/* --- send() */

/* Kafka: the constructor of ProducerRecord. */
static bool is_record_valid(const struct kp_record *record, struct kp_failure *failure)
{
    if (record->topic == NULL) {
        kp_failure_throw(failure, "IllegalArgumentException", "Topic cannot be null.");
        return false;
    }
    if (record->timestamp_ms < -1) {
        kp_failure_throwf(failure, "IllegalArgumentException",
                          "Invalid timestamp: %" PRId64 ". Timestamp should always be non-negative or null.",
                          record->timestamp_ms);
        return false;
    }
    if (record->partition < -1) {
        kp_failure_throwf(failure, "IllegalArgumentException",
                          "Invalid partition: %" PRId32
                          ". Partition number should always be non-negative or null.",
                          record->partition);
        return false;
    }
    return true;
}

/* Records often have the topic of the one before. NULL: no memory. */
static const struct kp_topic *find_topic(struct kp_producer *producer, const char *name)
{
    if (producer->last_topic == NULL || strcmp(producer->last_topic->name, name) != 0) {
        producer->last_topic = kp_topics_topic(producer->topics, name, strlen(name));
    }
    return producer->last_topic;
}

/* Kafka: doSend, interceptors first. */
static void begin_send(struct kp_producer *producer, const struct kp_record *record, int64_t now_ms,
                       struct kp_outcome *out)
{
    struct kp_send *send = take_send(producer);
    if (send == NULL) {
        kp_failure_throw(&out->failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                         kw_error_message(KW_ERROR_OUT_OF_MEMORY));
        out->kind = KP_OUTCOME_THROWN;
        return;
    }
    send->record = record;
    send->topic = NULL;
    send->partition = -1;
    send->old_partition_count = -1;
    send->start_ms = now_ms;
    send->waited_on_metadata_ms = 0;
    if (producer->interceptors.count > 0) {
        keep_record(send);
        kp_interceptors_on_send(&producer->interceptors, &send->kept_record);
    }
    if (!kp_sender_is_running(producer->sender)) {
        kp_failure_throw(&out->failure, "IllegalStateException",
                         "Cannot perform operation after producer has been closed");
        finish_failed(producer, send, false, KW_ERROR_ILLEGAL_STATE, out);
        return;
    }
    send->topic = find_topic(producer, send->record->topic);
    if (send->topic == NULL) {
        finish_no_memory(producer, send, out);
        return;
    }
    wait_on_metadata(producer, send, now_ms, out);
}

/* Kafka: the catch blocks of doSend count what is a KafkaException; an Error passes through them. */
void kp_producer_measure_send(struct kp_producer *producer, const struct kp_outcome *outcome, int64_t now_ms)
{
    static const char *const others[] = {"IllegalStateException", "IllegalArgumentException",
                                         "ClassCastException",    "NullPointerException",
                                         "RuntimeException",      "OutOfMemoryError"};
    const char *exception = outcome->failure.thrown.exception;
    if (outcome->kind != KP_OUTCOME_FAILED && outcome->kind != KP_OUTCOME_THROWN) {
        return;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(exception, others[i]) == 0) {
            return;
        }
    }
    kp_producer_metrics_record(producer->metrics, KP_SENSOR_ERRORS, 1, now_ms);
    if (strcmp(exception, "BufferExhaustedException") == 0) {
        kp_producer_metrics_record(producer->metrics, KP_SENSOR_EXHAUSTED, 1, now_ms);
    }
}

void kp_producer_send(struct kp_producer *producer, const struct kp_record *record, int64_t now_ms,
                      struct kp_outcome *out)
{
    kp_outcome_clear(out);
    if (!is_record_valid(record, &out->failure)) {
        out->kind = KP_OUTCOME_THROWN; /* by the constructor of ProducerRecord: no send yet */
        return;
    }
    begin_send(producer, record, now_ms, out);
    if (out->kind != KP_OUTCOME_DONE) {
        kp_producer_measure_send(producer, out, now_ms);
    }
}

bool kp_send_is_runnable(const struct kp_producer *producer, const struct kp_send *send, int64_t now_ms)
{
    if (send->waiting.kind == KP_WAITING_FOR_MEMORY) {
        return kp_memory_waiter_is_runnable(&send->append.waiter, now_ms);
    }
    const struct kp_producer_metadata *metadata = producer->metadata;
    return kp_producer_metadata_update_version(metadata) > send->awaited_version ||
           kp_producer_metadata_is_closed(metadata) || kp_producer_metadata_has_fatal_error(metadata) ||
           now_ms >= send->waiting.deadline_ms;
}

void kp_send_resume(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                    struct kp_outcome *out)
{
    KB_ASSERT(kp_send_is_runnable(producer, send, now_ms));
    if (send->waiting.kind == KP_WAITING_FOR_METADATA) {
        resume_metadata(producer, send, now_ms, out);
        return;
    }
    enum kw_error error = KW_ERROR_NONE;
    kp_producer_metrics_record(producer->metrics, KP_SENSOR_WAIT_TIME,
                               (double)(now_ms - send->awaits_memory_since_ms) * 1e6, now_ms);
    send->awaits_memory_since_ms = now_ms;
    enum kp_accumulate result =
        kp_record_accumulator_resume(producer->accumulator, &send->append, now_ms, &out->failure, &error);
    if (result != KP_ACCUMULATE_BLOCKED) {
        announce_unblocked(producer, send, error, now_ms);
    }
    after_append(producer, send, result, error, now_ms, out);
}
