#include "model/event_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire/api_keys.h"
#include "wire/errors.h"

const char *sim_api_name(int32_t api)
{
    const struct kw_api *found = api >= 0 && api <= INT16_MAX ? kw_api_find((int16_t)api) : NULL;
    return found != NULL ? found->name : "?";
}

const char *sim_error_name(int32_t error)
{
    return error == 0 ? "no error" : kw_error_name((enum kw_error)error);
}

const char *sim_error_message(int32_t error)
{
    return error == 0 ? "" : kw_error_message((enum kw_error)error);
}

/* Text that is cut to fit, never within a UTF-8 character. */
struct text {
    char *bytes;
    size_t capacity_bytes;
    size_t length_bytes;
};

static void add(struct text *text, const char *more, size_t more_bytes)
{
    size_t room_bytes = text->capacity_bytes - 1 - text->length_bytes;
    if (more_bytes > room_bytes) {
        more_bytes = room_bytes;
        while (more_bytes > 0 && ((unsigned char)more[more_bytes] & 0xc0) == 0x80) {
            more_bytes--;
        }
        text->capacity_bytes = text->length_bytes + more_bytes + 1; /* nothing fits behind a cut */
    }
    memcpy(text->bytes + text->length_bytes, more, more_bytes);
    text->length_bytes += more_bytes;
    text->bytes[text->length_bytes] = '\0';
}

static void add_text(struct text *text, const char *more)
{
    add(text, more, strlen(more));
}

static void add_number(struct text *text, int64_t value)
{
    char digits[24];
    int length_bytes = snprintf(digits, sizeof digits, "%" PRId64, value);
    add(text, digits, (size_t)length_bytes);
}

static void add_mask(struct text *text, enum kb_field_type type, uint32_t mask)
{
    bool first = true;
    for (uint32_t bit = 0; bit < 32; bit++) {
        const char *name = (mask >> bit & 1) != 0 ? kb_field_value_name(type, bit) : NULL;
        if (name != NULL) {
            add_text(text, first ? "" : " + ");
            add_text(text, name);
            first = false;
        }
    }
    if (first) {
        add_text(text, "no reason");
    }
}

static size_t text16_bytes(const struct kb_text16 *beginning)
{
    const char *end = memchr(beginning->bytes, '\0', sizeof beginning->bytes);
    return end != NULL ? (size_t)(end - beginning->bytes) : sizeof beginning->bytes;
}

/* A beginning of a key: it may have been cut within a character, and may be no text at all. */
static void add_text16(struct text *text, const struct kb_text16 *beginning)
{
    size_t length_bytes = text16_bytes(beginning);
    bool cut = length_bytes == sizeof beginning->bytes;
    if (length_bytes == 0) {
        add_text(text, "none");
        return;
    }
    add_text(text, "\"");
    for (size_t i = 0; i < length_bytes; i++) {
        unsigned char byte = (unsigned char)beginning->bytes[i];
        if (byte < 0x20 || byte == 0x7f) {
            char escaped[8];
            int escaped_bytes = snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            add(text, escaped, (size_t)escaped_bytes);
        } else if (byte < 0x80) {
            add(text, &beginning->bytes[i], 1);
        } else {
            size_t character_bytes = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            if (byte < 0xc2 || i + character_bytes > length_bytes) {
                add_text(text, "?");
            } else {
                add(text, &beginning->bytes[i], character_bytes);
                i += character_bytes - 1;
            }
        }
    }
    add_text(text, cut ? "…\"" : "\"");
}

static void add_field(const struct sim_event_log *log, const struct kb_event *event,
                      const struct kb_event_field *field, struct text *text)
{
    if (field->type == KB_FIELD_TEXT16) {
        struct kb_text16 beginning;
        memcpy(&beginning, (const char *)event + field->offset_bytes, sizeof beginning);
        add_text16(text, &beginning);
        return;
    }
    int64_t value = kb_event_field_value(event, field);
    const char *word;
    switch (field->type) {
    case KB_FIELD_NAME:
        add_text(text, sim_event_log_name(log, (uint32_t)value));
        return;
    case KB_FIELD_ERROR:
        add_text(text, sim_error_name((int32_t)value));
        return;
    case KB_FIELD_API:
        add_text(text, sim_api_name((int32_t)value));
        return;
    case KB_FIELD_LEFT:
    case KB_FIELD_HELD:
        add_mask(text, field->type, (uint32_t)value);
        return;
    case KB_FIELD_I32:
    case KB_FIELD_I64:
    case KB_FIELD_U32:
        add_number(text, value);
        return;
    case KB_FIELD_PARTITION_WHY:
    case KB_FIELD_CLOSE_WHY:
    case KB_FIELD_WAIT:
    case KB_FIELD_CALL:
    case KB_FIELD_SENDER_STATE:
    case KB_FIELD_CONNECTION_STATE:
    case KB_FIELD_METADATA_WHY:
    case KB_FIELD_TXN_STATE:
    case KB_FIELD_ELECTION_WHY:
    case KB_FIELD_COORDINATOR_STATE:
    case KB_FIELD_MARKER:
    case KB_FIELD_POSITION_WHY:
    case KB_FIELD_MEMBER_STATE:
    case KB_FIELD_FAULT_KIND:
    case KB_FIELD_FAULT_POINT:
        word = kb_field_value_text(field->type, value);
        add_text(text, word != NULL ? word : "?");
        return;
    case KB_FIELD_TEXT16:
        return;
    }
}

