#include "view/menu_faults.h"

#include <inttypes.h>
#include <stdio.h>

/* As Kafka numbers them; the view knows neither wire nor errors by name. */
enum { API_FETCH = 1, NOT_LEADER_OR_FOLLOWER = 6, REQUEST_TIMED_OUT = 7, NOT_ENOUGH_REPLICAS = 19 };

struct view_choice *view_choices_add(struct view_choices *choices, enum view_choice_kind kind,
                                     const char *label)
{
    static struct view_choice dropped;
    struct view_choice *choice =
        choices->count < VIEW_CHOICES_MAX ? &choices->items[choices->count++] : &dropped;
    *choice = (struct view_choice){.kind = kind};
    snprintf(choice->label, sizeof choice->label, "%s", label);
    return choice;
}

void view_choices_separate(struct view_choices *choices)
{
    (void)view_choices_add(choices, VIEW_CHOICE_NOTHING, "");
}

const char *view_menu_page_words(enum view_menu_page page)
{
    switch (page) {
    case VIEW_PAGE_FIRST:
        return "";
    case VIEW_PAGE_LINKS:
        return ": links";
    case VIEW_PAGE_REQUESTS:
        return ": the next request";
    case VIEW_PAGE_POINTS:
        return ": at a point of the next request";
    }
    return "";
}

void view_menu_turn(struct view_choices *choices, bool has_links)
{
    if (has_links) {
        view_choices_add(choices, VIEW_CHOICE_PAGE, "Links")->page = VIEW_PAGE_LINKS;
    }
    view_choices_add(choices, VIEW_CHOICE_PAGE, "The next request")->page = VIEW_PAGE_REQUESTS;
    view_choices_add(choices, VIEW_CHOICE_PAGE, "At a point of the next request")->page = VIEW_PAGE_POINTS;
}

/* --- At once
 * -----------------------------------------------------------------------------------------------------------
 */

static void add_fault(struct view_choices *choices, const char *label, enum kb_fault_kind fault, int32_t id,
                      int64_t ms, bool breaks)
{
    struct view_choice *choice = view_choices_add(choices, VIEW_CHOICE_INTENT, label);
    choice->intent = (struct view_intent){.kind = VIEW_INTENT_FAULT,
                                          .fault = (int32_t)fault,
                                          .broker = id,
                                          .other = VIEW_END_ALL,
                                          .partition = -1,
                                          .ms = ms};
    choice->flags = breaks ? VIEW_CONTROL_DANGER : 0;
}

void view_menu_broker(const struct view_frame *frame, int32_t id, struct view_choices *choices)
{
    int32_t place = sim_model_find_broker(frame->model, id);
    if (place < 0) {
        return;
    }
    const struct model_broker *broker = &frame->model->brokers[place];
    if (!broker->is_up) {
        add_fault(choices, "Restart", KB_FAULT_KIND_RESTART, id, 0, false);
        view_choices_add(choices, VIEW_CHOICE_PAGE, "Links")->page = VIEW_PAGE_LINKS;
        return;
    }
    add_fault(choices, "Kill", KB_FAULT_KIND_KILL, id, 0, true);
    add_fault(choices, "Shut down in an orderly way", KB_FAULT_KIND_SHUTDOWN, id, 0, false);
    if (broker->is_frozen) {
        add_fault(choices, "Thaw", KB_FAULT_KIND_THAW, id, 0, false);
    } else {
        add_fault(choices, "Freeze: the process stalls", KB_FAULT_KIND_FREEZE, id, 0, false);
    }
    view_choices_separate(choices);
    if (broker->fetch_delay_ms > 0) {
        add_fault(choices, "Fetch without delay", KB_FAULT_KIND_SLOW_REPLICA, id, 0, false);
    } else {
        add_fault(choices, "Fetch 250 ms late", KB_FAULT_KIND_SLOW_REPLICA, id, 250, false);
    }
    add_fault(choices, broker->append_delay_ms > 0 ? "Disk at full speed" : "Slow disk: 20 ms an append",
              KB_FAULT_KIND_SLOW_DISK, id, broker->append_delay_ms > 0 ? 0 : 20, false);
    add_fault(choices, "Drop its connections", KB_FAULT_KIND_DISCONNECT, id, 0, false);
    view_choices_separate(choices);
    view_menu_turn(choices, true);
}

/* --- To requests
 * ------------------------------------------------------------------------------------------------------- */

static struct view_choice *add_armed(struct view_choices *choices, const struct view_target *target,
                                     enum kb_fault_kind fault, const char *label)
{
    struct view_choice *choice = view_choices_add(choices, VIEW_CHOICE_INTENT, label);
    choice->intent = (struct view_intent){.kind = VIEW_INTENT_FAULT,
                                          .fault = (int32_t)fault,
                                          .broker = target->broker,
                                          .other = VIEW_END_ALL,
                                          .topic = target->topic,
                                          .partition = target->partition,
                                          .of_producer = target->of_producer,
                                          .producer = target->producer,
                                          .count = 1};
    return choice;
}

