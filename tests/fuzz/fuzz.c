#include "fuzz.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

/* The name that libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes);

static void print_failure(const char *file, int line, const char *expression)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expression);
}

void fuzz_check_failed(const char *file, int line, const char *expression)
{
    print_failure(file, line, expression);
    abort();
}

void *fuzz_allocate(size_t size_bytes)
{
    void *memory = malloc(size_bytes > 0 ? size_bytes : 1);
    if (memory == NULL) {
        fuzz_check_failed(__FILE__, __LINE__, "out of memory");
    }
    return memory;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes)
{
    kb_assert_hook = print_failure;
    fuzz_one(bytes, length_bytes);
    return 0;
}
