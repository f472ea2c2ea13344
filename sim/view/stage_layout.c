/* Where the panels stand, from 1280×720 to 4K and in presenter size. */
#include "view/stage_private.h"

/* Widths of the five areas at 1600 px, as shares. */
enum {
    SHARE_APPLICATION = 198,
    SHARE_ACCUMULATOR = 332,
    SHARE_SENDER = 206,
    SHARE_NETWORK = 136,
    SHARE_CLUSTER = 384,
    SHARE_CONSUMERS = 100, /* of the cluster, where there are some */
};
enum { SHARE_SUM = SHARE_APPLICATION + SHARE_ACCUMULATOR + SHARE_SENDER + SHARE_NETWORK + SHARE_CLUSTER };

static int32_t clamp(int32_t value, int32_t least, int32_t most)
{
    value = value > most ? most : value;
    return value < least ? least : value;
}

/* Whole pixels, so that edges of neighbours are equally sharp. */
static int32_t share(int32_t width, int32_t part, int32_t sum)
{
    return (int32_t)((int64_t)width * part / sum) & ~15;
}

static void place_brokers(struct view_layout *layout, const struct view_theme *theme, uint32_t broker_count,
                          uint32_t consumer_count)
{
    struct view_rect inside = view_rect_inset(layout->cluster, theme->space_3, theme->space_3);
    view_rect_cut_top(&inside, 2 * theme->title_height + theme->space_1);
    if (consumer_count > 0) {
        int32_t width = inside.w * SHARE_CONSUMERS / (SHARE_CLUSTER + SHARE_CONSUMERS);
        layout->consumers = view_rect_cut_right(
            &inside, clamp(width, view_theme_px(theme, 90), view_theme_px(theme, 150)) & ~15);
        view_rect_cut_right(&inside, theme->space_3);
    }
    layout->brokers = inside;
    int32_t count = broker_count > 0 ? (int32_t)broker_count : 1;
    int32_t height = (inside.h - (count - 1) * theme->space_2) / count;
    layout->broker_height = clamp(height, view_theme_px(theme, 84), view_theme_px(theme, 260)) & ~15;
}

/* The side panel gives way first, then the others share what is left. */
static int32_t side_width(const struct view_theme *theme, int32_t width, const struct view_side_state *side)
{
    if (!side->is_open) {
        return 0;
    }
    int32_t wanted = clamp(width * 71 / 400, view_theme_px(theme, 226), view_theme_px(theme, 460));
    int32_t others = view_theme_px(theme, 960);
    if (width - wanted < others) {
        wanted = width - others;
    }
    return wanted >= view_theme_px(theme, 190) ? wanted & ~15 : 0;
}

void view_layout_make(struct view_layout *layout, const struct view_theme *theme, int32_t width,
                      int32_t height, uint32_t broker_count, uint32_t consumer_count,
                      const struct view_side_state *side)
{
    *layout = (struct view_layout){0};
    struct view_rect canvas = {0, 0, width & ~15, height & ~15};
    bool is_narrow = width < view_theme_px(theme, 1400);
    int32_t gap = is_narrow ? theme->space_1 + VIEW_PX(2) : theme->space_3;
    layout->top = view_rect_cut_top(&canvas, view_theme_px(theme, 46));
    view_rect_cut_top(&canvas, gap);
    view_rect_cut_bottom(&canvas, gap);
    view_rect_cut_left(&canvas, gap);
    view_rect_cut_right(&canvas, gap);
    int32_t timeline = clamp(height / 5, view_theme_px(theme, 112), view_theme_px(theme, 200));
    layout->timeline = view_rect_cut_bottom(&canvas, timeline & ~15);
    view_rect_cut_bottom(&canvas, gap);
    int32_t side_w = side_width(theme, width, side);
    if (side_w > 0) {
        layout->side = view_rect_cut_right(&canvas, side_w);
        view_rect_cut_right(&canvas, gap);
    }
    int32_t room = canvas.w - 3 * gap;
    int32_t sum = SHARE_SUM + (consumer_count > 0 ? SHARE_CONSUMERS : 0);
    layout->application = view_rect_cut_left(&canvas, share(room, SHARE_APPLICATION, sum));
    view_rect_cut_left(&canvas, gap);
    layout->accumulator = view_rect_cut_left(&canvas, share(room, SHARE_ACCUMULATOR, sum));
    view_rect_cut_left(&canvas, gap);
    layout->sender = view_rect_cut_left(&canvas, share(room, SHARE_SENDER, sum));
    /* Wires touch what they join: no gap on either side of the network. */
    layout->network = view_rect_cut_left(&canvas, share(room, SHARE_NETWORK, sum));
    layout->cluster = canvas;
    place_brokers(layout, theme, broker_count, consumer_count);
    if (side_w == 0 && side->is_open && side->is_forced) {
        layout->side = layout->cluster;
        layout->cluster = (struct view_rect){0};
    }
}

struct view_rect view_layout_broker(const struct view_frame *frame, uint32_t place)
{
    const struct view_layout *layout = &frame->layout;
    int32_t step = layout->broker_height + frame->theme->space_2;
    return (struct view_rect){layout->brokers.x,
                              layout->brokers.y + (int32_t)place * step - frame->stage->broker_scroll,
                              layout->brokers.w, layout->broker_height};
}
