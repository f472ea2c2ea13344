/*
 * linger events: what can happen in a run, from the table itself.
 */
#include <stdio.h>

#include "base/trace.h"
#include "cli/commands.h"

static const char *lane_name(enum kb_lane lane)
{
    switch (lane) {
    case KB_LANE_APP:
        return "application";
    case KB_LANE_SENDER:
        return "sender";
    case KB_LANE_NETWORK:
        return "network";
    case KB_LANE_BROKER:
        return "brokers";
    case KB_LANE_FAULT:
        return "faults";
    case KB_LANE_COUNT:
        break;
    }
    return "?";
}

static void print_words(const char *title, enum kb_field_type type)
{
    printf("\n### %s\n\n", title);
    for (int64_t value = 0; kb_field_value_name(type, value) != NULL; value++) {
        printf("- `%s`: %s\n", kb_field_value_name(type, value), kb_field_value_text(type, value));
    }
}

static int run_events(const struct cli_command *command, int argument_count, char **arguments)
{
    static const struct cli_option options[] = {{0}};
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count > 0) {
        return cli_usage_error(command, "takes no arguments");
    }
    puts("# Event catalogue\n\nEverything that a run announces, printed by `linger events` from "
         "`producer/base/trace_events.def`.\nEvery event also has a sequence number, a time in microseconds, "
         "the event "
         "that caused it, and a source.");
    for (int lane = 0; lane < KB_LANE_COUNT; lane++) {
        printf("\n## Lane: %s\n\n| event | Kafka 3.0.0 | meaning |\n|---|---|---|\n",
               lane_name((enum kb_lane)lane));
        for (uint32_t kind = 0; kind < KB_EVENT_KIND_COUNT; kind++) {
            const struct kb_event_info *info = kb_event_info(kind);
            if (info->lane == (enum kb_lane)lane) {
                printf("| `%s` | %s%s%s | %s |\n", info->name, info->method[0] == '-' ? "" : "`",
                       info->method[0] == '-' ? "" : info->method, info->method[0] == '-' ? "" : "`",
                       info->sentence);
            }
        }
    }
    puts("\n## Words");
    print_words("A batch left because (`left`)", KB_FIELD_LEFT);
    print_words("A batch is held because (`held`)", KB_FIELD_HELD);
    print_words("A partition was chosen because (`why` of `record_partitioned`)", KB_FIELD_PARTITION_WHY);
    print_words("A batch closed because (`why` of `batch_closed`)", KB_FIELD_CLOSE_WHY);
    print_words("Metadata is asked for because (`why` of `metadata_requested`)", KB_FIELD_METADATA_WHY);
    print_words("A leader was elected because (`why` of `leader_elected`)", KB_FIELD_ELECTION_WHY);
    print_words("A transaction is (`state` of `transaction_logged`)", KB_FIELD_COORDINATOR_STATE);
    print_words("A consumer is (`state` of `consumer_state`)", KB_FIELD_MEMBER_STATE);
    print_words("A consumer reads from there because (`why` of `consumer_position`)", KB_FIELD_POSITION_WHY);
    print_words("A fault struck, or waits, at (`point` of `fault` and `fault_armed`)", KB_FIELD_FAULT_POINT);
    return CLI_OK;
}

const struct cli_command cli_events = {
    .name = "events",
    .arguments = "",
    .summary = "every kind of event that a run announces, as Markdown",
    .details = "Examples:\n  linger events > docs/event-catalogue.md",
    .run = run_events,
};
