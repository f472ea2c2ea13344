#include <linger/producer.h>

#include "core/producer_internal.h"
#include "core_support.h"
#include "unit.h"
#include "wire/cursor.h"
#include "wire/message_structs.h"

#include <string.h>

/* What a producer does over a network is in the golden traces (producer_trace.jsonl, txn_trace.jsonl). These
 * are the parts that they do not have: plug-ins, arguments, construction, memory that runs out. */

#define SERIALIZERS "org.apache.kafka.common.serialization."

enum { ENTRIES_MAX = 8, METADATA_BYTES = 512 };

struct fixture {
    struct failing_allocator memory;
    struct kp_config_entry entries[ENTRIES_MAX + 3];
    size_t entry_count;
    struct kp_config *config;
    struct kp_producer_options options;
    struct kp_producer *producer;
    struct kp_failure failure;
    struct kp_outcome outcome;
};

static struct fixture f; /* large: failures */
static struct recorded_trace recorded;

static void set(const char *name, const char *value)
{
    f.entries[f.entry_count++] = (struct kp_config_entry){name, value};
}

static void prepare(void)
{
    memset(&f, 0, sizeof f);
    failing_allocator_init(&f.memory);
    recorded_trace_init(&recorded);
    set("bootstrap.servers", "127.0.0.1:9092");
    set("key.serializer", SERIALIZERS "ByteArraySerializer");
    set("value.serializer", SERIALIZERS "ByteArraySerializer");
    f.options.trace = &recorded.trace;
}

static bool create(const struct kp_config_class *classes, size_t class_count)
{
    struct kp_config_options options = {.classes = classes, .class_count = class_count};
    CU_ASSERT_EQUAL_FATAL(
        kp_config_create(&f.memory.allocator, f.entries, f.entry_count, &options, &f.config, &f.failure),
        KP_CONFIG_OK);
    f.options.config = f.config;
    f.options.allocator = &f.memory.allocator;
    return kp_producer_create(&f.options, 0, &f.producer, &f.failure);
}

static void tear_down(void)
{
    kp_producer_destroy(f.producer);
    kp_config_destroy(f.config);
    CU_ASSERT_EQUAL(f.memory.held_bytes, 0);
    CU_ASSERT_EQUAL(f.memory.wrong_size_count, 0);
}

/* One broker, topic "t" with two partitions. */
static bool seed_metadata(int64_t now_ms)
{
    struct kw_metadata_response_partition partitions[2];
    for (int32_t i = 0; i < 2; i++) {
        kw_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
    }
    struct kw_metadata_response_topic topic;
    kw_metadata_response_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = partitions;
    topic.partitions.count = 2;
    struct kw_metadata_response_broker broker;
    kw_metadata_response_broker_init(&broker);
    broker.host = (struct kw_string){"h", 1};
    broker.port = 9092;
    struct kw_metadata_response response;
    kw_metadata_response_init(&response);
    response.brokers.items = &broker;
    response.brokers.count = 1;
    response.topics.items = &topic;
    response.topics.count = 1;
    uint8_t bytes[METADATA_BYTES];
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, sizeof bytes);
    CU_ASSERT_EQUAL_FATAL(kw_message_encode(&kw_metadata_response_schema, 11, &response, &writer, NULL),
                          KW_MESSAGE_OK);
    return kp_producer_seed_metadata(f.producer, bytes, writer.position_bytes, now_ms);
}

static struct kp_record record_of(const char *key, const char *value)
{
    struct kp_record record = {
        .topic = "t", .partition = -1, .timestamp_ms = -1, .key = KP_BYTES_NULL, .value = KP_BYTES_NULL};
    if (key != NULL) {
        record.key = (struct kp_bytes){key, (int32_t)strlen(key)};
    }
    if (value != NULL) {
        record.value = (struct kp_bytes){value, (int32_t)strlen(value)};
    }
    return record;
}

static enum kp_outcome_kind send(const struct kp_record *record, int64_t now_ms)
{
    kp_producer_send(f.producer, record, now_ms, &f.outcome);
    return f.outcome.kind;
}

static void construction_fails_in_kafkas_words(void)
{
    static const struct kp_config_class classes[] = {{"my.Part", KP_CONFIG_ROLE_PARTITIONER}};
    prepare();
    set("partitioner.class", "my.Part");
    CU_ASSERT_FALSE(create(classes, 1));
    CU_ASSERT_PTR_NULL(f.producer);
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "KafkaException");
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Failed to construct kafka producer");
    CU_ASSERT_EQUAL_FATAL(f.failure.cause_count, 1);
    CU_ASSERT_STRING_EQUAL(
        f.failure.causes[0].message,
        "Invalid value my.Part for configuration partitioner.class: Class my.Part could not be found.");
    tear_down();
}

