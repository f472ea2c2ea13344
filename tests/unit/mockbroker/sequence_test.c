/* Rules 20 to 22 at their edges: what is a duplicate, which sequences are accepted, and what is forgotten
 * when. */

#include "batches.h"
#include "unit.h"

#include "base/allocator.h"
#include "mockbroker/producer_state.h"

#include <string.h>

struct send {
    int32_t sequence;
    int32_t records;
    int16_t epoch;
    bool is_transactional;
};

static struct kw_produce_response_partition produce(struct harness *h, uint32_t c, struct send send)
{
    struct harness_batch batch = {.records = send.records,
                                  .value_bytes = 5,
                                  .has_producer = true,
                                  .producer_id = 77,
                                  .producer_epoch = send.epoch,
                                  .base_sequence = send.sequence,
                                  .is_transactional = send.is_transactional};
    return harness_produce(h, c, 0, 1, 1000, harness_batch(h, &batch));
}

static int16_t error_of(struct harness *h, uint32_t c, struct send send)
{
    return produce(h, c, send).error_code;
}

/* First and last sequence have to be those of one batch, and it has to be among the last five of its epoch.
 */
static void exactly_the_same_batch(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    /* Of 1, 2, 3, 4, 5, 6 records: offsets and sequences 0, 1, 3, 6, 10, 15. */
    static const int32_t begins[] = {0, 1, 3, 6, 10, 15};
    for (int32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(produce(&h, c, (struct send){begins[i], i + 1, 0, false}).base_offset, begins[i]);
    }
    for (int32_t i = 5; i >= 0; i--) {
        struct kw_produce_response_partition answer =
            produce(&h, c, (struct send){begins[i], i + 1, 0, false});
        CU_ASSERT_EQUAL(answer.error_code, i == 0 ? KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER : KW_ERROR_NONE);
        CU_ASSERT_EQUAL(answer.base_offset, i == 0 ? -1 : begins[i]);
    }
    /* The same begin or the same end alone, or two batches in one. */
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){15, 5, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){16, 5, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){10, 11, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 21);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_APPEND_DUPLICATE], 5);
    /* A new epoch has no batches: 0 is not a duplicate of the old 0, and what the old epoch sends is fenced.
     */
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){0, 1, 1, false}).base_offset, 21);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){15, 6, 0, false}), KW_ERROR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){0, 1, 1, false}).base_offset, 21);
    harness_close(&h);
}

/* 0 comes after 2^31-1, also within a batch, also when a duplicate is looked for. */
static void around_the_largest_sequence(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){INT32_MAX - 2, 2, 0, false}), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){INT32_MAX, 1, 0, false}), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){1, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){0, 3, 0, false}).base_offset, 3);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){INT32_MAX, 1, 0, false}).base_offset, 2);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){0, 3, 0, false}).base_offset, 3);
    harness_close(&h);
    harness_open_simple(&h, 1, 1, NULL, NULL);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){INT32_MAX - 1, 5, 0, false}),
                    KW_ERROR_NONE); /* ends with 2 */
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){INT32_MAX - 1, 5, 0, false}).base_offset, 0);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){4, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){3, 1, 0, false}), KW_ERROR_NONE);
    harness_close(&h);
}

/* Without state any sequence, in any epoch; somebody without an epoch leaves nothing that could be compared.
 */
static void no_state(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch batch = {
        .records = 1, .value_bytes = 5, .has_producer = true, .producer_id = 77, .base_sequence = 90};
    for (int i = 0; i < 3; i++) {
        batch.base_sequence = 90 - 7 * i;
        struct kw_bytes bytes = harness_batch(&h, &batch);
        kw_store_i16((uint8_t *)bytes.bytes + KW_RECORD_BATCH_PRODUCER_EPOCH, -1);
        batch_fix_crc(bytes);
        CU_ASSERT_EQUAL(batch_error(&h, c, bytes), KW_ERROR_NONE);
    }
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){55, 1, 4, false}), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){57, 1, 4, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 4);
    harness_close(&h);
}

/* A leader keeps what retention removed; a replica that begins at the leader's start knows nothing of it. It
 * never says UNKNOWN_PRODUCER_ID, nor DUPLICATE_SEQUENCE_NUMBER. */
