#include "engine/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/random.h"

enum { ZIPF_TOTAL_BITS = 48, KEY_TEXT_BYTES = 160 };

struct sim_workload {
    const struct sim_source *source;
    struct kb_prng prng;
    int64_t index; /* of the next record */
    int64_t at_us;
    int64_t
        fraction;   /* of a microsecond, in 1 / rate_per_s (poisson: in ns): so that a rate does not drift */
    uint64_t *zipf; /* cumulative weights of the keys */
    char key_text[KEY_TEXT_BYTES];
    char *value;
    size_t value_capacity_bytes;
    struct kp_header *headers;
};

/*
 * 2^32 / rank^(exponent / 1000), by integers: rank to a power of thousandths as repeated square roots of a
 * fixed-point number, bit by bit of the exponent.
 */
static uint64_t square_root(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
        uint64_t tried = root | bit;
        if (tried * tried <= value) {
            root = tried;
        }
    }
    return root;
}

static uint64_t zipf_weight(uint64_t rank, int64_t exponent_milli)
{
    /* rank^e = rank^whole * rank^(1/2 * b1) * rank^(1/4 * b2) ..., in units of 2^-16. */
    static const uint64_t limit_q16 = UINT64_MAX >> 16; /* of a power; its weight is next to nothing */
    uint64_t power_q16 = UINT64_C(1) << 16;
    int64_t fraction_milli = exponent_milli % 1000;
    for (int64_t i = 0; i < exponent_milli / 1000; i++) {
        power_q16 = power_q16 > limit_q16 / rank ? limit_q16 : power_q16 * rank;
    }
    uint64_t root_q16 = rank << 16;
    int64_t bits = fraction_milli * 65536 / 1000;
    for (int64_t bit = 32768; bit > 0; bit /= 2) {
        root_q16 = square_root(root_q16 << 16);
        if ((bits & bit) != 0) {
            power_q16 = power_q16 > UINT64_MAX / root_q16 ? limit_q16 : power_q16 * root_q16 >> 16;
        }
    }
    uint64_t weight = (UINT64_C(1) << ZIPF_TOTAL_BITS) / (power_q16 > 0 ? power_q16 : 1);
    return weight > 0 ? weight : 1;
}

static bool build_zipf(struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    workload->zipf = malloc((size_t)source->key_count * sizeof *workload->zipf);
    if (workload->zipf == NULL) {
        return false;
    }
    uint64_t total = 0;
    for (int64_t i = 0; i < source->key_count; i++) {
        total += zipf_weight((uint64_t)i + 1, source->zipf_exponent_milli);
        workload->zipf[i] = total;
    }
    return true;
}

static bool build_headers(struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    workload->headers = calloc(source->header_count + 1, sizeof *workload->headers);
    if (workload->headers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < source->header_count; i++) {
        const char *name = source->header_names[i];
        const char *value = source->header_values[i];
        workload->headers[i].key = (struct kp_bytes){name, (int32_t)strlen(name)};
        workload->headers[i].value =
            value != NULL ? (struct kp_bytes){value, (int32_t)strlen(value)} : KP_BYTES_NULL;
    }
    return true;
}

struct sim_workload *sim_workload_create(const struct sim_source *source, uint64_t seed, uint64_t stream)
{
    struct sim_workload *workload = calloc(1, sizeof *workload);
    if (workload == NULL) {
        return NULL;
    }
    workload->source = source;
    workload->at_us = source->start_us;
    kb_prng_init(&workload->prng, seed, stream);
    bool built = build_headers(workload) && (source->key_kind != SIM_KEY_ZIPF || build_zipf(workload));
    if (!built) {
        sim_workload_destroy(workload);
        return NULL;
    }
    return workload;
}

void sim_workload_destroy(struct sim_workload *workload)
{
    if (workload != NULL) {
        free(workload->zipf);
        free(workload->headers);
        free(workload->value);
        free(workload);
    }
}

int64_t sim_workload_count(const struct sim_workload *workload)
{
    return workload->source->count;
}

