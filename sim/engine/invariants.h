/**
 * What must be true of every finished run, whatever went wrong in it: read from its events, its ledger and
 * the logs of the cluster. What mb_check() says of a single moment is not repeated here.
 *
 * *Clean* is a run in which no replica outside the ISR may be elected. The rules, by the number in a
 * complaint:
 *
 *   1  acks=all is answered without an error only when the leader's high watermark is past the batch
 *      (DelayedProduce, ReplicaManager.appendRecords)
 *   2  clean: a record acknowledged under acks=all is in the log at the end, whatever min.insync.replicas is
 *      (PartitionStateMachine elects from the ISR, and who is not in it cannot hold up the high watermark)
 *   3  clean: an idempotent producer that kept its id and epoch makes no duplicate and no reordering
 *      (ProducerStateManager; a bump of the epoch, Sender.runOnce after an expired batch, forgets the old
 *      sequences, so what comes after one is not covered)
 *   4  clean: with one request in flight and no batch expired, order is kept
 * (RecordAccumulator.mutePartition) 5  clean: the sequences of a producer id and epoch in a leader's log
 * follow each other without a gap 6  no record in a log that nobody sent; records sent are acked, failed or
 * pending, and told once 7  what is still pending at the end is younger than max.block.ms +
 * delivery.timeout.ms + request.timeout.ms (and what was handed to send() in time is never told later than
 * that) 8  all of the memory is back in the pool when a producer is closed (BufferPool.deallocate) 9  clean:
 * no follower truncates below a high watermark that it knew itself, none is elected uncleanly 10  leader
 * epochs of a partition ascend; an ISR is never empty 11  no acks=all append long after the ISR fell below
 * min.insync.replicas (Partition.appendRecordsToLeader), unless a link was cut or a broker stood still 12
 * never more requests in flight than max.in.flight.requests.per.connection (InFlightRequests.canSendMore) 13
 * clean: members of the ISR hold the same bytes below the high watermark 14  answers on a connection come in
 * the order of the requests (SocketServer mutes a channel)
 *  15  clean: OUT_OF_ORDER_SEQUENCE_NUMBER is answered only to a producer of which a batch was refused
 * before, or expired (ProducerAppendInfo.checkSequence; a retry of what is there is known by
 * findDuplicateBatch)
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "engine/world.h"

/** Of a run that is over and whose ledger is settled. false: *complaints has what does not hold, at most a
 * few lines. The world must have logged its events. */
bool sim_invariants_hold(struct sim_world *world, struct sim_complaints *complaints);

/* invariants_events.c and invariants_logs.c: the two halves. */
struct sim_invariants {
    struct sim_world *world;
    const struct sim_scenario *scenario;
    const struct sim_event_log *log;
    const struct sim_run_info *info;
    struct sim_complaints *complaints;
    bool is_clean;
    bool has_partings;                   /* links cut, brokers frozen */
    bool has_bumped[SIM_PRODUCERS_MAX];  /* producers that lost their id or epoch */
    bool has_expired[SIM_PRODUCERS_MAX]; /* producers with an expired batch */
    bool has_set[SIM_PRODUCERS_MAX];     /* producers that were made again */
};
enum { SIM_INVARIANT_COMPLAINTS_MAX = 5 };
void sim_invariants_of_events(struct sim_invariants *checks);
void sim_invariants_of_logs(struct sim_invariants *checks);

#endif