static void state_is_of_the_log(void)
{
    struct mb_setting topic[] = {{"segment.bytes", "1000"}, {"retention.bytes", "2000"}, {NULL, NULL}};
    struct harness_batch plain = {.records = 1, .value_bytes = 400};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 0, false}), KW_ERROR_NONE);
    harness_run(&h, 1000000);
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 8000000);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &plain)), KW_ERROR_NONE);
    }
    CU_ASSERT_TRUE(harness_replica(&h, 1).log_start_offset > 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){50, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    mb_restart(h.cluster, 2, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).log_end_offset, harness_replica(&h, 1).log_end_offset);
    CU_ASSERT_TRUE(harness_replica(&h, 2).log_start_offset > 1);
    CU_ASSERT_TRUE_FATAL(mb_move_leader(h.cluster, "t", 0, 2, h.now_us));
    harness_run(&h, 100000);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){50, 1, 0, false}), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    harness_close(&h);
}

/* A process that ends takes nothing with it that its log says. */
static void state_survives_a_restart(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 2, 0, false}), KW_ERROR_NONE);
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){5, 1, 0, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){0, 2, 0, false}).base_offset, 0);
    CU_ASSERT_EQUAL(produce(&h, c, (struct send){2, 1, 0, false}).base_offset, 2);
    harness_close(&h);
}

/* Epoch, then sequence, then transaction; a duplicate before all of them. */
static void which_error_comes_first(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 3, false}), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){1, 1, 3, true}), KW_ERROR_NONE); /* opens a transaction */
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){9, 1, 2, false}), KW_ERROR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){9, 1, 3, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){9, 1, 4, false}), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){2, 1, 3, false}), KW_ERROR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 4, false}), KW_ERROR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(error_of(&h, c, (struct send){0, 1, 3, false}), KW_ERROR_NONE); /* a duplicate */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    harness_close(&h);
}

static const uint8_t *batch_of(struct harness *h, struct send send, int64_t base_offset, size_t *size_bytes)
{
    struct harness_batch batch = {.records = send.records,
                                  .value_bytes = 5,
                                  .has_producer = true,
                                  .producer_id = 77,
                                  .producer_epoch = send.epoch,
                                  .base_sequence = send.sequence,
                                  .is_transactional = send.is_transactional};
    struct kw_bytes made = harness_batch(h, &batch);
    kw_record_batch_set_base_offset((uint8_t *)made.bytes, base_offset);
    *size_bytes = (size_t)made.length_bytes;
    return made.bytes;
}

static enum kw_error validate(struct harness *h, const struct mb_producer_states *states,
                              enum mb_append_origin origin, struct send send, bool *is_duplicate)
{
    const struct mb_batch_metadata *duplicate = NULL;
    size_t size_bytes;
    enum kw_error error =
        mb_producer_states_validate(states, origin, batch_of(h, send, 0, &size_bytes), &duplicate);
    *is_duplicate = duplicate != NULL;
    return error;
}

/* What a coordinator writes has an epoch, but no sequence, and is never a duplicate. */
static void coordinators_have_no_sequence(void)
{
    struct harness h;
    struct mb_producer_states states;
    size_t size_bytes;
    bool is_duplicate;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    mb_producer_states_init(&states, kb_allocator_default());
    struct send first = {0, 1, 3, true};
    const uint8_t *batch = batch_of(&h, first, 10, &size_bytes);
    mb_producer_states_update(&states, batch, size_bytes);
    CU_ASSERT_EQUAL(validate(&h, &states, MB_ORIGIN_CLIENT, first, &is_duplicate), KW_ERROR_NONE);
    CU_ASSERT_TRUE(is_duplicate);
    CU_ASSERT_EQUAL(validate(&h, &states, MB_ORIGIN_COORDINATOR, first, &is_duplicate), KW_ERROR_NONE);
    CU_ASSERT_FALSE(is_duplicate);
    first.sequence = 8;
    CU_ASSERT_EQUAL(validate(&h, &states, MB_ORIGIN_COORDINATOR, first, &is_duplicate), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(validate(&h, &states, MB_ORIGIN_CLIENT, first, &is_duplicate),
                    KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    first.epoch = 2;
    CU_ASSERT_EQUAL(validate(&h, &states, MB_ORIGIN_COORDINATOR, first, &is_duplicate),
                    KW_ERROR_INVALID_PRODUCER_EPOCH);
    mb_producer_states_release(&states);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"exactly the same batch", exactly_the_same_batch},
        {"around the largest sequence", around_the_largest_sequence},
        {"no state", no_state},
        {"state is of the log", state_is_of_the_log},
        {"state survives a restart", state_survives_a_restart},
        {"which error comes first", which_error_comes_first},
        {"coordinators have no sequence", coordinators_have_no_sequence},
        {0},
    };
    return unit_main("mockbroker sequences", tests);
}
