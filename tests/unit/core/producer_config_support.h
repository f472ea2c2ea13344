/**
 * What the tests of the configuration share: an allocator that counts and can fail, and entries for a valid
 * producer.
 */
#ifndef LINGER_TESTS_PRODUCER_CONFIG_SUPPORT_H
#define LINGER_TESTS_PRODUCER_CONFIG_SUPPORT_H

#include <linger/producer_config.h>

#include <stdio.h>
#include <stdlib.h>

#define SERIALIZATION "org.apache.kafka.common.serialization."

/** Settings that Kafka accepts; put others behind them. */
#define VALID_ENTRIES                                                                                        \
    {"bootstrap.servers", "127.0.0.1:9092"}, {"key.serializer", SERIALIZATION "ByteArraySerializer"},        \
        {"value.serializer", SERIALIZATION "ByteArraySerializer"},                                           \
    {                                                                                                        \
        "client.id", "c"                                                                                     \
    }
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

struct counting_memory {
    long live_count;
    long allocations;
    /** The allocation with this number fails, from 1; 0: none. */
    long failing;
};

static inline void *counting_allocate(void *context, size_t size_bytes)
{
    struct counting_memory *memory = context;
    if (++memory->allocations == memory->failing) {
        return NULL;
    }
    memory->live_count++;
    return malloc(size_bytes);
}

static inline void counting_release(void *context, void *allocated, size_t size_bytes)
{
    struct counting_memory *memory = context;
    (void)size_bytes;
    memory->live_count--;
    free(allocated);
}

static inline struct linger_allocator counting_allocator(struct counting_memory *memory)
{
    return (struct linger_allocator){
        .context = memory, .allocate = counting_allocate, .release = counting_release};
}

#endif
