#include "view/draw_list.h"

#include "unit.h"

#include <string.h>

static struct view_draw_list list;

static void start(void)
{
    view_draw_list_init(&list);
    view_draw_list_clear(&list, VIEW_PX(200), VIEW_PX(100), VIEW_RGB(0x102030));
}

static void one_of_each(void)
{
    struct view_point points[3] = {{0, 0}, {VIEW_PX(10), 0}, {0, VIEW_PX(10)}};
    view_draw_box(&list, VIEW_RECT(1, 2, 30, 40), VIEW_PX(4), VIEW_RGB(0x111111), VIEW_RGB(0x222222),
                  VIEW_PX(1.5));
    view_draw_pattern_box(&list, VIEW_RECT(1, 2, 9, 9), 0, VIEW_RGB(1), VIEW_PATTERN_DOTS, VIEW_RGB(2));
    view_draw_gradient(&list, VIEW_RECT(0, 0, 5, 5), VIEW_RGB(1), VIEW_RGB(2));
    view_draw_dashed_line(&list, points[0], points[1], VIEW_RGB(3), VIEW_PX(1), VIEW_PX(3), VIEW_PX(4));
    view_draw_polyline(&list, points, 3, VIEW_RGB(4), VIEW_PX(2));
    view_draw_polygon(&list, points, 3, VIEW_RGB(5));
    view_draw_arc(&list, (struct view_point){VIEW_PX(50), VIEW_PX(50)}, VIEW_PX(8), 0, VIEW_TURN / 3,
                  VIEW_RGB(6), VIEW_PX(2));
    view_draw_text(&list, (struct view_point){VIEW_PX(5), VIEW_PX(20)},
                   (struct view_font){VIEW_FAMILY_MONO, VIEW_WEIGHT_BOLD, VIEW_PX(11)}, VIEW_RGB(7), "a\"b",
                   3);
}

static void dumps_every_command(void)
{
    start();
    one_of_each();
    view_draw_hit(&list, view_id_make(7, 42, 3), VIEW_RECT(1, 1, 4, 4), VIEW_HIT_FOCUSABLE, "a tip");
    static const char expected[] = "canvas 3200x1600 #FF102030\n"
                                   "box 16,32 480x640 r=64 w=24 #FF111111 #FF222222\n"
                                   "box 16,32 144x144 r=0 w=0 #FF000001 #FF000002 pattern=2\n"
                                   "gradient 0,0 80x80 r=0 w=0 #FF000001 #FF000002\n"
                                   "line w=16 dash=48/64 #00000000 #FF000003 (0,0) (160,0)\n"
                                   "polyline w=32 dash=0/0 #00000000 #FF000004 (0,0) (160,0) (0,160)\n"
                                   "polygon #FF000005 #00000000 (0,0) (160,0) (0,160)\n"
                                   "arc 800,800 r=128 w=32 0+21845 #00000000 #FF000006\n"
                                   "text 80,320 m3/176 #FF000007 #00000000 \"a\\x22b\"\n"
                                   "hit 7:42:3 layer=0 flags=1 16,16 64x64 \"a tip\"\n";
    char dump[2048];
    size_t length = view_draw_list_dump(&list, dump, sizeof dump);
    CU_ASSERT_EQUAL(length, sizeof expected - 1);
    CU_ASSERT_STRING_EQUAL(dump, expected);
    char small[20];
    CU_ASSERT_EQUAL(view_draw_list_dump(&list, small, sizeof small), length);
    CU_ASSERT_EQUAL(strlen(small), sizeof small - 1);
    CU_ASSERT_EQUAL(view_draw_list_dump(&list, NULL, 0), length);
    view_draw_list_release(&list);
}

