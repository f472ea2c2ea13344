/**
 * Why something is as it is: an event told to a person, with its reasons.
 */
#ifndef VIEW_STORY_H
#define VIEW_STORY_H

#include "view/stage_private.h"

enum { STORY_LAMPS_MAX = 12, STORY_CAUSES_MAX = 4 };

struct story_lamp {
    const char *name; /* "NO ROOM" is written by whoever shows it */
    const char *text; /* what it means */
    uint32_t bit;     /* its number */
    bool is_lit;
    char detail[32]; /* "1.8 ms left"; "" */
};

struct story {
    uint64_t event; /* it is about this one; 0: nothing happened yet */
    char title[96];
    char sentence[512];
    const char *method; /* Kafka's class.method; "-" where Kafka has none */
    const char *rule;   /* what decides there, NULL: nothing to add */
    bool is_failure;
    bool is_verdict; /* it fell on records (verdict.h) */
    bool is_left;    /* the lamps say why a batch left; else why it is held */
    struct story_lamp lamps[STORY_LAMPS_MAX];
    uint32_t lamp_count;
    uint64_t causes[STORY_CAUSES_MAX]; /* events that led there; none: those that the log knows */
    uint32_t cause_count;
};

/** The event that explains what is selected; with nothing selected the newest one worth a word. 0: none. */
uint64_t story_event(const struct view_frame *frame);

void story_tell(const struct view_frame *frame, uint64_t sequence, struct story *story);

/** Of the cluster, requests and what people do: a better title and sentence, where there is one. */
void story_tell_more(const struct view_frame *frame, const struct kb_event *event, struct story *story);

/** Of faults, whether they happen, wait, or meet a request (story_fault.c). */
void story_tell_fault(const struct view_frame *frame, const struct kb_event *event, struct story *story);

/** Where a reason of a batch comes from; 0 when that is not known. is_left: of enum kb_left, else of kb_held.
 */
uint64_t story_cause_of_lamp(const struct view_frame *frame, uint64_t sequence, bool is_left, uint32_t bit);

#endif
