/* Cluster, side panel, timeline and overlays by what a person sees and does: a run of a few events, no
 * display. */
#include "view/glossary.h"
#include "view/stage_private.h"
#include "view/story.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

/* --- A run and its host
 * ------------------------------------------------------------------------------------------------ */

static struct sim_event_log *run;
static struct sim_timeline *timeline;
static struct view_stage *stage;
static struct view_text *text;
static struct view_draw_list list;
static struct view_input input;
static struct view_intent asked; /* the newest intent */
static uint32_t asked_count;
static uint32_t orders; /* the topic's name */

static const struct sim_event_log *host_log(void *context)
{
    (void)context;
    return run;
}

static struct sim_timeline *host_timeline(void *context)
{
    (void)context;
    return timeline;
}

static bool host_act(void *context, const struct view_intent *intent, const char **message)
{
    (void)context;
    asked = *intent;
    asked_count++;
    *message = "noted";
    return true;
}

static uint64_t add(struct kb_event event, int64_t time_us, uint64_t cause)
{
    uint64_t sequence = sim_event_log_append(run, &event, time_us, cause);
    CU_ASSERT_FATAL(sequence > 0);
    return sequence;
}

#define EVENT(NAME, name, ...) ((struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}})
#define CLUSTER(NAME, name, ...)                                                                             \
    ((struct kb_event){.kind = KB_EVENT_##NAME, .source = KB_SOURCE_CLUSTER, .as.name = {__VA_ARGS__}})

static void fill_info(void)
{
    struct sim_run_info *info = sim_event_log_info(run);
    info->duration_us = 100000;
    info->latency_us = 500;
    info->broker_count = 3;
    for (int32_t i = 0; i < 3; i++) {
        info->brokers[i].id = i + 1;
    }
    info->topic_count = 1;
    snprintf(info->topics[0].name, sizeof info->topics[0].name, "orders");
    info->topics[0].partition_count = 1;
    info->topics[0].replication_factor = 3;
    info->topics[0].min_insync_replicas = 2;
    info->producer_count = 1;
    struct sim_producer_info *producer = &info->producers[0];
    snprintf(producer->name, sizeof producer->name, "shop");
    snprintf(producer->acks, sizeof producer->acks, "all");
    producer->linger_ms = 5;
    producer->batch_size_bytes = 16384;
    producer->buffer_memory_bytes = 33554432;
    producer->max_in_flight = 5;
    producer->thread_count = 1;
    orders = sim_event_log_intern(run, "orders", 6);
}

/* Where the parts of the story are. */
enum { REFUSED = 4 };
static uint64_t batch_created, batch_closed, batch_drained, carried;

static void fill_run(void)
{
    add(CLUSTER(CONNECTION_OPENED, connection_opened, .connection = 7, .from = -1, .to = 1), 0, 0);
    add(CLUSTER(CONNECTION_OPENED, connection_opened, .connection = 8, .from = -2, .to = 1), 0, 0);
    for (int32_t i = 1; i <= 3; i++) {
        add(CLUSTER(BROKER_UP, broker_up, .broker = i), 0, 0);
        add(CLUSTER(REPLICA_PLACED, replica_placed, .broker = i, .topic = orders), 0, 0);
    }
    add(CLUSTER(LEADER_ELECTED, leader_elected, .topic = orders, .leader = 1), 0, 0);
    uint64_t created =
        add(EVENT(RECORD_CREATED, record_created, .record = 0, .topic = orders, .value_bytes = 9), 1000, 0);
    batch_created = add(EVENT(BATCH_CREATED, batch_created, .batch = 5, .topic = orders,
                              .capacity_bytes = 16384, .record = 0),
                        1000, created);
    add(EVENT(RECORD_APPENDED, record_appended, .record = 0, .batch = 5, .topic = orders,
              .record_bytes = 16272, .batch_bytes = 16272),
        1000, created);
    uint64_t next =
        add(EVENT(RECORD_CREATED, record_created, .record = 1, .topic = orders, .value_bytes = 617), 3000, 0);
    batch_closed = add(EVENT(BATCH_CLOSED, batch_closed, .batch = 5, .topic = orders, .records = 1,
                             .bytes = 16272, .why = KB_CLOSE_WHY_NO_ROOM),
                       3000, next);
    add(EVENT(BATCH_CREATED, batch_created, .batch = 8, .topic = orders, .capacity_bytes = 16384,
              .record = 1),
        3000, next);
    add(EVENT(RECORD_APPENDED, record_appended, .record = 1, .batch = 8, .topic = orders, .record_bytes = 617,
              .batch_bytes = 617),
        3000, next);
    batch_drained = add(EVENT(BATCH_DRAINED, batch_drained, .batch = 5, .topic = orders, .node = 1,
                              .bytes = 16272, .records = 1, .left = KB_LEFT_NO_ROOM),
                        4000, 0);
    carried = add(EVENT(REQUEST_CARRIES, request_carries, .request = 42, .batch = 5, .topic = orders,
                        .records = 1, .node = 1),
                  4000, 0);
    add(EVENT(REQUEST_BUILT, request_built, .request = 42, .node = 1, .batches = 1, .acks = -1), 4000, 0);
    add(CLUSTER(LEADER_APPENDED, leader_appended, .base_offset = 0, .last_offset = 4, .broker = 1,
                .topic = orders, .connection = 7, .request = 42),
        5000, 0);
    add(CLUSTER(FOLLOWER_APPENDED, follower_appended, .base_offset = 0, .last_offset = 2, .broker = 2,
                .leader = 1, .topic = orders),
        6000, 0);
    add(CLUSTER(HW_ADVANCED, hw_advanced, .high_watermark = 3, .broker = 1, .topic = orders, .is_leader = 1),
        7000, 0);
    add(CLUSTER(ISR_SHRUNK, isr_shrunk, .topic = orders, .broker = 3, .isr_count = 2, .leader = 1), 8000, 0);
    add(EVENT(BATCH_DONE, batch_done, .batch = 5, .topic = orders, .records = 1), 9000, 0);
    add(EVENT(RECORD_COMPLETED, record_completed, .record = 0, .batch = 5, .topic = orders), 9000, 0);
    add(EVENT(RECORD_CALLBACK, record_callback, .record = 0), 9000, 0);
    for (uint32_t i = 0; i < REFUSED; i++) {
        add(EVENT(RECORD_CREATED, record_created, .record = 2 + i, .topic = orders), 10000, 0);
        add(EVENT(RECORD_REJECTED, record_rejected, .record = 2 + i, .topic = orders, .error = 10), 10000, 0);
    }
    add(CLUSTER(FAULT, fault, .fault = KB_FAULT_KIND_KILL, .broker = 2, .partition = -1), 20000, 0);
    add(CLUSTER(BROKER_DOWN, broker_down, .broker = 2), 20000, 0);
    uint32_t linger = sim_event_log_intern(run, "linger.ms", 9);
    uint32_t twenty = sim_event_log_intern(run, "20", 2);
    add(EVENT(SETTING_CHANGED, setting_changed, .setting = linger, .value = twenty, .recreated = 1), 60000,
        0);
    add(CLUSTER(FAULT, fault, .fault = KB_FAULT_KIND_CUT, .broker = 3, .other = -2, .partition = -1), 70000,
        0);
    add(CLUSTER(FAULT, fault, .fault = KB_FAULT_KIND_CUT, .broker = 2, .other = 1, .partition = -1), 90000,
        0);
    add(CLUSTER(RUN_ENDED, run_ended, .error = 0), 100000, 0);
}

static void frame(void)
{
    view_stage_input(stage, &input);
    (void)view_stage_advance(stage, 16000);
    view_stage_draw(stage, &list, 1600, 900, 256);
    input.buttons_pressed = 0;
    input.buttons_released = 0;
    input.key_count = 0;
    input.wheel = (struct view_point){0, 0};
}

static void start(void)
{
    run = sim_event_log_create();
    fill_info();
    fill_run();
    timeline = sim_timeline_create(run);
    text = view_text_create(&(struct view_text_options){.fixed_metrics = true});
    struct view_host host = {.log = host_log, .timeline = host_timeline, .act = host_act};
    stage = view_stage_create(&host, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage);
    view_draw_list_init(&list);
    memset(&input, 0, sizeof input);
    memset(&asked, 0, sizeof asked);
    asked_count = 0;
    input.mouse_inside = true;
    input.mouse = (struct view_point){VIEW_PX(2), VIEW_PX(2)};
    frame();
}

static void stop(void)
{
    view_stage_destroy(stage);
    view_draw_list_release(&list);
    view_text_destroy(text);
    sim_timeline_destroy(timeline);
    sim_event_log_destroy(run);
}

static bool shows(const char *wanted)
{
    size_t length = strlen(wanted);
    for (uint32_t i = 0; i < list.command_count; i++) {
        const struct view_command *command = &list.commands[i];
        if (command->kind == VIEW_COMMAND_TEXT && command->data_count >= length &&
            memcmp(&list.bytes[command->data_index], wanted, length) == 0) {
            return true;
        }
    }
    return false;
}

static void press_at(struct view_point at, uint32_t button)
{
    input.mouse = at;
    frame();
    input.buttons = button;
    input.buttons_pressed = button;
    frame();
    input.buttons = 0;
    input.buttons_released = button;
    frame();
    frame();
}

static void press(view_id id, uint32_t button)
{
    const struct view_hit *hit = view_draw_list_find(&list, id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(hit);
    press_at((struct view_point){hit->rect.x + hit->rect.w / 2, hit->rect.y + hit->rect.h / 2}, button);
}

static void click(view_id id)
{
    press(id, VIEW_BUTTON_LEFT);
}

static void go(int64_t time_us)
{
    view_stage_seek_time(stage, time_us);
    frame();
    frame();
}

/* --- The cluster
 * -------------------------------------------------------------------------------------------------------- */

static view_id action(uint32_t place, enum kb_fault_kind fault)
{
    return view_id_make(VIEW_HIT_BROKER_ACTION, place, (uint16_t)fault);
}

static void a_broker_is_killed_and_restarted(void)
{
    start();
    go(10000);
    click(action(1, KB_FAULT_KIND_KILL));
    CU_ASSERT_EQUAL(asked_count, 1);
    CU_ASSERT_EQUAL(asked.kind, VIEW_INTENT_FAULT);
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_KILL);
    CU_ASSERT_EQUAL(asked.broker, 2);
    CU_ASSERT_EQUAL(asked.at_us, 10000);
    go(30000);
    CU_ASSERT_TRUE(shows("down"));
    CU_ASSERT_PTR_NULL(view_draw_list_find(&list, action(1, KB_FAULT_KIND_KILL)));
    click(action(1, KB_FAULT_KIND_RESTART));
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_RESTART);
    CU_ASSERT_EQUAL(asked.broker, 2);
    CU_ASSERT_EQUAL(asked.at_us, 30000);
    stop();
}

static void replicas_show_who_leads_and_how_far(void)
{
    start();
    go(7500);
    CU_ASSERT_TRUE(shows("leader"));
    CU_ASSERT_TRUE(shows("follower"));
    CU_ASSERT_TRUE(shows("LEO 5"));
    CU_ASSERT_TRUE(shows("HW 3"));
    CU_ASSERT_TRUE(shows("LEO 3"));
    CU_ASSERT_FALSE(shows("out of ISR"));
    go(8500);
    CU_ASSERT_TRUE(shows("out of ISR"));
    stop();
}

static void a_menu_moves_a_leader(void)
{
    start();
    go(8500);
    struct view_thing replica = view_thing_replica(orders, 0, 2);
    press(view_thing_id(sim_event_log_info_view(run), &replica), VIEW_BUTTON_RIGHT);
    CU_ASSERT_TRUE(shows("Move its leader to broker 2"));
    CU_ASSERT_TRUE(shows("Move its leader to broker 3 (out of sync)"));
    click(view_id_make(VIEW_HIT_MENU, 0, 1));
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_MOVE_LEADER);
    CU_ASSERT_EQUAL(asked.broker, 2);
    CU_ASSERT_EQUAL(asked.topic, orders);
    CU_ASSERT_EQUAL(asked.partition, 0);
    CU_ASSERT_FALSE(shows("Move its leader to broker 2"));
    stop();
}

