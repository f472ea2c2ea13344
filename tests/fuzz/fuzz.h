/**
 * What the fuzz targets share. A target defines fuzz_one(); it runs under libFuzzer (preset `fuzz`), and in
 * every build under replay.c, which feeds it the seeds and mutations of them.
 *
 * A target aborts when an invariant breaks; the sanitizers see to the rest.
 */
#ifndef LINGER_TESTS_FUZZ_H
#define LINGER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Feed the target one input. */
void fuzz_one(const uint8_t *bytes, size_t length_bytes);

/** Abort with the place and the expression unless it holds. */
#define FUZZ_CHECK(expression) ((expression) ? (void)0 : fuzz_check_failed(__FILE__, __LINE__, #expression))

_Noreturn void fuzz_check_failed(const char *file, int line, const char *expression);

/** Memory of exactly that size (at least one byte), so that the sanitizer sees the first byte behind it.
 * Aborts. */
void *fuzz_allocate(size_t size_bytes);

#endif
