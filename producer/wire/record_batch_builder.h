/**
 * Writes a magic-2 batch record by record into memory it borrows: each record is encoded once, straight to
 * its place.
 *
 * Life: init → append… → (close_for_appends) → close → (reopen_and_rewrite_producer_state → close)…, or →
 * abort. Header and CRC are written by close, once, over the whole batch.
 *
 * Never allocates. Without compression the memory need not grow as Java's ByteBufferOutputStream does: a
 * batch gets max(batch.size, upper bound of its first record), and has_room_for() keeps the rest within it.
 *
 * A batch that is to be compressed collects its records as they are, and counts what they will come to with
 * an estimated ratio, exactly as Kafka does while its stream compresses along: that decides about room and
 * fullness. Here they are compressed once, after the last append. The records collected may be many times the
 * capacity, so their memory is the caller's to enlarge (move, before an append that has no space) and to
 * replace (compress). Java's stream and this differ in when the compressor runs, not in what is decided.
 *
 * Kafka: org.apache.kafka.common.record.MemoryRecordsBuilder.
 */
#ifndef KW_RECORD_BATCH_BUILDER_H
#define KW_RECORD_BATCH_BUILDER_H

#include "wire/record.h"
#include "wire/record_batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the batch is; kw_record_batch_options_default() is what a plain producer has. */
struct kw_record_batch_options {
    int64_t base_offset;
    /** Only with KW_TIMESTAMP_LOG_APPEND_TIME. */
    int64_t log_append_time_ms;
    int64_t producer_id;
    int32_t base_sequence;
    int32_t partition_leader_epoch;
    int16_t producer_epoch;
    bool is_transactional;
    bool is_control;
    enum kw_timestamp_type timestamp_type;
    enum kw_compression compression;
};

enum kw_record_batch_builder_state {
    KW_BUILDER_OPEN,
    /** No more records; the header can still be written. */
    KW_BUILDER_CLOSED_FOR_APPENDS,
    /** The bytes are final. */
    KW_BUILDER_CLOSED,
    KW_BUILDER_ABORTED
};

struct kw_record_batch_builder {
    uint8_t *memory;
    uint32_t memory_bytes;
    /** Kafka's writeLimit; without compression also the memory's size. */
    uint32_t capacity_bytes;
    /** Header and encoded records; after compress, compressed ones. */
    uint32_t written_bytes;
    int32_t record_count;
    enum kw_record_batch_builder_state state;
    /** options.compression is not NONE; here, because every append asks. */
    bool has_compression;
    bool is_compressed;
    /** Of the first record; the deltas of the others count from here. */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    /** What the records are expected to come to, of each byte. Kafka: estimatedCompressionRatio. */
    float estimated_ratio;
    /** Of the records without the header, once they are compressed. Kafka: uncompressedRecordsSizeInBytes. */
    uint32_t uncompressed_bytes;
    struct kw_record_batch_options options;
};

/** Each byte is expected to come to 1.05 times the estimated ratio. Kafka:
 * COMPRESSION_RATE_ESTIMATION_FACTOR. */
#define KW_COMPRESSION_RATE_ESTIMATION_FACTOR 1.05F

/** No compression, create time, offset 0, no producer id, epoch, sequence or leader epoch. */
struct kw_record_batch_options kw_record_batch_options_default(void);

/**
 * Borrows memory until the batch is no longer needed or moved. capacity_bytes >=
 * KW_RECORD_BATCH_OVERHEAD_BYTES. The ratio is estimated at 1.
 */
void kw_record_batch_builder_init(struct kw_record_batch_builder *builder, void *memory,
                                  uint32_t capacity_bytes, const struct kw_record_batch_options *options);

/** The records of an empty batch are to be compressed. Kafka: setEstimatedCompressionRatio, for the ratio. */
void kw_record_batch_builder_set_compression(struct kw_record_batch_builder *builder,
                                             enum kw_compression compression, float estimated_ratio);

/**
 * Go on in other memory, which must hold what was written so far; that is copied. The write limit stays.
 * Kafka: ByteBufferOutputStream.expandBuffer.
 */
