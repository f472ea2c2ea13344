/** What the parts of the message codec share. */
#ifndef KW_MESSAGE_INTERNAL_H
#define KW_MESSAGE_INTERNAL_H

#include "wire/message.h"

enum { KW_STRING_MAX_BYTES = INT16_MAX };

/** Give one field its default. `value` is the place of the field. */
void kw_field_set_default(const struct kw_field *field, void *value);
/** Does the field hold its default? Kafka: the comparison before "Attempted to write a non-default". */
bool kw_field_is_default(const struct kw_field *field, const void *value);

#endif