/* The 1st, the 2nd, … allocation fails: nothing is kept, and the failure says so. */
static void expect_creation_needs_memory(void)
{
    uint64_t granted = f.memory.granted_count;
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    kp_producer_destroy(f.producer);
    granted = f.memory.granted_count - granted - 1; /* one is the configuration's */
    uint64_t allowed = 0;
    for (;; allowed++) {
        uint64_t held_bytes = f.memory.held_bytes;
        f.memory.allowed_count = allowed;
        bool is_created = kp_producer_create(&f.options, 0, &f.producer, &f.failure);
        f.memory.allowed_count = UINT64_MAX;
        if (is_created) {
            break;
        }
        CU_ASSERT_PTR_NULL(f.producer);
        CU_ASSERT_EQUAL(f.memory.held_bytes, held_bytes);
        CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "KafkaException");
        CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Failed to construct kafka producer");
        CU_ASSERT_STRING_EQUAL(f.failure.causes[0].exception, "OutOfMemoryError");
    }
    /* Every single one was refused once. */
    CU_ASSERT_EQUAL(allowed, granted);
    CU_ASSERT(allowed > 5);
    tear_down();
}

static void construction_without_memory_leaks_nothing(void)
{
    static const struct kp_interceptor interceptors[2];
    prepare();
    set("bootstrap.servers", "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094");
    expect_creation_needs_memory();
    prepare();
    set("enable.idempotence", "true");
    expect_creation_needs_memory();
    prepare();
    set("transactional.id", "x");
    set("compression.type", "lz4");
    f.options.interceptors = interceptors;
    f.options.interceptor_count = 2;
    expect_creation_needs_memory();
    /* And of the configuration. */
    prepare();
    f.memory.allowed_count = 0;
    CU_ASSERT_EQUAL(
        kp_config_create(&f.memory.allocator, f.entries, f.entry_count, NULL, &f.config, &f.failure),
        KP_CONFIG_NO_MEMORY);
    CU_ASSERT_PTR_NULL(f.config);
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "OutOfMemoryError");
    tear_down();
}

static void invalid_records_are_refused(void)
{
    prepare();
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    struct kp_record record = record_of("k", "v");
    record.partition = -2;
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                           "Invalid partition: -2. Partition number should always be non-negative or null.");
    record = record_of("k", "v");
    record.timestamp_ms = -2;
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_THROWN);
    record.topic = NULL;
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.exception, "IllegalArgumentException");
    tear_down();
}

static void batch_larger_than_the_memory_throws(void)
{
    prepare();
    set("batch.size", "2000");
    set("buffer.memory", "1000");
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    CU_ASSERT_TRUE(seed_metadata(0));
    struct kp_record record = record_of(NULL, "v");
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(
        f.outcome.failure.thrown.message,
        "Attempt to allocate 2000 bytes, but there is a hard limit of 1000 on memory allocations.");
    CU_ASSERT_EQUAL(kp_producer_incomplete_count(f.producer), 0);
    tear_down();
}

/* --- Plug-ins */

struct chain {
    int sends;
    int acknowledgements;
    int32_t last_partition;
    char last_exception[64];
};

static bool move_to_one(void *context, struct kp_record *record)
{
    ((struct chain *)context)->sends++;
    record->partition = 1;
    return true;
}

static bool fail_after_a_change(void *context, struct kp_record *record)
{
    ((struct chain *)context)->sends++;
    record->partition = 77; /* thrown away */
    return false;
}

static bool acknowledged(void *context, const struct kp_record_metadata *metadata,
                         const struct kp_failure *failure)
{
    struct chain *chain = context;
    chain->acknowledgements++;
    chain->last_partition = metadata->partition;
    strcpy(chain->last_exception, failure != NULL ? failure->thrown.exception : "");
    return false; /* no matter */
}

