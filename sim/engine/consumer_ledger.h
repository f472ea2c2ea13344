/**
 * What consumers have read: how much, how long after its ack, and what of it is in no log any more.
 *
 * A record is known here by topic, partition, offset and the leader epoch in which it was appended: two
 * records never have all four in common. What one poll() returned is one entry, whatever it holds; beyond a
 * million entries old ones of the same epoch are put together, after which "when" is known less exactly and
 * a loss in their midst is at most, not exactly, what is said. Acks are remembered for the newest offsets of
 * each partition (four million for all); what is read later than that is not measured.
 *
 * Every function takes NULL for a run without consumers.
 */
#ifndef SIM_CONSUMER_LEDGER_H
#define SIM_CONSUMER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <mockbroker/mockbroker.h>

#include "engine/scenario.h"

struct sim_readings;

/** NULL when there is no memory. Copies what it needs. */
struct sim_readings *sim_readings_create(const struct sim_scenario *scenario);
void sim_readings_destroy(struct sim_readings *readings);

/** The application was told that a record has this offset; below 0: no offset is known. */
void sim_readings_acked(struct sim_readings *readings, const char *topic, int32_t partition, int64_t offset,
                        int64_t now_us);
/** poll() returned the records from first to last, all appended in this leader epoch. */
void sim_readings_read(struct sim_readings *readings, uint32_t consumer, const char *topic, int32_t partition,
                       int64_t first, int64_t last, int32_t epoch, int64_t now_us);
/** So many records of aborted transactions were not returned. */
void sim_readings_left_out(struct sim_readings *readings, uint32_t consumer, uint32_t records);

/** Count what was read and is in no leader's log any more (of the longest log, where nobody leads). */
void sim_readings_settle(struct sim_readings *readings, const struct mb_cluster *cluster);

struct sim_reading_totals {
    uint64_t records;  /* that poll() returned */
    uint64_t repeated; /* of these: again */
    uint64_t left_out; /* of aborted transactions */
    uint64_t lost;     /* read, and gone; after settling */
    uint64_t early;    /* read before the ack was there, or without one */
    uint64_t measured; /* read after the ack */
    int64_t mean_us;   /* from the ack to the reading, of those measured */
    int64_t p50_us;    /* to 1.6 per cent, as p99 */
    int64_t p99_us;
    int64_t longest_us;
};
void sim_readings_totals(const struct sim_readings *readings, uint32_t consumer,
                         struct sim_reading_totals *out);

/** How often a consumer has read this record, and when first; -1: never. */
uint32_t sim_readings_of(const struct sim_readings *readings, uint32_t consumer, const char *topic,
                         int32_t partition, int64_t offset, int32_t epoch, int64_t *first_us);

#endif
