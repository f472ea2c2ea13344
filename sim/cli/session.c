#define _GNU_SOURCE /* clock_gettime */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "cli/report.h"
#include "engine/scenario_save.h"
#include "engine/world.h"
#include "model/event_text.h"

struct branch {
    struct view_branch view;
    struct sim_timeline_entry interventions[SESSION_INTERVENTIONS_MAX];
    uint32_t intervention_count;
    struct sim_world *world;   /* while it is computed; it owns the log */
    struct sim_event_log *log; /* afterwards */
    struct sim_timeline *timeline;
    struct ledger_lines ledger;                   /* when it is done */
    char texts[SESSION_INTERVENTIONS_MAX][2][64]; /* setting and value, or the topic, of each */
};

struct session {
    struct sim_scenario *scenario;
    struct branch *branches[SESSION_BRANCHES_MAX];
    uint32_t branch_count;
    uint32_t current;
    bool picture_wanted;
    char message[512];
};

static const struct sim_event_log *log_of(const struct branch *branch)
{
    return branch->world != NULL ? sim_world_log(branch->world) : branch->log;
}

/* --- Making branches
 * ------------------------------------------------------------------------------------------------------- */

static void destroy_branch(struct branch *branch)
{
    if (branch != NULL) {
        sim_timeline_destroy(branch->timeline);
        sim_world_destroy(branch->world);
        sim_event_log_destroy(branch->log);
        free(branch);
    }
}

/* What an intervention points at lives beside it: the log that a topic's name came from may go away. */
static void own_texts(struct branch *branch, uint32_t place)
{
    struct sim_timeline_entry *entry = &branch->interventions[place];
    char(*texts)[64] = branch->texts[place];
    if (entry->is_set) {
        entry->setting = texts[0];
        entry->value = texts[1];
    } else if (entry->topic != NULL) {
        entry->topic = texts[0];
    }
}

/* Interventions in the order of their time: one in the past forks, and what was done later by hand is not in
 * it. */
static void inherit(struct branch *branch, const struct branch *parent, int64_t until_us)
{
    for (uint32_t i = 0; i < parent->intervention_count; i++) {
        if (parent->interventions[i].at_us <= until_us) {
            uint32_t place = branch->intervention_count++;
            branch->interventions[place] = parent->interventions[i];
            memcpy(branch->texts[place], parent->texts[i], sizeof branch->texts[place]);
            own_texts(branch, place);
        }
    }
}

static bool start_branch(struct session *session, struct branch *branch, struct sim_complaints *complaints)
{
    struct sim_world_options options = {
        .log_events = true,
        .interventions = branch->interventions,
        .intervention_count = branch->intervention_count,
    };
    if (!sim_world_create(session->scenario, &options, &branch->world, complaints)) {
        return false;
    }
    branch->timeline = sim_timeline_create(sim_world_log(branch->world));
    return branch->timeline != NULL;
}

/* Behind "cut broker 2"; nothing for all links. */
static void other_end_words(int32_t other, char *text, size_t capacity_bytes)
{
    if (other >= 0) {
        snprintf(text, capacity_bytes, " and broker %d", other);
    } else {
        snprintf(text, capacity_bytes, "%s",
                 other == SIM_END_PRODUCER  ? " and the producers"
                 : other == SIM_END_CLUSTER ? " and the cluster"
                                            : "");
    }
}

/* "kill broker 1 after append" */
static void title_of_armed(const struct session *session, const struct sim_timeline_entry *entry,
                           const char *topic, char *title, size_t capacity_bytes)
{
    char what[32] = "";
    char point[32] = "";
    char broker[24] = "";
    char partition[48] = "";
    char producer[32] = "";
    snprintf(what, sizeof what, "%s", kb_field_value_text(KB_FIELD_FAULT_KIND, entry->fault));
    snprintf(point, sizeof point, "%s%s", entry->point != MB_POINT_NONE ? " " : "",
             entry->point != MB_POINT_NONE ? kb_field_value_text(KB_FIELD_FAULT_POINT, entry->point) : "");
    for (size_t i = 0; i < sizeof what; i++) {
        what[i] = what[i] == '_' ? ' ' : what[i];
        point[i] = point[i] == '_' ? ' ' : point[i];
    }
    if (entry->broker >= 0) {
        snprintf(broker, sizeof broker, " broker %d", entry->broker);
    }
    if (topic != NULL) {
        snprintf(partition, sizeof partition, " %.30s-%d", topic, entry->partition);
    }
    if (entry->producer >= 0) {
        snprintf(producer, sizeof producer, " %.30s", session->scenario->producers[entry->producer].name);
    }
    char whole[192];
    snprintf(whole, sizeof whole, "%s%s%s%s%s", what, broker, partition, producer, point);
    snprintf(title, capacity_bytes, "%.*s", (int)capacity_bytes - 1, whole);
}

