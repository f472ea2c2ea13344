/* Appends of coordinators that wait for their replication. Kafka: DelayedProduce,
 * DelayedProduce.onExpiration. */

#include "mockbroker/partition.h"

static void finish(struct mb_append_wait *wait, enum kw_error error)
{
    mb_append_wait_cancel(wait);
    wait->done(wait, error);
}

static void expire(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    finish(KB_CONTAINER_OF(timer, struct mb_append_wait, expiry), KW_ERROR_REQUEST_TIMED_OUT);
}

void mb_append_wait_begin(struct mb_append_wait *wait, struct mb_partition *partition,
                          int64_t required_offset, int64_t timeout_ms)
{
    struct mb_cluster *cluster = partition->cluster;
    wait->partition = partition;
    wait->required_offset = required_offset;
    wait->expiry = (struct mb_timer){.fire = expire, .broker = partition->broker};
    kb_list_push_back(&partition->waits, &wait->of_partition);
    mb_timer_set(cluster, &wait->expiry, cluster->now_us + timeout_ms * 1000);
    /* It may be replicated already: that is found when the cluster settles, so that nothing recurses. */
    mb_partition_changed(partition, true);
}

void mb_append_wait_cancel(struct mb_append_wait *wait)
{
    if (wait->partition != NULL) {
        kb_list_remove(&wait->of_partition);
        mb_timer_cancel(wait->partition->cluster, &wait->expiry);
        wait->partition = NULL;
    }
}

void mb_append_waits_try(struct mb_partition *partition)
{
    struct kb_list_node *node = kb_list_first(&partition->waits);
    while (node != NULL) {
        struct mb_append_wait *wait = KB_CONTAINER_OF(node, struct mb_append_wait, of_partition);
        enum kw_error error = KW_ERROR_NONE;
        if (mb_partition_has_reached(partition, wait->required_offset, &error)) {
            finish(wait, error);
            node = kb_list_first(&partition->waits); /* others may have come or gone */
        } else {
            node = kb_list_next(&partition->waits, node);
        }
    }
}

void mb_append_waits_forget(struct mb_partition *partition)
{
    struct kb_list_node *node;
    while ((node = kb_list_first(&partition->waits)) != NULL) {
        finish(KB_CONTAINER_OF(node, struct mb_append_wait, of_partition), MB_WAIT_FORGOTTEN);
    }
}