void kw_record_batch_builder_move(struct kw_record_batch_builder *builder, void *memory,
                                  uint32_t memory_bytes);

/** Whether the records collected for compression leave so many bytes of the memory. */
bool kw_record_batch_builder_has_space(const struct kw_record_batch_builder *builder, int64_t length_bytes);

/**
 * May this record be appended? Always true for the first one of an open batch. Kafka:
 * MemoryRecordsBuilder.hasRoomFor.
 */
bool kw_record_batch_builder_has_room_for(const struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                          const struct kw_record_fields *fields);

/**
 * Append at the next offset; copies everything. timestamp_ms >= 0 or KW_NO_TIMESTAMP. The caller has asked
 * has_room_for, and the memory holds at least the upper bound of a first record: it is a programmer error
 * when it does not fit. Returns the encoded size in bytes.
 */
uint32_t kw_record_batch_builder_append(struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                        const struct kw_record_fields *fields);

/**
 * has_room_for and append in one, computing the size once: the encoded size, or 0 when there is no room. This
 * is the producer's path. Kafka: ProducerBatch.tryAppend.
 */
uint32_t kw_record_batch_builder_try_append(struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                            const struct kw_record_fields *fields);

/** Closed for appends, or something in it and written bytes ≥ capacity. Kafka: isFull. */
bool kw_record_batch_builder_is_full(const struct kw_record_batch_builder *builder);

/** Its bytes are final. Kafka: isClosed. */
bool kw_record_batch_builder_is_closed(const struct kw_record_batch_builder *builder);

/** Bytes so far: exact without compression and once closed (0 for a closed batch without records), otherwise
 * by the estimated ratio. Kafka: estimatedSizeInBytes. */
uint32_t kw_record_batch_builder_estimated_size_bytes(const struct kw_record_batch_builder *builder);

/** The next record's offset delta, which is also the number of records. */
int32_t kw_record_batch_builder_record_count(const struct kw_record_batch_builder *builder);

/** Before close only: changing what may have been sent would make duplicates. Kafka: setProducerState. */
void kw_record_batch_builder_set_producer_state(struct kw_record_batch_builder *builder, int64_t producer_id,
                                                int16_t producer_epoch, int32_t base_sequence,
                                                bool is_transactional);

/** Idempotent. Kafka: closeForRecordAppends. */
void kw_record_batch_builder_close_for_appends(struct kw_record_batch_builder *builder);

/** Bytes that compress needs in out. */
size_t kw_record_batch_builder_compressed_bound_bytes(const struct kw_record_batch_builder *builder);

/**
 * Compress the records of a batch that is closed for appends into out, which becomes the batch's memory; what
 * was collected is not needed any more. False, and nothing has changed: the compressor had no memory. Kafka:
 * closeForRecordAppends, which closes the compressing stream.
 */
bool kw_record_batch_builder_compress(struct kw_record_batch_builder *builder, void *out, uint32_t out_bytes)
    __attribute__((warn_unused_result));

/** Leave the records as they were collected, of a batch that could not be compressed. */
void kw_record_batch_builder_give_up_compression(struct kw_record_batch_builder *builder);

/** What each byte of the records came to; 1 while they are not compressed. Kafka: compressionRatio. */
float kw_record_batch_builder_compression_ratio(const struct kw_record_batch_builder *builder);

/**
 * Make the bytes final: header, length, CRC. One that is to be compressed has been, unless it is empty.
 * Idempotent; never after abort. With a producer id there must be an epoch and (but for a control batch) a
 * sequence; a transactional batch must have a producer id. Kafka: MemoryRecordsBuilder.close.
 */
void kw_record_batch_builder_close(struct kw_record_batch_builder *builder);

/** A closed batch that is surely not in a log gets new producer fields; close it again. Kafka: same name. */
void kw_record_batch_builder_reopen_and_rewrite_producer_state(struct kw_record_batch_builder *builder,
                                                               int64_t producer_id, int16_t producer_epoch,
                                                               int32_t base_sequence, bool is_transactional);

/** Nothing will be sent: closed for good, no bytes. Kafka: MemoryRecordsBuilder.abort. */
void kw_record_batch_builder_abort(struct kw_record_batch_builder *builder);

#endif
