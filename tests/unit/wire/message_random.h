/** Messages made of random values, for the tests of the codec. */
#ifndef LINGER_TESTS_MESSAGE_RANDOM_H
#define LINGER_TESTS_MESSAGE_RANDOM_H

#include "base/arena.h"
#include "base/prng.h"
#include "wire/schema.h"

/**
 * Fill every field that the version has; the others get their defaults. Arrays have 0 to 3 items, and what
 * may be null sometimes is. Memory is the arena's.
 */
void message_randomize(const struct kw_schema *schema, int16_t version, struct kb_prng *prng,
                       struct kb_arena *arena, void *message);

#endif
