/*
 * linger config: every setting of producers, consumers, topics and brokers.
 */
#include <stdio.h>
#include <string.h>

#include <linger/producer_config.h>
#include <mockbroker/mockbroker.h>

#include "cli/commands.h"
#include "engine/consumer_config.h"

static const char *or_none(const char *text)
{
    return text == NULL ? "none" : text[0] == '\0' ? "\"\"" : text;
}

/* Text in lines of at most so many characters, each behind the indent. */
static void print_wrapped(const char *text, int indent)
{
    enum { WIDTH = 96 };
    int column = 0;
    while (*text != '\0') {
        int word_bytes = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + word_bytes > WIDTH - indent) {
            putchar('\n');
            column = 0;
        }
        printf("%*s%.*s", column == 0 ? indent : 1, "", word_bytes, text);
        column += word_bytes + (column > 0);
        text += word_bytes;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_key(const struct kp_config_key *key)
{
    printf("%s (producer)\n", key->name);
    printf("  type %s, default %s, importance %s%s%s\n", kp_config_type_name(key->type),
           key->has_default ? or_none(key->default_text) : "required",
           kp_config_importance_name(key->importance), key->validator != NULL ? ", must be " : "",
           key->validator != NULL ? key->validator : "");
    print_wrapped(key->doc, 2);
    if (!key->has_effect) {
        puts("  Accepted and checked, but without effect here.");
    }
}

static const char *type_of(const struct sim_consumer_key *key)
{
    switch (key->type) {
    case SIM_CONSUMER_NUMBER:
        return key->maximum == INT32_MAX ? "INT" : "LONG";
    case SIM_CONSUMER_TRUTH:
        return "BOOLEAN";
    case SIM_CONSUMER_WORD:
    case SIM_CONSUMER_TEXT:
        break;
    }
    return "STRING";
}

static void print_consumer_key(const struct sim_consumer_key *key)
{
    printf("%s (consumer)\n  type %s, default %s", key->name, type_of(key), or_none(key->default_value));
    for (int i = 0; key->type == SIM_CONSUMER_WORD && key->words[i] != NULL; i++) {
        printf("%s%s", i > 0 ? ", " : ", must be one of ", key->words[i]);
    }
    putchar('\n');
    print_wrapped(key->doc, 2);
    if (!key->has_effect) {
        puts("  Accepted, but without effect here.");
    }
}

static void print_cluster_setting(const struct mb_setting_info *info)
{
    printf("%s (%s)\n  type %s, default %s%s%s%s\n", info->name, info->scope, info->type,
           or_none(info->default_value), info->kafka_default != NULL ? " (Kafka: " : "",
           info->kafka_default != NULL ? info->kafka_default : "", info->kafka_default != NULL ? ")" : "");
    print_wrapped(info->doc, 2);
}

static int print_one(const struct cli_command *command, const char *name)
{
    bool found = false;
    const struct kp_config_key *key = kp_config_key_find(name);
    if (key != NULL) {
        print_key(key);
        found = true;
    }
    const struct sim_consumer_key *consumer_key = sim_consumer_key_find(name);
    if (consumer_key != NULL && strcmp(consumer_key->name, name) == 0) {
        print_consumer_key(consumer_key);
        found = true;
    }
    struct mb_setting_info info;
    for (uint32_t i = 0; mb_setting_info(i, &info); i++) {
        if (strcmp(info.name, name) == 0) {
            print_cluster_setting(&info);
            found = true;
        }
    }
    if (found) {
        return CLI_OK;
    }
    const char *meant = kp_config_key_nearest(name);
    return cli_usage_error(command, "there is no setting \"%s\"%s%s%s", name,
                           meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
                           meant != NULL ? "?" : "");
}

static void print_all(void)
{
    printf("Producer settings (Kafka 3.0.0). * marks those without effect here.\n\n");
    for (size_t i = 0; i < kp_config_key_count(); i++) {
        const struct kp_config_key *key = kp_config_key_at(i);
        printf("%c %-42s %-9s %s\n", key->has_effect ? ' ' : '*', key->name, kp_config_type_name(key->type),
               key->has_default ? or_none(key->default_text) : "required");
    }
    printf("\nConsumer settings\n\n");
    const struct sim_consumer_key *consumer_key;
    for (uint32_t i = 0; (consumer_key = sim_consumer_key_at(i)) != NULL; i++) {
        printf("%c %-42s %-9s %s\n", consumer_key->has_effect ? ' ' : '*', consumer_key->name,
               type_of(consumer_key), or_none(consumer_key->default_value));
    }
    const char *scope = "";
    struct mb_setting_info info;
    for (uint32_t i = 0; mb_setting_info(i, &info); i++) {
        if (strcmp(scope, info.scope) != 0) {
            printf("\n%s settings of the mock cluster\n\n",
                   strcmp(info.scope, "topic") == 0 ? "Topic" : "Broker");
            scope = info.scope;
        }
        printf("  %-42s %-9s %s%s%s%s\n", info.name, info.type, or_none(info.default_value),
               info.kafka_default != NULL ? "  (Kafka: " : "",
               info.kafka_default != NULL ? info.kafka_default : "", info.kafka_default != NULL ? ")" : "");
    }
    printf("\nlinger config NAME says what a setting changes.\n");
}

static int run_config(const struct cli_command *command, int argument_count, char **arguments)
{
    static const struct cli_option options[] = {{0}};
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count == 0) {
        print_all();
        return CLI_OK;
    }
    for (int i = 0; i < argument_count; i++) {
        int result = print_one(command, arguments[i]);
        if (result != CLI_OK) {
            return result;
        }
    }
    return CLI_OK;
}

const struct cli_command cli_config = {
    .name = "config",
    .arguments = "[NAME ...]",
    .summary =
        "every setting of producers, consumers, topics and brokers: type, default, bounds, what it changes",
    .details = "Examples:\n  linger config\n  linger config linger.ms batch.size\n  linger config "
               "min.insync.replicas",
    .run = run_config,
};