/* The entry of the menu that is open, by its words. */
static void pick(const char *words)
{
    for (uint32_t i = 0; i < list.command_count; i++) {
        const struct view_command *command = &list.commands[i];
        if (command->kind == VIEW_COMMAND_TEXT && command->data_count == strlen(words) &&
            memcmp(&list.bytes[command->data_index], words, strlen(words)) == 0) {
            press_at((struct view_point){command->rect.x + VIEW_PX(4), command->rect.y + VIEW_PX(4)},
                     VIEW_BUTTON_LEFT);
            return;
        }
    }
    CU_FAIL("no such choice");
}

static void choose(const struct view_thing *thing, const char *page, const char *words)
{
    /* At its corner: in the middle of a broker's card stands a replica. */
    const struct view_hit *hit =
        view_draw_list_find(&list, view_thing_id(sim_event_log_info_view(run), thing));
    CU_ASSERT_PTR_NOT_NULL_FATAL(hit);
    press_at((struct view_point){hit->rect.x + VIEW_PX(4), hit->rect.y + VIEW_PX(4)}, VIEW_BUTTON_RIGHT);
    pick(page);
    frame();
    pick(words);
}

static void a_broker_is_cut_off_from_the_producers(void)
{
    start();
    go(10000);
    struct view_thing broker = view_thing_broker(3);
    choose(&broker, "Links", "Cut it off from the producers only");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_CUT);
    CU_ASSERT_EQUAL(asked.broker, 3);
    CU_ASSERT_EQUAL(asked.other, VIEW_END_PRODUCERS);
    choose(&broker, "Links", "Cut it off from everybody");
    CU_ASSERT_EQUAL(asked.other, VIEW_END_ALL);
    CU_ASSERT_FALSE(asked.one_way);
    choose(&broker, "Links", "Cut only its answers to the producers");
    CU_ASSERT_EQUAL(asked.other, VIEW_END_PRODUCERS);
    CU_ASSERT_TRUE(asked.one_way);
    choose(&broker, "Links", "Cut the link to broker 1");
    CU_ASSERT_EQUAL(asked.other, 1);
    go(80000);
    CU_ASSERT_TRUE(shows("up · cut from p"));
    choose(&broker, "Links", "Join it with the producers again");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_HEAL);
    CU_ASSERT_EQUAL(asked.other, VIEW_END_PRODUCERS);
    choose(&broker, "Links", "Heal all its links");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_HEAL);
    CU_ASSERT_EQUAL(asked.other, VIEW_END_ALL);
    stop();
}

