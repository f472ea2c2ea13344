/**
 * Parts of mb_check(): NULL when all is well, else a sentence that says what is not.
 */
#ifndef MB_CHECK_H
#define MB_CHECK_H

#include "mockbroker/partition.h"

/** What a log says of transactions against what is derived from it. */
const char *mb_check_log_transactions(const struct mb_log *log);
/** What a leader of __transaction_state believes. */
const char *mb_check_coordinator(const struct mb_partition *partition);

#endif