static void interceptors_change_and_hear(void)
{
    struct chain chain = {0};
    struct kp_interceptor list[] = {{&chain, move_to_one, acknowledged},
                                    {&chain, fail_after_a_change, NULL},
                                    {&chain, NULL, acknowledged}};
    prepare();
    set("max.request.size", "100");
    f.options.interceptors = list;
    f.options.interceptor_count = 3;
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    CU_ASSERT_TRUE(seed_metadata(0));
    struct kp_record record = record_of("k", "v");
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_DONE);
    CU_ASSERT_EQUAL(f.outcome.partition, 1);
    CU_ASSERT_TRUE(f.outcome.wakes_sender);
    CU_ASSERT_EQUAL(chain.sends, 2);
    CU_ASSERT_EQUAL(record.partition, -1); /* the caller's own is left alone */
    CU_ASSERT_EQUAL(recorded_trace_last(&recorded, KB_EVENT_RECORD_INTERCEPTED)->as.record_intercepted.failed,
                    1);
    record = record_of("k", "a value that is larger than the whole request may be");
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_FAILED);
    CU_ASSERT_EQUAL(chain.acknowledgements, 2);
    CU_ASSERT_EQUAL(chain.last_partition, 1);
    CU_ASSERT_STRING_EQUAL(chain.last_exception, "RecordTooLargeException");

    /* Closed by force: the record in the accumulator fails, and each interceptor hears of it first. */
    kp_producer_close(f.producer, 0, 5, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_BLOCKED);
    uint64_t ticket = f.outcome.ticket;
    kp_producer_decide(f.producer, 5);
    kp_producer_digest(f.producer, 5);
    struct kp_completion completion;
    CU_ASSERT_TRUE_FATAL(kp_producer_next_completion(f.producer, &completion));
    CU_ASSERT_TRUE(completion.failed);
    CU_ASSERT_STRING_EQUAL(completion.failure.thrown.message, "Producer is closed forcefully.");
    CU_ASSERT_EQUAL(completion.metadata.offset, -1);
    CU_ASSERT_EQUAL(chain.acknowledgements, 4);
    CU_ASSERT_FALSE(kp_producer_next_completion(f.producer, &completion));
    uint64_t runnable;
    CU_ASSERT_TRUE_FATAL(kp_producer_next_runnable(f.producer, 5, &runnable));
    CU_ASSERT_EQUAL(runnable, ticket);
    kp_producer_resume(f.producer, runnable, 5, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_DONE);
    record = record_of(NULL, NULL);
    CU_ASSERT_EQUAL(send(&record, 6), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                           "Cannot perform operation after producer has been closed");
    tear_down();
}

static const char *twice(void *context, const char *topic, struct kp_bytes object, struct kp_sink *out)
{
    int *calls = context;
    (*calls)++;
    if (strcmp(topic, "t") != 0 || object.length_bytes > 3) {
        return "too long";
    }
    for (int i = 0; i < 2; i++) {
        if (object.length_bytes > 0 && !out->write(out->context, object.data, (size_t)object.length_bytes)) {
            return "no memory";
        }
    }
    return NULL;
}

static void serializers_run_once_and_may_fail(void)
{
    int calls = 0;
    struct kp_serializer serializer = {&calls, twice};
    prepare();
    set("key.serializer", SERIALIZERS "IntegerSerializer");
    f.options.value_serializer = &serializer;
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    /* Blocked on metadata first: the serializers run when that is over. */
    struct kp_record record = record_of("-2", "abc");
    CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_BLOCKED);
    CU_ASSERT_EQUAL(f.outcome.wait, KB_WAIT_METADATA);
    CU_ASSERT_EQUAL(f.outcome.deadline_ms, 60000);
    CU_ASSERT_EQUAL(calls, 0);
    uint64_t ticket;
    CU_ASSERT_FALSE(kp_producer_next_runnable(f.producer, 1, &ticket));
    CU_ASSERT_TRUE(seed_metadata(1));
    CU_ASSERT_TRUE_FATAL(kp_producer_next_runnable(f.producer, 1, &ticket));
    kp_producer_resume(f.producer, ticket, 1, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_DONE);
    CU_ASSERT_EQUAL(calls, 1);
    const struct kb_event *serialized = recorded_trace_last(&recorded, KB_EVENT_RECORD_SERIALIZED);
    CU_ASSERT_EQUAL(serialized->as.record_serialized.key_bytes, 4);
    CU_ASSERT_EQUAL(serialized->as.record_serialized.value_bytes, 6);

    record = record_of("1", "abcd");
    CU_ASSERT_EQUAL(send(&record, 2), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.exception, "SerializationException");
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message, "too long");
    record = record_of("one", "a");
    CU_ASSERT_EQUAL(send(&record, 2), KP_OUTCOME_THROWN);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                           "Can't convert key of class java.lang.String to class " SERIALIZERS
                           "IntegerSerializer specified in key.serializer");
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.causes[0].exception, "ClassCastException");
    tear_down();
}

