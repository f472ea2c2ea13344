#include "view/raster.h"

#include "unit.h"

#define SIDE 64

static struct view_draw_list list;
static struct view_surface surface;
static struct view_raster *raster;

static void start(void)
{
    view_draw_list_init(&list);
    view_draw_list_clear(&list, VIEW_PX(SIDE), VIEW_PX(SIDE), VIEW_RGB(0));
    surface = view_surface_create(SIDE, SIDE);
    raster = view_raster_create();
}

static void draw(uint32_t scale_256)
{
    view_raster_draw(raster, &list, NULL, scale_256, surface);
}

static void stop(void)
{
    view_surface_destroy(&surface);
    view_raster_destroy(raster);
    view_draw_list_release(&list);
}

static uint32_t at(int32_t x, int32_t y)
{
    return surface.pixels[y * surface.stride_pixels + x] & 0xFFFFFF;
}

/* Light summed over the surface, in whole pixels × 255, of a white picture on black. */
static int64_t ink(void)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        sum += surface.pixels[i] & 0xFF;
    }
    return sum;
}

static bool is_mirrored(void)
{
    for (int32_t y = 0; y < SIDE; y++) {
        for (int32_t x = 0; x < SIDE; x++) {
            if (at(x, y) != at(SIDE - 1 - x, y) || at(x, y) != at(x, SIDE - 1 - y)) {
                return false;
            }
        }
    }
    return true;
}

static void close_to(int64_t value, int64_t expected, int64_t tolerance)
{
    CU_ASSERT_TRUE(value >= expected - tolerance);
    CU_ASSERT_TRUE(value <= expected + tolerance);
}

static void square_boxes_are_exact(void)
{
    start();
    view_draw_rect(&list, VIEW_RECT(10, 20, 5, 3), VIEW_RGB(0xFFFFFF));
    draw(256);
    CU_ASSERT_EQUAL(ink(), 15 * 255);
    CU_ASSERT_EQUAL(at(10, 20), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(14, 22), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(15, 22), 0);
    CU_ASSERT_EQUAL(at(9, 20), 0);
    CU_ASSERT_EQUAL(surface.pixels[0], 0xFF000000u);
    stop();
}

static void corners_cover_the_area_of_their_arc(void)
{
    start();
    view_draw_box(&list, VIEW_RECT(12, 12, 40, 40), VIEW_PX(10), VIEW_RGB(0xFFFFFF), VIEW_NONE, 0);
    draw(256);
    /* 40² − (4 − π) 10² = 1514.2 pixels */
    close_to(ink() * 100 / 255, 151416, 150);
    CU_ASSERT_TRUE(is_mirrored());
    CU_ASSERT_EQUAL(at(12, 12), 0);
    CU_ASSERT_EQUAL(at(32, 12), 0xFFFFFF);
    stop();
}

static void circles_are_round(void)
{
    start();
    view_draw_circle(&list, (struct view_point){VIEW_PX(32), VIEW_PX(32)}, VIEW_PX(20), VIEW_RGB(0xFFFFFF),
                     VIEW_NONE, 0);
    draw(256);
    close_to(ink() * 100 / 255, 125664, 130);
    CU_ASSERT_TRUE(is_mirrored());
    stop();
}

static void outlines_lie_inside(void)
{
    start();
    view_draw_box(&list, VIEW_RECT(12, 12, 40, 40), VIEW_PX(8), VIEW_NONE, VIEW_RGB(0xFFFFFF), VIEW_PX(2));
    draw(256);
    /* (40² − (4−π)8²) − (36² − (4−π)6²) = 279.96 */
    close_to(ink() * 100 / 255, 27996, 130);
    CU_ASSERT_EQUAL(at(32, 11), 0);
    CU_ASSERT_EQUAL(at(32, 12), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(32, 13), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(32, 14), 0);
    CU_ASSERT_TRUE(is_mirrored());
    stop();
}

static void fill_and_outline_meet_without_a_seam(void)
{
    start();
    view_draw_box(&list, VIEW_RECT(12, 12, 40, 40), VIEW_PX(8), VIEW_RGB(0xFFFFFF), VIEW_RGB(0xFFFFFF),
                  VIEW_PX(1));
    draw(256);
    /* As if it were one white box: no darker pixel between fill and outline. */
    for (int32_t i = 16; i < 32; i++) {
        CU_ASSERT_EQUAL(at(i, i), 0xFFFFFF);
    }
    close_to(ink() * 100 / 255, 154508, 500);
    stop();
}

static void half_transparent_is_half(void)
{
    start();
    view_draw_rect(&list, VIEW_RECT(0, 0, 64, 64), VIEW_RGB(0x0000FF));
    view_draw_rect(&list, VIEW_RECT(0, 0, 64, 64), 0x80FF0000u);
    draw(256);
    CU_ASSERT_TRUE(at(5, 5) == 0x80007F || at(5, 5) == 0x80007E || at(5, 5) == 0x81007E);
    stop();
}

