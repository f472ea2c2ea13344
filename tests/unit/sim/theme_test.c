#include "view/theme.h"

#include "unit.h"

#include <string.h>

static const enum view_theme_kind kinds[2] = {VIEW_THEME_DARK, VIEW_THEME_LIGHT};

static void contrast_is_wcags(void)
{
    CU_ASSERT_TRUE(view_theme_contrast_100(VIEW_RGB(0), VIEW_RGB(0xFFFFFF)) >= 2085);
    CU_ASSERT_TRUE(view_theme_contrast_100(VIEW_RGB(0), VIEW_RGB(0xFFFFFF)) <= 2105);
    CU_ASSERT_EQUAL(view_theme_contrast_100(VIEW_RGB(0x777777), VIEW_RGB(0x777777)), 100);
    /* 4.54 : 1 by the definition's own arithmetic */
    CU_ASSERT_TRUE(view_theme_contrast_100(VIEW_RGB(0x767676), VIEW_RGB(0xFFFFFF)) >= 450);
    CU_ASSERT_TRUE(view_theme_contrast_100(VIEW_RGB(0x767676), VIEW_RGB(0xFFFFFF)) <= 458);
}

static void readable(uint32_t ink, uint32_t surface, uint32_t least)
{
    CU_ASSERT_TRUE(view_theme_contrast_100(ink, surface) >= least);
}

static void text_is_readable(void)
{
    for (int i = 0; i < 2; i++) {
        struct view_theme theme;
        view_theme_init(&theme, kinds[i], false);
        const uint32_t surfaces[4] = {theme.background, theme.panel, theme.card, theme.card_hot};
        for (int k = 0; k < 4; k++) {
            readable(theme.text, surfaces[k], 700);
            readable(theme.text_muted, surfaces[k], 450);
            readable(theme.text_faint, surfaces[k], 300);
            const struct view_hue *hues[6] = {&theme.accent, &theme.ok,   &theme.warn,
                                              &theme.fail,   &theme.pool, &theme.neutral};
            for (int h = 0; h < 6; h++) {
                readable(hues[h]->ink, surfaces[k], 400);
            }
            for (uint32_t h = 0; h < VIEW_HUE_COUNT; h++) {
                readable(theme.partition[h].ink, surfaces[k], 400);
            }
        }
        for (uint32_t h = 0; h < VIEW_HUE_COUNT; h++) {
            readable(theme.partition[h].on_fill, theme.partition[h].fill, 450);
        }
        readable(theme.accent.on_fill, theme.accent.fill, 450);
        readable(theme.fail.on_fill, theme.fail.fill, 400);
    }
}

static void no_text_is_smaller_than_11_px(void)
{
    for (int presenter = 0; presenter < 2; presenter++) {
        struct view_theme theme;
        view_theme_init(&theme, VIEW_THEME_DARK, presenter == 1);
        const struct view_font fonts[] = {
            theme.brand, theme.heading,     theme.title,      theme.body,
            theme.label, theme.mono,        theme.mono_small, theme.mono_small_strong,
            theme.clock, theme.mono_strong, theme.body_strong};
        for (size_t i = 0; i < sizeof fonts / sizeof *fonts; i++) {
            CU_ASSERT_TRUE(fonts[i].size_px16 >= (presenter == 1 ? VIEW_PX(16.5) : VIEW_PX(11)));
            CU_ASSERT_TRUE(theme.row_height >= fonts[i].size_px16 || i == 0);
        }
        CU_ASSERT_EQUAL(theme.space_2, presenter == 1 ? VIEW_PX(12) : VIEW_PX(8));
        CU_ASSERT_EQUAL(view_theme_px(&theme, 100), presenter == 1 ? VIEW_PX(150) : VIEW_PX(100));
    }
}

static void partitions_differ(void)
{
    for (int i = 0; i < 2; i++) {
        struct view_theme theme;
        view_theme_init(&theme, kinds[i], false);
        for (uint32_t a = 0; a < VIEW_HUE_COUNT * VIEW_PATTERN_COUNT; a++) {
            struct view_hue one = view_theme_partition(&theme, a);
            CU_ASSERT_EQUAL(one.pattern == VIEW_PATTERN_NONE, a < VIEW_HUE_COUNT);
            CU_ASSERT_NOT_EQUAL(one.fill, theme.fail.fill);
            for (uint32_t b = 0; b < a; b++) {
                struct view_hue other = view_theme_partition(&theme, b);
                CU_ASSERT_TRUE(one.fill != other.fill || one.pattern != other.pattern);
            }
        }
    }
}

int main(void)
{
    return unit_main("theme", (struct unit_test[]){
                                  {"contrast is WCAG's", contrast_is_wcags},
                                  {"text is readable", text_is_readable},
                                  {"no text is smaller than 11 px", no_text_is_smaller_than_11_px},
                                  {"partitions differ", partitions_differ},
                                  {0},
                              });
}
