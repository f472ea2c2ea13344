/**
 * From an application's object to bytes. Kafka: Serializer, and those of
 * org.apache.kafka.common.serialization.
 *
 * Objects are byte ranges here. What is bytes or text in Java (ByteArray, ByteBuffer, Bytes, String, UUID)
 * passes through without a copy. The numbers (Short, Integer, Long, Float, Double) take the number as decimal
 * text and write it big-endian; text that is no such number fails as another class does in Java.
 */
#ifndef KP_SERIALIZER_H
#define KP_SERIALIZER_H

#include <linger/failure.h>
#include <linger/producer.h>
#include <linger/producer_config.h>

struct kp_serializer_state {
    enum kp_serializer_kind kind;
    struct kp_serializer custom;
    bool is_custom;
    bool passes_through;    /* bytes and text: object is the result */
    const char *class_name; /* for messages; borrowed */
    const char *role;       /* "key" or "value"; static */
};

/** Where the bytes of one record go that do not pass through. Zeroed before its first use; memory is kept. */
struct kp_serialized {
    uint8_t *bytes;
    uint32_t length_bytes;
    uint32_t capacity_bytes;
};

/** custom: NULL, or what takes the place of the configured one. Copies it; borrows the class name. */
void kp_serializer_init(struct kp_serializer_state *serializer, enum kp_serializer_kind kind,
                        const char *class_name, const char *role, const struct kp_serializer *custom);

/** kp_serializer_serialize of what does not pass through. */
bool kp_serializer_convert(const struct kp_serializer_state *serializer,
                           const struct linger_allocator *allocator, const char *topic,
                           struct kp_bytes object, struct kp_serialized *scratch, struct kp_bytes *out,
                           struct kp_failure *failure) __attribute__((warn_unused_result));

/**
 * *out is object itself, or in scratch and valid until that is used again. False with the exception.
 * Kafka: Serializer.serialize.
 */
static inline __attribute__((warn_unused_result)) bool kp_serializer_serialize(
    const struct kp_serializer_state *serializer, const struct linger_allocator *allocator, const char *topic,
    struct kp_bytes object, struct kp_serialized *scratch, struct kp_bytes *out, struct kp_failure *failure)
{
    if (serializer->passes_through) { /* nearly always; shorter than a call */
        *out = object;
        return true;
    }
    return kp_serializer_convert(serializer, allocator, topic, object, scratch, out, failure);
}

void kp_serialized_release(struct kp_serialized *scratch, const struct linger_allocator *allocator);

#endif
