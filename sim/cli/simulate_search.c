/*
 * Seeds shared out among processes. Each takes the next few seeds until there are none; what it counts lies
 * in memory that all of them share, so that a process which ends early costs one seed.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, isatty */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/simulate.h"

enum { SEEDS_AT_ONCE = 16 };

struct worker {
    pid_t process; /* 0: none */
    uint64_t seed; /* that it runs */
    uint64_t end;  /* of the seeds that it took */
    uint64_t seeds;
    uint64_t failed;
    uint64_t first_failed;
    char text[SIMULATE_TEXT_BYTES];
    struct sim_coverage coverage;
};

/* What the processes share. */
struct search {
    _Atomic uint64_t next;
    _Atomic uint64_t done;
    _Atomic bool is_over; /* one has failed, and that is enough */
    struct worker workers[];
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(uint64_t done, uint64_t all)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    enum { WIDTH = 40 };
    char bar[WIDTH + 1];
    for (uint64_t i = 0; i < WIDTH; i++) {
        bar[i] = all > 0 && i < done * WIDTH / all ? '=' : ' ';
    }
    bar[WIDTH] = '\0';
    if (all > 0) {
        fprintf(stderr, "\r[%s] %" PRIu64 " of %" PRIu64 " seeds", bar, done, all);
    } else {
        fprintf(stderr, "\r%" PRIu64 " seeds", done);
    }
}

static void note_failure(struct worker *worker, uint64_t seed, const char *text)
{
    worker->failed++;
    if (worker->first_failed == 0 || seed < worker->first_failed) {
        worker->first_failed = seed;
        (void)snprintf(worker->text, sizeof worker->text, "%s", text);
    }
}

static void run_worker(const struct simulate_options *options, struct search *search, struct worker *worker,
                       int64_t deadline_ms)
{
    while (!search->is_over && now_ms() < deadline_ms) {
        if (worker->seed == worker->end) {
            worker->seed = atomic_fetch_add(&search->next, SEEDS_AT_ONCE);
            worker->end = worker->seed + SEEDS_AT_ONCE;
        }
        if (worker->seed > options->last) {
            return;
        }
        char text[SIMULATE_TEXT_BYTES];
        if (!simulate_seed(options, worker->seed, &worker->coverage, text)) {
            note_failure(worker, worker->seed, text);
            search->is_over = options->stops_at_first;
        }
        worker->seed++;
        worker->seeds++;
        atomic_fetch_add(&search->done, 1);
    }
}

static bool start_worker(const struct simulate_options *options, struct search *search, struct worker *worker,
                         int64_t deadline_ms)
{
    (void)fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        if (options->is_quiet && freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        run_worker(options, search, worker, deadline_ms);
        (void)fflush(NULL);
        _exit(0);
    }
    worker->process = process > 0 ? process : 0;
    return process > 0;
}

/* How a process ended that did not end by itself. */
static void describe_end(int status, char text[SIMULATE_TEXT_BYTES])
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    (void)snprintf(text, SIMULATE_TEXT_BYTES, "program error: it ends with %s %d\n",
                   WIFSIGNALED(status) ? "signal" : "code", number);
}

bool simulate_apart(const struct sim_plan *plan, char text[SIMULATE_TEXT_BYTES])
{
    char *shared = mmap(NULL, SIMULATE_TEXT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    text[0] = '\0';
    if (shared == MAP_FAILED) {
        return true;
    }
    (void)fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        struct sim_simulation run;
        if (freopen("/dev/null", "w", stderr) != NULL) {
            sim_simulate(plan, NULL, &run);
            (void)snprintf(shared, SIMULATE_TEXT_BYTES, "%s", run.broken.count > 0 ? run.broken.text : "");
        }
        _exit(0);
    }
    if (process > 0 && waitpid(process, &status, 0) == process) {
        memcpy(text, shared, SIMULATE_TEXT_BYTES);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            describe_end(status, text);
        }
    }
    (void)munmap(shared, SIMULATE_TEXT_BYTES);
    return text[0] == '\0';
}

/* A process that did not end by itself has met a program error: that is a failure of the seed it ran. */
static bool has_crashed(const struct simulate_options *options, struct worker *worker, int status)
{
    char text[SIMULATE_TEXT_BYTES];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return false;
    }
    describe_end(status, text);
    if (!options->is_quiet) {
        simulate_report_failure(options, worker->seed, text);
    }
    note_failure(worker, worker->seed, text);
    worker->seed++;
    worker->seeds++;
    return true;
}

/* Wait for all of them; one that crashed gets a successor, which goes on behind the seed that did it. */
static void wait_for_all(const struct simulate_options *options, struct search *search, int64_t deadline_ms)
{
    uint64_t all = options->seconds > 0 ? 0 : options->last - options->first + 1;
    bool is_shown = !options->is_quiet && isatty(STDERR_FILENO) != 0;
    for (int64_t left = options->jobs; left > 0;) {
        for (int64_t i = 0; i < options->jobs; i++) {
            struct worker *worker = &search->workers[i];
            int status;
            if (worker->process == 0 || waitpid(worker->process, &status, WNOHANG) != worker->process) {
                continue;
            }
            worker->process = 0;
            bool goes_on = has_crashed(options, worker, status) && !options->stops_at_first &&
                           start_worker(options, search, worker, deadline_ms);
            search->is_over = search->is_over || (worker->failed > 0 && options->stops_at_first);
            left -= !goes_on;
        }
        if (is_shown) {
            show_progress(search->done, all);
        }
        const struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL);
    }
    if (is_shown) {
        fputs("\r\033[K", stderr);
    }
}

static void add(const struct worker *worker, struct simulate_found *out)
{
    out->seeds += worker->seeds;
    out->failed += worker->failed;
    sim_coverage_add(&out->coverage, &worker->coverage);
    if (worker->first_failed != 0 && (out->first_failed == 0 || worker->first_failed < out->first_failed)) {
        out->first_failed = worker->first_failed;
        memcpy(out->text, worker->text, sizeof out->text);
    }
}

bool simulate_search(const struct simulate_options *options, struct simulate_found *out)
{
    int64_t jobs = options->jobs > 0 ? options->jobs : 1;
    int64_t deadline_ms = options->seconds > 0 ? now_ms() + options->seconds * 1000 : INT64_MAX;
    size_t size_bytes = sizeof(struct search) + (size_t)jobs * sizeof(struct worker);
    struct search *search = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *out = (struct simulate_found){0};
    if (search == MAP_FAILED) {
        return false;
    }
    search->next = options->first;
    bool started = true;
    if (options->jobs == 0) {
        run_worker(options, search, &search->workers[0], deadline_ms);
    } else {
        for (int64_t i = 0; i < jobs && started; i++) {
            started = start_worker(options, search, &search->workers[i], deadline_ms);
        }
        if (started) {
            wait_for_all(options, search, deadline_ms);
        }
    }
    for (int64_t i = 0; i < jobs; i++) {
        add(&search->workers[i], out);
    }
    (void)munmap(search, size_bytes);
    return started;
}
