/**
 * Faults that are planted on purpose, to prove that the tests find them: each breaks one rule of the mock
 * cluster or of the producer.
 *
 * They exist only in a build with LINGER_PLANTED_FAULTS (the preset "dev"), where a process selects at most
 * one
 * (`linger simulate --plant NAME`). In every other build KB_PLANTED(NAME) is the constant false, and nothing
 * of a planted fault is compiled in. docs/testing.md tells how soon each is found.
 */
#ifndef KB_PLANTED_H
#define KB_PLANTED_H

#include <stdbool.h>

/**
 * X(NAME, text, where, what it does). where: the rule of the mock cluster (docs/broker-rules.md) or the Kafka
 * class of the producer.
 */
#define KB_PLANTED_FAULTS(X)                                                                                 \
    X(CONNECTION_NOT_THROTTLED, "connection-not-throttled", "26",                                            \
      "a throttled connection is read all the same")                                                         \
    X(RESPONSES_REVERSED, "responses-reversed", "1", "answers that leave together leave in reverse order")   \
    X(NO_MIN_ISR_BEFORE_APPEND, "no-min-isr-before-append", "4",                                             \
      "acks=all appends with an ISR that is too small")                                                      \
    X(ACK_BEFORE_REPLICATION, "ack-before-replication", "5", "acks=all is answered when the leader has it")  \
    X(NO_MIN_ISR_AFTER_APPEND, "no-min-isr-after-append", "5",                                               \
      "acks=all succeeds with an ISR that became too small")                                                 \
    X(TIMED_OUT_IS_SUCCESS, "timed-out-is-success", "5", "a parked produce whose time is over succeeds")     \
    X(PARKED_OUTLIVES_LEADER, "parked-outlives-leader", "16",                                                \
      "a parked produce waits on when its leader resigned")                                                  \
    X(ACKS_0_ERROR_IGNORED, "acks-0-error-ignored", "6", "an error under acks=0 leaves the connection open") \
    X(ALWAYS_CAUGHT_UP, "always-caught-up", "7", "whoever fetches counts as caught up, wherever it is")      \
    X(HW_IGNORES_ISR, "hw-ignores-isr", "8", "the high watermark waits only for followers without lag")      \
    X(HW_IGNORES_FOLLOWERS, "hw-ignores-followers", "8", "the high watermark is the leader's log end")       \
    X(HW_OF_FOLLOWER_IS_ITS_END, "hw-of-follower-is-its-end", "9",                                           \
      "a follower's high watermark is its log end")                                                          \
    X(READ_PAST_HW, "read-past-hw", "10", "consumers are given what is not committed")                       \
    X(ISR_NEVER_SHRINKS, "isr-never-shrinks", "11", "a follower that is behind stays in the ISR")            \
    X(EXPAND_BELOW_HW, "expand-below-hw", "12", "a follower joins the ISR wherever its log ends")            \
    X(SHRINK_AT_ONCE, "shrink-at-once", "13", "a shrinking of the ISR counts before the controller agreed")  \
    X(EXPAND_NOT_MAXIMAL, "expand-not-maximal", "13",                                                        \
      "who is joining the ISR does not hold up the high watermark")                                          \
    X(LAST_OF_ISR_REMOVED, "last-of-isr-removed", "14", "the controller drops the last member of an ISR")    \
    X(ELECTION_OUTSIDE_ISR, "election-outside-isr", "15", "the first live replica leads, in the ISR or not") \
    X(UNCLEAN_THOUGH_OFF, "unclean-though-off", "15", "unclean election though it is switched off")          \
    X(EPOCH_NOT_BUMPED, "epoch-not-bumped", "15", "an election keeps the leader epoch")                      \
    X(REMOTES_NOT_FORGOTTEN, "remotes-not-forgotten", "16",                                                  \
      "a new leader believes what it knew when it led before")                                               \
    X(NO_TRUNCATION, "no-truncation", "17", "a follower keeps what its leader never had")                    \
    X(TRUNCATION_TOO_DEEP, "truncation-too-deep", "17", "a follower truncates two records too many")         \
    X(SIZE_NOT_CHECKED, "size-not-checked", "18", "max.message.bytes is not looked at")                      \
    X(CRC_NOT_CHECKED, "crc-not-checked", "18", "a corrupt batch is appended")                               \
    X(APPEND_TIME_NOT_STAMPED, "append-time-not-stamped", "19", "LogAppendTime keeps the producer's time")   \
    X(DUPLICATE_UNKNOWN, "duplicate-unknown", "20", "no batch is recognised as a duplicate")                 \
    X(DUPLICATE_WINDOW_OF_1, "duplicate-window-of-1", "20", "only the newest batch is recognised")           \
    X(DUPLICATE_GETS_NEW_OFFSET, "duplicate-gets-new-offset", "20",                                          \
      "a duplicate is answered with the log's end")                                                          \
    X(DUPLICATE_NOT_WAITING, "duplicate-not-waiting", "20",                                                  \
      "a duplicate under acks=all is answered at once")                                                      \
    X(SEQUENCE_NOT_CHECKED, "sequence-not-checked", "21", "any sequence is accepted")                        \
    X(NO_PRODUCER_STATE, "no-producer-state", "21", "neither duplicates nor sequences are looked at")        \
    X(NO_FENCING, "no-fencing", "21", "a batch of an old producer epoch is accepted")                        \
    X(STATE_LOST_ON_FAILOVER, "state-lost-on-failover", "22", "a new leader knows nothing of the producers") \
    X(STATE_NOT_ROLLED_BACK, "state-not-rolled-back", "22",                                                  \
      "what was truncated is still known as a duplicate")                                                    \
    X(ZOMBIE_KEEPS_EPOCH, "zombie-keeps-epoch", "23", "InitProducerId gives the epoch that another has")     \
    X(MARKER_MISSING, "marker-missing", "24", "the marker of an abort is never written")                     \
    X(MARKER_REVERSED, "marker-reversed", "24", "a commit is marked as an abort, an abort as a commit")      \
    X(LSO_IGNORED, "lso-ignored", "25", "the last stable offset is the high watermark")                      \
    X(PARTITION_NOT_MUTED, "partition-not-muted", "RecordAccumulator",                                       \
      "max.in.flight 1 does not mute partitions")                                                            \
    X(REENQUEUE_AT_FRONT, "reenqueue-at-front", "RecordAccumulator",                                         \
      "a retry goes in front of earlier sequences")                                                          \
    X(BACKOFF_IGNORED, "backoff-ignored", "RecordAccumulator", "a retry does not wait for retry.backoff.ms") \
    X(NEVER_EXPIRES, "never-expires", "RecordAccumulator", "delivery.timeout.ms is not looked at")           \
    X(ONE_IN_FLIGHT_TOO_MANY, "one-in-flight-too-many", "InFlightRequests", "one request more than allowed") \
    X(POOL_LEAK, "pool-leak", "BufferPool", "half of what is not pooled is lost")                            \
    X(SEQUENCES_NOT_RESET, "sequences-not-reset", "TransactionManager",                                      \
      "a new epoch goes on with the old sequences")

#define KB_PLANTED_ENUM(name, text, where, what) KB_PLANTED_##name,
enum kb_planted { KB_PLANTED_NONE, KB_PLANTED_FAULTS(KB_PLANTED_ENUM) KB_PLANTED_COUNT };
#undef KB_PLANTED_ENUM

#ifdef LINGER_PLANTED_FAULTS
/** The one of this process. */
extern enum kb_planted kb_planted_fault;
#define KB_PLANTED(name) (kb_planted_fault == KB_PLANTED_##name)

struct kb_planted_info {
    const char *name;
    const char *where;
    const char *what;
};
/** fault: from 1 to KB_PLANTED_COUNT - 1. */
const struct kb_planted_info *kb_planted_info(enum kb_planted fault);
/** KB_PLANTED_NONE: there is none of that name. */
enum kb_planted kb_planted_find(const char *name);
#else
#define KB_PLANTED(name) false
#endif

#endif
