/**
 * What the application was told, crossed with what the cluster holds, record by record.
 *
 * Records are told apart by what they contain (partition, key, value) and, where an ack named one,
 * by their offset: the cluster knows nothing of the ledger, and what it holds is read back from its logs.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <linger/producer.h>
#include <mockbroker/mockbroker.h>

struct sim_ledger;

enum sim_verdict {
    SIM_VERDICT_PENDING,        /* told nothing yet */
    SIM_VERDICT_DELIVERED,      /* acked, in the log once */
    SIM_VERDICT_LOST_AFTER_ACK, /* acked, not in the log */
    SIM_VERDICT_DUPLICATE,      /* acked, in the log twice or more */
    SIM_VERDICT_FAILED,         /* failed, not in the log */
    SIM_VERDICT_FALSE_FAILURE,  /* failed, in the log all the same */
    SIM_VERDICT_ABORTED,        /* its transaction was aborted: read_committed sees no copy of it */
    SIM_VERDICT_COUNT,
};
const char *sim_verdict_name(enum sim_verdict verdict); /* "lost after ack" */

struct sim_ledger_totals {
    uint64_t sent; /* handed to send() */
    uint64_t acked;
    uint64_t failed;
    uint64_t verdicts[SIM_VERDICT_COUNT];
    uint64_t reordered; /* records behind a later one of the same producer and partition */
    uint64_t copies;    /* records in the logs */
    uint64_t unknown;   /* records in the logs that nobody here sent */
};

struct sim_ledger *sim_ledger_create(void);
void sim_ledger_destroy(struct sim_ledger *ledger);

/**
 * Long runs: retention takes batches from the logs, and the ledger reads them just before. From then on it
 * keeps entries only of records that are not *settled*. A record is settled when
 *
 *   - the application was told what became of it,
 *   - at least `kept` records were sent after it,
 *   - retention has taken everything from its partition's log that was in it when the ledger saw that these
 *     two hold: every copy was read, and a truncation can take none of them back any more,
 *   - none of its copies waits for the end of a transaction, and
 *   - it has a copy, or was never appended. Of those without a copy (lost, failed) the newest
 *     SIM_LEDGER_KEPT_RECORDS stay, since bytes that wait behind a cut link or in a frozen broker may still
 *     bring one.
 *
 * Its verdict is in the totals then and its entry is gone: a copy that comes later still counts as unknown.
 * Only batches of the leader and of the ISR are read, as the controller has them: a replica that was
 * deposed while it was isolated settles nothing. Where nothing is ever taken, every record is kept.
 *
 * Memory: 64 bytes for each record that is kept, under way or in a log, up to twice as many while it grows,
 * and half as much again for finding them.
 */
enum { SIM_LEDGER_KEPT_RECORDS = 1 << 16, SIM_LEDGER_KEEP_ALL = INT32_MAX };
/** Before the first record. SIM_LEDGER_KEEP_ALL also keeps every batch that retention takes until the end:
 * the same verdicts without any of the above, to compare with. */
void sim_ledger_keep(struct sim_ledger *ledger, uint32_t kept_records);
/** The cluster whose logs are read; without it sim_ledger_log_start_moves() does nothing. */
void sim_ledger_watch(struct sim_ledger *ledger, const struct mb_cluster *cluster);
/** As struct mb_observer has it. */
void sim_ledger_log_start_moves(struct sim_ledger *ledger, int32_t broker, const char *topic,
                                int32_t partition, int64_t start_offset);
/** Entries and batches that are held now. */
size_t sim_ledger_memory_bytes(const struct sim_ledger *ledger);

/* The application's side. Record ids are given in the order of send() from 0 on. */
bool sim_ledger_sent(struct sim_ledger *ledger, uint32_t record_id, uint32_t producer,
                     const struct kp_record *record);
/** send() appended it: the partition is known, and with it the order among its neighbours. */
void sim_ledger_appended(struct sim_ledger *ledger, uint32_t record_id, int32_t partition);
void sim_ledger_acked(struct sim_ledger *ledger, uint32_t record_id, int64_t offset);
void sim_ledger_failed(struct sim_ledger *ledger, uint32_t record_id);
/** It failed because its transaction was aborted before it was sent. */
void sim_ledger_aborted(struct sim_ledger *ledger, uint32_t record_id);

/** Read the logs of the leaders (of the live replica with the longest log, where there is no leader) behind
 * what retention has taken, and judge. Changes nothing of what is kept: it may be asked again later. */
bool sim_ledger_settle(struct sim_ledger *ledger, const struct mb_cluster *cluster);

void sim_ledger_totals(const struct sim_ledger *ledger, struct sim_ledger_totals *out);
/** After settling; of a record that is still kept. */
enum sim_verdict sim_ledger_verdict(const struct sim_ledger *ledger, uint32_t record_id, uint32_t *copies);
/** All that is known of one record, after settling. */
struct sim_ledger_record {
    uint32_t producer;
    int32_t partition; /* -1: send() never appended it */
    uint32_t copies;   /* 65 535 stands for more */
    enum sim_verdict verdict;
    bool is_reordered; /* its first copy is behind a later record of its producer */
};
/** false: it was settled in the course of the run and is in the totals alone; *out is all zero then. */
bool sim_ledger_record(const struct sim_ledger *ledger, uint32_t record_id, struct sim_ledger_record *out);
/** Records that were handed to send(): ids are below it. */
uint64_t sim_ledger_count(const struct sim_ledger *ledger);

#endif