static void title_of(const struct session *session, const struct sim_timeline_entry *entry, const char *topic,
                     char *title, size_t capacity_bytes)
{
    const char *what = kb_field_value_text(KB_FIELD_FAULT_KIND, entry->fault);
    if (entry->is_set) {
        snprintf(title, capacity_bytes, "%s %s=%s", session->scenario->producers[entry->producer].name,
                 entry->setting, entry->value);
    } else if (sim_timeline_is_armed(entry)) {
        title_of_armed(session, entry, topic, title, capacity_bytes);
    } else if (entry->fault == KB_FAULT_KIND_ADD_PARTITIONS) {
        snprintf(title, capacity_bytes, "%s: %u partitions", topic, entry->count);
    } else if (topic != NULL) {
        snprintf(title, capacity_bytes, "%s %s-%d to broker %d", what, topic, entry->partition,
                 entry->broker);
    } else {
        char other[32] = "";
        if (entry->fault == KB_FAULT_KIND_CUT || entry->fault == KB_FAULT_KIND_HEAL) {
            other_end_words(entry->other, other, sizeof other);
        }
        snprintf(title, capacity_bytes, "%s broker %d%s", what, entry->broker, other);
    }
}

static bool refuse(struct session *session, const char **message, const char *text)
{
    snprintf(session->message, sizeof session->message, "%s", text);
    *message = session->message;
    return false;
}

static bool add_branch(struct session *session, const struct sim_timeline_entry *entry, const char **message)
{
    if (session->branch_count == SESSION_BRANCHES_MAX) {
        return refuse(session, message, "There are 32 branches already; reset (Ctrl+R) begins anew.");
    }
    const struct branch *parent = session->branches[session->current];
    struct branch *branch = calloc(1, sizeof *branch);
    KB_ASSERT(branch != NULL);
    inherit(branch, parent, entry->at_us);
    if (branch->intervention_count == SESSION_INTERVENTIONS_MAX) {
        free(branch);
        return refuse(session, message, "A branch holds at most 64 interventions.");
    }
    uint32_t place = branch->intervention_count++;
    branch->interventions[place] = *entry;
    const char *first = entry->is_set ? entry->setting : entry->topic;
    snprintf(branch->texts[place][0], sizeof branch->texts[place][0], "%s", first != NULL ? first : "");
    snprintf(branch->texts[place][1], sizeof branch->texts[place][1], "%s",
             entry->is_set ? entry->value : "");
    own_texts(branch, place);
    title_of(session, entry, entry->topic, branch->view.title, sizeof branch->view.title);
    branch->view.from_us = entry->at_us;
    branch->view.parent = session->current;
    struct sim_complaints complaints = {0};
    bool started = start_branch(session, branch, &complaints);
    if (!started) {
        (void)refuse(session, message,
                     complaints.text != NULL ? complaints.text : "no memory for another run");
        destroy_branch(branch);
    } else {
        session->current = session->branch_count;
        session->branches[session->branch_count++] = branch;
        /* Mostly it is where it forks before the next frame; when not, it is watched getting there. */
        (void)session_compute(session, 60000);
    }
    sim_complaints_release(&complaints);
    return started;
}

/* --- Finishing a run
 * ----------------------------------------------------------------------------------------------------------
 */

static bool same_event(const struct sim_event_log *a, const struct sim_event_log *b, uint64_t sequence)
{
    const struct kb_event *left = sim_event_log_get(a, sequence);
    const struct kb_event *right = sim_event_log_get(b, sequence);
    if (left->kind != right->kind || left->time_us != right->time_us || left->source != right->source) {
        return false;
    }
    const struct kb_event_info *info = kb_event_info(left->kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        const struct kb_event_field *field = &info->fields[i];
        if (field->type == KB_FIELD_TEXT16
                ? memcmp((const char *)left + field->offset_bytes, (const char *)right + field->offset_bytes,
                         sizeof(struct kb_text16)) != 0
                : kb_event_field_value(left, field) != kb_event_field_value(right, field)) {
            return false;
        }
    }
    return true;
}

