/*
 * Every planted fault, one after the other: in how many seeds is it found?
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/planted.h"
#include "cli/simulate.h"

#ifdef LINGER_PLANTED_FAULTS

/* The rule that broke, without the details of the run. */
static void print_line(const struct kb_planted_info *info, const struct simulate_found *found, uint64_t last)
{
    char rule[24] = "program error";
    if (strncmp(found->text, "rule ", 5) == 0) {
        (void)snprintf(rule, sizeof rule, "%.*s", (int)strcspn(found->text, ":"), found->text);
    }
    if (found->failed == 0) {
        printf("| `%s` | %s | %s | **not in %" PRIu64 "** | |\n", info->name, info->where, info->what, last);
    } else {
        printf("| `%s` | %s | %s | %s | %" PRIu64 " |\n", info->name, info->where, info->what, rule,
               found->first_failed);
    }
    (void)fflush(stdout);
}

bool simulate_planted_all(const struct simulate_options *options)
{
    struct simulate_options search = *options;
    search.jobs = 1; /* in their order, so that the seed is the first that finds it */
    search.stops_at_first = true;
    search.is_quiet = true;
    search.twice_every = 0;
    bool all_found = true;
    puts("| planted fault | rule, class | what it does | found by | seed |\n|---|---|---|---|---|");
    for (int i = KB_PLANTED_NONE + 1; i < KB_PLANTED_COUNT; i++) {
        struct simulate_found found;
        kb_planted_fault = (enum kb_planted)i;
        if (!simulate_search(&search, &found)) {
            return false;
        }
        print_line(kb_planted_info((enum kb_planted)i), &found, options->last);
        all_found = all_found && found.failed > 0;
    }
    return all_found;
}

#else

bool simulate_planted_all(const struct simulate_options *options)
{
    (void)options;
    return false;
}

#endif
