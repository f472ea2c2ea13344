#include "model/event_text.h"

#include "unit.h"

#include <string.h>

static void every_placeholder_is_a_field(void)
{
    struct sim_event_log *log = sim_event_log_create();
    for (uint32_t kind = 0; kind < KB_EVENT_KIND_COUNT; kind++) {
        struct kb_event event = {.kind = (uint16_t)kind};
        char text[512];
        size_t length_bytes = sim_event_sentence(log, &event, text, sizeof text);
        CU_ASSERT_EQUAL(length_bytes, strlen(text));
        CU_ASSERT_PTR_NULL(strchr(text, '{'));
        CU_ASSERT_PTR_NULL(strchr(text, '}'));
        CU_ASSERT(length_bytes > 5);
    }
    sim_event_log_destroy(log);
}

static void fields_read_well(void)
{
    struct sim_event_log *log = sim_event_log_create();
    uint32_t topic = sim_event_log_intern(log, "orders", 6);
    struct kb_event event = {.kind = KB_EVENT_BATCH_DRAINED,
                             .as.batch_drained = {.batch = 7,
                                                  .topic = topic,
                                                  .partition = 2,
                                                  .node = 1,
                                                  .left = KB_LEFT_LINGER | KB_LEFT_PIGGYBACK}};
    char text[256];
    sim_event_sentence(log, &event, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "batch 7 of orders-2 is drained for node 1: LINGER + PIGGYBACK");
    event = (struct kb_event){
        .kind = KB_EVENT_RESPONSE_RECEIVED,
        .as.response_received = {.latency_ms = 3, .request = 9, .node = 2, .api = 0, .error = 6}};
    sim_event_sentence(log, &event, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(
        text, "the response to Produce request 9 came from node 2 after 3 ms: NOT_LEADER_OR_FOLLOWER");
    sim_event_log_destroy(log);
}

static void faults_have_words_of_their_own(void)
{
    struct sim_event_log *log = sim_event_log_create();
    static const struct {
        struct kb_event_fault fault;
        const char *sentence;
    } faults[] = {
        {{.fault = KB_FAULT_KIND_KILL, .broker = 2}, "broker 2 is killed"},
        {{.fault = KB_FAULT_KIND_SLOW_REPLICA, .broker = 3, .ms = 60},
         "broker 3 fetches 60 ms late from now on"},
        {{.fault = KB_FAULT_KIND_SLOW_REPLICA, .broker = 3}, "broker 3 fetches at once again"},
        {{.fault = KB_FAULT_KIND_CUT, .broker = 1, .other = -3}, "broker 1 is cut off from everybody"},
        {{.fault = KB_FAULT_KIND_HEAL, .broker = 1, .other = 2}, "broker 1 is joined again with broker 2"},
        {{.fault = KB_FAULT_KIND_DELAY_RESPONSE, .broker = -1, .partition = -1, .ms = 40},
         "delay_response, 40 ms"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = 2, .partition = 1},
         "a batch of partition 1 is damaged on its way to broker 2"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = 3, .other = 2, .partition = -1, .api = 1},
         "a batch is damaged on its way from broker 2 to follower 3"},
        {{.fault = KB_FAULT_KIND_KILL, .broker = 1, .partition = 4, .point = KB_FAULT_POINT_AFTER_APPEND},
         "broker 1 crashed after append of partition 4, before replication"},
        {{.fault = KB_FAULT_KIND_DISCONNECT,
          .broker = 1,
          .partition = -1,
          .point = KB_FAULT_POINT_RESPONSE_CUT},
         "broker 1 lost the connection in the midst of the response to a Produce request"},
        {{.fault = KB_FAULT_KIND_CUT,
          .broker = 1,
          .other = -2,
          .point = KB_FAULT_POINT_REQUEST_CUT,
          .api = 3},
         "broker 1 is cut off from the producers when half of a Metadata request had arrived"},
        {{.fault = KB_FAULT_KIND_DROP_RESPONSE, .broker = 1, .point = KB_FAULT_POINT_BEFORE_RESPONSE},
         "broker 1 gives up a request before the response to a Produce request"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct kb_event event = {.kind = KB_EVENT_FAULT, .as.fault = faults[i].fault};
        char text[128];
        sim_event_sentence(log, &event, text, sizeof text);
        CU_ASSERT_STRING_EQUAL(text, faults[i].sentence);
    }
    sim_event_log_destroy(log);
}