static uint64_t first_difference(const struct sim_event_log *a, const struct sim_event_log *b)
{
    uint64_t a_count = sim_event_log_count(a);
    uint64_t b_count = sim_event_log_count(b);
    uint64_t shorter = a_count < b_count ? a_count : b_count;
    for (uint64_t sequence = 1; sequence <= shorter; sequence++) {
        if (!same_event(a, b, sequence)) {
            return sequence;
        }
    }
    return a_count != b_count ? shorter + 1 : 0;
}

static void finish(struct session *session, struct branch *branch)
{
    struct sim_ledger *ledger = sim_world_ledger(branch->world);
    if (sim_ledger_settle(ledger, sim_world_cluster(branch->world))) {
        struct sim_ledger_totals totals;
        sim_ledger_totals(ledger, &totals);
        report_ledger_lines(&totals, &branch->ledger);
    }
    if (sim_world_failure(branch->world) != NULL) {
        fprintf(stderr, "linger: %s\n", sim_world_failure(branch->world));
    }
    branch->log = sim_world_take_log(branch->world);
    sim_world_destroy(branch->world);
    branch->world = NULL;
    const struct branch *parent = session->branches[branch->view.parent];
    if (parent != branch) {
        branch->view.differs_at = first_difference(log_of(parent), branch->log);
    }
}

static int64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool session_compute(struct session *session, int64_t budget_us)
{
    enum { STEPS_BETWEEN = 500 };
    int64_t until_us = clock_us() + budget_us;
    for (uint32_t i = session->branch_count; i-- > 0;) {
        struct branch *branch = session->branches[i];
        while (branch->world != NULL) {
            bool more = true;
            for (int step = 0; step < STEPS_BETWEEN && more; step++) {
                more = sim_world_step(branch->world);
            }
            if (!more) {
                finish(session, branch);
            }
            if (clock_us() >= until_us) {
                return true;
            }
        }
    }
    return false;
}

/* --- The host
 * --------------------------------------------------------------------------------------------------------------------
 */

static struct branch *current_of(void *context)
{
    struct session *session = context;
    return session->branches[session->current];
}

static const struct sim_event_log *host_log(void *context)
{
    return log_of(current_of(context));
}

static struct sim_timeline *host_timeline(void *context)
{
    return current_of(context)->timeline;
}

static uint32_t host_progress(void *context)
{
    const struct session *session = context;
    const struct branch *branch = session->branches[session->current];
    if (branch->world == NULL) {
        return 1000;
    }
    int64_t permille = sim_world_now_us(branch->world) * 1000 / (session->scenario->duration_us + 1);
    return permille < 999 ? (uint32_t)permille : 999;
}

static uint32_t host_branch_count(void *context)
{
    return ((struct session *)context)->branch_count;
}

static const struct view_branch *host_branch(void *context, uint32_t index)
{
    struct session *session = context;
    return index < session->branch_count ? &session->branches[index]->view : NULL;
}

static uint32_t host_current_branch(void *context)
{
    return ((struct session *)context)->current;
}

static const char *host_ledger_line(void *context, uint32_t index)
{
    const struct branch *branch = current_of(context);
    return branch->world == NULL && index < branch->ledger.count ? branch->ledger.texts[index] : NULL;
}

/* The other end of a link, from the view's words to the scenario's. */
static int32_t other_end(int32_t other)
{
    return other >= 0                    ? other
           : other == VIEW_END_PRODUCERS ? SIM_END_PRODUCER
           : other == VIEW_END_CLUSTER   ? SIM_END_CLUSTER
                                         : SIM_END_ALL;
}

static bool act_on_broker(struct session *session, const struct view_intent *intent, const char **message)
{
    struct sim_timeline_entry entry = {
        .at_us = intent->at_us,
        .fault = intent->fault,
        .broker = intent->broker,
        .other = other_end(intent->other),
        .one_way = intent->one_way,
        .producer = intent->of_producer ? (int32_t)intent->producer : -1,
        .partition = intent->partition,
        .value_us = intent->ms * 1000,
        .point = intent->point,
        .api = intent->api,
        .code = intent->code,
        .appended = intent->appended,
        .count = intent->count != 0 ? intent->count : 1,
        .by_hand = true,
    };
    if (intent->topic != 0) {
        entry.topic = sim_event_log_name(host_log(session), intent->topic);
    }
    if (intent->of_producer && intent->producer >= session->scenario->producer_count) {
        return refuse(session, message, "There is no such producer.");
    }
    if (sim_timeline_is_armed(&entry)) {
        struct mb_request_fault fault = sim_timeline_fault(&entry);
        const char *complaint = mb_fault_check(&fault);
        if (complaint != NULL) {
            return refuse(session, message, complaint);
        }
    }
    return add_branch(session, &entry, message);
}