static void lines_have_their_width(void)
{
    start();
    struct view_point a = {VIEW_PX(8), VIEW_PX(8)};
    struct view_point b = {VIEW_PX(38), VIEW_PX(48)};
    view_draw_line(&list, a, b, VIEW_RGB(0xFFFFFF), VIEW_PX(3));
    draw(256);
    close_to(ink() / 255, 150, 2); /* 50 long, 3 wide */
    stop();
    start();
    view_draw_line(&list, (struct view_point){VIEW_PX(8), VIEW_PX(20)},
                   (struct view_point){VIEW_PX(40), VIEW_PX(20)}, VIEW_RGB(0xFFFFFF), VIEW_PX(1));
    draw(256);
    CU_ASSERT_EQUAL(ink(), 32 * 255);
    stop();
    start();
    view_draw_dashed_line(&list, (struct view_point){VIEW_PX(20), VIEW_PX(0)},
                          (struct view_point){VIEW_PX(20), VIEW_PX(64)}, VIEW_RGB(0xFFFFFF), VIEW_PX(2),
                          VIEW_PX(4), VIEW_PX(4));
    draw(256);
    CU_ASSERT_EQUAL(ink(), 64 * 255);
    stop();
}

static void a_polyline_does_not_double_at_its_joints(void)
{
    start();
    struct view_point path[9];
    for (int32_t i = 0; i < 9; i++) {
        path[i] = (struct view_point){VIEW_PX(4 + 7 * i), VIEW_PX(20 + 3 * i)};
    }
    view_draw_polyline(&list, path, 9, VIEW_RGB(0xFFFFFF), VIEW_PX(2));
    draw(256);
    int64_t jointed = ink();
    stop();
    start();
    view_draw_line(&list, path[0], path[8], VIEW_RGB(0xFFFFFF), VIEW_PX(2));
    draw(256);
    close_to(jointed, ink(), 300);
    stop();
}

/* A spike is as wide halfway up as a line of its own, and not tapered towards its tip. */
static void a_spike_keeps_its_width(void)
{
    struct view_point path[3] = {
        {VIEW_PX(20), VIEW_PX(60)}, {VIEW_PX(26), VIEW_PX(4)}, {VIEW_PX(32), VIEW_PX(60)}};
    start();
    view_draw_polyline(&list, path, 3, VIEW_RGB(0xFFFFFF), VIEW_PX(2));
    draw(256);
    int64_t spike = ink();
    stop();
    start();
    view_draw_line(&list, path[0], path[1], VIEW_RGB(0xFFFFFF), VIEW_PX(2));
    draw(256);
    int64_t side = ink();
    stop();
    close_to(spike, 2 * side, 12 * 255); /* the sides share a little at the tip */
}

static void arcs_cover_their_share(void)
{
    start();
    struct view_point center = {VIEW_PX(32), VIEW_PX(32)};
    view_draw_arc(&list, center, VIEW_PX(20), 0, VIEW_TURN / 4, VIEW_RGB(0xFFFFFF), VIEW_PX(4));
    draw(256);
    /* a quarter of 2π 20 · 4 = 125.7, between the top and the right */
    close_to(ink() / 255, 125, 2);
    CU_ASSERT_NOT_EQUAL(at(46, 17), 0);
    CU_ASSERT_EQUAL(at(17, 17), 0);
    CU_ASSERT_EQUAL(at(46, 46), 0);
    stop();
}

static void polygons_fill_their_area(void)
{
    start();
    view_draw_triangle(&list, (struct view_point){VIEW_PX(10), VIEW_PX(10)},
                       (struct view_point){VIEW_PX(50), VIEW_PX(20)},
                       (struct view_point){VIEW_PX(20), VIEW_PX(50)}, VIEW_RGB(0xFFFFFF));
    draw(256);
    close_to(ink() / 255, 750, 3);
    stop();
}

static void nothing_leaves_its_clip(void)
{
    start();
    view_draw_clip_push(&list, VIEW_RECT(20, 20, 10, 10));
    struct view_point path[4] = {{-9000, -9000}, {9000, 100}, {-50, 9000}, {VIEW_PX(25), VIEW_PX(25)}};
    view_draw_box(&list, VIEW_RECT(-100, -100, 300, 300), VIEW_PX(20), VIEW_RGB(0xFFFFFF), VIEW_RGB(0xFFFFFF),
                  VIEW_PX(3));
    view_draw_pattern_box(&list, VIEW_RECT(-5, -5, 90, 90), VIEW_PX(3), VIEW_RGB(0xFFFFFF),
                          VIEW_PATTERN_CROSS, VIEW_RGB(0xFF0000));
    view_draw_polyline(&list, path, 4, VIEW_RGB(0x00FF00), VIEW_PX(40));
    view_draw_polygon(&list, path, 4, VIEW_RGB(0x0000FF));
    view_draw_gradient(&list, VIEW_RECT(-10, -10, 100, 100), VIEW_RGB(0xFF), VIEW_RGB(0xFF00));
    view_draw_arc(&list, (struct view_point){0, 0}, VIEW_PX(30), 0, VIEW_TURN, VIEW_RGB(0xFFFFFF),
                  VIEW_PX(50));
    view_draw_line(&list, path[0], (struct view_point){VIEW_PX(300), -9000}, VIEW_RGB(0xFFFFFF), VIEW_PX(4));
    view_draw_clip_pop(&list);
    draw(256);
    for (int32_t y = 0; y < SIDE; y++) {
        for (int32_t x = 0; x < SIDE; x++) {
            bool inside = x >= 20 && x < 30 && y >= 20 && y < 30;
            CU_ASSERT_TRUE(inside || at(x, y) == 0);
        }
    }
    stop();
}