static void a_cut_link_is_healed_from_either_end(void)
{
    start();
    go(95000);
    struct view_thing broker = view_thing_broker(1);
    choose(&broker, "Links", "Heal the link to broker 2");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_HEAL);
    CU_ASSERT_EQUAL(asked.broker, 1);
    CU_ASSERT_EQUAL(asked.other, 2);
    broker = view_thing_broker(2);
    choose(&broker, "Links", "Heal the link to broker 1");
    CU_ASSERT_EQUAL(asked.other, 1);
    CU_ASSERT_FALSE(shows("Cut the link to broker 1"));
    stop();
}

static void faults_wait_for_requests(void)
{
    start();
    go(10000);
    struct view_thing broker = view_thing_broker(3);
    choose(&broker, "At a point of the next request", "Crash after the append, before replication");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_KILL);
    CU_ASSERT_EQUAL(asked.point, KB_FAULT_POINT_AFTER_APPEND);
    CU_ASSERT_EQUAL(asked.broker, 3);
    CU_ASSERT_EQUAL(asked.topic, 0);
    CU_ASSERT_FALSE(asked.of_producer);
    choose(&broker, "At a point of the next request", "Cut the response mid-frame");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_DISCONNECT);
    CU_ASSERT_EQUAL(asked.point, KB_FAULT_POINT_RESPONSE_CUT);
    choose(&broker, "At a point of the next request", "Cut off from the cluster after the append");
    CU_ASSERT_EQUAL(asked.other, VIEW_END_CLUSTER);
    choose(&broker, "The next request", "Corrupt its batch on the way to the leader");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_CORRUPT_BATCH);
    CU_ASSERT_EQUAL(asked.api, 0);
    CU_ASSERT_EQUAL(asked.point, 0);
    choose(&broker, "The next request", "Corrupt the next batch on the way to follower 3");
    CU_ASSERT_EQUAL(asked.api, 1);
    CU_ASSERT_EQUAL(asked.broker, 3);
    choose(&broker, "The next request", "Append it, and answer REQUEST_TIMED_OUT");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_ERROR);
    CU_ASSERT_EQUAL(asked.code, 7);
    CU_ASSERT_TRUE(asked.appended);
    struct view_thing replica = view_thing_replica(orders, 0, 2);
    choose(&replica, "The next request", "Delay its response by 100 ms");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_DELAY_RESPONSE);
    CU_ASSERT_EQUAL(asked.ms, 100);
    CU_ASSERT_EQUAL(asked.broker, -1);
    CU_ASSERT_EQUAL(asked.topic, orders);
    CU_ASSERT_EQUAL(asked.partition, 0);
    /* Half a request does not tell its partition. */
    press(view_thing_id(sim_event_log_info_view(run), &replica), VIEW_BUTTON_RIGHT);
    pick("At a point of the next request");
    frame();
    CU_ASSERT_TRUE(shows("Cut the response mid-frame"));
    CU_ASSERT_FALSE(shows("Cut the request mid-frame"));
    pick("\u2039 Back");
    frame();
    CU_ASSERT_TRUE(shows("Add a partition to orders"));
    pick("Add a partition to orders");
    CU_ASSERT_EQUAL(asked.fault, KB_FAULT_KIND_ADD_PARTITIONS);
    CU_ASSERT_TRUE(asked.count >= 2);
    struct view_thing sender = {.kind = VIEW_THING_SENDER};
    choose(&sender, "At a point of the next request", "Cut the request mid-frame");
    CU_ASSERT_TRUE(asked.of_producer);
    CU_ASSERT_EQUAL(asked.producer, 0);
    CU_ASSERT_EQUAL(asked.broker, -1);
    stop();
}

