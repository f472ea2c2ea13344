/**
 * Parts of mb_check(): NULL when all is well, else a sentence that says what is not.
 */
#ifndef MB_CHECK_H
#define MB_CHECK_H

#include "mockbroker/partition.h"

/** Something happens to a partition: mb_check_changed() is to look at it. */
void mb_check_touch(struct mb_cluster *cluster, struct mb_topic_partition *tp);
/** Give back what was remembered of a replica. */
void mb_check_forget(struct mb_partition *partition);

/* check_replication.c */

/** What a leader believes of its followers, and what follows from it. */
const char *mb_check_followers(struct mb_partition *leader);
/** Below both high watermarks a follower holds what its leader holds. */
const char *mb_check_agreement(const struct mb_partition *leader, struct mb_partition *follower);

/* check_transactions.c */

/** What a log says of transactions and sequences against what is derived from it. */
const char *mb_check_log_producers(const struct mb_log *log);
/** What a leader of __transaction_state believes. */
const char *mb_check_coordinator(const struct mb_partition *partition);

#endif
