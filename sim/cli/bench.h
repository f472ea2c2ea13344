/**
 * What the parts of `linger bench` share: samples, figures, and the clock.
 *
 * Throughputs and times are of the thread's CPU clock where one thread does all the work: on an idle machine
 * that is the wall clock, and on a busy one it still is the program's own cost.
 */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_SAMPLES_MAX = 4096, BENCH_FIGURES_MAX = 128, BENCH_REPETITIONS_MIN = 3 };

struct bench_samples {
    double values[BENCH_SAMPLES_MAX];
    uint32_t count;
};

enum bench_target { BENCH_NO_TARGET, BENCH_AT_LEAST, BENCH_AT_MOST };

/** One line of the report: a distribution, and what it is held against. */
struct bench_figure {
    const char *group;
    char name[80];
    const char *unit;
    double minimum, median, maximum;
    double p99; /* of times; 0: not asked for */
    uint32_t sample_count;
    enum bench_target target_kind;
    double target;
    double value_held; /* what is compared with the target: the median, or the p99 */
    /* The bound measured beside it, in alternation; percent of it, and how much is wanted. */
    char bound[80];
    double bound_percent;
    double bound_target_percent;
};

struct bench {
    struct bench_figure figures[BENCH_FIGURES_MAX];
    uint32_t figure_count;
    double seconds; /* for each figure, after warming up */
    bool is_quick;  /* less than half a second: smaller inputs, so that a test can run it */
};

/** Seconds of this thread's CPU, and of the wall. */
double bench_cpu_s(void);
double bench_wall_s(void);

void bench_sample(struct bench_samples *samples, double value);
double bench_percentile(const struct bench_samples *samples, double permille);

/** Add a figure; its target is put to it by whoever measures. Never NULL. */
struct bench_figure *bench_add(struct bench *bench, const char *group, const char *name, const char *unit,
                               const struct bench_samples *samples);
void bench_hold(struct bench_figure *figure, enum bench_target kind, double target);
/** The same, of the 99th percentile of times. */
void bench_hold_p99(struct bench_figure *figure, const struct bench_samples *samples, double target);
/** percents: the figure as a share of the bound, pair by pair. target_percent 0: none. */
void bench_compare(struct bench_figure *figure, const char *bound, const struct bench_samples *percents,
                   double target_percent);
/** Say on a terminal what is being measured. */
void bench_announce(const char *what);

/* The groups, each in a file of its own. They answer false when they cannot measure, having said why on
 * stderr. */
bool bench_core(struct bench *bench);
bool bench_simulation(struct bench *bench);
bool bench_scale(struct bench *bench);
bool bench_seek(struct bench *bench);
bool bench_frame(struct bench *bench);

/* --- bench_bounds.c: what the core's figures are held against */

/** What the bound does of the path of a record; each contains those before it. */
enum bench_bound {
    BENCH_BOUND_ENCODE, /* encode and copy into the batch */
    BENCH_BOUND_CRC,    /* and the CRC when the batch closes */
    BENCH_BOUND_PATH,   /* and a clock, an uncontended lock, a slot and a callback for each record */
    BENCH_BOUND_VERIFY, /* and a broker that checks the CRC */
};
/** Millions of records a second over so many records. */
double bench_bound_run(enum bench_bound bound, int32_t value_bytes, uint32_t batch_bytes,
                       uint64_t record_count);

#endif
