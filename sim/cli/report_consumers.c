#include "cli/report_consumers.h"

#include <inttypes.h>
#include <string.h>

#include "cli/options.h"
#include "export/jsonl.h"
#include "wire/errors.h"

static const char *isolation_of(const struct sim_consumer *consumer)
{
    return consumer->config.isolation_level == SIM_READ_COMMITTED ? "read_committed" : "read_uncommitted";
}

/* Over all its partitions; -1 when it has none, or nobody leads one. */
static int64_t lag_of(const struct sim_consumer_driver *driver)
{
    int64_t lag = -1;
    struct sim_consumer_position position;
    for (uint32_t i = 0; sim_consumer_position(driver, i, &position); i++) {
        if (position.lag < 0) {
            return -1;
        }
        lag = lag < 0 ? position.lag : lag + position.lag;
    }
    return lag;
}

static void print_consumer(FILE *file, const struct sim_consumer *consumer,
                           const struct sim_consumer_driver *driver, const struct sim_reading_totals *totals)
{
    const char *red = cli_use_color() ? "\033[31m" : "";
    const char *plain = cli_use_color() ? "\033[0m" : "";
    int64_t lag = lag_of(driver);
    fprintf(file, "  %s, %s%s%s: %" PRIu64 " records read", consumer->name, isolation_of(consumer),
            consumer->config.group_id != NULL ? ", group " : "",
            consumer->config.group_id != NULL ? consumer->config.group_id : "", totals->records);
    if (lag >= 0) {
        fprintf(file, ", lag %" PRId64 " at the end", lag);
    }
    if (sim_consumer_error(driver) != 0) {
        fprintf(file, "%s; poll() threw %s%s", red, kw_error_name((enum kw_error)sim_consumer_error(driver)),
                plain);
    }
    fprintf(file,
            "\n    ack to read   p50 %.3f · p99 %.3f · longest %.3f ms; %" PRIu64 " read before the ack\n",
            (double)totals->p50_us / 1000, (double)totals->p99_us / 1000, (double)totals->longest_us / 1000,
            totals->early);
    fprintf(file,
            "    %sread, but later lost %" PRIu64 "%s · left out as aborted %" PRIu64 " · read again %" PRIu64
            "\n",
            totals->lost > 0 ? red : "", totals->lost, totals->lost > 0 ? plain : "", totals->left_out,
            totals->repeated);
}

void report_consumers_text(FILE *file, struct sim_world *world)
{
    const struct sim_scenario *scenario = sim_world_scenario(world);
    if (scenario->consumer_count == 0) {
        return;
    }
    fprintf(file, "\n%sConsumers%s what poll() gave them\n", cli_use_color() ? "\033[1m" : "",
            cli_use_color() ? "\033[0m" : "");
    for (uint32_t i = 0; i < scenario->consumer_count; i++) {
        struct sim_reading_totals totals;
        sim_readings_totals(sim_world_readings(world), i, &totals);
        print_consumer(file, &scenario->consumers[i], sim_world_consumer(world, i), &totals);
    }
}

static void write_text(FILE *file, const char *text)
{
    sim_write_json_text(file, text, strlen(text));
}

static void json_positions(FILE *file, const struct sim_consumer_driver *driver)
{
    struct sim_consumer_position position;
    fputs(",\"positions\":[", file);
    for (uint32_t i = 0; sim_consumer_position(driver, i, &position); i++) {
        fputs(i > 0 ? ",{\"topic\":" : "{\"topic\":", file);
        write_text(file, position.topic);
        fprintf(file, ",\"partition\":%d,\"position\":%" PRId64 ",\"lag\":%" PRId64 "}", position.partition,
                position.position, position.lag);
    }
    fputc(']', file);
}

void report_consumers_json(FILE *file, struct sim_world *world)
{
    const struct sim_scenario *scenario = sim_world_scenario(world);
    fputs(",\"consumers\":[", file);
    for (uint32_t i = 0; i < scenario->consumer_count; i++) {
        const struct sim_consumer *consumer = &scenario->consumers[i];
        const struct sim_consumer_driver *driver = sim_world_consumer(world, i);
        struct sim_reading_totals totals;
        sim_readings_totals(sim_world_readings(world), i, &totals);
        fputs(i > 0 ? ",{\"name\":" : "{\"name\":", file);
        write_text(file, consumer->name);
        fprintf(file, ",\"isolation_level\":\"%s\",\"group\":", isolation_of(consumer));
        if (consumer->config.group_id != NULL) {
            write_text(file, consumer->config.group_id);
        } else {
            fputs("null", file);
        }
        fprintf(file,
                ",\"records\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"left_out\":%" PRIu64 ",\"lost\":%" PRIu64
                ",\"early\":%" PRIu64 ",\"lag\":%" PRId64 ",\"error\":%" PRId32,
                totals.records, totals.repeated, totals.left_out, totals.lost, totals.early, lag_of(driver),
                sim_consumer_error(driver));
        fprintf(file,
                ",\"ack_to_read\":{\"count\":%" PRIu64 ",\"mean_us\":%" PRId64 ",\"p50_us\":%" PRId64
                ",\"p99_us\":%" PRId64 ",\"longest_us\":%" PRId64 "}",
                totals.measured, totals.mean_us, totals.p50_us, totals.p99_us, totals.longest_us);
        json_positions(file, driver);
        fputc('}', file);
    }
    fputc(']', file);
}