static struct text begin(char *bytes, size_t capacity_bytes)
{
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .capacity_bytes = capacity_bytes};
}

size_t sim_event_field_text(const struct sim_event_log *log, const struct kb_event *event,
                            const struct kb_event_field *field, char *bytes, size_t capacity_bytes)
{
    struct text text = begin(bytes, capacity_bytes);
    add_field(log, event, field, &text);
    return text.length_bytes;
}

static const struct kb_event_field *find_field(const struct kb_event_info *info, const char *name,
                                               size_t name_bytes)
{
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (strncmp(info->fields[i].name, name, name_bytes) == 0 &&
            info->fields[i].name[name_bytes] == '\0') {
            return &info->fields[i];
        }
    }
    return NULL;
}

/* Who is at the other end of a cut link. */
static void add_other_end(const struct sim_event_log *log, struct text *text, int32_t other)
{
    /* As the engine names them. */
    enum { FIRST_CONSUMER = -1001, CONSUMERS = -5, CLUSTER = -4, EVERYBODY = -3, PRODUCERS = -2 };
    if (other >= 0) {
        add_text(text, "broker ");
        add_number(text, other);
    } else {
        uint32_t consumer = other <= FIRST_CONSUMER ? (uint32_t)(FIRST_CONSUMER - other) : SIM_CONSUMERS_MAX;
        add_text(text, other == PRODUCERS             ? "the producers"
                       : other == CONSUMERS           ? "the consumers"
                       : other == CLUSTER             ? "the rest of the cluster"
                       : consumer < SIM_CONSUMERS_MAX ? sim_event_log_info_view(log)->consumers[consumer].name
                                                      : "everybody");
    }
}

/* "broker 3" in the midst of two halves of a sentence. */
static void add_about_broker(struct text *text, const char *before, int32_t broker, const char *after)
{
    add_text(text, before);
    add_number(text, broker);
    add_text(text, after);
}

static void add_delay(struct text *text, const struct kb_event_fault *fault, const char *what)
{
    add_about_broker(text, "broker ", fault->broker, " ");
    add_text(text, what);
    if (fault->ms == 0) {
        add_text(text, " at once again");
        return;
    }
    add_text(text, " ");
    add_number(text, fault->ms);
    add_text(text, " ms late from now on");
}

/* "orders-0"; "a batch" where no partition is meant. */
static void add_partition(const struct sim_event_log *log, uint32_t topic, int32_t partition,
                          struct text *text)
{
    if (topic == 0 && partition < 0) {
        add_text(text, "a batch");
        return;
    }
    add_text(text, topic != 0 ? sim_event_log_name(log, topic) : "partition ");
    if (partition >= 0) {
        add_text(text, topic != 0 ? "-" : "");
        add_number(text, partition);
    }
}

/* Where in the life of a request. */
static void add_point(const struct sim_event_log *log, int32_t point, int32_t api, uint32_t topic,
                      int32_t partition, struct text *text)
{
    static const struct {
        const char *before;
        const char *after;
        bool is_batch;
    } words[] = {
        [KB_FAULT_POINT_NONE] = {"", "", false},
        [KB_FAULT_POINT_REQUEST_CUT] = {" when half of a ", " request had arrived", false},
        [KB_FAULT_POINT_REQUEST_RECEIVED] = {" on receipt of a ", " request", false},
        [KB_FAULT_POINT_BEFORE_APPEND] = {" before append of ", "", true},
        [KB_FAULT_POINT_AFTER_APPEND] = {" after append of ", ", before replication", true},
        [KB_FAULT_POINT_AFTER_REPLICATION] = {" after replication of a ", " request, before its response",
                                              false},
        [KB_FAULT_POINT_BEFORE_RESPONSE] = {" before the response to a ", " request", false},
        [KB_FAULT_POINT_RESPONSE_CUT] = {" in the midst of the response to a ", " request", false},
    };
    if (point <= KB_FAULT_POINT_NONE || point >= (int32_t)(sizeof words / sizeof words[0])) {
        return;
    }
    add_text(text, words[point].before);
    if (words[point].is_batch) {
        add_partition(log, topic, partition, text);
    } else {
        add_text(text, sim_api_name(api));
    }
    add_text(text, words[point].after);
}

