/**
 * What the cluster wants done, in order, until the driver takes it.
 */
#ifndef MB_OUTPUT_H
#define MB_OUTPUT_H

#include <mockbroker/mockbroker.h>

#include "base/list.h"
#include "mockbroker/memory.h"

/** One output with the memory behind its segments. Only bytes carry more than `out`. */
struct mb_pending_output {
    struct kb_list_node node;
    struct mb_output out;
    uint8_t *memory;
    size_t memory_bytes;
    struct mb_segment *segments;
    uint32_t segment_capacity;
    struct mb_block **blocks; /* held: batches among the segments */
    uint32_t block_count;
    uint32_t block_capacity;
};

struct mb_outputs {
    const struct linger_allocator *allocator;
    struct kb_list queue;
    struct mb_pending_output *given; /* the last one taken: its bytes are still being read */
};

void mb_outputs_init(struct mb_outputs *outputs, const struct linger_allocator *allocator);
void mb_outputs_release(struct mb_outputs *outputs);

struct mb_pending_output *mb_output_create(const struct linger_allocator *allocator,
                                           enum mb_output_kind kind);
/** Keep a block as long as the output. */
void mb_output_hold(const struct linger_allocator *allocator, struct mb_pending_output *output,
                    struct mb_block *block);
void mb_output_destroy(const struct linger_allocator *allocator, struct mb_pending_output *output);
void mb_output_push(struct mb_outputs *outputs, struct mb_pending_output *output);

#endif
