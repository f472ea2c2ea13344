#include "producer_config_support.h"
#include "unit.h"

#include <string.h>

enum { PROBLEMS_MAX = 64 };

struct told {
    size_t count;
    struct {
        enum kp_config_severity severity;
        char name[64];
        int64_t entry_index;
        char message[256];
        char advice[320];
    } problems[PROBLEMS_MAX];
};

static void collect(void *context, const struct kp_config_problem *problem)
{
    struct told *told = context;
    CU_ASSERT_TRUE_FATAL(told->count < PROBLEMS_MAX);
    size_t at = told->count++;
    told->problems[at].severity = problem->severity;
    told->problems[at].entry_index = problem->entry_index;
    (void)snprintf(told->problems[at].name, sizeof told->problems[at].name, "%s", problem->name);
    (void)snprintf(told->problems[at].message, sizeof told->problems[at].message, "%s", problem->message);
    (void)snprintf(told->problems[at].advice, sizeof told->problems[at].advice, "%s",
                   problem->advice != NULL ? problem->advice : "");
}

static struct counting_memory memory;

static enum kp_config_status lint(const struct kp_config_entry *entries, size_t count, struct told *told)
{
    struct linger_allocator allocator = counting_allocator(&memory);
    told->count = 0;
    enum kp_config_status status = kp_config_lint(&allocator, entries, count, NULL, collect, told);
    CU_ASSERT_EQUAL(memory.live_count, 0);
    return status;
}

static void finds_nothing_in_a_good_one(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES, {"linger.ms", "5"}};
    struct told told;
    CU_ASSERT_EQUAL(lint(entries, COUNT_OF(entries), &told), KP_CONFIG_OK);
    CU_ASSERT_EQUAL(told.count, 0);
}

/* Kafka stops at the first of these. */
static void tells_all_problems(void)
{
    const struct kp_config_entry entries[] = {
        {"linger.mss", "5"},
        {"key.serializer", "no.Such"},
        {"bootstrap.servers", "localhost, localhost:70000, elsewhere:1, localhost:1"},
        {"acks", "0"},
        {"batch.size", "-1"},
        {"enable.idempotence", "true"},
        {"compression.type", "zip"},
        {"ssl.protocol", "TLS"},
    };
    static const struct {
        enum kp_config_severity severity;
        const char *name;
        int64_t entry_index;
        const char *message;
    } expected[] = {
        {KP_CONFIG_ERROR, "batch.size", 4,
         "Invalid value -1 for configuration batch.size: Value must be at least 0"},
        {KP_CONFIG_ERROR, "key.serializer", 1,
         "Invalid value no.Such for configuration key.serializer: Class no.Such could not be found."},
        {KP_CONFIG_ERROR, "value.serializer", -1,
         "Missing required configuration \"value.serializer\" which has no default value."},
        {KP_CONFIG_ERROR, "acks", 3,
         "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee "
         "idempotence."},
        {KP_CONFIG_ERROR, "compression.type", 6, "Unknown compression name: zip"},
        {KP_CONFIG_ERROR, "bootstrap.servers", 2, "Invalid url in bootstrap.servers: localhost"},
        {KP_CONFIG_ERROR, "bootstrap.servers", 2, "Invalid port in bootstrap.servers: localhost:70000"},
        {KP_CONFIG_WARNING, "bootstrap.servers", 2,
         "Couldn't resolve server elsewhere:1 from bootstrap.servers as DNS resolution failed for elsewhere"},
        {KP_CONFIG_WARNING, "linger.mss", 0,
         "The configuration 'linger.mss' was supplied but isn't a known config."},
        {KP_CONFIG_NOTE, "ssl.protocol", 7, "no effect here"},
    };
    struct told told;
    CU_ASSERT_EQUAL(lint(entries, COUNT_OF(entries), &told), KP_CONFIG_REFUSED);
    CU_ASSERT_EQUAL_FATAL(told.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        CU_ASSERT_EQUAL(told.problems[i].severity, expected[i].severity);
        CU_ASSERT_STRING_EQUAL(told.problems[i].name, expected[i].name);
        CU_ASSERT_EQUAL(told.problems[i].entry_index, expected[i].entry_index);
        CU_ASSERT_STRING_EQUAL(told.problems[i].message, expected[i].message);
    }
    CU_ASSERT_STRING_EQUAL(told.problems[8].advice, "did you mean 'linger.ms'?");
}

/* Looking is free: only a producer that is made uses up a number. */
static void uses_up_no_client_id(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES};
    uint32_t sequence = 5;
    struct kp_config_options options = {.client_id_sequence = &sequence};
    struct linger_allocator allocator = counting_allocator(&memory);
    struct told told = {0};
    CU_ASSERT_EQUAL(kp_config_lint(&allocator, entries, COUNT_OF(entries) - 1, &options, collect, &told),
                    KP_CONFIG_OK);
    CU_ASSERT_EQUAL(sequence, 5);
}

static void warns_of_a_raised_time_out(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES, {"linger.ms", "100000"}};
    struct told told;
    CU_ASSERT_EQUAL(lint(entries, COUNT_OF(entries), &told), KP_CONFIG_OK);
    CU_ASSERT_EQUAL_FATAL(told.count, 1);
    CU_ASSERT_EQUAL(told.problems[0].severity, KP_CONFIG_WARNING);
    CU_ASSERT_STRING_EQUAL(told.problems[0].message, "delivery.timeout.ms should be equal to or larger than "
                                                     "linger.ms + request.timeout.ms. Setting it to 130000.");
}

static void survives_the_end_of_memory(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES};
    struct linger_allocator allocator = counting_allocator(&memory);
    struct told told = {0};
    memory = (struct counting_memory){.failing = 1};
    CU_ASSERT_EQUAL(kp_config_lint(&allocator, entries, COUNT_OF(entries), NULL, collect, &told),
                    KP_CONFIG_NO_MEMORY);
    CU_ASSERT_EQUAL(memory.live_count, 0);
    CU_ASSERT_EQUAL(told.count, 0);
    memory = (struct counting_memory){0};
}

int main(void)
{
    return unit_main("producer_config_lint", (struct unit_test[]){
                                                 {"finds nothing in a good one", finds_nothing_in_a_good_one},
                                                 {"tells all problems", tells_all_problems},
                                                 {"uses up no client id", uses_up_no_client_id},
                                                 {"warns of a raised time-out", warns_of_a_raised_time_out},
                                                 {"survives the end of memory", survives_the_end_of_memory},
                                                 {0},
                                             });
}
