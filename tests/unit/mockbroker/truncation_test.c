/* Leader epochs in fetches: who is refused, where two logs differ, and what a follower cuts off. */

#include "follower.h"
#include "unit.h"

#include "wire/record_batch.h"

/* Two brokers; leadership went 1, 2, 1, and one record is of epoch 0. Returns a connection to 1. */
static uint32_t open_in_epoch_two(struct harness *h)
{
    harness_open_simple(h, 2, 2, NULL, NULL);
    harness_run(h, 10000);
    uint32_t c = harness_connect(h, 1);
    CU_ASSERT_EQUAL(follower_produce(h, c), 0);
    harness_run(h, 1000000);
    CU_ASSERT_TRUE(mb_move_leader(h->cluster, "t", 0, 2, h->now_us));
    harness_run(h, 1000000);
    CU_ASSERT_TRUE(mb_move_leader(h->cluster, "t", 0, 1, h->now_us));
    harness_run(h, 1000000);
    CU_ASSERT_EQUAL_FATAL(harness_replica(h, 1).leader_epoch, 2);
    return c;
}

static struct kw_fetch_response_partition ask(struct harness *h, uint32_t c, int64_t offset, int32_t current,
                                              int32_t last_fetched)
{
    struct follower_fetch fetch = {.replica = 2,
                                   .offset = offset,
                                   .has_epochs = true,
                                   .current_leader_epoch = current,
                                   .last_fetched_epoch = last_fetched};
    return follower_ask(h, c, &fetch);
}

static void another_epoch_is_refused(void)
{
    struct harness h;
    uint32_t c = open_in_epoch_two(&h);
    CU_ASSERT_EQUAL(ask(&h, c, 1, 2, 0).error_code, 0);
    CU_ASSERT_EQUAL(ask(&h, c, 1, 1, 0).error_code, KW_ERROR_FENCED_LEADER_EPOCH);
    CU_ASSERT_EQUAL(ask(&h, c, 1, 3, 0).error_code, KW_ERROR_UNKNOWN_LEADER_EPOCH);
    CU_ASSERT_EQUAL(ask(&h, c, 1, -1, 0).error_code, 0); /* it does not say */
    /* The epoch comes before the question who leads. */
    uint32_t elsewhere = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(ask(&h, elsewhere, 1, 1, 0).error_code, KW_ERROR_FENCED_LEADER_EPOCH);
    CU_ASSERT_EQUAL(ask(&h, elsewhere, 1, 3, 0).error_code, KW_ERROR_UNKNOWN_LEADER_EPOCH);
    CU_ASSERT_EQUAL(ask(&h, elsewhere, 1, 2, 0).error_code, KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    harness_close(&h);
}

static void an_epoch_that_never_was_here_diverges(void)
{
    struct harness h;
    uint32_t c = open_in_epoch_two(&h);
    struct kw_fetch_response_partition answer = ask(&h, c, 1, 2, 1); /* nothing was written in epoch 1 */
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.diverging_epoch.epoch, 0);
    CU_ASSERT_EQUAL(answer.diverging_epoch.end_offset, 1);
    CU_ASSERT_EQUAL(answer.records.length_bytes, 0);
    harness_close(&h);
}

static void past_the_end_of_its_epoch_it_diverges(void)
{
    struct harness h;
    uint32_t c = open_in_epoch_two(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0); /* offset 1, epoch 2 */
    struct kw_fetch_response_partition answer = ask(&h, c, 2, 2, 0);
    CU_ASSERT_EQUAL(answer.diverging_epoch.epoch, 0);
    CU_ASSERT_EQUAL(answer.diverging_epoch.end_offset, 1);
    CU_ASSERT_EQUAL(ask(&h, c, 1, 2, 0).diverging_epoch.epoch, -1);
    CU_ASSERT_TRUE(ask(&h, c, 1, 2, 0).records.length_bytes > 0);
    harness_close(&h);
}

