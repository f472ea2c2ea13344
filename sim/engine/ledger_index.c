/*
 * Which record is this copy? Entries by what they contain, and by the offset that their ack named.
 */
#include "engine/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return mixed ^ mixed >> 29;
}

static bool are_alike(const struct sim_ledger_entry *a, const struct sim_ledger_entry *b)
{
    return a->content == b->content && a->partition == b->partition; /* the content has the topic in it */
}

static struct sim_alike *find_alike(const struct sim_ledger *ledger, const struct sim_ledger_entry *wanted)
{
    uint32_t mask = ledger->slot_count - 1;
    for (uint32_t i = (uint32_t)mix(wanted->content, (uint32_t)wanted->partition) & mask;;
         i = (i + 1) & mask) {
        uint32_t found = ledger->alike[i].first;
        if (found == UINT32_MAX || are_alike(&ledger->entries[found], wanted)) {
            return &ledger->alike[i];
        }
    }
}

static uint32_t *find_offset(const struct sim_ledger *ledger, const struct sim_ledger_entry *wanted)
{
    uint32_t mask = ledger->slot_count - 1;
    uint64_t hash =
        mix((uint64_t)wanted->topic << 32 | (uint32_t)wanted->partition, (uint64_t)wanted->offset);
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        uint32_t found = ledger->by_offset[i];
        if (found == UINT32_MAX ||
            (ledger->entries[found].offset == wanted->offset && are_alike(&ledger->entries[found], wanted))) {
            return &ledger->by_offset[i];
        }
    }
}

static void index_offset(struct sim_ledger *ledger, uint32_t place)
{
    uint32_t *slot = find_offset(ledger, &ledger->entries[place]);
    if (*slot == UINT32_MAX || *slot > place) {
        *slot = place;
    }
}

/* Only those that look alike are told apart by their offsets. */
static void mark_twin(struct sim_ledger *ledger, uint32_t place)
{
    struct sim_ledger_entry *entry = &ledger->entries[place];
    ledger->has_twins = true;
    if (!entry->has_twin) {
        entry->has_twin = true;
        if (sim_entry_names_offset(entry)) {
            index_offset(ledger, place);
        }
    }
}

void sim_ledger_index_acked(struct sim_ledger *ledger, uint32_t place)
{
    if (ledger->entries[place].has_twin) {
        index_offset(ledger, place);
    }
}

void sim_ledger_index_appended(struct sim_ledger *ledger, uint32_t place)
{
    struct sim_ledger_entry *entry = &ledger->entries[place];
    struct sim_alike *alike = find_alike(ledger, entry);
    entry->next_alike = UINT32_MAX;
    if (alike->first == UINT32_MAX) {
        *alike = (struct sim_alike){place, place, place, UINT32_MAX};
        return;
    }
    mark_twin(ledger, place);
    mark_twin(ledger, alike->first);
    mark_twin(ledger, alike->last);
    if (alike->last < place) {
        ledger->entries[alike->last].next_alike = place;
        alike->last = place;
        return;
    }
    /* A send that was blocked comes behind one of another thread. */
    uint32_t *link = alike->named < alike->first ? &alike->named : &alike->first;
    while (*link < place) {
        link = &ledger->entries[*link].next_alike;
    }
    entry->next_alike = *link;
    *link = place;
    alike->first = place < alike->first ? place : alike->first;
    alike->named = place < alike->named ? place : alike->named;
}

/* Entries from the last to the first, so that each goes to the front of those that look like it. */
static void fill_index(struct sim_ledger *ledger)
{
    for (uint32_t place = ledger->entry_count; place-- > 0;) {
        struct sim_ledger_entry *entry = &ledger->entries[place];
        entry->next_alike = UINT32_MAX;
        entry->has_twin = false;
        if (entry->partition >= 0) {
            struct sim_alike *alike = find_alike(ledger, entry);
            if (alike->first == UINT32_MAX) {
                *alike = (struct sim_alike){place, place, place, UINT32_MAX};
            } else {
                mark_twin(ledger, place);
                mark_twin(ledger, alike->first);
                entry->next_alike = alike->first;
                alike->first = alike->named = place;
            }
            alike->latest = entry->had_latest ? place : alike->latest;
        }
    }
}

