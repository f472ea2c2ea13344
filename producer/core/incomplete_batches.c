#include "core/incomplete_batches.h"

#include "base/assert.h"
#include "core/producer_batch.h"

static struct kp_producer_batch *batch_of(struct kb_list_node *node)
{
    return node != NULL ? KB_CONTAINER_OF(node, struct kp_producer_batch, incomplete_node) : NULL;
}

void kp_incomplete_batches_init(struct kp_incomplete_batches *incomplete)
{
    kb_list_init(&incomplete->batches);
    incomplete->batch_count = 0;
    incomplete->record_count = 0;
}

struct kp_producer_batch *kp_incomplete_batches_first(const struct kp_incomplete_batches *incomplete)
{
    return batch_of(kb_list_first(&incomplete->batches));
}

struct kp_producer_batch *kp_incomplete_batches_next(const struct kp_incomplete_batches *incomplete,
                                                     const struct kp_producer_batch *batch)
{
    return batch_of(kb_list_next(&incomplete->batches, &batch->incomplete_node));
}

void kp_incomplete_batches_add(struct kp_incomplete_batches *incomplete, struct kp_producer_batch *batch)
{
    const struct kp_producer_batch *last = batch_of(kb_list_last(&incomplete->batches));
    KB_ASSERT(last == NULL || last->number < batch->number);
    kb_list_push_back(&incomplete->batches, &batch->incomplete_node);
    incomplete->batch_count++;
    incomplete->record_count += batch->record_count;
}

void kp_incomplete_batches_remove(struct kp_incomplete_batches *incomplete, struct kp_producer_batch *batch)
{
    KB_ASSERT(kb_list_node_is_linked(&batch->incomplete_node));
    KB_ASSERT(incomplete->batch_count > 0 && incomplete->record_count >= batch->record_count);
    kb_list_remove(&batch->incomplete_node);
    incomplete->batch_count--;
    incomplete->record_count -= batch->record_count;
}

bool kp_incomplete_batches_is_empty(const struct kp_incomplete_batches *incomplete)
{
    return incomplete->batch_count == 0;
}

bool kp_incomplete_batches_has_up_to(const struct kp_incomplete_batches *incomplete, uint32_t number)
{
    const struct kp_producer_batch *first = kp_incomplete_batches_first(incomplete);
    return first != NULL && first->number <= number;
}
