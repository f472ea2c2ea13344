/*
 * Exact area coverage of closed outlines, row by row.
 *
 * Each edge leaves in every pixel it crosses how much height it covers and how much of the pixel's area lies
 * to its right; the running sum over a row is the coverage. It is clamped, so that outlines of one direction
 * may overlap (a union).
 */
#include "view/raster_private.h"

#include <stdlib.h>
#include <string.h>

void view_path_begin(struct view_raster *raster)
{
    raster->edge_count = 0;
}

static void add_edge(struct view_raster *raster, struct view_point from, struct view_point to)
{
    if (from.y == to.y) {
        return;
    }
    if (raster->edge_count == raster->edge_capacity) {
        uint32_t wanted = raster->edge_capacity == 0 ? 256 : raster->edge_capacity * 2;
        struct view_edge *grown = realloc(raster->edges, wanted * sizeof *grown);
        if (grown == NULL) {
            return;
        }
        raster->edges = grown;
        raster->edge_capacity = wanted;
    }
    bool down = from.y < to.y;
    struct view_point top = down ? from : to;
    struct view_point bottom = down ? to : from;
    raster->edges[raster->edge_count++] = (struct view_edge){top.x, top.y, bottom.x, bottom.y, down ? 1 : -1};
}

void view_path_add_outline(struct view_raster *raster, const struct view_point *points, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        add_edge(raster, points[i], points[i + 1 < count ? i + 1 : 0]);
    }
}

static int compare_edges(const void *left, const void *right)
{
    const struct view_edge *a = left;
    const struct view_edge *b = right;
    if (a->y0 != b->y0) {
        return a->y0 < b->y0 ? -1 : 1;
    }
    return (a->x0 > b->x0) - (a->x0 < b->x0);
}

/* A row being summed: cells are (cover, area) pairs for pixels [x0, x1), with one more at the right. */
struct sweep {
    int32_t *cells;
    int32_t x0, x1;
    int32_t low, high; /* touched cells */
};

static void touch(struct sweep *sweep, int32_t cell, int32_t cover, int32_t area)
{
    sweep->cells[2 * cell] += cover;
    sweep->cells[2 * cell + 1] += area;
    sweep->low = cell < sweep->low ? cell : sweep->low;
    sweep->high = cell > sweep->high ? cell : sweep->high;
}

/* A piece of an edge within one row; x in 1/256 px from the sweep's left, dy signed in 1/256. */
static void add_piece(struct sweep *sweep, int64_t xa, int64_t xb, int32_t dy)
{
    const int64_t most = (int64_t)(sweep->x1 - sweep->x0) * 256;
    xa = xa < 0 ? 0 : xa > most ? most : xa;
    xb = xb < 0 ? 0 : xb > most ? most : xb;
    int32_t cell_a = (int32_t)(xa >> 8);
    int32_t cell_b = (int32_t)(xb >> 8);
    if (cell_a == cell_b) {
        touch(sweep, cell_a, dy, dy * (int32_t)((xa & 255) + (xb & 255)));
        return;
    }
    /* Walk from the left end; the direction along x does not matter for what is covered. */
    int64_t left = xa < xb ? xa : xb;
    int64_t right = xa < xb ? xb : xa;
    int32_t cell = (int32_t)(left >> 8);
    int32_t last = (int32_t)(right >> 8);
    int32_t spent = 0;
    for (int64_t from = left; cell <= last; cell++) {
        int64_t to = cell == last ? right : ((int64_t)cell + 1) << 8;
        int32_t upto = cell == last ? dy : (int32_t)((int64_t)dy * (to - left) / (right - left));
        int32_t part = upto - spent;
        int64_t base = (int64_t)cell << 8;
        touch(sweep, cell, part, part * (int32_t)((from - base) + (to - base)));
        spent = upto;
        from = to;
    }
}

static int64_t x_at(const struct view_edge *edge, int64_t y)
{
    return edge->x0 + (int64_t)(edge->x1 - edge->x0) * (y - edge->y0) / (edge->y1 - edge->y0);
}

static void add_edge_row(struct sweep *sweep, const struct view_edge *edge, int32_t row)
{
    int64_t top = (int64_t)row * 256;
    int64_t ya = edge->y0 > top ? edge->y0 : top;
    int64_t yb = edge->y1 < top + 256 ? edge->y1 : top + 256;
    if (ya < yb) {
        int64_t left = (int64_t)sweep->x0 * 256;
        add_piece(sweep, x_at(edge, ya) - left, x_at(edge, yb) - left, (int32_t)(yb - ya) * edge->direction);
    }
}

