/* Icons as a few shapes on a grid of 16 units, scaled into the rectangle. */
#include "view/widget.h"

struct canvas {
    struct view_draw_list *list;
    int32_t x, y, unit; /* the grid's origin and unit, 1/16 px */
    uint32_t color;
};

static struct view_point at(const struct canvas *canvas, int32_t x, int32_t y)
{
    return (struct view_point){canvas->x + x * canvas->unit, canvas->y + y * canvas->unit};
}

static void triangle(const struct canvas *canvas, int32_t tip_x, int32_t base_x, int32_t top, int32_t bottom)
{
    view_draw_triangle(canvas->list, at(canvas, base_x, top), at(canvas, tip_x, (top + bottom) / 2),
                       at(canvas, base_x, bottom), canvas->color);
}

static void bar(const struct canvas *canvas, int32_t x, int32_t y, int32_t w, int32_t h)
{
    struct view_point p = at(canvas, x, y);
    view_draw_rect(canvas->list, (struct view_rect){p.x, p.y, w * canvas->unit, h * canvas->unit},
                   canvas->color);
}

static void stroke(const struct canvas *canvas, const int8_t (*points)[2], uint32_t count, int32_t width)
{
    struct view_point path[8];
    for (uint32_t i = 0; i < count; i++) {
        path[i] = at(canvas, points[i][0], points[i][1]);
    }
    view_draw_polyline(canvas->list, path, count, canvas->color, width * canvas->unit / 2);
}

static void polygon(const struct canvas *canvas, const int8_t (*points)[2], uint32_t count)
{
    struct view_point path[12];
    for (uint32_t i = 0; i < count; i++) {
        path[i] = at(canvas, points[i][0], points[i][1]);
    }
    view_draw_polygon(canvas->list, path, count, canvas->color);
}

/* An int, because each of the two knows only its part of the icons. */
static void transport_icon(const struct canvas *canvas, int icon)
{
    switch (icon) {
    case VIEW_ICON_START:
        bar(canvas, 3, 3, 2, 10);
        triangle(canvas, 5, 13, 3, 13);
        break;
    case VIEW_ICON_PREVIOUS:
        triangle(canvas, 3, 11, 3, 13);
        break;
    case VIEW_ICON_PLAY:
        triangle(canvas, 14, 4, 2, 14);
        break;
    case VIEW_ICON_PAUSE:
        bar(canvas, 4, 3, 3, 10);
        bar(canvas, 9, 3, 3, 10);
        break;
    case VIEW_ICON_NEXT:
        triangle(canvas, 13, 5, 3, 13);
        break;
    case VIEW_ICON_END:
        triangle(canvas, 11, 3, 3, 13);
        bar(canvas, 11, 3, 2, 10);
        break;
    case VIEW_ICON_SLOWER:
        triangle(canvas, 1, 8, 4, 12);
        triangle(canvas, 8, 15, 4, 12);
        break;
    default:
        triangle(canvas, 8, 1, 4, 12);
        triangle(canvas, 15, 8, 4, 12);
        break;
    }
}

static void sign_icon(const struct canvas *canvas, int icon)
{
    static const int8_t tick[3][2] = {{3, 8}, {7, 12}, {13, 4}};
    static const int8_t cross[2][2][2] = {{{4, 4}, {12, 12}}, {{12, 4}, {4, 12}}};
    static const int8_t star[10][2] = {{8, 1},  {10, 6}, {15, 6}, {11, 9}, {13, 14},
                                       {8, 11}, {3, 14}, {5, 9},  {1, 6},  {6, 6}};
    static const int8_t handle[2][2] = {{10, 10}, {14, 14}};
    switch (icon) {
    case VIEW_ICON_CHECK:
        stroke(canvas, tick, 3, 4);
        break;
    case VIEW_ICON_CLOSE:
    case VIEW_ICON_CROSS:
        stroke(canvas, cross[0], 2, 4);
        stroke(canvas, cross[1], 2, 4);
        break;
    case VIEW_ICON_MENU:
        bar(canvas, 3, 4, 10, 1);
        bar(canvas, 3, 8, 10, 1);
        bar(canvas, 3, 12, 10, 1);
        break;
    case VIEW_ICON_STAR:
        polygon(canvas, star, 10);
        break;
    case VIEW_ICON_WARNING:
        view_draw_triangle(canvas->list, at(canvas, 8, 2), at(canvas, 15, 14), at(canvas, 1, 14),
                           canvas->color);
        break;
    case VIEW_ICON_LOCK:
        view_draw_arc(canvas->list, at(canvas, 8, 7), 3 * canvas->unit, VIEW_TURN * 3 / 4, VIEW_TURN / 2,
                      canvas->color, canvas->unit * 3 / 2);
        bar(canvas, 3, 7, 10, 7);
        break;
    case VIEW_ICON_SEARCH:
        view_draw_circle(canvas->list, at(canvas, 7, 7), 5 * canvas->unit, VIEW_NONE, canvas->color,
                         canvas->unit * 3 / 2);
        stroke(canvas, handle, 2, 4);
        break;
    default:
        break;
    }
}

void view_icon(struct view_ui *ui, struct view_rect rect, enum view_icon icon, uint32_t color)
{
    int32_t side = rect.w < rect.h ? rect.w : rect.h;
    int32_t most = view_theme_px(ui->theme, 16);
    side = (side < most ? side : most) / 16;
    struct canvas canvas = {ui->list, rect.x + (rect.w - 16 * side) / 2, rect.y + (rect.h - 16 * side) / 2,
                            side, color};
    switch (icon) {
    case VIEW_ICON_START:
    case VIEW_ICON_PREVIOUS:
    case VIEW_ICON_PLAY:
    case VIEW_ICON_PAUSE:
    case VIEW_ICON_NEXT:
    case VIEW_ICON_END:
    case VIEW_ICON_SLOWER:
    case VIEW_ICON_FASTER:
        transport_icon(&canvas, (int)icon);
        break;
    case VIEW_ICON_RESET:
        view_draw_arc(ui->list, at(&canvas, 8, 8), 5 * side, VIEW_TURN / 12, VIEW_TURN * 10 / 12, color,
                      side * 3 / 2);
        view_draw_triangle(ui->list, at(&canvas, 8, 0), at(&canvas, 13, 3), at(&canvas, 8, 6), color);
        break;
    case VIEW_ICON_HELP:
        view_label(ui, rect, ui->theme->body_strong, color, VIEW_ALIGN_CENTER, "?");
        break;
    case VIEW_ICON_CLOSE:
    case VIEW_ICON_MENU:
    case VIEW_ICON_CHECK:
    case VIEW_ICON_CROSS:
    case VIEW_ICON_WARNING:
    case VIEW_ICON_STAR:
    case VIEW_ICON_LOCK:
    case VIEW_ICON_SEARCH:
        sign_icon(&canvas, (int)icon);
        break;
    case VIEW_ICON_COUNT:
        break;
    }
}