static void what_waits_is_told(void)
{
    struct sim_event_log *log = sim_event_log_create();
    uint32_t orders = sim_event_log_intern(log, "orders", 6);
    const struct {
        struct kb_event_fault_armed armed;
        const char *sentence;
    } rows[] = {
        {{.fault = KB_FAULT_KIND_KILL,
          .point = KB_FAULT_POINT_AFTER_APPEND,
          .broker = 1,
          .topic = orders,
          .partition = 0,
          .skip = 3,
          .count = 1},
         "waiting to kill broker 1 after append of orders-0, before replication, after 3 others"},
        {{.fault = KB_FAULT_KIND_DISCONNECT,
          .point = KB_FAULT_POINT_RESPONSE_CUT,
          .broker = -1,
          .client = orders,
          .partition = -1,
          .count = 2},
         "waiting to end a connection in the midst of the response to a Produce request, from orders, 2 "
         "times"},
        {{.fault = KB_FAULT_KIND_CUT,
          .point = KB_FAULT_POINT_BEFORE_APPEND,
          .broker = -1,
          .other = 2,
          .partition = -1},
         "waiting to cut off the broker from broker 2 before append of a batch"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = -1, .topic = orders, .partition = -1},
         "waiting to damage a batch on its way to brokers that lead, of orders"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = 3, .partition = -1, .api = 1},
         "waiting to damage a batch on its way to follower 3"},
        {{.fault = KB_FAULT_KIND_ERROR, .broker = 2, .partition = -1},
         "waiting to answer with an error at broker 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kb_event event = {.kind = KB_EVENT_FAULT_ARMED, .as.fault_armed = rows[i].armed};
        char text[160];
        sim_event_sentence(log, &event, text, sizeof text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].sentence);
    }
    sim_event_log_destroy(log);
}

static void texts_are_cut_between_characters(void)
{
    struct sim_event_log *log = sim_event_log_create();
    struct kb_event event = {.kind = KB_EVENT_RECORD_CREATED,
                             .as.record_created = {.key = kb_text16_of("\xe5\x93\x81\xe5\x93\x81\x01", 7)}};
    char whole[256];
    size_t whole_bytes = sim_event_sentence(log, &event, whole, sizeof whole);
    CU_ASSERT_PTR_NOT_NULL(strstr(whole, "\"\xe5\x93\x81\xe5\x93\x81\\x01\""));
    for (size_t capacity_bytes = 1; capacity_bytes <= whole_bytes + 1; capacity_bytes++) {
        char cut[256];
        size_t cut_bytes = sim_event_sentence(log, &event, cut, capacity_bytes);
        CU_ASSERT(cut_bytes < capacity_bytes);
        CU_ASSERT_EQUAL(strncmp(cut, whole, cut_bytes), 0);
        CU_ASSERT(((unsigned char)whole[cut_bytes] & 0xc0) != 0x80);
    }
    sim_event_log_destroy(log);
}

int main(void)
{
    return unit_main("event_text", (struct unit_test[]){
                                       {"every placeholder is a field", every_placeholder_is_a_field},
                                       {"fields read well", fields_read_well},
                                       {"faults have words of their own", faults_have_words_of_their_own},
                                       {"what waits is told", what_waits_is_told},
                                       {"texts are cut between characters", texts_are_cut_between_characters},
                                       {0}});
}
