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
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct kb_event event = {.kind = KB_EVENT_FAULT, .as.fault = faults[i].fault};
        char text[128];
        sim_event_sentence(log, &event, text, sizeof text);
        CU_ASSERT_STRING_EQUAL(text, faults[i].sentence);
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
                                       {"texts are cut between characters", texts_are_cut_between_characters},
                                       {0}});
}
