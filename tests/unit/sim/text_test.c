/* Most of it runs on fixed metrics, which are the same on all machines; the rest says what must hold for any
 * font. */
#include "view/text.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct view_font mono = {VIEW_FAMILY_MONO, VIEW_WEIGHT_REGULAR, VIEW_PX(16)};
static const struct view_font sans = {VIEW_FAMILY_SANS, VIEW_WEIGHT_REGULAR, VIEW_PX(12.5)};

static struct view_text *fixed(void)
{
    struct view_text *text = view_text_create(&(struct view_text_options){.fixed_metrics = true});
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static int32_t width(struct view_text *text, struct view_font font, const char *utf8)
{
    return view_text_width(text, font, utf8, strlen(utf8));
}

static uint32_t first_of(const char *utf8, size_t length, size_t *step)
{
    uint32_t codepoint = 0;
    *step = view_text_decode(utf8, length, &codepoint);
    return codepoint;
}

static void decodes_utf8(void)
{
    static const struct {
        const char *bytes;
        size_t length, step;
        uint32_t codepoint;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"\xC3\xA9", 2, 2, 0xE9},
        {"\xE8\xAE\xB0", 3, 3, 0x8BB0},
        {"\xF0\x9F\x98\x80", 4, 4, 0x1F600},
        {"\xC3", 1, 1, 0xFFFD},             /* cut short */
        {"\xE8\xAE", 2, 1, 0xFFFD},         /* cut short */
        {"\x80", 1, 1, 0xFFFD},             /* a continuation alone */
        {"\xC0\xAF", 2, 1, 0xFFFD},         /* overlong */
        {"\xE0\x80\xAF", 3, 1, 0xFFFD},     /* overlong */
        {"\xE0\x9F\xBF", 3, 1, 0xFFFD},     /* overlong */
        {"\xF0\x8F\xBF\xBF", 4, 1, 0xFFFD}, /* overlong */
        {"\xED\xA0\x80", 3, 1, 0xFFFD},     /* a surrogate */
        {"\xF4\x90\x80\x80", 4, 1, 0xFFFD}, /* beyond U+10FFFF */
        {"\xFF", 1, 1, 0xFFFD},
        {"\x01", 1, 1, 0xFFFD},
        {"\t", 1, 1, ' '},
        {"", 0, 0, 0xFFFD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t step = 99;
        CU_ASSERT_EQUAL(first_of(cases[i].bytes, cases[i].length, &step), cases[i].codepoint);
        CU_ASSERT_EQUAL(step, cases[i].step);
    }
}

static void measures(void)
{
    struct view_text *text = fixed();
    CU_ASSERT_EQUAL(width(text, mono, ""), 0);
    CU_ASSERT_EQUAL(width(text, mono, "ab c"), VIEW_PX(32));
    CU_ASSERT_EQUAL(width(text, mono, "\xE8\xAE\xB0"), VIEW_PX(16));
    view_text_set_scale(text, 512);
    CU_ASSERT_EQUAL(width(text, mono, "ab c"), VIEW_PX(32));
    view_text_destroy(text);
}

static void elide_as(struct view_text *text, const char *utf8, int32_t max_width, const char *expected)
{
    char out[64];
    size_t length = view_text_elide(text, mono, utf8, strlen(utf8), max_width, out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, expected);
    CU_ASSERT_EQUAL(length, strlen(expected));
    CU_ASSERT_TRUE(width(text, mono, out) <= max_width);
}

static void elides(void)
{
    struct view_text *text = fixed();
    elide_as(text, "record", VIEW_PX(48), "record");
    elide_as(text, "record", VIEW_PX(47), "reco\xE2\x80\xA6");
    elide_as(text, "to be", VIEW_PX(39), "to\xE2\x80\xA6"); /* no blank before it */
    elide_as(text, "record", VIEW_PX(8), "\xE2\x80\xA6");
    elide_as(text, "record", VIEW_PX(7), "");
    elide_as(text, "\xE8\xAE\xB0\xE5\xBD\x95\xE8\xAE\xB0", VIEW_PX(40),
             "\xE8\xAE\xB0\xE5\xBD\x95\xE2\x80\xA6");
    elide_as(text, "\xE8\xAE\xB0\xE5\xBD\x95\xE8\xAE\xB0", VIEW_PX(39), "\xE8\xAE\xB0\xE2\x80\xA6");
    char tiny[6];
    size_t length = view_text_elide(text, mono, "record", 6, VIEW_PX(999), tiny, sizeof tiny);
    CU_ASSERT_STRING_EQUAL(tiny, "re\xE2\x80\xA6");
    CU_ASSERT_EQUAL(length, 5);
    view_text_destroy(text);
}

static void wrap_as(struct view_text *text, const char *utf8, int32_t max_width, const char *expected)
{
    char joined[256] = "";
    size_t left = strlen(utf8);
    while (left > 0) {
        size_t consumed = 0;
        size_t line = view_text_next_line(text, mono, utf8, left, max_width, &consumed);
        CU_ASSERT_TRUE_FATAL(consumed > 0 && consumed <= left && line <= consumed);
        strncat(joined, utf8, line);
        strcat(joined, "|");
        utf8 += consumed;
        left -= consumed;
    }
    CU_ASSERT_STRING_EQUAL(joined, expected);
}

static void breaks_lines(void)
{
    struct view_text *text = fixed();
    wrap_as(text, "to be or not", VIEW_PX(40), "to be|or|not|");
    wrap_as(text, "to be or not", VIEW_PX(64), "to be or|not|");
    wrap_as(text, "to\nbe\n\nor", VIEW_PX(400), "to|be||or|");
    wrap_as(text, "incompressible", VIEW_PX(40), "incom|press|ible|");
    wrap_as(text, "a", VIEW_PX(1), "a|");
    /* 记录，关闭 : the comma never begins a line */
    wrap_as(text, "\xE8\xAE\xB0\xE5\xBD\x95\xEF\xBC\x8C\xE5\x85\xB3\xE9\x97\xAD", VIEW_PX(32),
            "\xE8\xAE\xB0|\xE5\xBD\x95\xEF\xBC\x8C|\xE5\x85\xB3\xE9\x97\xAD|");
    view_text_destroy(text);
}

/* --- With the machine's fonts
 * ----------------------------------------------------------------------------------- */

static struct view_text *real(void)
{
    struct view_text *text = view_text_create(NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static void finds_fonts(void)
{
    struct view_text *text = real();
    width(text, sans, "x");
    const char *path = view_text_font_path(text, sans);
    printf("(%s) ", path[0] != '\0' ? path : "no fonts here");
    struct view_text_metrics metrics = view_text_metrics(text, sans);
    CU_ASSERT_TRUE(metrics.cap_height > 0 && metrics.cap_height < metrics.ascent);
    CU_ASSERT_TRUE(metrics.line_height >= metrics.ascent + metrics.descent);
    view_text_destroy(text);
}

static void mono_is_mono(void)
{
    struct view_text *text = real();
    CU_ASSERT_EQUAL(width(text, mono, "1111111111"), width(text, mono, "0123456789"));
    /* Pieces round to 1/64 px each: an eighth of a pixel over ten characters at most. */
    CU_ASSERT_TRUE(abs(width(text, mono, "iiii iiii.") - width(text, mono, "WM0#@%&MW1")) <= 2);
    view_text_destroy(text);
}

/* The pieces in which a run is shaped must add up: a prefix is never wider than the whole. */
static void prefixes_grow(void)
{
    static const char sentence[] =
        "Batch #5 leaves 0x7a3c19e1 now: \xE6\x94\xBE\xE4\xB8\x8D\xE8\xBF\x9B 16 272 B \xE2\x86\x92 P1";
    struct view_text *text = real();
    for (uint32_t scale = 256; scale <= 768; scale += 128) {
        view_text_set_scale(text, scale);
        int32_t before = 0;
        for (size_t i = 1; i < sizeof sentence; i++) {
            if (((unsigned char)sentence[i] & 0xC0) == 0x80) {
                continue;
            }
            int32_t now = view_text_width(text, sans, sentence, i);
            CU_ASSERT_TRUE(now + VIEW_PX(1) >= before);
            before = now;
        }
    }
    view_text_destroy(text);
}

/* Ink stays near where the width says; a run is not drawn outside what was measured. */
static void ink_is_where_it_was_measured(void)
{
    static const char *const runs[] = {"RecordAccumulator", "fjord, jump; Qty. 100 %",
                                       "\xE8\xAE\xB0\xE5\xBD\x95", "\xFF\xFE broken \xC3",
                                       "\xC3\x89\xC3\x85gj|"};
    struct view_text *text = real();
    struct view_text_metrics metrics = view_text_metrics(text, sans);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        int32_t right = width(text, sans, runs[i]) / 16 + 2;
        struct view_text_cursor cursor = {.utf8 = runs[i], .length_bytes = strlen(runs[i]), .font = sans};
        struct view_glyph glyph;
        int32_t pen = 0;
        uint32_t glyphs = 0;
        while (view_text_next_glyph(text, &cursor, &pen, &glyph)) {
            CU_ASSERT_TRUE(pen / 64 + glyph.left >= -2);
            CU_ASSERT_TRUE(pen / 64 + glyph.left + glyph.width <= right);
            CU_ASSERT_TRUE(glyph.top <= metrics.ascent / 16 + 3);
            CU_ASSERT_TRUE(glyph.height - glyph.top <= metrics.descent / 16 + 3);
            glyphs++;
        }
        CU_ASSERT_TRUE(glyphs > 0);
        CU_ASSERT_EQUAL(cursor.length_bytes, 0);
    }
    view_text_destroy(text);
}

static void a_steady_text_is_rendered_once(void)
{
    struct view_text *text = real();
    struct view_glyph glyph;
    for (int frame = 0; frame < 3; frame++) {
        int32_t pen = 0;
        struct view_text_cursor cursor = {.utf8 = "poll() for 13 ms", .length_bytes = 16, .font = sans};
        while (view_text_next_glyph(text, &cursor, &pen, &glyph)) {
        }
    }
    uint64_t rendered = view_text_stats(text).render_count;
    CU_ASSERT_TRUE(rendered <= 8);
    view_text_destroy(text);
}

static void survives_a_full_atlas(void)
{
    struct view_text *text = real();
    struct view_glyph glyph;
    for (uint32_t i = 0; i < 12000; i++) {
        char word[8] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26), 'x',
                        '\0'};
        struct view_text_cursor cursor = {.utf8 = word, .length_bytes = 4, .font = mono};
        int32_t pen = 0;
        while (view_text_next_glyph(text, &cursor, &pen, &glyph)) {
        }
        (void)i;
    }
    struct view_font huge = {VIEW_FAMILY_SANS, VIEW_WEIGHT_BOLD, VIEW_PX(1200)};
    struct view_text_cursor cursor = {.utf8 = "W", .length_bytes = 1, .font = huge};
    int32_t pen = 0;
    while (view_text_next_glyph(text, &cursor, &pen, &glyph)) {
    }
    CU_ASSERT_TRUE(width(text, mono, "aaax") > 0);
    view_text_destroy(text);
}

int main(void)
{
    return unit_main("text", (struct unit_test[]){
                                 {"decodes UTF-8", decodes_utf8},
                                 {"measures", measures},
                                 {"elides", elides},
                                 {"breaks lines", breaks_lines},
                                 {"finds fonts", finds_fonts},
                                 {"mono is mono", mono_is_mono},
                                 {"prefixes grow", prefixes_grow},
                                 {"ink is where it was measured", ink_is_where_it_was_measured},
                                 {"a steady text is rendered once", a_steady_text_is_rendered_once},
                                 {"survives a full atlas", survives_a_full_atlas},
                                 {0},
                             });
}