/* --- Tickets and memory */

static void blocked_sends_end_in_the_order_of_their_begin(void)
{
    prepare();
    set("max.block.ms", "10");
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    uint64_t tickets[3];
    struct kp_record records[3]; /* borrowed while they are blocked */
    for (int i = 0; i < 3; i++) {
        records[i] = record_of(NULL, "v");
        records[i].topic = i == 1 ? "u" : "t";
        CU_ASSERT_EQUAL_FATAL(send(&records[i], i == 2 ? 3 : 0), KP_OUTCOME_BLOCKED);
        tickets[i] = f.outcome.ticket;
    }
    CU_ASSERT_EQUAL(kp_producer_next_deadline_ms(f.producer) <= 10, true);
    for (int i = 0; i < 2; i++) {
        uint64_t ticket = 0;
        CU_ASSERT_TRUE_FATAL(kp_producer_next_runnable(f.producer, 10, &ticket));
        CU_ASSERT_EQUAL(ticket, tickets[i]);
        kp_producer_resume(f.producer, ticket, 10, &f.outcome);
        CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_FAILED);
        CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                               i == 1 ? "Topic u not present in metadata after 10 ms."
                                      : "Topic t not present in metadata after 10 ms.");
    }
    uint64_t ticket;
    CU_ASSERT_FALSE(kp_producer_next_runnable(f.producer, 10, &ticket));
    tear_down(); /* with a send that is still blocked */
}

static void resume_all_at(int64_t now_ms)
{
    uint64_t ticket = 0;
    CU_ASSERT_TRUE_FATAL(kp_producer_next_runnable(f.producer, now_ms, &ticket));
    kp_producer_resume(f.producer, ticket, now_ms, &f.outcome);
}

static void unknown_partition_is_waited_for(void)
{
    prepare();
    set("max.block.ms", "10");
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    CU_ASSERT_TRUE(seed_metadata(0));
    struct kp_record record = record_of(NULL, "v");
    record.partition = 5;
    CU_ASSERT_EQUAL_FATAL(send(&record, 0), KP_OUTCOME_BLOCKED);
    uint64_t ticket = f.outcome.ticket;
    CU_ASSERT_TRUE(seed_metadata(4));
    resume_all_at(4);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_BLOCKED); /* still two partitions: ask again */
    CU_ASSERT_EQUAL(f.outcome.ticket, ticket);
    CU_ASSERT_TRUE(f.outcome.wakes_sender);
    CU_ASSERT_FALSE(kp_producer_next_runnable(f.producer, 9, &ticket));
    CU_ASSERT_TRUE(seed_metadata(10));
    resume_all_at(10); /* the update came, and too late */
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_FAILED);
    CU_ASSERT_STRING_EQUAL(
        f.outcome.failure.thrown.message,
        "Partition 5 of topic t with partition count 2 is not present in metadata after 10 ms.");

    CU_ASSERT_EQUAL_FATAL(send(&record, 20), KP_OUTCOME_BLOCKED);
    resume_all_at(30); /* no update came */
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message, "Topic t not present in metadata after 10 ms.");
    tear_down();
}

static void waiting_for_metadata_shortens_the_wait_for_memory(void)
{
    prepare();
    set("max.block.ms", "10");
    set("buffer.memory", "200");
    set("batch.size", "200");
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    struct kp_record first = record_of("k", "v");
    struct kp_record second = first;
    first.partition = 0;
    second.partition = 1;
    CU_ASSERT_EQUAL_FATAL(send(&first, 1000), KP_OUTCOME_BLOCKED);
    CU_ASSERT_EQUAL_FATAL(send(&second, 1000), KP_OUTCOME_BLOCKED);
    CU_ASSERT_TRUE(seed_metadata(1004));
    resume_all_at(1004);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_DONE);
    resume_all_at(1004);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_BLOCKED);
    CU_ASSERT_EQUAL(f.outcome.wait, KB_WAIT_MEMORY);
    CU_ASSERT_EQUAL(f.outcome.deadline_ms, 1010);
    resume_all_at(1010);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                           "Failed to allocate memory within the configured max blocking time 6 ms.");
    tear_down();
}

