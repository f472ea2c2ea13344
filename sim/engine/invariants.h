/* clang-format off */
/**
 * What must be true of every run, whatever went wrong in it: read from its events as they come, from its
 * ledger and from the logs of the cluster. What mb_check() says of a single moment is not repeated here.
 *
 * *Clean* is a run in which no replica outside the ISR may be elected. The rules, by the number in a complaint;
 * rule 0 is mb_check(). Those marked E are checked at the end, the others when it happens:
 *
 *    1   acks=all is answered without an error only when the leader's high watermark is past the batch, be it a
 *        duplicate (DelayedProduce, ReplicaManager.appendRecords)
 *    2   clean: what was acknowledged under acks=all is in the log of every leader from then on (a leader comes from
 *        the ISR, and who is not in it cannot hold up the high watermark); E: and it is that record
 *    3 E clean: an idempotent producer that kept its id and epoch makes no duplicate and no reordering
 *        (ProducerStateManager; a bump of the epoch forgets the old sequences). One that is made again gets another
 *        id: what the old one gave up may come behind what the new one writes
 *    4 E clean: with one request in flight and no batch expired or failed, order is kept
 *    5   clean: the sequences of a producer id and epoch in a leader's log follow each other without a gap, epochs
 *        ascend, offsets have no gap
 *    6   a record is told once; E: no record in a log that nobody sent; records sent are acked, failed or pending
 *    7   a record is told not later than max.block.ms + delivery.timeout.ms + request.timeout.ms; E: what is still
 *        pending is younger. A batch that is due waits on behind one that is not, because that was created later
 *        and came back in front of it (RecordAccumulator.reenqueue, splitAndReenqueue; expiredBatches stops at the
 *        first that is not due); and while requests of the transaction or for a producer id keep the sender from
 *        its batches (Sender.runOnce: maybeSendAndPollTransactionalRequest comes before sendProducerData)
 *    8   the memory that is lent, kept and free comes to buffer.memory, always, and is all free in the end
 *    9   clean: no follower truncates below a high watermark that it knew itself, none is elected uncleanly
 *   10   leader epochs of a partition ascend; an ISR is never empty
 *   11   no acks=all append with fewer than min.insync.replicas in the leader's committed ISR, no acks=all answer
 *        without an error with fewer in the maximal one, none by a broker that does not lead; as it was when the
 *        answer was decided (DelayedProduce.tryComplete), if the broker froze between that and the answer
 *   12   never more requests in flight than max.in.flight.requests.per.connection
 *   13 E clean: members of the ISR hold the same bytes below the high watermark
 *   14   answers on a connection are given, and leave, in the order of the requests (SocketServer mutes a channel)
 *   15   clean: OUT_OF_ORDER_SEQUENCE_NUMBER is answered only to a producer of which a batch was refused before, or
 *        expired (ProducerAppendInfo.checkSequence); no leader has moved: a batch may overtake one
 *        that is on its way to the old leader
 *   16   the offset of an acknowledged batch is one where a leader appended it (findDuplicateBatch)
 *   17   with one request in flight, no two batches of a partition are (RecordAccumulator.mutePartition)
 *   18   after an error under acks=0 nothing more is read from the connection
 *   19   batches of a LogAppendTime topic carry the broker's time, others do not (LogValidator)
 *   20   nothing is read from a connection while it is throttled (ClientQuotaManager.throttle)
 *   21   a batch in a leader's log is intact and not larger than max.message.bytes
 *   22   a batch that goes back waits for retry.backoff.ms (RecordAccumulator.ready)
 *   23   the first batch of a producer id and epoch in a partition has sequence 0
 *   24   no two producers are given the same id and epoch (TransactionCoordinator.handleInitProducerId)
 *   25 E what is committed is visible, what is aborted is not, no transaction is open that others came after
 *   26   clean: no consumer reads past the high watermark (FetchIsolation)
 *
 * Transactions: 3.0.0 takes the sequences of a failed batch back and moves those behind it up, in one id and epoch
 * (TransactionManager.adjustSequencesDueToFailedBatch), also when it or one behind it may have been written: brokers
 * then take one batch for another. Rules 2, 3 and 16 leave out the batches that had a sequence, or an earlier one of
 * the partition had, with which another one that no leader refused was sent. Rule 25 leaves out these, and records
 * that failed and may have been written: they may come when their transaction is over (no epoch of the
 * partition fences them, nor does anybody ask for the transaction).
 */
/* clang-format on */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "engine/world.h"

struct sim_invariants;

/** For a world that has not stepped yet and logs its events. NULL: no memory. */
struct sim_invariants *sim_invariants_create(struct sim_world *world);
void sim_invariants_destroy(struct sim_invariants *invariants);

/** What the last step did; false: *complaints has what does not hold, at most a few lines. */
bool sim_invariants_step(struct sim_invariants *invariants, struct sim_complaints *complaints);
/** Of a run that is over and whose ledger is settled. */
bool sim_invariants_end(struct sim_invariants *invariants, struct sim_complaints *complaints);

#endif