/* A fault that waited for a request has struck. */
static void add_hit(const struct sim_event_log *log, const struct kb_event_fault *fault, struct text *text)
{
    add_about_broker(text, "broker ", fault->broker, "");
    switch ((int)fault->fault) {
    case KB_FAULT_KIND_KILL:
        add_text(text, " crashed");
        break;
    case KB_FAULT_KIND_SHUTDOWN:
        add_text(text, " is told to shut down");
        break;
    case KB_FAULT_KIND_FREEZE:
        add_text(text, " stalls");
        break;
    case KB_FAULT_KIND_CUT:
        add_text(text, " is cut off from ");
        add_other_end(log, text, fault->other);
        break;
    case KB_FAULT_KIND_DISCONNECT:
        add_text(text, " lost the connection");
        break;
    case KB_FAULT_KIND_DROP_REQUEST:
        add_text(text, " drops a request");
        break;
    default:
        add_text(text, " gives up a request");
        break;
    }
    add_point(log, fault->point, fault->api, fault->topic, fault->partition, text);
}

static void add_corruption(const struct sim_event_log *log, const struct kb_event_fault *fault,
                           struct text *text)
{
    enum { FETCH = 1 };
    add_text(text, fault->topic != 0 || fault->partition >= 0 ? "a batch of " : "");
    add_partition(log, fault->topic, fault->partition, text);
    add_text(text, " is damaged on its way ");
    if (fault->api == FETCH) {
        add_about_broker(text, "from broker ", fault->other, " to follower ");
    } else {
        add_text(text, "to broker ");
    }
    add_number(text, fault->broker);
}

/* What it will do, "kill broker 2". */
static void add_plan(const struct sim_event_log *log, const struct kb_event_fault_armed *armed,
                     struct text *text)
{
    enum { FETCH = 1 };
    static const struct {
        int32_t fault;
        const char *words;
        bool at; /* it is done at the broker, not to it */
    } plans[] = {
        {KB_FAULT_KIND_KILL, "kill", false},
        {KB_FAULT_KIND_SHUTDOWN, "shut down", false},
        {KB_FAULT_KIND_FREEZE, "freeze", false},
        {KB_FAULT_KIND_CUT, "cut off", false},
        {KB_FAULT_KIND_DISCONNECT, "end a connection", true},
        {KB_FAULT_KIND_DROP_REQUEST, "drop a request", true},
        {KB_FAULT_KIND_DROP_RESPONSE, "drop a response", true},
        {KB_FAULT_KIND_DELAY_RESPONSE, "delay a response", true},
        {KB_FAULT_KIND_THROTTLE, "throttle a client", true},
        {KB_FAULT_KIND_ERROR, "answer with an error", true},
        {KB_FAULT_KIND_CORRUPT_BATCH, "damage a batch on its way", true},
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (plans[i].fault != armed->fault) {
            continue;
        }
        add_text(text, plans[i].words);
        if (armed->fault == KB_FAULT_KIND_CORRUPT_BATCH) {
            add_text(text, armed->api == FETCH ? " to follower" : " to broker");
            add_text(text, armed->broker >= 0 ? " " : armed->api == FETCH ? "s" : "s that lead");
        } else if (armed->broker >= 0) {
            add_text(text, plans[i].at ? " at broker " : " broker ");
        } else {
            add_text(text, plans[i].at ? "" : " the broker");
        }
        if (armed->broker >= 0) {
            add_number(text, armed->broker);
        }
        if (armed->fault == KB_FAULT_KIND_CUT) {
            add_text(text, " from ");
            add_other_end(log, text, armed->other);
        }
    }
}

static void add_armed(const struct sim_event_log *log, const struct kb_event_fault_armed *armed,
                      struct text *text)
{
    bool is_batch =
        armed->point == KB_FAULT_POINT_BEFORE_APPEND || armed->point == KB_FAULT_POINT_AFTER_APPEND;
    add_text(text, "waiting to ");
    add_plan(log, armed, text);
    add_point(log, armed->point, armed->api, armed->topic, armed->partition, text);
    if (!is_batch && (armed->topic != 0 || armed->partition >= 0)) {
        add_text(text, ", of ");
        add_partition(log, armed->topic, armed->partition, text);
    }
    if (armed->client != 0) {
        add_text(text, ", from ");
        add_text(text, sim_event_log_name(log, armed->client));
    }
    if (armed->skip > 0) {
        add_text(text, ", after ");
        add_number(text, armed->skip);
        add_text(text, " others");
    }
    if (armed->count > 1) {
        add_text(text, ", ");
        add_number(text, armed->count);
        add_text(text, " times");
    }
}

