/*
 * All problems of a configuration at once, and "did you mean".
 */
#include "base/allocator.h"
#include "core/producer_config_internal.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 80, DISTANCE_MAX = 4 };

/** Typing errors between two names: insertions, deletions, replacements and swaps of neighbours. */
static unsigned distance_of(const char *left, size_t left_bytes, const char *right, size_t right_bytes)
{
    unsigned rows[3][NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= right_bytes; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= left_bytes; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= right_bytes; j++) {
            bool is_same = left[i - 1] == right[j - 1];
            unsigned best = above[j - 1] + (is_same ? 0 : 1);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] &&
                rows[(i - 2) % 3][j - 2] + 1 < best) {
                best = rows[(i - 2) % 3][j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[left_bytes % 3][right_bytes];
}

/** Lower case, with dots for the other separators people use: LINGER_MS and lingerMs's neighbour linger-ms.
 */
static size_t normalise(const char *name, char out[NAME_BYTES_MAX])
{
    size_t length_bytes = strlen(name);
    if (length_bytes > NAME_BYTES_MAX) {
        return 0;
    }
    for (size_t i = 0; i < length_bytes; i++) {
        char character = name[i];
        if (character >= 'A' && character <= 'Z') {
            character = (char)(character + ('a' - 'A'));
        } else if (character == '_' || character == '-' || character == ' ') {
            character = '.';
        }
        out[i] = character;
    }
    return length_bytes;
}

const char *kp_config_key_nearest(const char *name)
{
    char given[NAME_BYTES_MAX];
    size_t given_bytes = normalise(name, given);
    const char *nearest = NULL;
    unsigned best = DISTANCE_MAX;
    for (size_t i = 0; given_bytes > 0 && i < kp_config_key_count(); i++) {
        const char *known = kp_config_key_at(i)->name;
        unsigned distance = distance_of(given, given_bytes, known, strlen(known));
        /* A short name may not be changed beyond recognition. */
        if (distance < best && distance * 3 <= strlen(known)) {
            best = distance;
            nearest = known;
        }
    }
    return nearest;
}

/* --- The visit --- */

struct lint {
    struct kp_config *config;
    kp_config_visit *visit;
    void *context;
    bool has_error;
};

static void tell(struct lint *lint, enum kp_config_severity severity, const char *name, const char *message,
                 const char *advice)
{
    const struct kp_config_entry *setting = kp_config_setting(lint->config, name);
    struct kp_config_problem problem = {
        .severity = severity,
        .name = name,
        .entry_index = setting != NULL ? setting - lint->config->entries : -1,
        .message = message,
        .advice = advice,
    };
    lint->has_error |= severity == KP_CONFIG_ERROR;
    lint->visit(lint->context, &problem);
}

static void tell_failure(struct lint *lint, const char *name, const struct kp_failure *failure,
                         const char *advice)
{
    const struct kp_throwable *thrown = &failure->thrown;
    tell(lint, KP_CONFIG_ERROR, name, thrown->has_message ? thrown->message : thrown->exception, advice);
}

static enum kp_config_status lint_values(struct lint *lint)
{
    struct kp_failure failure;
    for (size_t id = 0; id < KP_KEY_COUNT; id++) {
        kp_failure_clear(&failure);
        enum kp_config_status status = kp_config_parse_key(lint->config, (enum kp_config_id)id, &failure);
        if (status == KP_CONFIG_NO_MEMORY) {
            return status;
        }
        if (status == KP_CONFIG_REFUSED) {
            tell_failure(lint, kp_config_key_at(id)->name, &failure, NULL);
        }
    }
    return KP_CONFIG_OK;
}

static bool has_needs(const struct kp_config *config, const struct kp_config_check *check)
{
    for (size_t i = 0; i < check->need_count; i++) {
        if (!config->values[check->needs[i]].is_valid) {
            return false;
        }
    }
    return true;
}

/** The check stops at the first bad url; here they are told one by one. True when that told an error. */
static bool lint_urls(struct lint *lint)
{
    const struct kp_config_value *list = &lint->config->values[KP_KEY_BOOTSTRAP_SERVERS];
    bool has_error = false;
    for (size_t i = 0; i < list->item_count; i++) {
        struct kp_bootstrap_server server;
        struct kp_failure failure;
        bool resolves = true;
        if (list->items[i][0] == '\0') {
            continue;
        }
        kp_failure_clear(&failure);
        if (!kp_config_check_url(lint->config, list->items[i], &server, &resolves, &failure)) {
            tell_failure(lint, "bootstrap.servers", &failure, "write host:port, with a port from 0 to 65535");
            has_error = true;
        } else if (!resolves && !lint->config->arena.is_exhausted) {
            char message[KP_FAILURE_MESSAGE_BYTES];
            (void)snprintf(
                message, sizeof message,
                "Couldn't resolve server %s from bootstrap.servers as DNS resolution failed for %s",
                list->items[i], server.host);
            tell(lint, KP_CONFIG_WARNING, "bootstrap.servers", message, NULL);
        }
    }
    return has_error;
}

static void lint_checks(struct lint *lint, const struct kp_config_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct kp_failure failure;
        kp_failure_clear(&failure);
        if (!has_needs(lint->config, &checks[i])) {
            continue;
        }
        bool is_bootstrap = checks[i].subject == KP_KEY_BOOTSTRAP_SERVERS;
        if (is_bootstrap && lint_urls(lint)) {
            continue;
        }
        if (!checks[i].check(lint->config, &failure)) {
            tell_failure(lint, kp_config_key_at(checks[i].subject)->name, &failure, NULL);
        }
    }
    if (lint->config->is_delivery_timeout_raised) {
        char message[128];
        (void)snprintf(
            message, sizeof message,
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms. "
            "Setting it to %ld.",
            (long)lint->config->resolved.delivery_timeout_ms);
        tell(lint, KP_CONFIG_WARNING, "delivery.timeout.ms", message, NULL);
    }
}