static void hash_is_the_same_everywhere_and_sees_every_change(void)
{
    start();
    one_of_each();
    uint64_t first = view_draw_list_hash(&list);
    CU_ASSERT_EQUAL(first, UINT64_C(0xD4F48FE040F96C40));
    view_draw_list_clear(&list, VIEW_PX(200), VIEW_PX(100), VIEW_RGB(0x102030));
    one_of_each();
    CU_ASSERT_EQUAL(view_draw_list_hash(&list), first);
    for (uint32_t i = 0; i < list.command_count; i++) {
        list.commands[i].fill ^= 1;
        CU_ASSERT_NOT_EQUAL(view_draw_list_hash(&list), first);
        list.commands[i].fill ^= 1;
        list.commands[i].layer ^= 1;
        CU_ASSERT_NOT_EQUAL(view_draw_list_hash(&list), first);
        list.commands[i].layer ^= 1;
    }
    list.points[0].x++;
    CU_ASSERT_NOT_EQUAL(view_draw_list_hash(&list), first);
    list.points[0].x--;
    list.bytes[0]++;
    CU_ASSERT_NOT_EQUAL(view_draw_list_hash(&list), first);
    view_draw_list_release(&list);
}

static void clip_intersects_and_culls(void)
{
    start();
    view_draw_clip_push(&list, VIEW_RECT(10, 10, 50, 50));
    view_draw_clip_push(&list, VIEW_RECT(40, 0, 100, 30));
    view_draw_rect(&list, VIEW_RECT(0, 0, 200, 100), VIEW_RGB(1));
    CU_ASSERT_EQUAL_FATAL(list.command_count, 1);
    struct view_rect clip = list.clips[list.commands[0].clip_index];
    CU_ASSERT_EQUAL(clip.x, VIEW_PX(40));
    CU_ASSERT_EQUAL(clip.y, VIEW_PX(10));
    CU_ASSERT_EQUAL(clip.w, VIEW_PX(20));
    CU_ASSERT_EQUAL(clip.h, VIEW_PX(20));
    view_draw_rect(&list, VIEW_RECT(0, 0, 39, 100), VIEW_RGB(1));
    view_draw_hit(&list, view_id_make(1, 0, 0), VIEW_RECT(0, 0, 39, 100), 0, NULL);
    CU_ASSERT_EQUAL(list.command_count, 1);
    CU_ASSERT_EQUAL(list.hit_count, 0);
    CU_ASSERT_FALSE(view_draw_is_visible(&list, VIEW_RECT(0, 0, 39, 100)));
    view_draw_clip_push_canvas(&list);
    CU_ASSERT_TRUE(view_draw_is_visible(&list, VIEW_RECT(0, 0, 39, 100)));
    view_draw_clip_pop(&list);
    view_draw_clip_pop(&list);
    view_draw_clip_pop(&list);
    view_draw_list_release(&list);
}

static void opacity_multiplies(void)
{
    start();
    view_draw_opacity_push(&list, 128);
    view_draw_opacity_push(&list, 128);
    view_draw_rect(&list, VIEW_RECT(0, 0, 9, 9), VIEW_RGB(0xABCDEF));
    view_draw_opacity_pop(&list);
    view_draw_opacity_pop(&list);
    CU_ASSERT_EQUAL_FATAL(list.command_count, 1);
    CU_ASSERT_EQUAL(list.commands[0].fill, 0x40ABCDEFu);
    view_draw_opacity_push(&list, 0);
    view_draw_rect(&list, VIEW_RECT(0, 0, 9, 9), VIEW_RGB(0xABCDEF));
    CU_ASSERT_EQUAL(list.command_count, 1);
    view_draw_opacity_pop(&list);
    view_draw_list_release(&list);
}