static void who_diverges_is_not_taken_at_its_word(void)
{
    struct harness h;
    uint32_t c = open_in_epoch_two(&h);
    harness_cut(&h, 1, 2);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    int64_t known = follower_remote(&h, 1, 2)->log_end_offset;
    (void)ask(&h, c, 2, 2, 0);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->log_end_offset, known);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void below_the_start_it_is_out_of_range(void)
{
    struct mb_setting topic[] = {{"segment.bytes", "1000"}, {"retention.bytes", "2000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch large = {.records = 1, .value_bytes = 400};
    for (int i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &large)).error_code, 0);
    }
    CU_ASSERT_TRUE_FATAL(harness_replica(&h, 1).log_start_offset > 10);
    struct follower_fetch fetch = {
        .replica = -1, .offset = 3, .has_epochs = true, .current_leader_epoch = 0, .last_fetched_epoch = 0};
    CU_ASSERT_EQUAL(follower_ask(&h, c, &fetch).error_code, KW_ERROR_OFFSET_OUT_OF_RANGE);
    fetch.offset = 41;
    fetch.last_fetched_epoch = -1;
    CU_ASSERT_EQUAL(follower_ask(&h, c, &fetch).error_code, KW_ERROR_OFFSET_OUT_OF_RANGE);
    harness_close(&h);
}

/* --- What a follower makes of it --- */

struct piece {
    int32_t epoch; /* of the batches of one record up to end_offset */
    int64_t end_offset;
};

/* Broker 2's log is made anew: these pieces. */
static struct mb_partition *rewrite(struct harness *h, const struct piece *pieces)
{
    struct mb_partition *follower = follower_replica(h, 2);
    struct harness_batch one = {.records = 1, .value_bytes = 10};
    for (; pieces->end_offset > 0; pieces++) {
        while (follower->log.end_offset < pieces->end_offset) {
            struct kw_bytes bytes = harness_batch(h, &one);
            kw_record_batch_set_base_offset((uint8_t *)bytes.bytes, follower->log.end_offset);
            kw_record_batch_set_partition_leader_epoch((uint8_t *)bytes.bytes, pieces->epoch);
            mb_log_append(&follower->log,
                          mb_block_create(h->cluster->allocator, bytes.bytes, (uint32_t)bytes.length_bytes));
        }
    }
    follower->fetch.fetch_offset = follower->log.end_offset;
    follower->fetch.last_fetched_epoch = mb_epoch_cache_latest(&follower->log.epochs);
    h->is_unchecked = true;
    return follower;
}

/* The leader answers that it differs: its epoch up to end_offset. Where does the follower's log end now? */
static int64_t truncated_to(const struct piece *pieces, int32_t epoch, int64_t end_offset)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    struct mb_partition *follower = rewrite(&h, pieces);
    struct kw_fetch_response_partition data;
    kw_fetch_response_partition_init(&data);
    data.high_watermark = 0;
    data.log_start_offset = 0;
    data.diverging_epoch.epoch = epoch;
    data.diverging_epoch.end_offset = end_offset;
    CU_ASSERT_EQUAL(mb_fetcher_process(follower, &data), MB_FETCHED_FINE);
    int64_t end = follower->log.end_offset;
    /* It goes on from there, and with the epoch of what is left. */
    CU_ASSERT_EQUAL(follower->fetch.fetch_offset, end);
    int32_t latest = mb_epoch_cache_latest(&follower->log.epochs);
    CU_ASSERT_EQUAL(follower->fetch.last_fetched_epoch, latest);
    CU_ASSERT_TRUE(follower->log.epochs.entries[follower->log.epochs.count - 1].start_offset < end);
    harness_close(&h);
    return end;
}

static void a_follower_cuts_where_the_epochs_part(void)
{
    static const struct piece pieces[] = {{0, 5}, {3, 7}, {0, 0}};
    CU_ASSERT_EQUAL(truncated_to(pieces, 0, 2), 2); /* the leader's epoch 0 is shorter */
    CU_ASSERT_EQUAL(truncated_to(pieces, 0, 9), 5); /* its own is */
    CU_ASSERT_EQUAL(truncated_to(pieces, 3, 6), 6);
    CU_ASSERT_EQUAL(truncated_to(pieces, 3, 9), 7); /* nothing to cut */
    /* An epoch that it does not have: to the end of the one before it, and then it asks again. */
    CU_ASSERT_EQUAL(truncated_to(pieces, 1, 4), 5);
    CU_ASSERT_EQUAL(truncated_to(pieces, 2, 6), 5);
}

