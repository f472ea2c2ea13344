/* Faults, told: those that happen at their time, those that wait, and those that met a request. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/story.h"

/* What a request has behind it when it stops there, and what nobody knows then. */
static const char *meaning_of(int32_t point)
{
    switch ((enum kb_fault_point)point) {
    case KB_FAULT_POINT_NONE:
        return NULL;
    case KB_FAULT_POINT_REQUEST_CUT:
        return "Half a frame is no request: the broker throws it away, and nothing was done. The producer "
               "cannot "
               "know that.";
    case KB_FAULT_POINT_REQUEST_RECEIVED:
        return "The request is there as a whole, and nothing was done with it yet.";
    case KB_FAULT_POINT_BEFORE_APPEND:
        return "The batch passed its checks and is in no log. What the same request holds of partitions "
               "before "
               "it is.";
    case KB_FAULT_POINT_AFTER_APPEND:
        return "The batch is in the leader's log alone: no follower has fetched it, and nobody was told.";
    case KB_FAULT_POINT_AFTER_REPLICATION:
        return "Every replica in the ISR has the batch, and it can no longer be lost. The producer was not "
               "told.";
    case KB_FAULT_POINT_BEFORE_RESPONSE:
        return "Everything is done and the response is made; the producer hears none of it.";
    case KB_FAULT_POINT_RESPONSE_CUT:
        return "Everything is done, and the producer gets the beginning of a response, which says nothing: "
               "it "
               "has to send the batch again.";
    }
    return NULL;
}

static const char *meaning_of_corruption(int32_t api)
{
    enum { FETCH = 1 };
    return api == FETCH
               ? "The follower's CRC check finds it: it appends nothing of this fetch, and fetches again "
                 "after replica.fetch.backoff.ms."
               : "The leader's CRC check finds it and answers CORRUPT_MESSAGE, which the producer retries.";
}

static void title_from(const struct view_frame *frame, const struct kb_event *event, const char *who,
                       struct story *story)
{
    char sentence[256];
    sim_event_sentence(frame->log, event, sentence, sizeof sentence);
    if (who[0] == '\0' && sentence[0] >= 'a' && sentence[0] <= 'z') {
        sentence[0] = (char)(sentence[0] - 'a' + 'A');
    }
    snprintf(story->title, sizeof story->title, "%s%.*s", who, (int)(sizeof story->title - 1 - strlen(who)),
             sentence);
}

static void tell_happening(const struct kb_event_fault *fault, struct story *story)
{
    const char *who = fault->by_hand != 0 ? "By hand" : "As the scenario says";
    const char *what = kb_field_value_text(KB_FIELD_FAULT_KIND, fault->fault);
    char where[32] = "";
    if (fault->broker >= 0) {
        snprintf(where, sizeof where, " broker %" PRId32, fault->broker);
    }
    snprintf(story->title, sizeof story->title, "%s: %s%s", who, what != NULL ? what : "a fault", where);
    for (char *at = story->title; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
}

void story_tell_fault(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    const char *meaning = NULL;
    if (event->kind == KB_EVENT_FAULT_ARMED) {
        const struct kb_event_fault_armed *armed = &event->as.fault_armed;
        title_from(frame, event, armed->by_hand != 0 ? "By hand: " : "As the scenario says: ", story);
        meaning = "It happens to the next request that gets there, and not before.";
    } else if (event->kind == KB_EVENT_FAULT && event->as.fault.point != KB_FAULT_POINT_NONE) {
        title_from(frame, event, "", story);
        meaning = meaning_of(event->as.fault.point);
    } else if (event->kind == KB_EVENT_FAULT && event->as.fault.fault == KB_FAULT_KIND_CORRUPT_BATCH) {
        title_from(frame, event, "", story);
        meaning = meaning_of_corruption(event->as.fault.api);
    } else if (event->kind == KB_EVENT_FAULT) {
        tell_happening(&event->as.fault, story);
    }
    if (meaning != NULL) {
        snprintf(story->sentence, sizeof story->sentence, "%s", meaning);
    }
}
