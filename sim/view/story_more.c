/*
 * What is told of requests, of the cluster, and of what people do to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/story.h"

static const struct sim_topic_info *topic_of(const struct view_frame *frame, const char *name)
{
    for (uint32_t i = 0; i < frame->info->topic_count; i++) {
        if (strcmp(frame->info->topics[i].name, name) == 0) {
            return &frame->info->topics[i];
        }
    }
    return NULL;
}

static void tell_request(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    char bytes[32];
    switch (event->kind) {
    case KB_EVENT_REQUEST_BUILT: {
        const struct kb_event_request_built *built = &event->as.request_built;
        view_format_bytes(built->bytes, bytes, sizeof bytes);
        if (built->node < 0) {
            snprintf(story->title, sizeof story->title, "%s request %" PRIu32 " goes to a bootstrap server",
                     sim_api_name(built->api), built->request);
        } else {
            snprintf(story->title, sizeof story->title, "%s request %" PRIu32 " goes to broker %" PRId32,
                     sim_api_name(built->api), built->request, built->node);
        }
        if (built->api == 0) {
            snprintf(story->sentence, sizeof story->sentence,
                     "It carries %" PRIu32 " batch%s in %s, acks=%s. %" PRIu32
                     " request%s in flight to that node now.",
                     built->batches, built->batches == 1 ? "" : "es", bytes,
                     built->acks == -1  ? "all"
                     : built->acks == 0 ? "0"
                                        : "1",
                     built->in_flight, built->in_flight == 1 ? " is" : "s are");
        }
        break;
    }
    case KB_EVENT_RESPONSE_RECEIVED: {
        const struct kb_event_response_received *got = &event->as.response_received;
        if (got->error == 0) {
            snprintf(story->title, sizeof story->title, "Broker %" PRId32 " has answered request %" PRIu32,
                     got->node, got->request);
        } else {
            snprintf(story->title, sizeof story->title, "Request %" PRIu32 " is answered with an error",
                     got->request);
        }
        break;
    }
    case KB_EVENT_REQUEST_TIMED_OUT:
        snprintf(story->title, sizeof story->title, "Request %" PRIu32 " gets no answer",
                 event->as.request_timed_out.request);
        snprintf(story->sentence, sizeof story->sentence,
                 "After %" PRId64
                 " ms the producer gives up the whole connection: everything in flight on it fails, and "
                 "its batches go back to their deques.",
                 event->as.request_timed_out.timeout_ms);
        break;
    case KB_EVENT_REQUEST_FAILED:
        snprintf(story->title, sizeof story->title, "Request %" PRIu32 " fails",
                 event->as.request_failed.request);
        snprintf(story->sentence, sizeof story->sentence,
                 "Its connection to broker %" PRId32
                 " is gone. Whether the broker has written it is not known here.",
                 event->as.request_failed.node);
        break;
    default:
        (void)frame;
        break;
    }
}

static void tell_compressed(const struct kb_event_batch_compressed *made, struct story *story)
{
    char before[32];
    char after[32];
    char estimated[32];
    view_format_bytes(made->collected_bytes, before, sizeof before);
    view_format_bytes(made->compressed_bytes, after, sizeof after);
    view_format_bytes(made->estimated_bytes, estimated, sizeof estimated);
    snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " is compressed", made->batch);
    snprintf(
        story->sentence, sizeof story->sentence,
        "%s become %s. While it was filled, the accumulator could only estimate that, from how well earlier "
        "batches of the topic compressed: it reckoned with %s.",
        before, after, estimated);
}

static void tell_batch(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    char name[64];
    char size[32];
    switch (event->kind) {
    case KB_EVENT_BATCH_CREATED: {
        const struct kb_event_batch_created *made = &event->as.batch_created;
        view_partition_name(frame, made->topic, made->partition, name, sizeof name);
        view_format_bytes(made->capacity_bytes, size, sizeof size);
        snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " opens for %s", made->batch, name);
        snprintf(story->sentence, sizeof story->sentence,
                 "Record %" PRIu32
                 " found no batch with room in the deque of %s, so %s are taken from the pool for a "
                 "new one. Its linger.ms begins now.",
                 made->record, name, size);
        break;
    }
    case KB_EVENT_BATCH_CLOSED: {
        const struct kb_event_batch_closed *closed = &event->as.batch_closed;
        const char *why = kb_field_value_text(KB_FIELD_CLOSE_WHY, closed->why);
        view_format_bytes(closed->bytes, size, sizeof size);
        snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " takes no more", closed->batch);
        snprintf(story->sentence, sizeof story->sentence,
                 "It closes with %" PRIu32 " record%s in %s because %s.", closed->records,
                 closed->records == 1 ? "" : "s", size, why != NULL ? why : "it must");
        break;
    }
    case KB_EVENT_BATCH_COMPRESSED:
        tell_compressed(&event->as.batch_compressed, story);
        break;
    case KB_EVENT_BATCH_REENQUEUED: {
        const struct kb_event_batch_reenqueued *back = &event->as.batch_reenqueued;
        snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " goes back to be tried again",
                 back->batch);
        snprintf(story->sentence, sizeof story->sentence,
                 "Attempt %" PRIu32
                 " failed, but the error can pass. It stands at the head of its deque again and waits "
                 "%" PRId64 " ms.",
                 back->attempts, back->backoff_ms);
        break;
    }
    case KB_EVENT_BATCH_EXPIRED:
        snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " is too old",
                 event->as.batch_expired.batch);
        snprintf(story->sentence, sizeof story->sentence,
                 "delivery.timeout.ms counts from send() and is over after %" PRId64
                 " ms. Its records fail%s.",
                 event->as.batch_expired.age_ms,
                 event->as.batch_expired.in_flight != 0 ? ", though they may have been written" : "");
        break;
    case KB_EVENT_BATCH_DONE: {
        const struct kb_event_batch_done *done = &event->as.batch_done;
        view_partition_name(frame, done->topic, done->partition, name, sizeof name);
        if (done->error == 0) {
            snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " is acked", done->batch);
            snprintf(story->sentence, sizeof story->sentence,
                     "Its %" PRIu32 " record%s in %s from offset %" PRId64
                     " on. The callbacks run, and its memory goes "
                     "back to the pool.",
                     done->records, done->records == 1 ? " is" : "s are", name, done->base_offset);
        } else {
            snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " fails for good", done->batch);
        }
        break;
    }
    default:
        break;
    }
}

static void tell_cluster(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    char name[64];
    switch (event->kind) {
    case KB_EVENT_PRODUCE_PARKED: {
        const struct kb_event_produce_parked *parked = &event->as.produce_parked;
        view_partition_name(frame, parked->topic, parked->partition, name, sizeof name);
        snprintf(story->title, sizeof story->title, "Request %" PRIu32 " is parked on broker %" PRId32,
                 parked->request, parked->broker);
        snprintf(story->sentence, sizeof story->sentence,
                 "acks=all: the leader of %s has written it, but answers only when its high watermark "
                 "reaches offset "
                 "%" PRId64 ", that is, when the whole ISR has it.",
                 name, parked->required_offset);
        break;
    }
    case KB_EVENT_LEADER_ELECTED: {
        const struct kb_event_leader_elected *elected = &event->as.leader_elected;
        view_partition_name(frame, elected->topic, elected->partition, name, sizeof name);
        if (elected->leader < 0) {
            snprintf(story->title, sizeof story->title, "%s has no leader", name);
            story->is_failure = true;
        } else {
            snprintf(story->title, sizeof story->title, "Broker %" PRId32 " leads %s now", elected->leader,
                     name);
        }
        break;
    }
    case KB_EVENT_ISR_SHRUNK: {
        const struct kb_event_isr_shrunk *shrunk = &event->as.isr_shrunk;
        const struct sim_topic_info *topic = topic_of(frame, sim_event_log_name(frame->log, shrunk->topic));
        view_partition_name(frame, shrunk->topic, shrunk->partition, name, sizeof name);
        snprintf(story->title, sizeof story->title, "Broker %" PRId32 " leaves the ISR of %s", shrunk->broker,
                 name);
        snprintf(
            story->sentence, sizeof story->sentence,
            "It has not caught up for replica.lag.time.max.ms, or it is gone. acks=all waits for %" PRIu32
            " replica%s from now on%s.",
            shrunk->isr_count, shrunk->isr_count == 1 ? "" : "s",
            topic != NULL && (int32_t)shrunk->isr_count < topic->min_insync_replicas
                ? "; that is below min.insync.replicas, so new writes with acks=all are refused"
                : "");
        break;
    }
    case KB_EVENT_ISR_EXPANDED: {
        const struct kb_event_isr_expanded *expanded = &event->as.isr_expanded;
        view_partition_name(frame, expanded->topic, expanded->partition, name, sizeof name);
        snprintf(story->title, sizeof story->title, "Broker %" PRId32 " is back in the ISR of %s",
                 expanded->broker, name);
        snprintf(story->sentence, sizeof story->sentence,
                 "Its log has reached the high watermark. acks=all waits for %" PRIu32
                 " replicas from now on.",
                 expanded->isr_count);
        break;
    }
    case KB_EVENT_BROKER_DOWN:
        story->is_failure = event->as.broker_down.clean == 0;
        snprintf(story->title, sizeof story->title, "Broker %" PRId32 " is down",
                 event->as.broker_down.broker);
        snprintf(story->sentence, sizeof story->sentence, "%s",
                 event->as.broker_down.clean != 0
                     ? "It was shut down in an orderly way: it handed over what it led before it went."
                     : "It stopped without a word. Until the controller notices, it still counts as the "
                       "leader of what "
                       "it led, and nobody can write there.");
        break;
    default:
        break;
    }
}

void story_tell_more(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    tell_request(frame, event, story);
    tell_batch(frame, event, story);
    tell_cluster(frame, event, story);
    story_tell_fault(frame, event, story);
    if (event->kind == KB_EVENT_SETTING_CHANGED) {
        snprintf(story->title, sizeof story->title, "%s becomes %s",
                 sim_event_log_name(frame->log, event->as.setting_changed.setting),
                 sim_event_log_name(frame->log, event->as.setting_changed.value));
        if (event->as.setting_changed.recreated != 0) {
            snprintf(story->sentence, sizeof story->sentence,
                     "A living Kafka producer cannot change it: the producer is closed and made again.");
        }
    }
}