static void record_has_the_time_after_the_metadata_wait(void)
{
    prepare();
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    struct kp_record record = record_of("k", "v");
    CU_ASSERT_EQUAL_FATAL(send(&record, 1000), KP_OUTCOME_BLOCKED);
    CU_ASSERT_TRUE(seed_metadata(1004));
    resume_all_at(1004);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_DONE);
    const struct kp_producer_batch *batch =
        kp_incomplete_batches_first(kp_record_accumulator_incomplete(f.producer->accumulator));
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    CU_ASSERT_EQUAL(batch->slots[0].timestamp_ms, 1004);
    tear_down();
}

static void destroyed_in_the_middle_of_everything(void)
{
    prepare();
    set("buffer.memory", "200");
    set("batch.size", "100");
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    CU_ASSERT_TRUE(seed_metadata(0));
    for (int i = 0; i < 4; i++) {
        struct kp_record record = record_of("key", "a value of some length, so that two do not fit");
        record.partition = i & 1;
        enum kp_outcome_kind kind = send(&record, 0);
        CU_ASSERT_EQUAL(kind, i < 1 ? KP_OUTCOME_DONE : KP_OUTCOME_BLOCKED);
    }
    struct kp_memory_view view;
    kp_producer_memory(f.producer, &view);
    CU_ASSERT_EQUAL(view.waiter_count, 3);
    kp_producer_flush(f.producer, 0, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_BLOCKED);
    kp_producer_decide(f.producer, 0);
    tear_down();
}

static void flush_of_nothing_returns(void)
{
    prepare();
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    kp_producer_flush(f.producer, 0, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_DONE);
    kp_producer_begin_transaction(f.producer, 0, &f.outcome);
    CU_ASSERT_EQUAL(f.outcome.kind, KP_OUTCOME_FAILED);
    CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.message,
                           "Cannot use transactional methods without enabling transactions by setting the "
                           "transactional.id configuration property");
    CU_ASSERT_EQUAL(recorded_trace_count(&recorded, KB_EVENT_CALL_STARTED), 2);
    CU_ASSERT_EQUAL(recorded_trace_count(&recorded, KB_EVENT_CALL_RETURNED), 2);
    tear_down();
}

static void sends_without_memory_throw(void)
{
    prepare();
    CU_ASSERT_TRUE_FATAL(create(NULL, 0));
    CU_ASSERT_TRUE(seed_metadata(0));
    struct kp_header header = {{"h", 1}, KP_BYTES_NULL};
    struct kp_record record = record_of("k", "v");
    record.headers = &header;
    record.header_count = 1;
    uint64_t allowed = 0;
    for (;; allowed++) {
        f.memory.allowed_count = allowed;
        enum kp_outcome_kind kind = send(&record, 0);
        f.memory.allowed_count = UINT64_MAX;
        if (kind == KP_OUTCOME_DONE) {
            break;
        }
        CU_ASSERT_EQUAL_FATAL(kind, KP_OUTCOME_THROWN);
        CU_ASSERT_STRING_EQUAL(f.outcome.failure.thrown.exception, "OutOfMemoryError");
        CU_ASSERT_EQUAL(kp_producer_incomplete_count(f.producer), 0);
    }
    CU_ASSERT(allowed > 2);
    /* From the second record on nothing is allocated. */
    uint64_t granted = f.memory.granted_count;
    for (int i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(send(&record, 0), KP_OUTCOME_DONE);
    }
    CU_ASSERT_EQUAL(f.memory.granted_count, granted);
    CU_ASSERT_EQUAL(kp_producer_incomplete_count(f.producer), 8);
    tear_down();
}

int main(void)
{
    return unit_main(
        "producer",
        (struct unit_test[]){
            {"construction fails in Kafka's words", construction_fails_in_kafkas_words},
            {"construction without memory leaks nothing", construction_without_memory_leaks_nothing},
            {"invalid records are refused", invalid_records_are_refused},
            {"batch larger than the memory throws", batch_larger_than_the_memory_throws},
            {"interceptors change and hear", interceptors_change_and_hear},
            {"serializers run once and may fail", serializers_run_once_and_may_fail},
            {"blocked sends end in order", blocked_sends_end_in_the_order_of_their_begin},
            {"unknown partition is waited for", unknown_partition_is_waited_for},
            {"waiting for metadata shortens", waiting_for_metadata_shortens_the_wait_for_memory},
            {"time after the metadata wait", record_has_the_time_after_the_metadata_wait},
            {"destroyed in the middle of everything", destroyed_in_the_middle_of_everything},
            {"flush of nothing returns", flush_of_nothing_returns},
            {"sends without memory throw", sends_without_memory_throw},
            {0}});
}