/* --- Why and Inspect
 * ---------------------------------------------------------------------------------------------------- */

static void why_tells_numbers_and_leads_back(void)
{
    start();
    go(4500);
    struct view_thing batch = view_thing_batch(0, 5);
    view_stage_select(stage, &batch);
    frame();
    frame();
    CU_ASSERT_TRUE(shows("Batch #5 leaves now: no room"));
    CU_ASSERT_TRUE(shows("Record 1 did not fit"));
    CU_ASSERT_TRUE(shows("NO ROOM"));
    click(view_id_make(VIEW_HIT_LAMP, 1, 1));
    CU_ASSERT_EQUAL(view_stage_sequence(stage), batch_closed);
    CU_ASSERT_TRUE(shows("Batch #5 takes no more"));
    stop();
}

/* With nothing selected: the newest decision, not the newest event. */
static void why_tells_what_is_worth_a_word(void)
{
    start();
    go(6500);
    CU_ASSERT_TRUE(shows("Batch #5 leaves now"));
    CU_ASSERT_TRUE(shows("RecordAccumulator.ready()"));
    CU_ASSERT_TRUE(shows("full: deque.size() > 1"));
    CU_ASSERT_TRUE(shows("2 ms left")); /* of linger.ms = 5, at 4 ms from 1 ms on */
    go(9500);
    CU_ASSERT_TRUE(shows("Broker 3 leaves the ISR"));
    CU_ASSERT_FALSE(shows("Batch #5 is acked"));
    stop();
}