bool sim_ledger_build_index(struct sim_ledger *ledger)
{
    /* Room for all that may come before the entries move; only what is there when nothing can come. */
    uint32_t wanted = ledger->has_taken ? ledger->entry_capacity : ledger->entry_count;
    uint32_t slot_count = 16;
    while (slot_count < 2 * (uint64_t)wanted && slot_count < UINT32_C(1) << 31) {
        slot_count *= 2;
    }
    if (slot_count != ledger->slot_count) {
        free(ledger->alike);
        free(ledger->by_offset);
        ledger->alike = malloc(slot_count * sizeof *ledger->alike);
        ledger->by_offset = malloc(slot_count * sizeof *ledger->by_offset);
        ledger->slot_count = slot_count;
    }
    ledger->is_indexed = false;
    if (ledger->alike == NULL || ledger->by_offset == NULL) {
        free(ledger->alike);
        free(ledger->by_offset);
        ledger->alike = NULL;
        ledger->by_offset = NULL;
        ledger->slot_count = 0;
        return false;
    }
    memset(ledger->alike, 0xff, slot_count * sizeof *ledger->alike);
    memset(ledger->by_offset, 0xff, slot_count * sizeof *ledger->by_offset);
    ledger->has_twins = false;
    fill_index(ledger);
    ledger->is_indexed = true;
    return true;
}

static struct sim_ledger_entry *give_copy(struct sim_ledger *ledger, struct sim_alike *alike, uint32_t place,
                                          bool is_final)
{
    struct sim_ledger_entry *entry = &ledger->entries[place];
    if (!is_final) {
        if (alike->latest != UINT32_MAX) {
            ledger->entries[alike->latest].had_latest = false;
        }
        entry->had_latest = true;
    }
    alike->latest = place;
    return entry;
}

/* One without a copy yet whose ack names no offset. They are used up from the front, so that many alike cost
 * no more than few. */
static uint32_t find_free(const struct sim_ledger *ledger, struct sim_alike *alike,
                          const struct sim_log_reading *reading)
{
    for (;;) {
        const struct sim_ledger_entry *entry = &ledger->entries[alike->first];
        if (entry->id >= reading->sent_count) {
            return UINT32_MAX;
        }
        if (sim_entry_copies(entry, reading->is_final) == 0 && !sim_entry_names_offset(entry)) {
            return alike->first;
        }
        if (entry->next_alike == UINT32_MAX) {
            return UINT32_MAX;
        }
        alike->first = entry->next_alike;
    }
}

/* One without a copy yet whose ack names a later offset: it was sent twice. */
static uint32_t find_sent_twice(const struct sim_ledger *ledger, struct sim_alike *alike, int64_t offset,
                                const struct sim_log_reading *reading)
{
    for (;;) {
        const struct sim_ledger_entry *entry = &ledger->entries[alike->named];
        if (entry->id >= reading->sent_count || entry->told == SIM_TOLD_NOTHING) {
            return UINT32_MAX;
        }
        if (sim_entry_copies(entry, reading->is_final) == 0 && sim_entry_names_offset(entry) &&
            entry->offset > offset) {
            return alike->named;
        }
        if (entry->next_alike == UINT32_MAX) {
            return UINT32_MAX;
        }
        alike->named = entry->next_alike;
    }
}

struct sim_ledger_entry *sim_ledger_find_copy(struct sim_ledger *ledger,
                                              const struct sim_ledger_entry *wanted,
                                              const struct sim_log_reading *reading)
{
    struct sim_alike *alike = find_alike(ledger, wanted);
    if (alike->first == UINT32_MAX) {
        return NULL;
    }
    if (!ledger->entries[alike->first].has_twin) {
        return give_copy(ledger, alike, alike->first, reading->is_final);
    }
    uint32_t found = *find_offset(ledger, wanted);
    found = found != UINT32_MAX ? found : find_free(ledger, alike, reading);
    found = found != UINT32_MAX ? found : find_sent_twice(ledger, alike, wanted->offset, reading);
    found = found != UINT32_MAX ? found : alike->latest; /* too many: again the one of the copy before it */
    return give_copy(ledger, alike, found != UINT32_MAX ? found : alike->last, reading->is_final);
}

bool sim_ledger_is_ambiguous(const struct sim_ledger *ledger, const struct sim_ledger_entry *wanted)
{
    uint32_t first = find_alike(ledger, wanted)->first;
    return first != UINT32_MAX && ledger->entries[first].has_twin &&
           *find_offset(ledger, wanted) == UINT32_MAX;
}
