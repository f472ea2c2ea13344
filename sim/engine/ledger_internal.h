/**
 * The parts of a ledger, for its files: ledger.c (what is told), ledger_index.c (which record is this copy?),
 * ledger_logs.c (reading and judging), ledger_retention.c (what retention takes, and what is forgotten then).
 */
#ifndef SIM_LEDGER_INTERNAL_H
#define SIM_LEDGER_INTERNAL_H

#include "engine/ledger.h"
#include "wire/compression.h"

enum sim_told { SIM_TOLD_NOTHING, SIM_TOLD_ACKED, SIM_TOLD_FAILED, SIM_TOLD_ABORTED };

/* Copies of a record; a count stops at UINT16_MAX. */
struct sim_tally {
    uint16_t copies;
    uint16_t aborted;   /* of an aborted transaction */
    uint16_t undecided; /* of a transaction that has not ended */
};

/* One record that was handed to send(). */
struct sim_ledger_entry {
    uint64_t content;    /* hash of topic, key and value */
    int64_t offset;      /* as the ack says; -1 unknown */
    int64_t settled_at;  /* where the log must begin for the record to be settled; INT64_MAX: not known yet */
    uint32_t id;         /* ascending in the array */
    uint32_t order;      /* of the append among all of the run; UINT32_MAX before it */
    int32_t partition;   /* -1: not appended */
    uint32_t next_alike; /* place of the next entry of the same content, or UINT32_MAX */
    struct sim_tally taken; /* in what retention took */
    struct sim_tally all;   /* and in the logs, after settling */
    uint16_t topic;
    uint8_t producer;
    uint8_t told;              /* enum sim_told */
    bool has_twin : 1;         /* others in the same partition look alike */
    bool had_latest : 1;       /* and of these the latest copy that retention took is this one's */
    bool is_reordered : 1;     /* after settling */
    bool is_reordered_now : 1; /* as far as retention took */
};

/* A copy whose transaction has not ended, as far as the log was read. */
struct sim_undecided {
    int64_t producer_id;
    uint32_t record_id;
};

/* A batch that retention took and that cannot be read yet: records which look alike have not been told. */
struct sim_taken_batch {
    struct sim_taken_batch *next;
    uint32_t sent_count; /* when it was taken */
    size_t length_bytes;
    uint8_t bytes[];
};

/* How far a partition's log was read. It is read from front to back. */
struct sim_log_reading {
    uint32_t topic;
    int32_t partition;
    bool is_final;       /* counts in `all`, not in `taken` */
    int64_t read_until;  /* offset behind the last batch */
    int32_t read_epoch;  /* the highest of a batch that was read; -1: none */
    uint32_t sent_count; /* when the batch that is read was in the log: later records are not in it */
    int64_t producer_id; /* of the transactional batch that is read */
    struct sim_undecided *undecided;
    uint32_t undecided_count;
    uint32_t undecided_capacity;
    uint32_t *highest_orders; /* seen so far, by producer; 0: none, else plus one */
    uint32_t producer_capacity;
    /* Of the log that retention takes from: */
    struct sim_taken_batch *first_waiting;
    struct sim_taken_batch *last_waiting;
    int64_t end_offset; /* the highest of a replica, at the look that is under way */
    uint32_t look;
};

struct sim_ledger_topic {
    char *name;
    struct sim_log_reading **readings; /* by partition; NULL: nothing was taken from it */
    int32_t reading_capacity;
};

/* The entries of one content and partition, in the order of sending. Those before `first` have a copy or name
 * an offset; those before `named` are told, and no copy that is still to be read can be theirs. */
struct sim_alike {
    uint32_t first;
    uint32_t named;
    uint32_t last;
    uint32_t latest; /* whose copy was read last; UINT32_MAX: none was */
};

struct sim_ledger {
    struct sim_ledger_entry *entries;
    uint32_t entry_count;
    uint32_t entry_capacity;
    uint32_t contiguous_from; /* from this place on ids have no gaps */
    uint32_t sent_count;
    uint32_t appended_count;
    struct sim_ledger_topic *topics;
    uint32_t topic_count;