static void a_cause_is_a_line_to_click(void)
{
    start();
    view_stage_seek(stage, batch_created);
    struct view_thing event = view_thing_event(batch_created);
    view_stage_select(stage, &event);
    frame();
    frame();
    uint64_t cause = sim_event_log_cause(run, batch_created);
    CU_ASSERT_EQUAL(cause, batch_created - 1);
    click(view_id_make(VIEW_HIT_EVENT_LINE, (uint32_t)cause, 0));
    CU_ASSERT_EQUAL(view_stage_sequence(stage), cause);
    stop();
}

static void a_record_has_a_life(void)
{
    start();
    go(9000);
    struct view_thing record = view_thing_record(0);
    struct life life = {.count = 0};
    life_trace(&life, run, &record, 1, 0);
    CU_ASSERT_TRUE(life.is_over);
    /* Created, opened a batch, appended; closed, drained, carried, done with its batch; completed, called
     * back. */
    CU_ASSERT_EQUAL_FATAL(life.count, 9);
    CU_ASSERT_EQUAL(life.events[1], batch_created);
    CU_ASSERT_EQUAL(life.events[3], batch_closed);
    CU_ASSERT_EQUAL(life.events[4], batch_drained);
    CU_ASSERT_EQUAL(life.events[5], carried);
    view_stage_select(stage, &record);
    stage->side.tab = VIEW_TAB_INSPECT;
    frame();
    frame();
    click(view_id_make(VIEW_HIT_EVENT_LINE, (uint32_t)batch_drained, 1));
    CU_ASSERT_EQUAL(view_stage_sequence(stage), batch_drained);
    CU_ASSERT_TRUE(view_thing_equals(&stage->selected, &record)); /* its life is walked along */
    stop();
}

