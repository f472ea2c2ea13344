#include "view/glossary.h"

#include <stddef.h>
#include <string.h>

struct entry {
    const char *term;
    const char *sentence;
};

static const struct entry entries[] = {
    {"acks", "How many copies the leader waits for before it answers: 0 none (and no answer), 1 its own, all "
             "the whole "
             "ISR."},
    {"batch", "Records of one partition that travel, are stored and are retried together."},
    {"batch.size",
     "How many bytes a batch may hold before the next record opens another. A larger record gets a "
     "batch of its own."},
    {"buffer.memory",
     "All the memory for records that wait or are in flight. When it is used up, send() blocks."},
    {"compression.type", "How the records of a batch are compressed; better with fuller batches."},
    {"controller", "The broker that elects leaders and decides on the ISR."},
    {"deque", "The batches of one partition, oldest first. New records go into the last one."},
    {"delivery.timeout.ms", "From send() to the answer, retries and all; then the record fails."},
    {"drain", "Taking batches out of the deques for the nodes that are ready, at most one request per node."},
    {"enable.idempotence", "Producer id and sequence numbers let the broker drop what it already has."},
    {"epoch", "Counts how often a producer id or a leadership was taken over; older ones are refused."},
    {"follower", "A replica that copies from the leader."},
    {"high watermark",
     "The offset up to which the whole ISR has the log. Consumers read up to it, acks=all waits "
     "for it."},
    {"in flight", "Sent and not answered yet."},
    {"ISR", "In-sync replicas: those that keep up with the leader. acks=all waits for them and nobody else."},
    {"leader", "The replica that takes writes. Followers copy from it."},
    {"LEO", "Log end offset: the offset that the next record will get."},
    {"linger.ms", "How long a batch that is not full waits for more records."},
    {"max.block.ms", "How long send() may block, for metadata and memory together."},
    {"max.in.flight.requests.per.connection", "How many requests may be unanswered on a connection."},
    {"max.request.size", "The largest request, and the largest record, that the producer sends."},
    {"metadata", "Which broker leads which partition, as the producer last heard."},
    {"min.insync.replicas", "With acks=all a leader refuses to write when its ISR is smaller than this."},
    {"murmur2", "The hash of a key that picks its partition: the same key, the same partition."},
    {"offset", "The place of a record in its partition's log."},
    {"parked", "A produce request that waits at the leader until the ISR has its records (DelayedProduce)."},
    {"partition", "A log of its own, with a leader. Order holds within it, not across."},
    {"partitioner.class", "Who picks the partition of a record that names none."},
    {"poll", "Writing, reading and waiting, until something happens or the time-out is over."},
    {"producer id", "Names the producer to the brokers, so that they know a retry when they see one."},
    {"request.timeout.ms", "How long the producer waits for an answer before it gives up the connection."},
    {"retries", "How often a batch may be sent again."},
    {"retry.backoff.ms", "The pause before a batch is sent again."},
    {"sequence",
     "Counts the records of a producer in a partition, so that none is written twice or out of order."},
    {"sticky", "Records without a key stay on one partition until its batch is full."},
};

const char *view_glossary(const char *term)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (strcmp(entries[i].term, term) == 0) {
            return entries[i].sentence;
        }
    }
    return NULL;
}

const char *view_glossary_term(uint32_t index)
{
    return index < sizeof entries / sizeof entries[0] ? entries[index].term : NULL;
}
