/*
 * fuzz_NAME_replay DIR [MUTATIONS [--trace]]
 *
 * Feeds a fuzz target the files of DIR in the order of their names, and MUTATIONS deterministic changes of
 * each: the regression test of every build, which needs no libFuzzer. --trace names each input before it is
 * tried, so that the last name is the one that failed.
 */
#define _POSIX_C_SOURCE 200809L /* scandir */

#include "fuzz.h"

#include "base/prng.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, INPUT_MAX_BYTES = 1 << 16, CHANGES_MAX = 4, EXIT_USAGE = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes);

struct input {
    uint8_t bytes[INPUT_MAX_BYTES];
    size_t length_bytes;
};

static bool read_input(const char *path, struct input *input)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    input->length_bytes = fread(input->bytes, 1, sizeof input->bytes, file);
    bool is_ok = ferror(file) == 0;
    return fclose(file) == 0 && is_ok;
}

static size_t position(struct kb_prng *prng, const struct input *input)
{
    return (size_t)kb_prng_below(prng, input->length_bytes);
}

/* Values that lengths and counts go wrong at. */
static uint8_t interesting(struct kb_prng *prng)
{
    static const uint8_t values[] = {0, 1, 2, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff};
    return values[kb_prng_below(prng, sizeof values)];
}

static void remove_range(struct kb_prng *prng, struct input *input)
{
    size_t from = position(prng, input);
    size_t count = 1 + (size_t)kb_prng_below(prng, input->length_bytes - from);
    memmove(input->bytes + from, input->bytes + from + count, input->length_bytes - from - count);
    input->length_bytes -= count;
}

/* Copy a piece of the input to another place in it. */
static void copy_range(struct kb_prng *prng, struct input *input)
{
    size_t from = position(prng, input);
    size_t to = position(prng, input);
    size_t room = input->length_bytes - (from > to ? from : to);
    memmove(input->bytes + to, input->bytes + from, 1 + (size_t)kb_prng_below(prng, room));
}

static void change(struct kb_prng *prng, struct input *input)
{
    if (input->length_bytes == 0) {
        input->bytes[input->length_bytes++] = (uint8_t)kb_prng_next(prng);
        return;
    }
    switch (kb_prng_below(prng, 7)) {
    case 0:
        input->bytes[position(prng, input)] ^= (uint8_t)(1u << kb_prng_below(prng, 8));
        break;
    case 1:
        input->bytes[position(prng, input)] = (uint8_t)kb_prng_next(prng);
        break;
    case 2:
        input->bytes[position(prng, input)] = interesting(prng);
        break;
    case 3:
        input->length_bytes = position(prng, input);
        break;
    case 4:
        remove_range(prng, input);
        break;
    case 5:
        copy_range(prng, input);
        break;
    default:
        memset(input->bytes + position(prng, input), interesting(prng), 1);
        if (input->length_bytes < sizeof input->bytes) {
            input->bytes[input->length_bytes++] = interesting(prng);
        }
        break;
    }
}

static void replay(const struct input *seed, const char *name, unsigned long mutation_count, bool is_traced)
{
    static struct input mutant;
    for (unsigned long i = 0; i <= mutation_count; i++) {
        mutant = *seed;
        if (i > 0) {
            struct kb_prng prng;
            kb_prng_init(&prng, seed->length_bytes, i);
            for (uint64_t left = 1 + kb_prng_below(&prng, CHANGES_MAX); left > 0; left--) {
                change(&prng, &mutant);
            }
        }
        if (is_traced) {
            printf("%s mutation %lu\n", name, i);
            (void)fflush(stdout);
        }
        (void)LLVMFuzzerTestOneInput(mutant.bytes, mutant.length_bytes);
    }
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    static struct input seed;
    char path[PATH_BYTES];
    struct dirent **names = NULL;
    bool is_traced = argc == 4 && strcmp(argv[3], "--trace") == 0;
    unsigned long mutation_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (argc < 2 || argc > 4 || (argc == 4 && !is_traced)) {
        (void)fprintf(stderr, "usage: %s DIR [MUTATIONS [--trace]]\n", argv[0]);
        return EXIT_USAGE;
    }
    int count = scandir(argv[1], &names, is_file, alphasort);
    if (count <= 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], count < 0 ? strerror(errno) : "holds no input");
        return EXIT_USAGE;
    }
    bool is_good = true;
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        if (read_input(path, &seed)) {
            replay(&seed, names[i]->d_name, mutation_count, is_traced);
        } else {
            (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
            is_good = false;
        }
        free(names[i]);
    }
    free(names);
    printf("%d inputs with %lu mutations each\n", count, mutation_count);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