static bool act_on_setting(struct session *session, const struct view_intent *intent, const char **message)
{
    const struct sim_producer *producer = intent->producer < session->scenario->producer_count
                                              ? &session->scenario->producers[intent->producer]
                                              : NULL;
    if (producer == NULL) {
        return refuse(session, message, "There is no such producer.");
    }
    /* With its other settings, as the producer would be made again. */
    struct kp_config_entry entries[128];
    size_t count = 0;
    for (uint32_t i = 0; i < producer->entry_count && count < 126; i++) {
        if (strcmp(producer->entries[i].name, intent->setting) != 0) {
            entries[count++] = producer->entries[i];
        }
    }
    entries[count++] = (struct kp_config_entry){intent->setting, intent->value};
    struct kp_config *config = NULL;
    struct kp_failure failure;
    if (kp_config_create(NULL, entries, count, NULL, &config, &failure) != KP_CONFIG_OK) {
        const struct kp_throwable *why =
            failure.cause_count > 0 ? &failure.causes[failure.cause_count - 1] : &failure.thrown;
        return refuse(session, message, why->message);
    }
    kp_config_destroy(config);
    struct sim_timeline_entry entry = {
        .at_us = intent->at_us,
        .is_set = true,
        .broker = -1,
        .producer = (int32_t)intent->producer,
        .partition = -1,
        .setting = intent->setting,
        .value = intent->value,
        .by_hand = true,
    };
    return add_branch(session, &entry, message);
}

static bool save(struct session *session, const char **message)
{
    const struct branch *branch = session->branches[session->current];
    char path[64];
    FILE *there;
    for (int i = 1;; i++) {
        snprintf(path, sizeof path, "linger-scenario-%d.json", i);
        there = fopen(path, "rb");
        if (there == NULL) {
            break;
        }
        (void)fclose(there);
    }
    struct sim_complaints complaints = {0};
    bool saved = sim_scenario_save(session->scenario, branch->interventions, branch->intervention_count, path,
                                   &complaints);
    snprintf(session->message, sizeof session->message, "%s%.480s", saved ? "Saved as " : "",
             saved ? path : complaints.text);
    *message = session->message;
    sim_complaints_release(&complaints);
    return saved;
}

static void reset(struct session *session)
{
    while (session->branch_count > 1) {
        destroy_branch(session->branches[--session->branch_count]);
    }
    session->current = 0;
}

static bool host_act(void *context, const struct view_intent *intent, const char **message)
{
    struct session *session = context;
    *message = NULL;
    switch (intent->kind) {
    case VIEW_INTENT_FAULT:
        return act_on_broker(session, intent, message);
    case VIEW_INTENT_SET:
        return act_on_setting(session, intent, message);
    case VIEW_INTENT_BRANCH:
        if (intent->index >= session->branch_count) {
            return refuse(session, message, "There is no such branch.");
        }
        session->current = intent->index;
        return true;
    case VIEW_INTENT_SAVE:
        return save(session, message);
    case VIEW_INTENT_PICTURE:
        session->picture_wanted = true;
        return true;
    case VIEW_INTENT_RESET:
        reset(session);
        return true;
    case VIEW_INTENT_QUIT:
        return true;
    }
    KB_UNREACHABLE();
}

struct view_host session_host(struct session *session)
{
    return (struct view_host){
        .context = session,
        .log = host_log,
        .timeline = host_timeline,
        .progress = host_progress,
        .branch_count = host_branch_count,
        .branch = host_branch,
        .current_branch = host_current_branch,
        .act = host_act,
        .ledger_line = host_ledger_line,
    };
}

bool session_takes_picture(struct session *session)
{
    bool wanted = session->picture_wanted;
    session->picture_wanted = false;
    return wanted;
}

struct session *session_create(struct sim_scenario *scenario, struct sim_complaints *complaints)
{
    struct session *session = calloc(1, sizeof *session);
    struct branch *branch = calloc(1, sizeof *branch);
    KB_ASSERT(session != NULL && branch != NULL);
    session->scenario = scenario;
    snprintf(branch->view.title, sizeof branch->view.title, "%s", "as the scenario says");
    session->branches[session->branch_count++] = branch;
    if (!start_branch(session, branch, complaints)) {
        session_destroy(session);
        return NULL;
    }
    return session;
}

void session_destroy(struct session *session)
{
    if (session == NULL) {
        return;
    }
    for (uint32_t i = 0; i < session->branch_count; i++) {
        destroy_branch(session->branches[i]);
    }
    sim_scenario_release(session->scenario);
    free(session);
}
