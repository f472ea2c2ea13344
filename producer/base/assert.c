#include "base/assert.h"

#include <stdlib.h>

void (*kb_assert_hook)(const char *file, int line, const char *expression);

_Noreturn void kb_assert_failed(const char *file, int line, const char *expression)
{
    if (kb_assert_hook != NULL) {
        kb_assert_hook(file, line, expression);
    }
    abort();
}
