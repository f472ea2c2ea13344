/* Who leads when somebody is gone, and what the controller writes down. */

#include "follower.h"
#include "mockbroker/controller_internal.h"
#include "unit.h"

static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};
static const struct mb_setting unclean[] = {{"unclean.leader.election.enable", "true"}, {NULL, NULL}};

static const struct mb_partition_state *state_of(struct harness *h)
{
    return mb_controller_state(h->cluster, follower_replica(h, 1)->tp);
}

/* Leader 1 is alone in the ISR; 2 and 3 are alive, but cannot reach it. */
static void open_with_strangers(struct harness *h, const struct mb_setting *topic)
{
    harness_open_simple(h, 3, 3, quick_lag, topic);
    harness_run(h, 10000);
    uint32_t c = harness_connect(h, 1);
    harness_cut(h, 1, 2);
    harness_cut(h, 1, 3);
    CU_ASSERT_EQUAL(follower_produce(h, c), 0);
    harness_run(h, 5000000);
    CU_ASSERT_EQUAL_FATAL(harness_partition(h).isr_count, 1);
}

/* --- Rule 14 --- */

static void a_dead_follower_leaves_when_it_is_noticed(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    int32_t version = state_of(&h)->version;
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 5900000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 0);
    harness_run(&h, 200000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 1);
    CU_ASSERT_EQUAL(state_of(&h)->version, version + 1);
    /* The leader hears of it. */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).leader_epoch, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).isr_count, 2);
    harness_close(&h);
}

static void the_last_one_stays_without_a_leader(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 7000000);
    int32_t epoch = harness_partition(&h).leader_epoch;
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, -1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(mb_partition_isr(h.cluster, "t", 0, 0), 1);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, epoch + 1);
    harness_close(&h);
}

/* --- Rule 15 --- */

static void the_first_of_the_assignment_leads(void)
{
    static const int32_t ids[] = {1, 2, 3};
    static const int32_t assignment[] = {2, 3, 1};
    struct mb_topic_options topic = {
        .name = "t", .partition_count = 1, .replication_factor = 3, .assignment = assignment};
    struct mb_options options = {.broker_ids = ids, .broker_count = 3, .topics = &topic, .topic_count = 1};
    struct harness h;
    harness_open(&h, &options);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    int32_t version = state_of(&h)->version;
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 3);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 1);
    CU_ASSERT_EQUAL(state_of(&h)->version, version + 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2); /* without the dead one */
    harness_close(&h);
}

static void outside_the_isr_nobody_leads(void)
{
    struct harness h;
    open_with_strangers(&h, NULL);
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, -1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

static void unclean_the_first_live_one_leads_alone(void)
{
    struct harness h;
    open_with_strangers(&h, unclean);
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 6500000);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_LEADER_ELECTED].as.leader_elected.why, KB_ELECTION_WHY_UNCLEAN);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_ISR_EXPANDED].as.isr_expanded.broker,
                    3); /* which has joined since */
    harness_close(&h);
}

static void the_isr_of_an_unclean_leader_is_itself(void)
{
    struct harness h;
    open_with_strangers(&h, unclean);
    harness_cut(&h, 2, 3); /* it cannot join at once */
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 6500000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(mb_partition_isr(h.cluster, "t", 0, 0), 2);
    harness_close(&h);
}

static void who_shuts_down_is_not_elected(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    h.cluster->controller.sessions[1].state = MB_SESSION_SHUTTING_DOWN;
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 3);
    harness_close(&h);
}

static void who_shuts_down_hands_over_within_the_isr(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_TRUE(mb_shutdown(h.cluster, 1, h.now_us));
    harness_run(&h, 1000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 3);
    harness_close(&h);
}

static struct kw_metadata_response_topic metadata(struct harness *h, uint32_t c, const char *name)
{
    struct kw_metadata_request request;
    struct kw_metadata_request_topic topic;
    struct kw_metadata_response response;
    kw_metadata_request_init(&request);
    kw_metadata_request_topic_init(&topic);
    topic.name = (struct kw_string){name, 1};
    request.topics.items = &topic;
    request.topics.count = 1;
    request.allow_auto_topic_creation = true;
    harness_send(h, c, KW_API_METADATA, 9, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_METADATA, 9, &response, 1000000));
    return response.topics.items[0];
}

static void without_a_leader_metadata_says_five(void)
{
    struct harness h;
    open_with_strangers(&h, NULL);
    uint32_t c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(metadata(&h, c, "t").partitions.items[0].error_code, 0);
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 7000000);
    struct kw_metadata_response_topic topic = metadata(&h, c, "t");
    CU_ASSERT_EQUAL(topic.error_code, 0);
    CU_ASSERT_EQUAL(topic.partitions.items[0].error_code, KW_ERROR_LEADER_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(topic.partitions.items[0].leader_id, -1);
    harness_close(&h);
}

static void a_new_topic_says_five_first(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(metadata(&h, c, "n").error_code, KW_ERROR_LEADER_NOT_AVAILABLE);
    harness_run(&h, 100000);
    struct kw_metadata_response_topic topic = metadata(&h, c, "n");
    CU_ASSERT_EQUAL(topic.error_code, 0);
    CU_ASSERT_EQUAL(topic.partitions.items[0].leader_id, 1);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker elections",
        (struct unit_test[]){
            {"a dead follower leaves when it is noticed", a_dead_follower_leaves_when_it_is_noticed},
            {"the last one stays, without a leader", the_last_one_stays_without_a_leader},
            {"the first of the assignment leads", the_first_of_the_assignment_leads},
            {"outside the ISR nobody leads", outside_the_isr_nobody_leads},
            {"unclean: the first live one leads", unclean_the_first_live_one_leads_alone},
            {"the ISR of an unclean leader is itself", the_isr_of_an_unclean_leader_is_itself},
            {"who shuts down is not elected", who_shuts_down_is_not_elected},
            {"who shuts down hands over within the ISR", who_shuts_down_hands_over_within_the_isr},
            {"without a leader: 5", without_a_leader_metadata_says_five},
            {"a new topic: 5 first", a_new_topic_says_five_first},
            {0},
        });
}