/* Another producer's request of the same number is another request. */
static void a_request_is_its_producers(void)
{
    start();
    sim_event_log_info(run)->producer_count = 2;
    uint64_t mine = sim_event_log_count(run);
    add(CLUSTER(REQUEST_ARRIVED, request_arrived, .broker = 1, .connection = 7, .request = 42), 100000, 0);
    add(CLUSTER(REQUEST_ARRIVED, request_arrived, .broker = 1, .connection = 8, .request = 42), 100000, 0);
    struct view_thing first = view_thing_request(0, 42);
    struct view_thing second = view_thing_request(1, 42);
    const struct kb_event *event = sim_event_log_get(run, mine + 1);
    CU_ASSERT_TRUE(life_is_about(run, event, &first, 0));
    CU_ASSERT_FALSE(life_is_about(run, event, &second, 0));
    event = sim_event_log_get(run, mine + 2);
    CU_ASSERT_FALSE(life_is_about(run, event, &first, 0));
    CU_ASSERT_TRUE(life_is_about(run, event, &second, 0));
    stop();
}

/* Before its answer by the leader's append, after it by its own offset. */
static void a_record_is_marked_in_the_logs(void)
{
    start();
    struct view_thing record = view_thing_record(0);
    view_stage_select(stage, &record);
    go(4500);
    CU_ASSERT_EQUAL(stage->marked.partition, MODEL_NONE);
    go(5500);
    CU_ASSERT_EQUAL(stage->marked.partition, 0);
    CU_ASSERT_EQUAL(stage->marked.first, 0);
    CU_ASSERT_EQUAL(stage->marked.last, 0);
    struct view_thing batch = view_thing_batch(0, 5);
    view_stage_select(stage, &batch);
    frame();
    CU_ASSERT_EQUAL(stage->marked.last, 4);
    view_stage_select(stage, &record);
    go(9500);
    CU_ASSERT_EQUAL(stage->marked.partition, 0);
    stop();
}

/* --- Config
 * -------------------------------------------------------------------------------------------------------------
 */