static void picks_what_lies_on_top(void)
{
    start();
    view_id low = view_id_make(1, 1, 0);
    view_id high = view_id_make(1, 2, 0);
    view_id popup = view_id_make(1, 3, 0);
    enum view_layer before = view_draw_layer(&list, VIEW_LAYER_POPUP);
    view_draw_hit(&list, popup, VIEW_RECT(50, 0, 10, 10), VIEW_HIT_BLOCKS, NULL);
    view_draw_layer(&list, before);
    view_draw_hit(&list, low, VIEW_RECT(0, 0, 100, 100), VIEW_HIT_SCROLLS, NULL);
    view_draw_hit(&list, high, VIEW_RECT(20, 20, 10, 10), 0, NULL);
    struct view_point on_high = {VIEW_PX(25), VIEW_PX(25)};
    struct view_point on_popup = {VIEW_PX(55), VIEW_PX(5)};
    CU_ASSERT_EQUAL(view_draw_list_pick(&list, on_high)->id, high);
    CU_ASSERT_EQUAL(view_draw_list_pick_flags(&list, on_high, VIEW_HIT_SCROLLS)->id, low);
    CU_ASSERT_EQUAL(view_draw_list_pick(&list, on_popup)->id, popup);
    CU_ASSERT_PTR_NULL(view_draw_list_pick_flags(&list, on_popup, VIEW_HIT_SCROLLS));
    CU_ASSERT_EQUAL(view_draw_list_pick(&list, (struct view_point){0, 0})->id, low);
    CU_ASSERT_PTR_NULL(view_draw_list_pick(&list, (struct view_point){VIEW_PX(100), 0}));
    CU_ASSERT_EQUAL(view_draw_list_find(&list, high)->rect.x, VIEW_PX(20));
    CU_ASSERT_PTR_NULL(view_draw_list_find(&list, view_id_make(9, 9, 9)));
    view_draw_list_release(&list);
}

static void ids_come_apart_again(void)
{
    view_id id = view_id_make(65535, 0xFFFFFFFF, 12345);
    CU_ASSERT_EQUAL(view_id_kind(id), 65535);
    CU_ASSERT_EQUAL(view_id_index(id), 0xFFFFFFFF);
    CU_ASSERT_EQUAL(view_id_sub(id), 12345);
}

static void keeps_its_memory(void)
{
    start();
    for (int i = 0; i < 5000; i++) {
        view_draw_rect(&list, VIEW_RECT(0, 0, 9, 9), VIEW_RGB(1));
    }
    CU_ASSERT_EQUAL(list.command_count, 5000);
    const struct view_command *commands = list.commands;
    view_draw_list_clear(&list, VIEW_PX(10), VIEW_PX(10), 0);
    CU_ASSERT_EQUAL(list.command_count, 0);
    CU_ASSERT_PTR_EQUAL(list.commands, commands);
    CU_ASSERT_FALSE(list.overflowed);
    view_draw_list_release(&list);
}

static void rectangles_are_cut(void)
{
    struct view_rect rect = {0, 0, 100, 50};
    struct view_rect top = view_rect_cut_top(&rect, 20);
    struct view_rect right = view_rect_cut_right(&rect, 30);
    struct view_rect bottom = view_rect_cut_bottom(&rect, 500);
    CU_ASSERT_EQUAL(top.h, 20);
    CU_ASSERT_EQUAL(right.x, 70);
    CU_ASSERT_EQUAL(right.y, 20);
    CU_ASSERT_EQUAL(right.h, 30);
    CU_ASSERT_EQUAL(bottom.h, 30);
    CU_ASSERT_EQUAL(bottom.w, 70);
    CU_ASSERT_TRUE(view_rect_is_empty(rect));
    CU_ASSERT_EQUAL(view_rect_inset((struct view_rect){0, 0, 10, 10}, 8, 2).w, 0);
}

static void colours_mix(void)
{
    CU_ASSERT_EQUAL(view_color_mix(0xFF000000u, 0xFFFFFFFFu, 0), 0xFF000000u);
    CU_ASSERT_EQUAL(view_color_mix(0xFF000000u, 0xFFFFFFFFu, 256), 0xFFFFFFFFu);
    CU_ASSERT_EQUAL(view_color_mix(0xFF204060u, 0xFF406080u, 128), 0xFF305070u);
    CU_ASSERT_EQUAL(view_color_with_alpha(0x80123456u, 128), 0x40123456u);
}

int main(void)
{
    return unit_main("draw_list", (struct unit_test[]){
                                      {"dumps every command", dumps_every_command},
                                      {"hash", hash_is_the_same_everywhere_and_sees_every_change},
                                      {"clip intersects and culls", clip_intersects_and_culls},
                                      {"opacity multiplies", opacity_multiplies},
                                      {"picks what lies on top", picks_what_lies_on_top},
                                      {"ids come apart again", ids_come_apart_again},
                                      {"keeps its memory", keeps_its_memory},
                                      {"rectangles are cut", rectangles_are_cut},
                                      {"colours mix", colours_mix},
                                      {0},
                                  });
}