void view_menu_requests(const struct view_target *target, struct view_choices *choices)
{
    struct view_choice *choice;
    add_armed(choices, target, KB_FAULT_KIND_DROP_REQUEST, "Drop it");
    add_armed(choices, target, KB_FAULT_KIND_DROP_RESPONSE, "Drop its response");
    add_armed(choices, target, KB_FAULT_KIND_DELAY_RESPONSE, "Delay its response by 100 ms")->intent.ms = 100;
    add_armed(choices, target, KB_FAULT_KIND_THROTTLE, "Throttle its sender for 200 ms")->intent.ms = 200;
    view_choices_separate(choices);
    choice = add_armed(choices, target, KB_FAULT_KIND_ERROR, "Answer NOT_LEADER_OR_FOLLOWER");
    choice->intent.code = NOT_LEADER_OR_FOLLOWER;
    choice = add_armed(choices, target, KB_FAULT_KIND_ERROR, "Answer NOT_ENOUGH_REPLICAS");
    choice->intent.code = NOT_ENOUGH_REPLICAS;
    choice = add_armed(choices, target, KB_FAULT_KIND_ERROR, "Append it, and answer REQUEST_TIMED_OUT");
    choice->intent.code = REQUEST_TIMED_OUT;
    choice->intent.appended = true;
    view_choices_separate(choices);
    choice =
        add_armed(choices, target, KB_FAULT_KIND_CORRUPT_BATCH, "Corrupt its batch on the way to the leader");
    choice->flags = VIEW_CONTROL_DANGER;
}

void view_menu_corrupt_fetch(const struct view_target *target, int32_t follower, struct view_choices *choices)
{
    char label[80];
    struct view_target fetch = *target;
    fetch.broker = follower;
    fetch.of_producer = false;
    snprintf(label, sizeof label, "Corrupt the next batch on the way to follower %" PRId32, follower);
    struct view_choice *choice = add_armed(choices, &fetch, KB_FAULT_KIND_CORRUPT_BATCH, label);
    choice->intent.api = API_FETCH;
    choice->flags = VIEW_CONTROL_DANGER;
}

/* --- At points
 * ----------------------------------------------------------------------------------------------------------
 */

static void add_point(struct view_choices *choices, const struct view_target *target,
                      enum kb_fault_kind fault, enum kb_fault_point point, const char *label)
{
    struct view_choice *choice = add_armed(choices, target, fault, label);
    choice->intent.point = (int32_t)point;
    if (fault == KB_FAULT_KIND_CUT) {
        choice->intent.other = VIEW_END_CLUSTER;
    }
    choice->flags = fault == KB_FAULT_KIND_KILL ? VIEW_CONTROL_DANGER : 0;
}

void view_menu_points(const struct view_target *target, struct view_choices *choices)
{
    add_point(choices, target, KB_FAULT_KIND_KILL, KB_FAULT_POINT_REQUEST_RECEIVED, "Crash on receipt");
    add_point(choices, target, KB_FAULT_KIND_KILL, KB_FAULT_POINT_BEFORE_APPEND, "Crash before the append");
    add_point(choices, target, KB_FAULT_KIND_KILL, KB_FAULT_POINT_AFTER_APPEND,
              "Crash after the append, before replication");
    add_point(choices, target, KB_FAULT_KIND_KILL, KB_FAULT_POINT_AFTER_REPLICATION,
              "Crash after replication, before the response");
    add_point(choices, target, KB_FAULT_KIND_KILL, KB_FAULT_POINT_RESPONSE_CUT,
              "Crash in the midst of the response");
    view_choices_separate(choices);
    add_point(choices, target, KB_FAULT_KIND_FREEZE, KB_FAULT_POINT_AFTER_APPEND,
              "Freeze after the append, before replication");
    add_point(choices, target, KB_FAULT_KIND_CUT, KB_FAULT_POINT_AFTER_APPEND,
              "Cut off from the cluster after the append");
    add_point(choices, target, KB_FAULT_KIND_SHUTDOWN, KB_FAULT_POINT_AFTER_APPEND,
              "Shut down in an orderly way after the append");
    view_choices_separate(choices);
    if (target->topic == 0 && target->partition < 0) {
        add_point(choices, target, KB_FAULT_KIND_DISCONNECT, KB_FAULT_POINT_REQUEST_CUT,
                  "Cut the request mid-frame");
    }
    add_point(choices, target, KB_FAULT_KIND_DISCONNECT, KB_FAULT_POINT_BEFORE_RESPONSE,
              "End the connection before the response");
    add_point(choices, target, KB_FAULT_KIND_DISCONNECT, KB_FAULT_POINT_RESPONSE_CUT,
              "Cut the response mid-frame");
}
