#include "golden_trace.h"
#include "golden_trace_observer.h"

#include "base/allocator.h"

#include <stdlib.h>
#include <string.h>

enum {
    ARENA_BLOCK_BYTES = 16 * 1024,
    CONFIG_ENTRY_COUNT_MAX = 100,
    METADATA_VERSION = 11,
    BOOTSTRAP_BYTES = 4096
};

#define PASS_THROUGH "org.apache.kafka.common.serialization.ByteArraySerializer"

/* --- Chance */

static int32_t next_draw(void *context)
{
    struct trace_run *run = context;
    int32_t drawn = 0;
    if (run->next_draw == NULL) {
        trace_fail(run, "the partitioner draws more numbers than sticky_draws has");
        run->is_over = true;
        return 0;
    }
    drawn = (int32_t)json_integer(run->next_draw);
    run->next_draw = run->next_draw->next;
    return drawn;
}

/* --- Orders, as the case has them; what it does not know comes behind, by number */

static int64_t unknown_place(int32_t partition)
{
    return INT32_MAX + (int64_t)partition;
}

int64_t trace_place_in_node(void *run_context, int32_t node, const char *topic, int32_t partition)
{
    const struct trace_run *run = run_context;
    char name[16];
    char wanted[300];
    (void)snprintf(name, sizeof name, "%d", node);
    (void)snprintf(wanted, sizeof wanted, "%s-%d", topic, partition);
    const cJSON *list = json_member(json_member(run->view, "partitions_for_node"), name);
    const cJSON *item = NULL;
    int64_t place = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (json_is_text(item) && strcmp(item->valuestring, wanted) == 0) {
            return place;
        }
        place++;
    }
    return unknown_place(partition);
}

int64_t trace_place_in_topic(void *run_context, const char *topic, int32_t partition)
{
    const struct trace_run *run = run_context;
    const cJSON *list = json_member(json_member(run->view, "available_partitions"), topic);
    const cJSON *item = NULL;
    int64_t place = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (json_integer(item) == partition) {
            return place;
        }
        place++;
    }
    return unknown_place(partition);
}

/* --- The producer */

/* "host:port,host:port" */
static const char *bootstrap_servers(struct trace_run *run)
{
    char *text = golden_allocate(run->golden, BOOTSTRAP_BYTES);
    size_t used = 0;
    const cJSON *node = NULL;
    cJSON_ArrayForEach(node, json_member(json_member(run->row, "cluster"), "nodes"))
    {
        int length =
            snprintf(text + used, BOOTSTRAP_BYTES - used, "%s%s:%lld", used > 0 ? "," : "",
                     json_member_text(node, "host", ""), (long long)json_member_integer(node, "port", 0));
        if (length < 0 || (size_t)length >= BOOTSTRAP_BYTES - used) {
            golden_fail(run->golden, "cluster.nodes: the hosts are too long");
            return "";
        }
        used += (size_t)length;
    }
    return text;
}

static bool create_config(struct trace_run *run)
{
    struct kp_config_entry entries[CONFIG_ENTRY_COUNT_MAX + 3];
    struct kp_failure *failure = golden_allocate(run->golden, sizeof *failure);
    size_t count = 0;
    const cJSON *node = NULL;
    cJSON_ArrayForEach(node, json_member(run->row, "config"))
    {
        if (node->string == NULL || !json_is_text(node) || count == CONFIG_ENTRY_COUNT_MAX) {
            golden_fail(run->golden, "config holds something else than texts");
            return false;
        }
        entries[count++] = (struct kp_config_entry){.name = node->string, .value = node->valuestring};
    }
    entries[count++] = (struct kp_config_entry){"bootstrap.servers", bootstrap_servers(run)};
    entries[count++] = (struct kp_config_entry){"key.serializer", PASS_THROUGH};
    entries[count++] = (struct kp_config_entry){"value.serializer", PASS_THROUGH};
    if (kp_config_create(&run->memory_of_producer.allocator, entries, count, NULL, &run->config, failure) !=
        KP_CONFIG_OK) {
        golden_fail(run->golden, "config: %s: %s", failure->thrown.exception, failure->thrown.message);
        return false;
    }
    return golden_is_ok(run->golden);
}

static bool create_producer(struct trace_run *run)
{
    struct kp_failure *failure = golden_allocate(run->golden, sizeof *failure);
    struct kp_producer_options options = {.config = run->config,
                                          .allocator = &run->memory_of_producer.allocator,
                                          .trace = trace_observer_trace(run->observer),
                                          .chance = {.context = run, .sticky_draw = next_draw},
                                          .order = {run, trace_place_in_node, trace_place_in_topic}};
    if (!kp_producer_create(&options, trace_now_ms(run), &run->producer, failure)) {
        golden_fail(run->golden, "the producer cannot be created: %s: %s", failure->thrown.exception,
                    failure->thrown.message);
        return false;
    }
    return true;
}

