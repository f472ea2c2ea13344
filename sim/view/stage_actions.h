/**
 * What panels and menus ask of the run, as intents at the moment that is shown.
 */
#ifndef VIEW_STAGE_ACTIONS_H
#define VIEW_STAGE_ACTIONS_H

#include "view/stage_private.h"

/** A fault of a broker. ms: of those that take a time; else 0. */
void view_act_fault(struct view_stage *stage, enum kb_fault_kind fault, int32_t broker, int64_t ms);
/** Cut (or heal) the link between two brokers; other: also VIEW_END_ALL, VIEW_END_PRODUCERS. */
void view_act_link(struct view_stage *stage, bool cut, int32_t broker, int32_t other);
void view_act_move_leader(struct view_stage *stage, uint32_t topic, int32_t partition, int32_t broker);
/** A setting of a producer becomes value. */
void view_act_set(struct view_stage *stage, uint32_t producer, const char *setting, const char *value);
void view_act_branch(struct view_stage *stage, uint32_t index);

#endif
