/*
 * What is asked of a world after every step, and at its end, when its options say so.
 */
#include <string.h>

#include "engine/invariants.h"
#include "engine/world_internal.h"

/* What the step did. One broken invariant ends the run: what follows from it proves nothing. */
void sim_world_check(struct sim_world *world)
{
    struct sim_complaints complaints = {0};
    const char *broken = mb_check_changed(world->cluster);
    if (broken != NULL) {
        sim_world_fail(world, "rule 0: at %lld us %s", (long long)world->scheduler.now_us, broken);
    } else if (!sim_invariants_step(world->invariants, &complaints)) {
        sim_world_fail(world, "%.*s", (int)strcspn(complaints.text, "\n"), complaints.text);
    }
    sim_complaints_release(&complaints);
}

bool sim_world_check_end(struct sim_world *world, struct sim_complaints *complaints)
{
    return world->invariants == NULL || sim_invariants_end(world->invariants, complaints);
}
