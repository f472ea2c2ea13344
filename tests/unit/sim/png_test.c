#include "image/png.h"

#include "view/picture.h"

#include "unit.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

static void comes_back_pixel_by_pixel(void)
{
    uint32_t pixels[7 * 5];
    for (uint32_t i = 0; i < 35; i++) {
        pixels[i] = 0xFF000000u | i * 0x070B0Du;
    }
    struct sim_png_image image = {pixels, 6, 5, 7, 0};
    uint8_t *bytes = NULL;
    size_t count = 0;
    CU_ASSERT_TRUE_FATAL(sim_png_encode(&image, &bytes, &count, NULL, 0));
    png_image decoded = {.version = PNG_IMAGE_VERSION};
    CU_ASSERT_TRUE_FATAL(png_image_begin_read_from_memory(&decoded, bytes, count) != 0);
    CU_ASSERT_EQUAL(decoded.width, 6);
    CU_ASSERT_EQUAL(decoded.height, 5);
    decoded.format = PNG_FORMAT_RGB;
    uint8_t rgb[6 * 5 * 3];
    CU_ASSERT_TRUE_FATAL(png_image_finish_read(&decoded, NULL, rgb, 0, NULL) != 0);
    for (uint32_t y = 0; y < 5; y++) {
        for (uint32_t x = 0; x < 6; x++) {
            const uint8_t *p = &rgb[(y * 6 + x) * 3];
            uint32_t pixel = 0xFF000000u | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
            CU_ASSERT_EQUAL(pixel, pixels[y * 7 + x]);
        }
    }
    uint8_t *again = NULL;
    size_t again_count = 0;
    CU_ASSERT_TRUE_FATAL(sim_png_encode(&image, &again, &again_count, NULL, 0));
    CU_ASSERT_EQUAL(again_count, count);
    CU_ASSERT_EQUAL(memcmp(again, bytes, count), 0);
    free(again);
    free(bytes);
}

static void says_why_not(void)
{
    uint32_t pixel = 0;
    char message[100] = "";
    struct sim_png_image none = {&pixel, 0, 5, 0, 0};
    uint8_t *bytes = NULL;
    size_t count = 0;
    CU_ASSERT_FALSE(sim_png_encode(&none, &bytes, &count, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "at least 1"));
    struct sim_png_image one = {&pixel, 1, 1, 1, 0};
    CU_ASSERT_FALSE(sim_png_write_file("/nonexistent/folder/x.png", &one, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "No such file"));
}

static void a_picture_takes_its_size_from_list_and_scale(void)
{
    struct view_draw_list list;
    view_draw_list_init(&list);
    view_draw_list_clear(&list, VIEW_PX(40), VIEW_PX(20), VIEW_RGB(0x123456));
    struct view_surface surface = view_picture_draw(&list, NULL, 384);
    CU_ASSERT_EQUAL(surface.width, 60);
    CU_ASSERT_EQUAL(surface.height, 30);
    CU_ASSERT_EQUAL_FATAL(surface.pixels != NULL, true);
    CU_ASSERT_EQUAL(surface.pixels[59], 0xFF123456u);
    view_surface_destroy(&surface);
    char message[100] = "";
    uint8_t *bytes = NULL;
    size_t count = 0;
    view_draw_list_clear(&list, 0, 0, 0);
    CU_ASSERT_FALSE(view_picture_encode_png(&list, NULL, 256, &bytes, &count, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "0 by 0"));
    view_draw_list_release(&list);
}

int main(void)
{
    return unit_main("png", (struct unit_test[]){
                                {"comes back pixel by pixel", comes_back_pixel_by_pixel},
                                {"says why not", says_why_not},
                                {"a picture's size", a_picture_takes_its_size_from_list_and_scale},
                                {0},
                            });
}