/** Keys that nobody knows, then keys that change nothing here, each in the order given. */
static void lint_names(struct lint *lint)
{
    struct kp_config *config = lint->config;
    kp_config_find_unused(config);
    for (size_t i = 0; i < config->unused_count; i++) {
        const char *name = config->unused[i];
        if (kp_config_key_find(name) != NULL) {
            continue;
        }
        char message[KP_FAILURE_MESSAGE_BYTES];
        char advice[NAME_BYTES_MAX + 32];
        const char *nearest = kp_config_key_nearest(name);
        (void)snprintf(message, sizeof message,
                       "The configuration '%s' was supplied but isn't a known config.", name);
        (void)snprintf(advice, sizeof advice, "did you mean '%s'?", nearest != NULL ? nearest : "");
        tell(lint, KP_CONFIG_WARNING, name, message, nearest != NULL ? advice : NULL);
    }
    for (size_t i = 0; i < config->entry_count; i++) {
        const char *name = config->entries[i].name;
        const struct kp_config_key *key = kp_config_key_find(name);
        if (key != NULL && !key->has_effect && kp_config_setting(config, name) == &config->entries[i]) {
            tell(lint, KP_CONFIG_NOTE, name, "no effect here", key->doc);
        }
    }
}

enum kp_config_status kp_config_lint(const struct linger_allocator *allocator,
                                     const struct kp_config_entry *entries, size_t entry_count,
                                     const struct kp_config_options *options, kp_config_visit *visit,
                                     void *visit_context)
{
    if (allocator == NULL) {
        allocator = kb_allocator_default();
    }
    struct kp_config_options lint_options = {0};
    if (options != NULL) {
        lint_options = *options;
    }
    /* Looking at a configuration uses up no name for a client. */
    lint_options.client_id_sequence = NULL;
    struct lint lint = {.visit = visit, .context = visit_context};
    lint.config = kp_config_load(allocator, entries, entry_count, &lint_options);
    if (lint.config == NULL) {
        return KP_CONFIG_NO_MEMORY;
    }
    struct kp_failure failure;
    kp_failure_clear(&failure);
    if (!kp_config_check_providers(lint.config, &failure)) {
        tell_failure(&lint, "config.providers", &failure, NULL);
    }
    enum kp_config_status status = lint_values(&lint);
    if (status == KP_CONFIG_OK) {
        kp_config_derive(lint.config);
        lint_checks(&lint, kp_config_post_checks, kp_config_post_check_count);
        lint_checks(&lint, kp_config_constructor_checks, kp_config_constructor_check_count);
        lint_names(&lint);
        status = lint.has_error ? KP_CONFIG_REFUSED : KP_CONFIG_OK;
    }
    if (lint.config->arena.is_exhausted) {
        status = KP_CONFIG_NO_MEMORY;
    }
    kp_config_destroy(lint.config);
    return status;
}