    /* Open addressing, places of entries, UINT32_MAX is free. */
    bool is_indexed;
    bool has_twins;
    struct sim_alike *alike;
    uint32_t *by_offset; /* acked ones that name an offset */
    uint32_t slot_count;

    const struct mb_cluster *cluster; /* that retention takes from; NULL: not watched */
    uint32_t kept_records;
    bool has_taken;           /* retention took something */
    uint32_t looked_at_count; /* sent_count at the last look for what may settle */
    uint32_t looked_until;    /* id: those before it were looked at */
    uint32_t look_count;
    uint32_t untold_from;   /* place: all entries before it are told */
    uint64_t waiting_bytes; /* of batches that cannot be read yet */

    struct kw_compression_buffer decompressed; /* of the batch that is read */
    struct sim_ledger_totals taken;            /* copies, reordered, unknown; verdicts of what is settled */
    struct sim_ledger_totals totals;
    bool is_settled;
};

/* ledger.c */
struct sim_ledger_entry *sim_ledger_find(const struct sim_ledger *ledger, uint32_t record_id); /* or NULL */
uint32_t sim_ledger_find_topic(const struct sim_ledger *ledger, const char *name); /* or UINT32_MAX */
uint64_t sim_ledger_hash(uint32_t topic, struct kp_bytes key, struct kp_bytes value);
static inline bool sim_entry_names_offset(const struct sim_ledger_entry *entry)
{
    return entry->told == SIM_TOLD_ACKED && entry->offset >= 0;
}

/* ledger_index.c: entries are found by what they contain and by offset */
bool sim_ledger_build_index(struct sim_ledger *ledger);
/* The entry was appended; the entry was acked with an offset. While there is an index. */
void sim_ledger_index_appended(struct sim_ledger *ledger, uint32_t place);
void sim_ledger_index_acked(struct sim_ledger *ledger, uint32_t place);
/* Which record is this copy? The one whose ack names the offset; else one without a copy yet whose ack names
 * none; else one without a copy whose ack names a later offset, since it was sent twice; else it is one too
 * many. wanted has content, topic, partition and offset. NULL: nobody's here. */
struct sim_ledger_entry *sim_ledger_find_copy(struct sim_ledger *ledger,
                                              const struct sim_ledger_entry *wanted,
                                              const struct sim_log_reading *reading);
/* Would the answer be another one when more is told? */
bool sim_ledger_is_ambiguous(const struct sim_ledger *ledger, const struct sim_ledger_entry *wanted);

static inline uint16_t sim_entry_copies(const struct sim_ledger_entry *entry, bool is_final)
{
    return is_final ? entry->all.copies : entry->taken.copies;
}

/* ledger_logs.c */
enum sim_verdict sim_entry_judge(const struct sim_ledger_entry *entry, bool is_final);
/* Reads a batch, whatever is known of it. */
void sim_ledger_read_batch(struct sim_ledger *ledger, struct sim_log_reading *reading, const uint8_t *batch,
                           size_t length_bytes);
/* Are there records in the batch whose owner is not certain yet? */
bool sim_ledger_is_batch_ambiguous(struct sim_ledger *ledger, const struct sim_log_reading *reading,
                                   const uint8_t *batch, size_t length_bytes);
/* Was a batch of these offsets and epoch read? If not, it counts as read now. */
bool sim_log_reading_passes(struct sim_log_reading *reading, const uint8_t *batch);
/* Frees what belongs to it. */
void sim_log_reading_release(struct sim_log_reading *reading);

/* ledger_retention.c */
/* There is no room for another entry: forget what is settled, or grow. false without memory. */
bool sim_ledger_make_room(struct sim_ledger *ledger);
/* Every now and then: which of the told ones wait for what? */
void sim_ledger_look(struct sim_ledger *ledger);
/* NULL: nothing was taken from it. */
struct sim_log_reading *sim_ledger_reading(const struct sim_ledger *ledger, uint32_t topic,
                                           int32_t partition);

#endif
