#include "view/stage_actions.h"

#include <stdio.h>
#include <string.h>

void view_act_fault(struct view_stage *stage, enum kb_fault_kind fault, int32_t broker, int64_t ms)
{
    struct view_intent intent = {
        .kind = VIEW_INTENT_FAULT,
        .fault = (int32_t)fault,
        .broker = broker,
        .other = VIEW_END_ALL,
        .partition = -1,
        .ms = ms,
    };
    view_stage_act(stage, &intent);
}

void view_act_link(struct view_stage *stage, bool cut, int32_t broker, int32_t other)
{
    struct view_intent intent = {
        .kind = VIEW_INTENT_FAULT,
        .fault = cut ? KB_FAULT_KIND_CUT : KB_FAULT_KIND_HEAL,
        .broker = broker,
        .other = other,
        .partition = -1,
    };
    view_stage_act(stage, &intent);
}

void view_act_move_leader(struct view_stage *stage, uint32_t topic, int32_t partition, int32_t broker)
{
    struct view_intent intent = {
        .kind = VIEW_INTENT_FAULT,
        .fault = KB_FAULT_KIND_MOVE_LEADER,
        .broker = broker,
        .other = VIEW_END_ALL,
        .topic = topic,
        .partition = partition,
    };
    view_stage_act(stage, &intent);
}

void view_act_set(struct view_stage *stage, uint32_t producer, const char *setting, const char *value)
{
    struct view_intent intent = {.kind = VIEW_INTENT_SET, .producer = producer, .broker = -1};
    snprintf(intent.setting, sizeof intent.setting, "%s", setting);
    snprintf(intent.value, sizeof intent.value, "%s", value);
    view_stage_act(stage, &intent);
}

void view_act_branch(struct view_stage *stage, uint32_t index)
{
    struct view_intent intent = {.kind = VIEW_INTENT_BRANCH, .index = index};
    view_stage_act(stage, &intent);
}
