/* Things keep their identity: what moves from place to place eases there. */
#include "view/stage_private.h"

enum { WAYS = 8, LASTS_US = 260000 };

static struct view_mover *bucket_of(struct view_stage *stage, view_id id)
{
    uint64_t hash = id * 0x9e3779b97f4a7c15u;
    return &stage->movers[(hash >> 40) % (VIEW_MOVERS / WAYS) * WAYS];
}

/* Was it drawn in this drawing or the one before? */
static bool is_fresh(const struct view_stage *stage, const struct view_mover *mover)
{
    return mover->id != 0 && stage->frame - mover->frame <= 1;
}

static struct view_mover *find(struct view_stage *stage, view_id id)
{
    struct view_mover *bucket = bucket_of(stage, id);
    for (uint32_t i = 0; i < WAYS; i++) {
        if (bucket[i].id == id && is_fresh(stage, &bucket[i])) {
            return &bucket[i];
        }
    }
    return NULL;
}

static struct view_mover *claim(struct view_stage *stage, view_id id)
{
    struct view_mover *bucket = bucket_of(stage, id);
    for (uint32_t i = 0; i < WAYS; i++) {
        if (!is_fresh(stage, &bucket[i])) {
            return &bucket[i];
        }
    }
    return NULL;
}

static int32_t between(int32_t from, int32_t to, int64_t eased)
{
    return from + (int32_t)(((int64_t)to - from) * eased / 65536);
}

/* Fast at first, slow at the end: 1 − (1 − t)³. */
static struct view_rect place_now(const struct view_stage *stage, const struct view_mover *mover)
{
    int64_t passed_us = stage->clock_us - mover->started_us;
    if (passed_us >= LASTS_US) {
        return mover->to;
    }
    int64_t rest = 65536 - passed_us * 65536 / LASTS_US;
    int64_t eased = 65536 - ((rest * rest >> 16) * rest >> 16);
    return (struct view_rect){
        between(mover->from.x, mover->to.x, eased), between(mover->from.y, mover->to.y, eased),
        between(mover->from.w, mover->to.w, eased), between(mover->from.h, mover->to.h, eased)};
}

static bool same(struct view_rect a, struct view_rect b)
{
    return a.x == b.x && a.y == b.y && a.w == b.w && a.h == b.h;
}

struct view_rect view_move(struct view_frame *frame, view_id id, struct view_rect target,
                           const struct view_rect *origin)
{
    struct view_stage *stage = frame->stage;
    struct view_mover *mover = find(stage, id);
    if (mover == NULL) {
        mover = claim(stage, id);
        if (mover == NULL) {
            return target;
        }
        struct view_rect from = origin != NULL ? *origin : target;
        *mover = (struct view_mover){id, from, target, stage->clock_us, stage->frame};
    } else if (!same(mover->to, target)) {
        mover->from = place_now(stage, mover);
        mover->to = target;
        mover->started_us = stage->clock_us;
    }
    mover->frame = stage->frame;
    if (stage->must_snap || stage->is_reduced_motion) {
        mover->from = target;
        mover->started_us = stage->clock_us - LASTS_US;
    }
    struct view_rect now = place_now(stage, mover);
    stage->is_moving = stage->is_moving || !same(now, target);
    return now;
}

bool view_move_last(const struct view_frame *frame, view_id id, struct view_rect *rect)
{
    const struct view_mover *mover = find(frame->stage, id);
    if (mover == NULL) {
        return false;
    }
    *rect = place_now(frame->stage, mover);
    return true;
}