static void a_setting_becomes_an_intent(void)
{
    start();
    go(10000);
    stage->side.tab = VIEW_TAB_CONFIG;
    frame();
    frame();
    CU_ASSERT_TRUE(shows("linger.ms"));
    /* Setting 3 is acks; its second word is "1". */
    click(view_id_make(VIEW_HIT_SETTING, 3, 9));
    CU_ASSERT_EQUAL(asked.kind, VIEW_INTENT_SET);
    CU_ASSERT_STRING_EQUAL(asked.setting, "acks");
    CU_ASSERT_STRING_EQUAL(asked.value, "1");
    CU_ASSERT_EQUAL(asked.at_us, 10000);
    stop();
}

static void settings_are_those_in_force(void)
{
    start();
    go(59000);
    CU_ASSERT_TRUE(shows("linger.ms=5"));
    CU_ASSERT_FALSE(shows("producer made again"));
    CU_ASSERT_EQUAL(stage->settings.linger_ms, 5);
    go(65000);
    CU_ASSERT_TRUE(shows("linger.ms=20"));
    CU_ASSERT_TRUE(shows("producer made again"));
    CU_ASSERT_EQUAL(stage->settings.linger_ms, 20);
    stop();
}

static void a_slider_asks_once_when_it_is_let_go(void)
{
    start();
    stage->side.tab = VIEW_TAB_CONFIG;
    frame();
    frame();
    const struct view_hit *hit = view_draw_list_find(&list, view_id_make(VIEW_HIT_SETTING, 0, 2));
    CU_ASSERT_PTR_NOT_NULL_FATAL(hit);
    struct view_rect rect = hit->rect;
    input.mouse = (struct view_point){rect.x + rect.w / 4, rect.y + rect.h / 2};
    frame();
    input.buttons = input.buttons_pressed = VIEW_BUTTON_LEFT;
    frame();
    for (int32_t x = rect.w / 4; x < rect.w; x += rect.w / 16) {
        input.mouse.x = rect.x + x;
        frame();
    }
    input.mouse.x = rect.x + rect.w;
    frame();
    CU_ASSERT_EQUAL(asked_count, 0);
    input.buttons = 0;
    input.buttons_released = VIEW_BUTTON_LEFT;
    frame();
    frame();
    CU_ASSERT_EQUAL(asked_count, 1);
    CU_ASSERT_STRING_EQUAL(asked.setting, "linger.ms");
    CU_ASSERT_STRING_EQUAL(asked.value, "1000");
    stop();
}

/* The value of a row: it is drawn right before its key. */
static bool row_has(const char *key, const char *value)
{
    for (uint32_t i = 1; i < list.command_count; i++) {
        const struct view_command *command = &list.commands[i];
        const struct view_command *before = command - 1;
        if (command->kind == VIEW_COMMAND_TEXT && before->kind == VIEW_COMMAND_TEXT &&
            command->data_count == strlen(key) && before->data_count == strlen(value) &&
            memcmp(&list.bytes[command->data_index], key, strlen(key)) == 0 &&
            memcmp(&list.bytes[before->data_index], value, strlen(value)) == 0) {
            return true;
        }
    }
    return false;
}

/* One of six is acked, four are refused, which is a failure: one is left. */
static void the_ledger_adds_up(void)
{
    start();
    go(15000);
    stage->side.tab = VIEW_TAB_LEDGER;
    frame();
    frame();
    CU_ASSERT_TRUE(row_has("sent", "6"));
    CU_ASSERT_TRUE(row_has("acked", "1"));
    CU_ASSERT_TRUE(row_has("failed", "4"));
    CU_ASSERT_TRUE(row_has("in flight or queued", "1"));
    CU_ASSERT_TRUE(row_has("of them refused", "4"));
    stop();
}

/* --- Timeline
 * -----------------------------------------------------------------------------------------------------------
 */

static struct view_rect lanes_rect(void)
{
    const struct view_hit *hit = view_draw_list_find(&list, view_id_make(VIEW_HIT_TIMELINE, 0, 0));
    CU_ASSERT_PTR_NOT_NULL_FATAL(hit);
    return hit->rect;
}