static void higher_layers_cover(void)
{
    start();
    view_draw_layer(&list, VIEW_LAYER_POPUP);
    view_draw_rect(&list, VIEW_RECT(0, 0, 64, 64), VIEW_RGB(0x00FF00));
    view_draw_layer(&list, VIEW_LAYER_STAGE);
    view_draw_rect(&list, VIEW_RECT(0, 0, 64, 64), VIEW_RGB(0xFF0000));
    draw(256);
    CU_ASSERT_EQUAL(at(1, 1), 0x00FF00);
    stop();
}

static void scale_enlarges(void)
{
    start();
    view_draw_rect(&list, VIEW_RECT(10, 10, 5, 5), VIEW_RGB(0xFFFFFF));
    view_draw_rect(&list, (struct view_rect){VIEW_PX(20), VIEW_PX(20), 1, VIEW_PX(4)}, VIEW_RGB(0xFFFFFF));
    draw(512);
    CU_ASSERT_EQUAL(at(20, 20), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(29, 29), 0xFFFFFF);
    CU_ASSERT_EQUAL(at(30, 29), 0);
    CU_ASSERT_EQUAL(ink(), (100 + 8) * 255); /* the thin bar is a pixel wide: what is there can be seen */
    stop();
}

/* Odd sizes, radii and strokes at odd scales: no row is written twice, nothing outside. The hash pins every
 * pixel. */
static void pixels_are_the_same_on_every_machine(void)
{
    start();
    uint32_t seed = 12345;
    for (int i = 0; i < 400; i++) {
        int32_t v[8];
        for (int k = 0; k < 8; k++) {
            seed = seed * 1664525u + 1013904223u;
            v[k] = (int32_t)(seed >> 20) % VIEW_PX(SIDE);
        }
        uint32_t color = seed | 0x40000000u;
        struct view_rect rect = {v[0], v[1], v[2] / 3, v[3] / 3};
        struct view_point points[3] = {{v[0], v[1]}, {v[2], v[3]}, {v[4], v[5]}};
        switch (i % 6) {
        case 0:
            view_draw_box(&list, rect, v[4] / 8, color, ~color | 0x80000000u, v[5] / 64);
            break;
        case 1:
            view_draw_line(&list, points[0], points[1], color, v[6] / 32);
            break;
        case 2:
            view_draw_polygon(&list, points, 3, color);
            break;
        case 3:
            view_draw_dashed_polyline(&list, points, 3, color, v[6] / 64, 40, 30);
            break;
        case 4:
            view_draw_arc(&list, points[0], v[6] / 2, v[2] * 64, v[3] * 64, color, v[5] / 16);
            break;
        default:
            view_draw_circle(&list, points[0], v[6] / 6, color, VIEW_RGB(0xFFFFFF), 20);
            break;
        }
    }
    draw(256);
    CU_ASSERT_EQUAL(view_surface_hash(surface), UINT64_C(0x0F4C70BD0433E30B));
    draw(333);
    CU_ASSERT_EQUAL(view_surface_hash(surface), UINT64_C(0xF8EFADC6DF7EB82D));
    stop();
}

int main(void)
{
    return unit_main(
        "raster", (struct unit_test[]){
                      {"square boxes are exact", square_boxes_are_exact},
                      {"corners cover the area of their arc", corners_cover_the_area_of_their_arc},
                      {"circles are round", circles_are_round},
                      {"outlines lie inside", outlines_lie_inside},
                      {"fill and outline meet without a seam", fill_and_outline_meet_without_a_seam},
                      {"half transparent is half", half_transparent_is_half},
                      {"lines have their width", lines_have_their_width},
                      {"a polyline does not double at its joints", a_polyline_does_not_double_at_its_joints},
                      {"a spike keeps its width", a_spike_keeps_its_width},
                      {"arcs cover their share", arcs_cover_their_share},
                      {"polygons fill their area", polygons_fill_their_area},
                      {"nothing leaves its clip", nothing_leaves_its_clip},
                      {"higher layers cover", higher_layers_cover},
                      {"scale enlarges", scale_enlarges},
                      {"pixels are the same on every machine", pixels_are_the_same_on_every_machine},
                      {0},
                  });
}
