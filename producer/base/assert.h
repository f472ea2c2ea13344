/**
 * Programmer errors stop the program, in release builds too: a simulator that goes on with a broken invariant
 * teaches something false. Never used on bytes or settings from outside.
 */
#ifndef KB_ASSERT_H
#define KB_ASSERT_H

/** Abort with the place and the expression unless it holds. Always on. */
#define KB_ASSERT(expression) ((expression) ? (void)0 : kb_assert_failed(__FILE__, __LINE__, #expression))

/** The same, for whole-structure checks that are too slow for release builds. */
#ifdef NDEBUG
#define KB_ASSERT_DEBUG(expression) ((void)sizeof(expression))
#else
#define KB_ASSERT_DEBUG(expression) KB_ASSERT(expression)
#endif

/** A place that no run can reach. */
#define KB_UNREACHABLE() kb_assert_failed(__FILE__, __LINE__, "unreachable")

_Noreturn void kb_assert_failed(const char *file, int line, const char *expression);

/** Called with the failure before the program aborts; a driver that can print installs one. NULL: none. */
extern void (*kb_assert_hook)(const char *file, int line, const char *expression);

#endif
