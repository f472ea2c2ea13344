#include "mockbroker/output.h"

#include "base/planted.h"
#include "mockbroker/cluster.h"

void mb_outputs_init(struct mb_outputs *outputs, const struct linger_allocator *allocator)
{
    *outputs = (struct mb_outputs){.allocator = allocator};
    kb_list_init(&outputs->queue);
}

void mb_outputs_release(struct mb_outputs *outputs)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&outputs->queue)) != NULL) {
        mb_output_destroy(outputs->allocator, KB_CONTAINER_OF(node, struct mb_pending_output, node));
    }
    if (outputs->given != NULL) {
        mb_output_destroy(outputs->allocator, outputs->given);
        outputs->given = NULL;
    }
}

struct mb_pending_output *mb_output_create(const struct linger_allocator *allocator, enum mb_output_kind kind)
{
    struct mb_pending_output *output = mb_take(allocator, sizeof *output);
    output->out.kind = kind;
    output->out.api = -1;
    return output;
}

void mb_output_hold(const struct linger_allocator *allocator, struct mb_pending_output *output,
                    struct mb_block *block)
{
    output->blocks = mb_reserve(allocator, output->blocks, &output->block_capacity, output->block_count + 1,
                                sizeof(struct mb_block *));
    output->blocks[output->block_count++] = mb_block_hold(block);
}

void mb_output_destroy(const struct linger_allocator *allocator, struct mb_pending_output *output)
{
    for (uint32_t i = 0; i < output->block_count; i++) {
        mb_block_drop(allocator, output->blocks[i]);
    }
    mb_give(allocator, output->blocks, output->block_capacity * sizeof(struct mb_block *));
    mb_give(allocator, output->segments, output->segment_capacity * sizeof *output->segments);
    mb_give(allocator, output->memory, output->memory_bytes);
    mb_give(allocator, output, sizeof *output);
}

void mb_output_push(struct mb_outputs *outputs, struct mb_pending_output *output)
{
    if (KB_PLANTED(RESPONSES_REVERSED) && output->out.is_response) {
        kb_list_push_front(&outputs->queue, &output->node);
        return;
    }
    kb_list_push_back(&outputs->queue, &output->node);
}

bool mb_next_output(struct mb_cluster *cluster, struct mb_output *out)
{
    struct mb_outputs *outputs = &cluster->outputs;
    if (outputs->given != NULL) {
        mb_output_destroy(outputs->allocator, outputs->given);
        outputs->given = NULL;
    }
    struct kb_list_node *node = kb_list_pop_front(&outputs->queue);
    if (node == NULL) {
        return false;
    }
    outputs->given = KB_CONTAINER_OF(node, struct mb_pending_output, node);
    *out = outputs->given->out;
    out->segments = outputs->given->segments;
    return true;
}
