#include "cli/report.h"

#include <inttypes.h>
#include <string.h>

#include "cli/options.h"
#include "cli/report_consumers.h"
#include "export/jsonl.h"

static const char *bold(void)
{
    return cli_use_color() ? "\033[1m" : "";
}
static const char *red(uint64_t count)
{
    return count > 0 && cli_use_color() ? "\033[31m" : "";
}
static const char *plain(void)
{
    return cli_use_color() ? "\033[0m" : "";
}

static void print_times(FILE *file, const char *name, const struct sim_percentiles *times)
{
    fprintf(file, "  %-12s %8.3f %8.3f %8.3f %8.3f %8.3f ms\n", name, (double)times->mean_us / 1000,
            (double)times->p50_us / 1000, (double)times->p90_us / 1000, (double)times->p99_us / 1000,
            (double)times->longest_us / 1000);
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void print_batches(FILE *file, const struct sim_summary *summary)
{
    fprintf(file,
            "\n%sBatches%s   %" PRIu64 " drained, %.1f records each, %.0f%% full; %" PRIu64
            " Produce requests with %.1f records each\n",
            bold(), plain(), summary->batches_drained,
            ratio(summary->records_drained, summary->batches_drained),
            100 * ratio(summary->bytes_drained, summary->capacity_drained), summary->produce_requests,
            ratio(summary->records_drained, summary->produce_requests));
    fprintf(file, "  left because ");
    const char *separator = "";
    for (uint32_t bit = 0; bit < SIM_LEFT_REASONS; bit++) {
        if (summary->left[bit] > 0) {
            fprintf(file, "%s%s %" PRIu64, separator, kb_field_value_name(KB_FIELD_LEFT, bit),
                    summary->left[bit]);
            separator = " · ";
        }
    }
    fprintf(file,
            " (several may hold at once)\n  retries %" PRIu64 " · splits %" PRIu64 " · expired %" PRIu64
            " · disconnects %" PRIu64 " · metadata updates %" PRIu64 "\n",
            summary->retries, summary->splits, summary->expired, summary->disconnects,
            summary->metadata_updates);
    fprintf(file, "  buffer used at most %" PRId64 " bytes; %" PRIu64 " sends blocked\n",
            summary->buffer_used_max_bytes, summary->blocked_sends);
}

static bool is_always_told(enum sim_verdict verdict)
{
    return verdict == SIM_VERDICT_DELIVERED || verdict == SIM_VERDICT_LOST_AFTER_ACK ||
           verdict == SIM_VERDICT_DUPLICATE || verdict == SIM_VERDICT_FAILED;
}

static void add_line(struct ledger_lines *lines, const char *name, uint64_t count)
{
    if (lines->count < LEDGER_LINES_MAX) {
        snprintf(lines->texts[lines->count++], LEDGER_LINE_BYTES, "%s\t%" PRIu64, name, count);
    }
}

void report_ledger_lines(const struct sim_ledger_totals *totals, struct ledger_lines *out)
{
    out->count = 0;
    add_line(out, "sent", totals->sent);
    for (int verdict = 0; verdict < SIM_VERDICT_COUNT; verdict++) {
        if (totals->verdicts[verdict] > 0 || is_always_told((enum sim_verdict)verdict)) {
            add_line(out, sim_verdict_name((enum sim_verdict)verdict), totals->verdicts[verdict]);
        }
    }
    add_line(out, "reordered", totals->reordered);
}

static void print_ledger(FILE *file, const struct sim_ledger_totals *ledger)
{
    struct ledger_lines lines;
    report_ledger_lines(ledger, &lines);
    fprintf(file, "\n%sLedger%s    what the application was told, against what the cluster holds\n", bold(),
            plain());
    for (uint32_t i = 0; i < lines.count; i++) {
        const char *tab = strchr(lines.texts[i], '\t');
        int name_bytes = (int)(tab - lines.texts[i]);
        bool good = strncmp(lines.texts[i], "sent", 4) == 0 || strncmp(lines.texts[i], "delivered", 9) == 0 ||
                    strcmp(tab + 1, "0") == 0;
        fprintf(file, "  %-16.*s %s%10s%s\n", name_bytes, lines.texts[i], red(!good), tab + 1,
                good ? "" : plain());
    }
}

void report_text(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger)
{
    const struct sim_run_info *info = sim_event_log_info_view(log);
    int64_t span_us = summary->last_ack_us - summary->first_send_us;
    fprintf(file, "%s%s%s\n", bold(), info->name, plain());
    fprintf(file, "  seed %" PRIu64 " · %.3f ms simulated · %" PRIu64 " events · hash %016" PRIx64 "\n",
            info->seed, (double)summary->end_us / 1000, sim_event_log_count(log), sim_event_log_hash(log));
    for (uint32_t i = 0; i < info->badge_count; i++) {
        fprintf(file, "  %s=%s here (Kafka's default: %s)\n", info->badges[i].setting, info->badges[i].value,
                info->badges[i].kafka_default);
    }
    fprintf(file, "\n%sRecords%s   %" PRIu64 " sent, %" PRIu64 " acked, %" PRIu64 " failed", bold(), plain(),
            summary->sent, summary->acked, summary->failed);
    if (span_us > 0 && summary->acked > 0) {
        fprintf(file, "; %.0f records/s, %.2f MB/s", (double)summary->acked * 1e6 / (double)span_us,
                (double)summary->acked_bytes / (double)span_us);
    }
    fprintf(file, "\n\n%sLatency%s        mean      p50      p90      p99  longest\n", bold(), plain());
    print_times(file, "send to ack", &summary->latency);
    print_times(file, "blocked", &summary->blocked);
    print_times(file, "linger/queue", &summary->queued);
    print_times(file, "in flight", &summary->in_flight);
    print_times(file, "back-off", &summary->backing_off);
    print_batches(file, summary);
    print_ledger(file, ledger);
}

static void json_times(FILE *file, const char *name, const struct sim_percentiles *times)
{
    fprintf(file,
            ",\"%s\":{\"count\":%" PRIu64 ",\"mean_us\":%" PRId64 ",\"p50_us\":%" PRId64
            ",\"p90_us\":%" PRId64 ",\"p99_us\":%" PRId64 ",\"longest_us\":%" PRId64 "}",
            name, times->count, times->mean_us, times->p50_us, times->p90_us, times->p99_us,
            times->longest_us);
}

void report_json(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger, struct sim_world *world)
{
    const struct sim_run_info *info = sim_event_log_info_view(log);
    fputs("{\"scenario\":", file);
    sim_write_json_text(file, info->name, strlen(info->name));
    fprintf(file,
            ",\"seed\":%" PRIu64 ",\"end_us\":%" PRId64 ",\"events\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\"",
            info->seed, summary->end_us, sim_event_log_count(log), sim_event_log_hash(log));
    fprintf(file,
            ",\"sent\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"acked_bytes\":%" PRIu64
            ",\"first_send_us\":%" PRId64 ",\"last_ack_us\":%" PRId64,
            summary->sent, summary->acked, summary->failed, summary->acked_bytes, summary->first_send_us,
            summary->last_ack_us);
    json_times(file, "latency", &summary->latency);
    json_times(file, "blocked", &summary->blocked);
    json_times(file, "queued", &summary->queued);
    json_times(file, "in_flight", &summary->in_flight);
    json_times(file, "backing_off", &summary->backing_off);
    fprintf(file,
            ",\"batches\":%" PRIu64 ",\"batch_records\":%" PRIu64 ",\"batch_bytes\":%" PRIu64
            ",\"produce_requests\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"splits\":%" PRIu64
            ",\"expired\":%" PRIu64 ",\"disconnects\":%" PRIu64 ",\"buffer_used_max_bytes\":%" PRId64
            ",\"blocked_sends\":%" PRIu64 ",\"left\":{",
            summary->batches_drained, summary->records_drained, summary->bytes_drained,
            summary->produce_requests, summary->retries, summary->splits, summary->expired,
            summary->disconnects, summary->buffer_used_max_bytes, summary->blocked_sends);
    for (uint32_t bit = 0; bit < SIM_LEFT_REASONS; bit++) {
        fprintf(file, "%s\"%s\":%" PRIu64, bit > 0 ? "," : "", kb_field_value_name(KB_FIELD_LEFT, bit),
                summary->left[bit]);
    }
    fputs("},\"ledger\":{", file);
    for (int verdict = 0; verdict < SIM_VERDICT_COUNT; verdict++) {
        fprintf(file, "\"%s\":%" PRIu64 ",", sim_verdict_name((enum sim_verdict)verdict),
                ledger->verdicts[verdict]);
    }
    fprintf(file, "\"reordered\":%" PRIu64 ",\"copies\":%" PRIu64 ",\"unknown\":%" PRIu64 "}",
            ledger->reordered, ledger->copies, ledger->unknown);
    report_consumers_json(file, world);
    fputs("}\n", file);
}
