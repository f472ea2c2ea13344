#include "view/theme.h"

#include <string.h>

#define RGB VIEW_RGB

static void set_dark(struct view_theme *theme)
{
    theme->background = RGB(0x0E1217);
    theme->panel = RGB(0x151B23);
    theme->card = RGB(0x1B232D);
    theme->card_hot = RGB(0x243040);
    theme->card_pressed = RGB(0x10161D);
    theme->line = RGB(0x2C3744);
    theme->line_strong = RGB(0x3A4757);
    theme->shadow = 0x66000000u;
    theme->scrim = 0xB0090C10u;
    theme->text = RGB(0xDCE4EE);
    theme->text_muted = RGB(0x8C99A8);
    theme->text_faint = RGB(0x6E7B8B);
    theme->accent = (struct view_hue){RGB(0x56B4E9), RGB(0x56B4E9), RGB(0x0E1217), VIEW_PATTERN_NONE};
    theme->ok = (struct view_hue){RGB(0x7BC96F), RGB(0x7BC96F), RGB(0x0E1217), VIEW_PATTERN_NONE};
    theme->warn = (struct view_hue){RGB(0xF0E442), RGB(0xF0E442), RGB(0x0E1217), VIEW_PATTERN_NONE};
    theme->fail = (struct view_hue){RGB(0xE4572E), RGB(0xEE6A43), RGB(0x0E1217), VIEW_PATTERN_NONE};
    theme->pool = (struct view_hue){RGB(0xCC79A7), RGB(0xCC79A7), RGB(0x0E1217), VIEW_PATTERN_NONE};
    theme->neutral = (struct view_hue){RGB(0x5C6877), RGB(0x8C99A8), RGB(0xFFFFFF), VIEW_PATTERN_NONE};
    static const uint32_t fills[VIEW_HUE_COUNT] = {0x56B4E9, 0xE69F00, 0x2BB58A, 0xCC79A7,
                                                   0x5A8FE0, 0xF0E442, 0xB9C4D0};
    for (uint32_t i = 0; i < VIEW_HUE_COUNT; i++) {
        theme->partition[i] =
            (struct view_hue){RGB(fills[i]), RGB(fills[i]), RGB(0x0E1217), VIEW_PATTERN_NONE};
    }
}

static void set_light(struct view_theme *theme)
{
    theme->background = RGB(0xEEF1F5);
    theme->panel = RGB(0xFFFFFF);
    theme->card = RGB(0xF6F8FA);
    theme->card_hot = RGB(0xE6ECF3);
    theme->card_pressed = RGB(0xD8E0E9);
    theme->line = RGB(0xD3DAE3);
    theme->line_strong = RGB(0xAEB9C6);
    theme->shadow = 0x30101820u;
    theme->scrim = 0x99E3E8EEu;
    theme->text = RGB(0x131B25);
    theme->text_muted = RGB(0x4A5767);
    theme->text_faint = RGB(0x6B7787);
    theme->accent = (struct view_hue){RGB(0x0072B2), RGB(0x0067A3), RGB(0xFFFFFF), VIEW_PATTERN_NONE};
    theme->ok = (struct view_hue){RGB(0x3F9C35), RGB(0x2B7A24), RGB(0xFFFFFF), VIEW_PATTERN_NONE};
    theme->warn = (struct view_hue){RGB(0xE8C800), RGB(0x7A6400), RGB(0x131B25), VIEW_PATTERN_NONE};
    theme->fail = (struct view_hue){RGB(0xD1401A), RGB(0xBF3511), RGB(0xFFFFFF), VIEW_PATTERN_NONE};
    theme->pool = (struct view_hue){RGB(0xCC79A7), RGB(0x9C3F74), RGB(0x131B25), VIEW_PATTERN_NONE};
    theme->neutral = (struct view_hue){RGB(0x8D99A7), RGB(0x4A5767), RGB(0x131B25), VIEW_PATTERN_NONE};
    static const uint32_t fills[VIEW_HUE_COUNT] = {0x56B4E9, 0xE69F00, 0x2BB58A, 0xCC79A7,
                                                   0x0072B2, 0xE9DB2C, 0x5D6875};
    static const uint32_t inks[VIEW_HUE_COUNT] = {0x1A6DA8, 0x935F00, 0x00724F, 0x9C3F74,
                                                  0x005C92, 0x756A00, 0x46505C};
    for (uint32_t i = 0; i < VIEW_HUE_COUNT; i++) {
        uint32_t on_fill = i == 4 || i == 6 ? RGB(0xFFFFFF) : RGB(0x131B25);
        theme->partition[i] = (struct view_hue){RGB(fills[i]), RGB(inks[i]), on_fill, VIEW_PATTERN_NONE};
    }
}

static int32_t scaled(const struct view_theme *theme, int32_t length)
{
    return (int32_t)((int64_t)length * theme->text_scale_256 / 256);
}

static struct view_font font(const struct view_theme *theme, enum view_family family, enum view_weight weight,
                             int32_t size)
{
    return (struct view_font){(uint8_t)family, (uint8_t)weight, (uint16_t)scaled(theme, size)};
}

