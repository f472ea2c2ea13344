/* The two ways a test looks at a draw list: a hash, and text. */
#include "view/draw_list.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* --- Hash: FNV-1a over values, never over memory, so that padding and byte order do not matter
 * ------------------ */

static void mix(uint64_t *hash, uint32_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x100000001B3);
    *hash ^= *hash >> 29;
}

static void mix_rect(uint64_t *hash, struct view_rect rect)
{
    mix(hash, (uint32_t)rect.x);
    mix(hash, (uint32_t)rect.y);
    mix(hash, (uint32_t)rect.w);
    mix(hash, (uint32_t)rect.h);
}

static void mix_data(uint64_t *hash, const struct view_draw_list *list, const struct view_command *command)
{
    switch ((enum view_command_kind)command->kind) {
    case VIEW_COMMAND_LINE:
    case VIEW_COMMAND_POLYLINE:
        mix(hash, (uint32_t)command->u.line.dash);
        mix(hash, (uint32_t)command->u.line.gap);
        break;
    case VIEW_COMMAND_ARC:
        mix(hash, (uint32_t)command->u.arc.start);
        mix(hash, (uint32_t)command->u.arc.sweep);
        break;
    case VIEW_COMMAND_TEXT:
        mix(hash, (uint32_t)command->u.font.family << 24 | (uint32_t)command->u.font.weight << 16 |
                      command->u.font.size_px16);
        for (uint32_t i = 0; i < command->data_count; i++) {
            mix(hash, (uint8_t)list->bytes[command->data_index + i]);
        }
        mix(hash, command->data_count);
        return;
    case VIEW_COMMAND_BOX:
    case VIEW_COMMAND_GRADIENT:
    case VIEW_COMMAND_POLYGON:
    case VIEW_COMMAND_COUNT:
        break;
    }
    for (uint32_t i = 0; i < command->data_count; i++) {
        mix(hash, (uint32_t)list->points[command->data_index + i].x);
        mix(hash, (uint32_t)list->points[command->data_index + i].y);
    }
    mix(hash, command->data_count);
}

uint64_t view_draw_list_hash(const struct view_draw_list *list)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    mix(&hash, (uint32_t)list->width);
    mix(&hash, (uint32_t)list->height);
    mix(&hash, list->background);
    for (uint32_t i = 0; i < list->command_count; i++) {
        const struct view_command *command = &list->commands[i];
        mix(&hash, (uint32_t)command->kind << 16 | (uint32_t)command->layer << 8 | command->pattern);
        mix_rect(&hash, list->clips[command->clip_index]);
        mix_rect(&hash, command->rect);
        mix(&hash, (uint32_t)command->radius);
        mix(&hash, (uint32_t)command->stroke_width);
        mix(&hash, command->fill);
        mix(&hash, command->stroke);
        mix_data(&hash, list, command);
    }
    return hash;
}

/* --- Text
 * ------------------------------------------------------------------------------------------------------- */

struct dump {
    char *buffer;
    size_t capacity, length;
};

__attribute__((format(printf, 2, 3))) static void put(struct dump *dump, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool room = dump->length < dump->capacity;
    int written = vsnprintf(room ? dump->buffer + dump->length : NULL,
                            room ? dump->capacity - dump->length : 0, format, arguments);
    va_end(arguments);
    if (written > 0) {
        dump->length += (size_t)written;
    }
}

static void put_string(struct dump *dump, const char *bytes, uint32_t count)
{
    put(dump, " \"");
    for (uint32_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            put(dump, "\\x%02x", byte);
        } else {
            put(dump, "%c", byte);
        }
    }
    put(dump, "\"");
}

static void put_rect(struct dump *dump, struct view_rect rect)
{
    put(dump, " %" PRId32 ",%" PRId32 " %" PRId32 "x%" PRId32, rect.x, rect.y, rect.w, rect.h);
}

static void put_command(struct dump *dump, const struct view_draw_list *list,
                        const struct view_command *command)
{
    static const char *const names[VIEW_COMMAND_COUNT] = {"box",     "gradient", "line", "polyline",
                                                          "polygon", "arc",      "text"};
    put(dump, "%s", names[command->kind]);
    if (command->layer != VIEW_LAYER_STAGE) {
        put(dump, " layer=%u", command->layer);
    }
    if (command->clip_index != 0) {
        put(dump, " clip");
        put_rect(dump, list->clips[command->clip_index]);
    }
    switch ((enum view_command_kind)command->kind) {
    case VIEW_COMMAND_BOX:
    case VIEW_COMMAND_GRADIENT:
        put_rect(dump, command->rect);
        put(dump, " r=%" PRId32 " w=%" PRId32, command->radius, command->stroke_width);
        break;
    case VIEW_COMMAND_LINE:
    case VIEW_COMMAND_POLYLINE:
        put(dump, " w=%" PRId32 " dash=%" PRId32 "/%" PRId32, command->stroke_width, command->u.line.dash,
            command->u.line.gap);
        break;
    case VIEW_COMMAND_ARC:
        put(dump, " %" PRId32 ",%" PRId32 " r=%" PRId32 " w=%" PRId32 " %" PRId32 "+%" PRId32,
            command->rect.x, command->rect.y, command->radius, command->stroke_width, command->u.arc.start,
            command->u.arc.sweep);
        break;
    case VIEW_COMMAND_TEXT:
        put(dump, " %" PRId32 ",%" PRId32 " %c%u/%u", command->rect.x, command->rect.y,
            command->u.font.family == VIEW_FAMILY_MONO ? 'm' : 's', command->u.font.weight,
            command->u.font.size_px16);
        break;
    case VIEW_COMMAND_POLYGON:
    case VIEW_COMMAND_COUNT:
        break;
    }
    put(dump, " #%08" PRIX32 " #%08" PRIX32, command->fill, command->stroke);
    if (command->pattern != VIEW_PATTERN_NONE) {
        put(dump, " pattern=%u", command->pattern);
    }
    if (command->kind == VIEW_COMMAND_TEXT) {
        put_string(dump, &list->bytes[command->data_index], command->data_count);
    } else {
        for (uint32_t i = 0; i < command->data_count; i++) {
            struct view_point point = list->points[command->data_index + i];
            put(dump, " (%" PRId32 ",%" PRId32 ")", point.x, point.y);
        }
    }
    put(dump, "\n");
}

size_t view_draw_list_dump(const struct view_draw_list *list, char *buffer, size_t capacity)
{
    struct dump dump = {.buffer = buffer, .capacity = capacity};
    put(&dump, "canvas %" PRId32 "x%" PRId32 " #%08" PRIX32 "\n", list->width, list->height,
        list->background);
    for (uint32_t i = 0; i < list->command_count; i++) {
        put_command(&dump, list, &list->commands[i]);
    }
    for (uint32_t i = 0; i < list->hit_count; i++) {
        const struct view_hit *hit = &list->hits[i];
        put(&dump, "hit %" PRIu16 ":%" PRIu32 ":%" PRIu16 " layer=%" PRIu32 " flags=%" PRIu32,
            view_id_kind(hit->id), view_id_index(hit->id), view_id_sub(hit->id), hit->layer, hit->flags);
        put_rect(&dump, hit->rect);
        if (hit->tip_count > 0) {
            put_string(&dump, &list->bytes[hit->tip_index], hit->tip_count);
        }
        put(&dump, "\n");
    }
    return dump.length;
}
