#include "log/event_log.h"

#include "unit.h"

#include <string.h>

static uint64_t append_drained(struct sim_event_log *log, uint32_t batch, int64_t time_us, uint64_t cause)
{
    struct kb_event event = {
        .kind = KB_EVENT_BATCH_DRAINED,
        .as.batch_drained = {.batch = batch, .partition = 1, .left = KB_LEFT_LINGER},
    };
    return sim_event_log_append(log, &event, time_us, cause);
}

static void keeps_order_and_causes(void)
{
    struct sim_event_log *log = sim_event_log_create();
    for (uint32_t i = 0; i < 100000; i++) {
        CU_ASSERT_EQUAL_FATAL(append_drained(log, i, i / 10, i > 6 ? i - 6 : 0), i + 1);
    }
    CU_ASSERT_EQUAL(sim_event_log_count(log), 100000);
    for (uint32_t i = 0; i < 100000; i += 777) {
        CU_ASSERT_EQUAL(sim_event_log_get(log, i + 1)->as.batch_drained.batch, i);
        CU_ASSERT_EQUAL(sim_event_log_cause(log, i + 1), i > 6 ? i - 6 : 0);
    }
    CU_ASSERT_EQUAL(sim_event_log_find_time(log, -1), 0);
    CU_ASSERT_EQUAL(sim_event_log_find_time(log, 0), 10);
    CU_ASSERT_EQUAL(sim_event_log_find_time(log, 4321), 43220);
    CU_ASSERT_EQUAL(sim_event_log_find_time(log, INT64_MAX), 100000);
    CU_ASSERT_EQUAL(sim_event_log_end_us(log), 9999);
    sim_event_log_destroy(log);
}

static void numbers_names_once(void)
{
    struct sim_event_log *log = sim_event_log_create();
    CU_ASSERT_EQUAL(sim_event_log_intern(log, "orders", 6), 1);
    CU_ASSERT_EQUAL(sim_event_log_intern(log, "order", 5), 2);
    CU_ASSERT_EQUAL(sim_event_log_intern(log, "ordersX", 6), 1);
    CU_ASSERT_EQUAL(sim_event_log_intern(log, "order\0s", 7), 2);
    CU_ASSERT_STRING_EQUAL(sim_event_log_name(log, 1), "orders");
    CU_ASSERT_STRING_EQUAL(sim_event_log_name(log, 2), "order");
    CU_ASSERT_STRING_EQUAL(sim_event_log_name(log, 0), "");
    CU_ASSERT_STRING_EQUAL(sim_event_log_name(log, 3), "");
    sim_event_log_destroy(log);
}

static uint64_t hash_of(uint32_t batch, int64_t time_us, uint64_t cause, const char *name, uint64_t seed)
{
    struct sim_event_log *log = sim_event_log_create();
    sim_event_log_info(log)->seed = seed;
    (void)append_drained(log, 1, 5, 0);
    (void)append_drained(log, batch, time_us, cause);
    (void)sim_event_log_intern(log, name, strlen(name));
    uint64_t hash = sim_event_log_hash(log);
    sim_event_log_destroy(log);
    return hash;
}

static void hash_sees_everything(void)
{
    uint64_t base = hash_of(2, 7, 1, "t", 42);
    CU_ASSERT_EQUAL(base, hash_of(2, 7, 1, "t", 42));
    CU_ASSERT_NOT_EQUAL(base, hash_of(3, 7, 1, "t", 42));
    CU_ASSERT_NOT_EQUAL(base, hash_of(2, 8, 1, "t", 42));
    CU_ASSERT_NOT_EQUAL(base, hash_of(2, 7, 0, "t", 42));
    CU_ASSERT_NOT_EQUAL(base, hash_of(2, 7, 1, "u", 42));
    CU_ASSERT_NOT_EQUAL(base, hash_of(2, 7, 1, "t", 43));
}

static void spills_to_a_file(void)
{
    struct sim_event_log *log = sim_event_log_create();
    uint32_t past = SIM_EVENT_LOG_MEMORY_EVENTS + 50000;
    for (uint32_t i = 0; i < past; i++) {
        (void)append_drained(log, i, i, 0);
    }
    size_t memory_bytes;
    size_t file_bytes;
    sim_event_log_memory(log, &memory_bytes, &file_bytes);
    CU_ASSERT_EQUAL(memory_bytes, (size_t)SIM_EVENT_LOG_MEMORY_EVENTS * 64);
    CU_ASSERT(file_bytes >= 50000 * (size_t)64);
    CU_ASSERT_TRUE(sim_event_log_is_complete(log));
    for (uint32_t i = 1; i < past; i += 65521) {
        CU_ASSERT_EQUAL(sim_event_log_get(log, i)->as.batch_drained.batch, i - 1);
    }
    CU_ASSERT_EQUAL(sim_event_log_get(log, past)->as.batch_drained.batch, past - 1);
    sim_event_log_destroy(log);
}

static void count_events(void *context, const struct kb_event *event)
{
    uint64_t *sum = context;
    *sum += event->as.batch_drained.batch;
}

static void keeps_only_the_newest(void)
{
    struct sim_event_log *all = sim_event_log_create();
    struct sim_event_log *newest = sim_event_log_create();
    uint32_t count = 3 * SIM_EVENT_LOG_NEWEST_EVENTS + 5;
    uint64_t sum = 0;
    sim_event_log_keep_newest(newest);
    sim_event_log_listen(newest, count_events, &sum);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t cause = i > 20000 ? i - 20000 : 0;
        CU_ASSERT_EQUAL_FATAL(append_drained(all, i, i / 3, cause), append_drained(newest, i, i / 3, cause));
    }
    CU_ASSERT_EQUAL(sum, (uint64_t)count * (count - 1) / 2);
    CU_ASSERT_EQUAL(sim_event_log_count(newest), count);
    CU_ASSERT_EQUAL(sim_event_log_hash(newest), sim_event_log_hash(all));
    CU_ASSERT_EQUAL(sim_event_log_end_us(newest), (count - 1) / 3);
    for (uint32_t i = count - SIM_EVENT_LOG_NEWEST_EVENTS + 1; i <= count; i += 1000) {
        CU_ASSERT_EQUAL(sim_event_log_get(newest, i)->as.batch_drained.batch, i - 1);
        CU_ASSERT_EQUAL(sim_event_log_cause(newest, i), i - 20001);
    }
    size_t memory_bytes;
    size_t file_bytes;
    sim_event_log_memory(newest, &memory_bytes, &file_bytes);
    CU_ASSERT_EQUAL(memory_bytes, SIM_EVENT_LOG_NEWEST_EVENTS * sizeof(struct kb_event));
    CU_ASSERT_EQUAL(file_bytes, 0);
    sim_event_log_destroy(all);
    sim_event_log_destroy(newest);
}

int main(void)
{
    return unit_main("event_log", (struct unit_test[]){{"keeps order and causes", keeps_order_and_causes},
                                                       {"numbers names once", numbers_names_once},
                                                       {"hash sees everything", hash_sees_everything},
                                                       {"spills to a file", spills_to_a_file},
                                                       {"keeps only the newest", keeps_only_the_newest},
                                                       {0}});
}