static void a_press_on_the_ruler_scrubs(void)
{
    start();
    struct view_rect rect = lanes_rect();
    press_at((struct view_point){rect.x + rect.w / 2, rect.y + VIEW_PX(4)}, VIEW_BUTTON_LEFT);
    CU_ASSERT(stage->time_us > 45000 && stage->time_us < 55000);
    stop();
}

static void the_wheel_zooms_around_the_pointer(void)
{
    start();
    struct view_rect rect = lanes_rect();
    input.mouse = (struct view_point){rect.x + rect.w / 5, rect.y + rect.h / 2};
    frame();
    for (int i = 0; i < 10; i++) {
        input.wheel.y = -VIEW_PX(40);
        frame();
    }
    int64_t span_us = stage->timeline.to_us - stage->timeline.from_us;
    CU_ASSERT(span_us > 5000 && span_us < 20000);
    CU_ASSERT(stage->timeline.from_us < 20000 && stage->timeline.to_us > 20000);
    CU_ASSERT_TRUE(shows("kill B2"));
    for (int i = 0; i < 20; i++) {
        input.wheel.y = VIEW_PX(40);
        frame();
    }
    CU_ASSERT_EQUAL(stage->timeline.to_us, 0); /* all of it again */
    stop();
}

/* --- Words
 * -------------------------------------------------------------------------------------------------------------
 */

static void terms_are_explained(void)
{
    uint32_t count = 0;
    for (const char *term = view_glossary_term(0); term != NULL; term = view_glossary_term(++count)) {
        const char *sentence = view_glossary(term);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sentence);
        CU_ASSERT(strlen(sentence) < VIEW_TIP_BYTES && sentence[strlen(sentence) - 1] == '.');
    }
    CU_ASSERT(count > 20);
    CU_ASSERT_PTR_NULL(view_glossary("no such term"));
}

static void every_event_has_a_story(void)
{
    start();
    struct view_frame told = {.stage = stage, .log = run, .info = sim_event_log_info_view(run)};
    told.model = sim_timeline_seek(timeline, UINT64_MAX);
    for (uint64_t i = 1; i <= sim_event_log_count(run); i++) {
        struct story story;
        story_tell(&told, i, &story);
        CU_ASSERT(strlen(story.title) > 3 && strlen(story.sentence) > 3);
        CU_ASSERT(story.sentence[strlen(story.sentence) - 1] == '.');
    }
    stop();
}

int main(void)
{
    return unit_main("stage_panels",
                     (struct unit_test[]){
                         {"a broker is killed and restarted", a_broker_is_killed_and_restarted},
                         {"replicas show who leads and how far", replicas_show_who_leads_and_how_far},
                         {"a menu moves a leader", a_menu_moves_a_leader},
                         {"why tells numbers and leads back", why_tells_numbers_and_leads_back},
                         {"a broker is cut off from the producers", a_broker_is_cut_off_from_the_producers},
                         {"a cut link is healed from either end", a_cut_link_is_healed_from_either_end},
                         {"faults wait for requests", faults_wait_for_requests},
                         {"why tells what is worth a word", why_tells_what_is_worth_a_word},
                         {"a request is its producer's", a_request_is_its_producers},
                         {"a record is marked in the logs", a_record_is_marked_in_the_logs},
                         {"settings are those in force", settings_are_those_in_force},
                         {"a cause is a line to click", a_cause_is_a_line_to_click},
                         {"a record has a life", a_record_has_a_life},
                         {"a setting becomes an intent", a_setting_becomes_an_intent},
                         {"a slider asks once when it is let go", a_slider_asks_once_when_it_is_let_go},
                         {"the ledger adds up", the_ledger_adds_up},
                         {"a press on the ruler scrubs", a_press_on_the_ruler_scrubs},
                         {"the wheel zooms around the pointer", the_wheel_zooms_around_the_pointer},
                         {"terms are explained", terms_are_explained},
                         {"every event has a story", every_event_has_a_story},
                         {0}});
}
