/**
 * Terms that the stage uses, each in a sentence: for tooltips.
 */
#ifndef VIEW_GLOSSARY_H
#define VIEW_GLOSSARY_H

#include <stdint.h>

/** The sentence for a term as it is written on the stage ("ISR", "linger.ms"); NULL when there is none. */
const char *view_glossary(const char *term);

/** All of them, for tests and for whoever lists them. NULL past the end. */
const char *view_glossary_term(uint32_t index);

#endif