static int64_t draw_key(struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    if (source->key_kind == SIM_KEY_CYCLE) {
        return workload->index % source->key_count;
    }
    if (source->key_kind == SIM_KEY_UNIFORM) {
        return (int64_t)kb_prng_below(&workload->prng, (uint64_t)source->key_count);
    }
    uint64_t drawn = kb_prng_below(&workload->prng, workload->zipf[source->key_count - 1]);
    int64_t low = 0;
    int64_t high = source->key_count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (workload->zipf[middle] > drawn) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static struct kp_bytes make_key(struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    if (source->key_kind == SIM_KEY_NULL) {
        return KP_BYTES_NULL;
    }
    if (source->key_kind == SIM_KEY_CONSTANT) {
        return (struct kp_bytes){source->key_text, (int32_t)strlen(source->key_text)};
    }
    int length_bytes = snprintf(workload->key_text, sizeof workload->key_text, "%.120s%" PRId64,
                                source->key_text, draw_key(workload) + 1);
    return (struct kp_bytes){workload->key_text, length_bytes};
}

static struct kp_bytes make_value(struct sim_workload *workload)
{
    size_t length_bytes = (size_t)sim_random_draw(&workload->prng, &workload->source->value_bytes);
    if (length_bytes + 1 > workload->value_capacity_bytes) {
        char *grown = realloc(workload->value, length_bytes + 1);
        KB_ASSERT(grown != NULL);
        workload->value = grown;
        workload->value_capacity_bytes = length_bytes + 1;
    }
    char number[32];
    int number_bytes = snprintf(number, sizeof number, "#%" PRId64 " ", workload->index);
    size_t copied_bytes = (size_t)number_bytes < length_bytes ? (size_t)number_bytes : length_bytes;
    memcpy(workload->value, number, copied_bytes);
    memset(workload->value + copied_bytes, '.', length_bytes - copied_bytes);
    return (struct kp_bytes){workload->value, (int32_t)length_bytes};
}

/* The gap to the next record. */
static void advance(struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    int64_t records = 1;
    if (source->arrivals == SIM_ARRIVALS_BURST) {
        if (workload->index % source->burst_records != 0) {
            return;
        }
        records = source->burst_records;
    }
    if (source->arrivals == SIM_ARRIVALS_POISSON) {
        int64_t gap_ns = sim_random_exponential(&workload->prng, 1000000000 / source->rate_per_s);
        int64_t scaled_ns = workload->fraction + gap_ns;
        workload->at_us += scaled_ns / 1000;
        workload->fraction = scaled_ns % 1000;
        return;
    }
    int64_t scaled = workload->fraction + records * 1000000;
    workload->at_us += scaled / source->rate_per_s;
    workload->fraction = scaled % source->rate_per_s;
}

/* The next record is given with the time at which it is sent: the rate has no say. */
static bool has_own_time(const struct sim_workload *workload)
{
    const struct sim_source *source = workload->source;
    return source->kind == SIM_SOURCE_GIVEN && source->given[workload->index].at_us >= 0;
}

bool sim_workload_next(struct sim_workload *workload, struct sim_workload_record *out)
{
    const struct sim_source *source = workload->source;
    if (workload->index >= source->count) {
        return false;
    }
    if (workload->index > 0 && !has_own_time(workload)) {
        advance(workload);
    }
    *out = (struct sim_workload_record){
        .at_us = workload->at_us,
        .topic = source->topic,
        .partition = source->partition,
        .timestamp_ms = -1,
        .headers = workload->headers,
        .header_count = source->header_count,
    };
    if (source->kind == SIM_SOURCE_GIVEN) {
        const struct sim_given_record *given = &source->given[workload->index];
        workload->at_us = given->at_us > workload->at_us ? given->at_us : workload->at_us;
        out->at_us = given->at_us >= 0 ? workload->at_us : out->at_us;
        out->partition = given->partition >= 0 ? given->partition : source->partition;
        out->timestamp_ms = given->timestamp_ms;
        out->key = given->key != NULL ? (struct kp_bytes){given->key, given->key_bytes} : KP_BYTES_NULL;
        out->value =
            given->value != NULL ? (struct kp_bytes){given->value, given->value_bytes} : KP_BYTES_NULL;
    } else {
        out->key = make_key(workload);
        out->value = make_value(workload);
    }
    workload->index++;
    return true;
}