/* A fault of one kind takes other words than one of another: a template would name what it does not have. */
static void add_fault(const struct sim_event_log *log, const struct kb_event_fault *fault, struct text *text)
{
    if (fault->point != KB_FAULT_POINT_NONE) {
        add_hit(log, fault, text);
        return;
    }
    switch ((enum kb_fault_kind)fault->fault) {
    case KB_FAULT_KIND_KILL:
        add_about_broker(text, "broker ", fault->broker, " is killed");
        return;
    case KB_FAULT_KIND_SHUTDOWN:
        add_about_broker(text, "broker ", fault->broker, " is told to shut down");
        return;
    case KB_FAULT_KIND_RESTART:
        add_about_broker(text, "broker ", fault->broker, " is started again");
        return;
    case KB_FAULT_KIND_FREEZE:
        add_about_broker(text, "the process of broker ", fault->broker, " stalls");
        return;
    case KB_FAULT_KIND_THAW:
        add_about_broker(text, "the process of broker ", fault->broker, " goes on");
        return;
    case KB_FAULT_KIND_SLOW_REPLICA:
        add_delay(text, fault, "fetches");
        return;
    case KB_FAULT_KIND_SLOW_DISK:
        add_delay(text, fault, "writes");
        return;
    case KB_FAULT_KIND_CUT:
    case KB_FAULT_KIND_HEAL:
        add_about_broker(text, "broker ", fault->broker,
                         fault->fault == KB_FAULT_KIND_CUT ? " is cut off from " : " is joined again with ");
        add_other_end(log, text, fault->other);
        return;
    case KB_FAULT_KIND_DISCONNECT:
        add_about_broker(text, "broker ", fault->broker, " closes the connections of its clients");
        return;
    case KB_FAULT_KIND_MOVE_LEADER:
        add_about_broker(text, "broker ", fault->broker, " is to lead ");
        add_text(text, sim_event_log_name(log, fault->topic));
        add_text(text, "-");
        add_number(text, fault->partition);
        return;
    case KB_FAULT_KIND_DROP_RESPONSE:
    case KB_FAULT_KIND_DROP_REQUEST:
    case KB_FAULT_KIND_DELAY_RESPONSE:
    case KB_FAULT_KIND_ERROR:
    case KB_FAULT_KIND_ADD_PARTITIONS:
    case KB_FAULT_KIND_THROTTLE:
        break;
    case KB_FAULT_KIND_CORRUPT_BATCH:
        add_corruption(log, fault, text);
        return;
    }
    add_text(text, kb_field_value_text(KB_FIELD_FAULT_KIND, fault->fault));
    if (fault->broker >= 0) {
        add_about_broker(text, " at broker ", fault->broker, "");
    }
    if (fault->topic != 0) {
        add_text(text, ", ");
        add_text(text, sim_event_log_name(log, fault->topic));
    }
    if (fault->topic != 0 && fault->partition >= 0) {
        add_text(text, "-");
        add_number(text, fault->partition);
    }
    if (fault->ms > 0) {
        add_text(text, ", ");
        add_number(text, fault->ms);
        add_text(text, " ms");
    }
}

size_t sim_event_sentence(const struct sim_event_log *log, const struct kb_event *event, char *bytes,
                          size_t capacity_bytes)
{
    struct text text = begin(bytes, capacity_bytes);
    const struct kb_event_info *info = kb_event_info(event->kind);
    if (event->kind == KB_EVENT_FAULT) {
        add_fault(log, &event->as.fault, &text);
        return text.length_bytes;
    }
    if (event->kind == KB_EVENT_FAULT_ARMED) {
        add_armed(log, &event->as.fault_armed, &text);
        return text.length_bytes;
    }
    const char *rest = info->sentence;
    for (const char *open; (open = strchr(rest, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        const struct kb_event_field *field =
            close != NULL ? find_field(info, open + 1, (size_t)(close - open - 1)) : NULL;
        if (field == NULL) {
            break;
        }
        add(&text, rest, (size_t)(open - rest));
        add_field(log, event, field, &text);
        rest = close + 1;
    }
    add_text(&text, rest);
    return text.length_bytes;
}
