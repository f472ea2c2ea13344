/*
 * How long the rasteriser takes for a full stage: 10 000 rounded boxes and 3 000 glyphs, at three sizes.
 *
 *     bench_raster [FRAMES]
 *
 * The floor beside each figure is the time to fill the same surface once with a plain loop, measured in the
 * same run.
 */
#define _POSIX_C_SOURCE 200809L

#include "view/raster.h"
#include "view/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BOX_COUNT  10000
#define TEXT_COUNT 300 /* of 10 glyphs */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The scene moves a little every frame, so that no frame can be had for nothing. */
static void build(struct view_draw_list *list, int32_t width, int32_t height, uint32_t frame)
{
    static const uint32_t hues[4] = {0x56B4E9, 0xE69F00, 0x2BB58A, 0xCC79A7};
    static const struct view_font font = {VIEW_FAMILY_MONO, VIEW_WEIGHT_REGULAR, VIEW_PX(11)};
    view_draw_list_clear(list, VIEW_PX(width), VIEW_PX(height), VIEW_RGB(0x0E1217));
    for (int32_t i = 0; i < BOX_COUNT; i++) {
        int32_t x = (i % 100) * (width - 30) / 100 + (int32_t)(frame % 3);
        int32_t y = (i / 100) * (height - 20) / 100;
        struct view_rect rect = {VIEW_PX(x), VIEW_PX(y), VIEW_PX(28), VIEW_PX(18)};
        bool outlined = i % 8 == 0;
        view_draw_box(list, rect, VIEW_PX(4), VIEW_RGB(hues[i % 4]),
                      outlined ? VIEW_RGB(0xDCE4EE) : VIEW_NONE, outlined ? VIEW_PX(1) : 0);
    }
    for (int32_t i = 0; i < TEXT_COUNT; i++) {
        char word[16];
        int length = snprintf(word, sizeof word, "record%04u", (unsigned)(i * 7 + (int32_t)frame) % 10000);
        struct view_point at = {VIEW_PX((i % 15) * (width - 80) / 15),
                                VIEW_PX(20 + (i / 15) * (height - 30) / 20)};
        view_draw_text(list, at, font, VIEW_RGB(0xDCE4EE), word, (size_t)length);
    }
}

static void run(int32_t width, int32_t height, uint32_t frame_count, int64_t *samples)
{
    struct view_draw_list list;
    view_draw_list_init(&list);
    struct view_text *text = view_text_create(NULL);
    struct view_raster *raster = view_raster_create();
    struct view_surface surface = view_surface_create(width, height);
    if (text == NULL || raster == NULL || surface.pixels == NULL) {
        fputs("out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    for (uint32_t frame = 0; frame < frame_count + 20; frame++) {
        build(&list, width, height, frame);
        int64_t start = now_ns();
        view_raster_draw(raster, &list, text, 256, surface);
        if (frame >= 20) {
            samples[frame - 20] = now_ns() - start;
        }
    }
    qsort(samples, frame_count, sizeof *samples, compare);
    int64_t start = now_ns();
    for (int repeat = 0; repeat < 20; repeat++) {
        volatile uint32_t *pixels = surface.pixels;
        for (int32_t i = 0; i < width * height; i++) {
            pixels[i] = (uint32_t)repeat;
        }
    }
    double floor_ms = (double)(now_ns() - start) / 20e6;
    printf("%4dx%-4d  %7.2f  %7.2f  %7.2f  %7.2f\n", (int)width, (int)height,
           (double)samples[frame_count / 2] / 1e6, (double)samples[frame_count * 99 / 100] / 1e6,
           (double)samples[0] / 1e6, floor_ms);
    view_surface_destroy(&surface);
    view_raster_destroy(raster);
    view_text_destroy(text);
    view_draw_list_release(&list);
}

int main(int argc, char **argv)
{
    long frames = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
    if (frames < 1 || frames > 100000) {
        fputs("usage: bench_raster [FRAMES], 1 to 100000\n", stderr);
        return 2;
    }
    int64_t *samples = calloc((size_t)frames, sizeof *samples);
    if (samples == NULL) {
        return EXIT_FAILURE;
    }
    printf("10 000 rounded boxes and 3 000 glyphs, %ld frames; milliseconds\n", frames);
    printf("size       median      p99      best   filling\n");
    run(1280, 720, (uint32_t)frames, samples);
    run(1920, 1080, (uint32_t)frames, samples);
    run(3840, 2160, (uint32_t)frames, samples);
    free(samples);
    return EXIT_SUCCESS;
}