static void set_type(struct view_theme *theme)
{
    theme->brand = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_BOLD, VIEW_PX(17));
    theme->heading = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_SEMIBOLD, VIEW_PX(14));
    theme->title = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_SEMIBOLD, VIEW_PX(13));
    theme->body = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_REGULAR, VIEW_PX(12.5));
    theme->body_strong = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_SEMIBOLD, VIEW_PX(12.5));
    theme->label = font(theme, VIEW_FAMILY_SANS, VIEW_WEIGHT_REGULAR, VIEW_PX(11.5));
    /* JetBrains Mono advances 0.6 em: 11.6875 px gives columns of exactly 7 px. */
    theme->mono = font(theme, VIEW_FAMILY_MONO, VIEW_WEIGHT_REGULAR, VIEW_PX(11.6875));
    theme->mono_strong = font(theme, VIEW_FAMILY_MONO, VIEW_WEIGHT_BOLD, VIEW_PX(11.6875));
    theme->mono_small = font(theme, VIEW_FAMILY_MONO, VIEW_WEIGHT_REGULAR, VIEW_PX(11));
    theme->mono_small_strong = font(theme, VIEW_FAMILY_MONO, VIEW_WEIGHT_BOLD, VIEW_PX(11));
    theme->clock = font(theme, VIEW_FAMILY_MONO, VIEW_WEIGHT_SEMIBOLD, VIEW_PX(15));
}

static void set_spacing(struct view_theme *theme)
{
    theme->space_1 = scaled(theme, VIEW_PX(4));
    theme->space_2 = scaled(theme, VIEW_PX(8));
    theme->space_3 = scaled(theme, VIEW_PX(12));
    theme->space_4 = scaled(theme, VIEW_PX(16));
    theme->space_6 = scaled(theme, VIEW_PX(24));
    theme->row_height = scaled(theme, VIEW_PX(18));
    theme->button_height = scaled(theme, VIEW_PX(28));
    theme->chip_height = scaled(theme, VIEW_PX(18));
    theme->title_height = scaled(theme, VIEW_PX(18));
    theme->bar_height = scaled(theme, VIEW_PX(4));
    theme->radius_panel = scaled(theme, VIEW_PX(8));
    theme->radius_card = scaled(theme, VIEW_PX(7));
    theme->radius_button = scaled(theme, VIEW_PX(6));
    theme->radius_cell = scaled(theme, VIEW_PX(1.5));
    theme->stroke = VIEW_PX(1);
    theme->stroke_strong = scaled(theme, VIEW_PX(2));
    theme->scrollbar_width = scaled(theme, VIEW_PX(8));
}

void view_theme_init(struct view_theme *theme, enum view_theme_kind kind, bool presenter)
{
    memset(theme, 0, sizeof *theme);
    theme->kind = kind;
    theme->presenter = presenter;
    theme->text_scale_256 = presenter ? 384 : 256;
    switch (kind) {
    case VIEW_THEME_DARK:
        set_dark(theme);
        break;
    case VIEW_THEME_LIGHT:
        set_light(theme);
        break;
    }
    set_type(theme);
    set_spacing(theme);
}

struct view_hue view_theme_partition(const struct view_theme *theme, uint32_t partition_index)
{
    struct view_hue hue = theme->partition[partition_index % VIEW_HUE_COUNT];
    hue.pattern = (enum view_pattern)(partition_index / VIEW_HUE_COUNT % VIEW_PATTERN_COUNT);
    return hue;
}

int32_t view_theme_px(const struct view_theme *theme, int32_t px)
{
    return scaled(theme, px * 16);
}

/* --- Contrast: WCAG 2 in integers
 * ------------------------------------------------------------------------------- */

/* sRGB to linear light × 65535. */
static uint32_t linear_65535(uint32_t value)
{
    /* ((v + 0.055) / 1.055)^2.4 by (x^2 · x^0.4); x^0.4 by Newton on y^5 = x^2, in 16.16. */
    if (value <= 10) {
        return value * 65535u / 255u * 100u / 1292u;
    }
    uint64_t x = ((uint64_t)value * 1000 + 14025) * 65536 / 269025;
    uint64_t x2 = x * x >> 16;
    uint64_t y = 65536;
    for (int i = 0; i < 24; i++) {
        uint64_t y2 = y * y >> 16;
        uint64_t y4 = y2 * y2 >> 16;
        y = (4 * y + (y4 > 0 ? (x2 << 16) / y4 : 0)) / 5;
    }
    uint64_t result = x2 * y >> 16;
    return (uint32_t)(result > 65535 ? 65535 : result);
}

static uint64_t luminance(uint32_t color)
{
    uint64_t red = linear_65535((color >> 16) & 0xFF);
    uint64_t green = linear_65535((color >> 8) & 0xFF);
    uint64_t blue = linear_65535(color & 0xFF);
    return (2126 * red + 7152 * green + 722 * blue) / 10000;
}

uint32_t view_theme_contrast_100(uint32_t a, uint32_t b)
{
    uint64_t light = luminance(a) + 3277;
    uint64_t dark = luminance(b) + 3277;
    if (light < dark) {
        uint64_t swap = light;
        light = dark;
        dark = swap;
    }
    return (uint32_t)(light * 100 / dark);
}