static bool seed_metadata(struct trace_run *run)
{
    struct kw_metadata_response *response = golden_allocate(run->golden, sizeof *response);
    struct kw_reader reader;
    size_t length_bytes = 0;
    const uint8_t *body = NULL;
    if (!json_member_bool(json_member(run->row, "cluster"), "metadata_known", true)) {
        return true;
    }
    body = scripted_cluster_initial_metadata(run->cluster, &length_bytes);
    if (body == NULL || !kp_producer_seed_metadata(run->producer, body, length_bytes, trace_now_ms(run))) {
        golden_fail(run->golden, "the producer does not take the metadata of the start");
        return false;
    }
    kw_reader_init(&reader, body, length_bytes);
    if (kw_message_decode(&kw_metadata_response_schema, METADATA_VERSION, &reader, &run->arena, response,
                          NULL) == KW_MESSAGE_OK) {
        trace_learn_metadata(run, response);
        run->has_view_changed = false;
    }
    return true;
}

/* --- What the application does */

static struct kp_bytes borrowed_text(const cJSON *node)
{
    return json_is_text(node) ? (struct kp_bytes){node->valuestring, (int32_t)strlen(node->valuestring)}
                              : KP_BYTES_NULL;
}

static void read_headers(struct trace_run *run, const cJSON *headers, struct kp_record *record)
{
    struct kp_header *list = golden_allocate(run->golden, (size_t)cJSON_GetArraySize(headers) * sizeof *list);
    const cJSON *pair = NULL;
    record->headers = list;
    cJSON_ArrayForEach(pair, headers)
    {
        if (!json_is_text(cJSON_GetArrayItem(pair, 0))) {
            golden_fail(run->golden, "sends: a header without a key");
            return;
        }
        list[record->header_count].key = borrowed_text(cJSON_GetArrayItem(pair, 0));
        list[record->header_count].value = borrowed_text(cJSON_GetArrayItem(pair, 1));
        record->header_count++;
    }
}

static void read_record(struct trace_run *run, const cJSON *row, struct kp_record *record)
{
    enum { VALUE_BYTES_MAX = 1 << 24 };
    record->topic = golden_text(run->golden, row, "topic");
    record->partition = (int32_t)json_member_integer(row, "partition", -1);
    record->timestamp_ms = json_member_integer(row, "timestamp", -1);
    record->key = borrowed_text(json_member(row, "key"));
    record->value = KP_BYTES_NULL;
    if (json_member_has_value(row, "value_size")) {
        int64_t size = golden_integer_in(run->golden, row, "value_size", 0, VALUE_BYTES_MAX);
        void *value = golden_allocate(run->golden, (size_t)size);
        memset(value, (int)golden_integer_in(run->golden, row, "value_byte", 0, UINT8_MAX), (size_t)size);
        record->value = (struct kp_bytes){value, (int32_t)size};
    }
    read_headers(run, json_member(row, "headers"), record);
}

static void read_sends(struct trace_run *run)
{
    const cJSON *rows = golden_array(run->golden, run->row, "sends");
    const cJSON *row = NULL;
    run->sends = golden_allocate(run->golden, (size_t)cJSON_GetArraySize(rows) * sizeof *run->sends);
    cJSON_ArrayForEach(row, rows)
    {
        struct trace_send *send = &run->sends[run->send_count];
        send->row = row;
        send->call = json_member_text(row, "call", NULL);
        send->record.id = (uint32_t)run->send_count++;
        send->wait = -1;
        (void)golden_integer(run->golden, row, "t");
        if (send->call == NULL) {
            read_record(run, row, &send->record);
        }
    }
}

bool trace_setup(struct trace_run *run)
{
    const cJSON *event = NULL;
    const cJSON *cluster = json_member(run->row, "cluster");
    kb_arena_init(&run->arena, kb_allocator_default(), ARENA_BLOCK_BYTES, 0);
    failing_allocator_init(&run->memory_of_producer);
    run->epoch_ms = golden_integer_in(run->golden, run->row, "epoch_ms", 0, INT64_MAX / 2);
    run->view = cluster;
    run->next_draw = json_member(run->row, "sticky_draws") != NULL
                         ? golden_array(run->golden, run->row, "sticky_draws")->child
                         : NULL;
    cJSON_ArrayForEach(event, json_member(run->row, "trace"))
    {
        run->has_frames = run->has_frames || json_member(event, "frame_hex") != NULL;
    }
    run->cluster = scripted_cluster_create(cluster, json_member(run->row, "script"), run->epoch_ms);
    if (scripted_cluster_failure(run->cluster) != NULL) {
        golden_fail(run->golden, "%s", scripted_cluster_failure(run->cluster));
    }
    read_sends(run);
    return golden_is_ok(run->golden) && create_config(run) && create_producer(run) && seed_metadata(run);
}

void trace_release(struct trace_run *run)
{
    if (run->memory_of_producer.allocator.allocate == NULL) {
        return;
    }
    kp_producer_destroy(run->producer);
    kp_config_destroy(run->config);
    if (run->memory_of_producer.held_count != 0 || run->memory_of_producer.wrong_size_count != 0) {
        golden_fail(run->golden,
                    "the producer keeps %llu pieces of memory, and gave %llu back with a wrong size",
                    (unsigned long long)run->memory_of_producer.held_count,
                    (unsigned long long)run->memory_of_producer.wrong_size_count);
    }
    scripted_cluster_destroy(run->cluster);
    kb_arena_release(&run->arena);
}