static void epochs_are_cut_with_the_log(void)
{
    static const struct piece pieces[] = {{0, 5}, {3, 7}, {0, 0}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    struct mb_log *log = &rewrite(&h, pieces)->log;
    CU_ASSERT_TRUE(mb_log_truncate_to(log, 6, h.now_us));
    CU_ASSERT_EQUAL(mb_epoch_cache_latest(&log->epochs), 3);
    CU_ASSERT_TRUE(mb_log_truncate_to(log, 5, h.now_us));
    CU_ASSERT_EQUAL(mb_epoch_cache_latest(&log->epochs), 0);
    /* One that began at the end, as of a leader that never wrote, goes although no record does. */
    mb_epoch_cache_assign(&log->epochs, 4, 5);
    CU_ASSERT_FALSE(mb_log_truncate_to(log, 5, h.now_us));
    CU_ASSERT_EQUAL(mb_epoch_cache_latest(&log->epochs), 0);
    harness_close(&h);
}

static void what_errors_mean_to_a_follower(void)
{
    static const struct {
        int16_t error;
        enum mb_fetched means;
    } cases[] = {
        {KW_ERROR_FENCED_LEADER_EPOCH, MB_FETCHED_FAILED}, /* it waits for its own LeaderAndIsr */
        {KW_ERROR_UNKNOWN_LEADER_EPOCH, MB_FETCHED_RETRY}, /* the leader has to hear of it first */
        {KW_ERROR_NOT_LEADER_OR_FOLLOWER, MB_FETCHED_RETRY},
        {KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION, MB_FETCHED_RETRY},
        {KW_ERROR_OFFSET_OUT_OF_RANGE, MB_FETCHED_OUT_OF_RANGE},
    };
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kw_fetch_response_partition data;
        kw_fetch_response_partition_init(&data);
        data.error_code = cases[i].error;
        CU_ASSERT_EQUAL(mb_fetcher_process(follower_replica(&h, 2), &data), cases[i].means);
    }
    harness_close(&h);
}

/* A consumer waits at an old leader, past what will be left of its log. */
static void truncation_wakes_who_waits_past_it(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t consumer = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 1, 3);
    harness_cut(&h, 1, MB_CONTROLLER);
    mb_controller_link(h.cluster, 1, false, h.now_us);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(follower_produce(&h, harness_connect(&h, 2)), 0);
    follower_send(&h, consumer,
                  &(struct follower_fetch){.replica = -1,
                                           .offset = 1,
                                           .has_epochs = true,
                                           .current_leader_epoch = -1,
                                           .last_fetched_epoch = 0,
                                           .max_wait_ms = 300000});
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(h.clients[consumer].length_bytes, 0);
    harness_heal(&h);
    mb_controller_link(h.cluster, 1, true, h.now_us);
    harness_run(&h, 20000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_TRUNCATED], 1);
    CU_ASSERT_TRUE(h.clients[consumer].length_bytes > 0);
    harness_close(&h);
}

int main(void)
{
    return unit_main("mockbroker truncation",
                     (struct unit_test[]){
                         {"another epoch is refused: 74, 75", another_epoch_is_refused},
                         {"an epoch that never was here diverges", an_epoch_that_never_was_here_diverges},
                         {"past the end of its epoch it diverges", past_the_end_of_its_epoch_it_diverges},
                         {"who diverges is not taken at its word", who_diverges_is_not_taken_at_its_word},
                         {"below the start: out of range", below_the_start_it_is_out_of_range},
                         {"a follower cuts where the epochs part", a_follower_cuts_where_the_epochs_part},
                         {"epochs are cut with the log", epochs_are_cut_with_the_log},
                         {"what errors mean to a follower", what_errors_mean_to_a_follower},
                         {"truncation wakes who waits past it", truncation_wakes_who_waits_past_it},
                         {0},
                     });
}
