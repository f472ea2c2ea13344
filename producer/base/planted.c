#include "base/planted.h"

#ifdef LINGER_PLANTED_FAULTS

#include <string.h>

#include "base/assert.h"

enum kb_planted kb_planted_fault = KB_PLANTED_NONE;

const struct kb_planted_info *kb_planted_info(enum kb_planted fault)
{
    static const struct kb_planted_info infos[] = {{0},
#define KB_PLANTED_INFO(name, text, where, what) {text, where, what},
                                                   KB_PLANTED_FAULTS(KB_PLANTED_INFO)
#undef KB_PLANTED_INFO
    };
    KB_ASSERT(fault > KB_PLANTED_NONE && fault < KB_PLANTED_COUNT);
    return &infos[fault];
}

enum kb_planted kb_planted_find(const char *name)
{
    for (int i = KB_PLANTED_NONE + 1; i < KB_PLANTED_COUNT; i++) {
        if (strcmp(kb_planted_info((enum kb_planted)i)->name, name) == 0) {
            return (enum kb_planted)i;
        }
    }
    return KB_PLANTED_NONE;
}

#else

/* A file of C must declare something. */
extern const int kb_planted_is_absent;

#endif