/* Turn the touched cells into coverage, blend them, and leave the cells zero for the next row. */
static void emit_row(struct view_raster *raster, struct sweep *sweep, int32_t row, uint32_t color)
{
    int32_t width = sweep->x1 - sweep->x0;
    int32_t end = sweep->high < width ? sweep->high : width - 1;
    int32_t cover = 0;
    for (int32_t i = sweep->low; i <= end; i++) {
        cover += sweep->cells[2 * i];
        int32_t area = cover * 512 - sweep->cells[2 * i + 1];
        area = (area < 0 ? -area : area) >> 9;
        raster->mask[i - sweep->low] = (uint8_t)(area > 255 ? 255 : area);
    }
    if (sweep->low <= end) {
        view_span_mask(raster, row, sweep->x0 + sweep->low, raster->mask, end - sweep->low + 1, color);
    }
    memset(&sweep->cells[2 * sweep->low], 0,
           (size_t)(sweep->high - sweep->low + 1) * 2 * sizeof *sweep->cells);
}

static bool reserve_row(struct view_raster *raster, int32_t width)
{
    uint32_t wanted = (uint32_t)width + 2;
    if (wanted <= raster->cell_capacity) {
        return true;
    }
    int32_t *cells = calloc(wanted, 2 * sizeof *cells);
    uint8_t *mask = malloc(wanted);
    if (cells == NULL || mask == NULL) {
        free(cells);
        free(mask);
        return false;
    }
    free(raster->cells);
    free(raster->mask);
    raster->cells = cells;
    raster->mask = mask;
    raster->cell_capacity = wanted;
    return true;
}

static struct view_bounds path_bounds(const struct view_raster *raster)
{
    struct view_bounds bounds = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    for (uint32_t i = 0; i < raster->edge_count; i++) {
        const struct view_edge *edge = &raster->edges[i];
        int32_t low = edge->x0 < edge->x1 ? edge->x0 : edge->x1;
        int32_t high = edge->x0 > edge->x1 ? edge->x0 : edge->x1;
        bounds.x0 = low < bounds.x0 ? low : bounds.x0;
        bounds.x1 = high > bounds.x1 ? high : bounds.x1;
        bounds.y0 = edge->y0 < bounds.y0 ? edge->y0 : bounds.y0;
        bounds.y1 = edge->y1 > bounds.y1 ? edge->y1 : bounds.y1;
    }
    bounds.x0 >>= 8;
    bounds.y0 >>= 8;
    bounds.x1 = (bounds.x1 >> 8) + 1;
    bounds.y1 = (bounds.y1 >> 8) + 1;
    bounds.x0 = bounds.x0 > raster->clip.x0 ? bounds.x0 : raster->clip.x0;
    bounds.y0 = bounds.y0 > raster->clip.y0 ? bounds.y0 : raster->clip.y0;
    bounds.x1 = bounds.x1 < raster->clip.x1 ? bounds.x1 : raster->clip.x1;
    bounds.y1 = bounds.y1 < raster->clip.y1 ? bounds.y1 : raster->clip.y1;
    return bounds;
}

void view_path_fill(struct view_raster *raster, uint32_t color)
{
    if (raster->edge_count == 0) {
        return;
    }
    struct view_bounds bounds = path_bounds(raster);
    if (bounds.x0 >= bounds.x1 || bounds.y0 >= bounds.y1 || !reserve_row(raster, bounds.x1 - bounds.x0)) {
        return;
    }
    qsort(raster->edges, raster->edge_count, sizeof *raster->edges, compare_edges);
    struct sweep sweep = {.cells = raster->cells, .x0 = bounds.x0, .x1 = bounds.x1};
    uint32_t first = 0;
    for (int32_t row = bounds.y0; row < bounds.y1; row++) {
        int64_t bottom = ((int64_t)row + 1) * 256;
        sweep.low = INT32_MAX;
        sweep.high = -1;
        while (first < raster->edge_count && raster->edges[first].y1 <= bottom - 256) {
            first++;
        }
        for (uint32_t i = first; i < raster->edge_count && raster->edges[i].y0 < bottom; i++) {
            add_edge_row(&sweep, &raster->edges[i], row);
        }
        if (sweep.high >= 0) {
            emit_row(raster, &sweep, row, color);
        }
    }
}
