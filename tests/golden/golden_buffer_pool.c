#include "golden.h"

#include "core/buffer_pool.h"

#include <string.h>

enum { TOTAL_MAX_BYTES = 1 << 20, MS_MAX = 1000000 };

/* An allocation of the trace, by the order of the allocate operations. */
struct allocation {
    int64_t id;
    struct kp_memory_waiter waiter;
    struct kp_buffer *buffer; /* while it is taken */
};

/* Which allocation had a buffer last. */
struct ownership {
    const struct kp_buffer *buffer;
    int64_t id;
};

struct replay {
    struct golden_case *golden;
    struct linger_allocator allocator;
    struct kp_buffer_pool pool;
    struct allocation *allocations;
    int count;
    struct ownership *owners;
    int owner_count;
    int64_t now_ms;
};

/* Memory is never used again, so that an address says which buffer it is. */
static void *allocate(void *context, size_t size_bytes)
{
    return golden_allocate(context, size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)memory;
    (void)size_bytes;
}

static void add_owner(struct replay *replay, cJSON *out, const struct kp_buffer *buffer, int64_t id)
{
    struct ownership *owner = NULL;
    for (int i = 0; i < replay->owner_count; i++) {
        if (replay->owners[i].buffer == buffer) {
            owner = &replay->owners[i];
        }
    }
    if (owner == NULL) {
        json_add(out, "reuses", cJSON_CreateNull());
        owner = &replay->owners[replay->owner_count++];
        owner->buffer = buffer;
    } else {
        json_add_integer(out, "reuses", owner->id);
    }
    owner->id = id;
}

static void add_result(struct replay *replay, cJSON *out, struct allocation *allocation,
                       enum kp_pool_result result, struct kp_buffer *buffer, const struct kp_failure *failure)
{
    static const char *const names[] = {[KP_POOL_OK] = "ok",
                                        [KP_POOL_BLOCKED] = "blocked",
                                        [KP_POOL_TOO_LARGE] = "too_large",
                                        [KP_POOL_EXHAUSTED] = "exhausted",
                                        [KP_POOL_CLOSED] = "closed",
                                        [KP_POOL_NO_MEMORY] = "no_memory"};
    json_add_text(out, "result", names[result]);
    if (result == KP_POOL_OK) {
        allocation->buffer = buffer;
        json_add_integer(out, "buffer_capacity", buffer->capacity_bytes);
        add_owner(replay, out, buffer, allocation->id);
    } else if (result != KP_POOL_BLOCKED) {
        json_add_text(out, "exception", failure->thrown.exception);
        json_add_text(out, "message", failure->thrown.message);
    }
}

/* Let those go on that can, until nobody can. after_ms < 0: not told. */
static void run_waiters(struct replay *replay, cJSON *unblocked, int64_t after_ms)
{
    for (int i = 0; i < replay->count; i++) {
        struct allocation *allocation = &replay->allocations[i];
        if (!kp_memory_waiter_is_runnable(&allocation->waiter, replay->now_ms)) {
            continue;
        }
        struct kp_buffer *buffer;
        struct kp_failure failure;
        kp_failure_clear(&failure);
        enum kp_pool_result result =
            kp_buffer_pool_resume(&replay->pool, &allocation->waiter, replay->now_ms, &buffer, &failure);
        if (result != KP_POOL_BLOCKED) {
            cJSON *ended = cJSON_CreateObject();
            json_add_integer(ended, "id", allocation->id);
            add_result(replay, ended, allocation, result, buffer, &failure);
            if (after_ms >= 0) {
                json_add_integer(ended, "after_ms", after_ms);
            }
            json_add(unblocked, NULL, ended);
        }
        i = -1; /* whoever it signalled may stand before it */
    }
}

static struct allocation *find_allocation(struct replay *replay, int64_t id)
{
    for (int i = 0; i < replay->count; i++) {
        if (replay->allocations[i].id == id) {
            return &replay->allocations[i];
        }
    }
    return NULL;
}

static void replay_allocate(struct replay *replay, const cJSON *op, cJSON *out)
{
    int64_t id = golden_integer(replay->golden, op, "id");
    int64_t size_bytes = golden_integer_in(replay->golden, op, "size", 1, TOTAL_MAX_BYTES);
    int64_t max_block_ms = golden_integer_in(replay->golden, op, "max_block_ms", 0, MS_MAX);
    json_add_integer(out, "id", id);
    json_add_integer(out, "size", size_bytes);
    json_add_integer(out, "max_block_ms", max_block_ms);
    struct allocation *allocation = &replay->allocations[replay->count++];
    allocation->id = id;
    struct kp_buffer *buffer;
    struct kp_failure failure;
    kp_failure_clear(&failure);
    enum kp_pool_result result =
        kp_buffer_pool_allocate(&replay->pool, (uint32_t)size_bytes, max_block_ms, replay->now_ms,
                                &allocation->waiter, &buffer, &failure);
    add_result(replay, out, allocation, result, buffer, &failure);
    cJSON *unblocked = cJSON_CreateArray();
    run_waiters(replay, unblocked, -1);
    if (cJSON_GetArraySize(unblocked) > 0 || json_member(op, "unblocked") != NULL) {
        json_add(out, "unblocked", unblocked);
    } else {
        cJSON_Delete(unblocked);
    }
}

static void replay_deallocate(struct replay *replay, const cJSON *op, cJSON *out)
{
    int64_t id = golden_integer(replay->golden, op, "id");
    int64_t size_bytes = golden_integer_in(replay->golden, op, "size", 0, TOTAL_MAX_BYTES);
    struct allocation *allocation = find_allocation(replay, id);
    if (allocation == NULL || allocation->buffer == NULL || size_bytes > allocation->buffer->capacity_bytes) {
        golden_fail(replay->golden, "nothing to deallocate");
        return;
    }
    json_add_integer(out, "id", id);
    json_add_integer(out, "size", size_bytes);
    kp_buffer_pool_deallocate(&replay->pool, allocation->buffer, (uint32_t)size_bytes);
    allocation->buffer = NULL;
    cJSON *unblocked = cJSON_CreateArray();
    json_add(out, "unblocked", unblocked);
    run_waiters(replay, unblocked, -1);
}

static void replay_advance(struct replay *replay, const cJSON *op, cJSON *out)
{
    int64_t ms = golden_integer_in(replay->golden, op, "ms", 0, MS_MAX);
    json_add_integer(out, "ms", ms);
    cJSON *unblocked = cJSON_CreateArray();
    json_add(out, "unblocked", unblocked);
    for (int64_t passed_ms = 1; passed_ms <= ms; passed_ms++) {
        replay->now_ms++;
        run_waiters(replay, unblocked, passed_ms);
    }
}

static void replay_op(struct replay *replay, const cJSON *op, cJSON *out)
{
    const char *name = golden_text(replay->golden, op, "op");
    json_add_text(out, "op", name);
    if (strcmp(name, "allocate") == 0) {
        replay_allocate(replay, op, out);
    } else if (strcmp(name, "deallocate") == 0) {
        replay_deallocate(replay, op, out);
    } else if (strcmp(name, "advance") == 0) {
        replay_advance(replay, op, out);
    } else if (strcmp(name, "close") == 0) {
        kp_buffer_pool_close(&replay->pool);
        cJSON *unblocked = cJSON_CreateArray();
        json_add(out, "unblocked", unblocked);
        run_waiters(replay, unblocked, -1);
    } else {
        golden_fail(replay->golden, "unknown operation %s", name);
    }
    json_add_integer(out, "available", kp_buffer_pool_available_bytes(&replay->pool));
    json_add_integer(out, "unallocated", replay->pool.unallocated_bytes);
    json_add_integer(out, "queued", replay->pool.waiter_count);
    json_add_integer(out, "free_size", replay->pool.free_count);
    if (golden_is_ok(replay->golden)) {
        kp_buffer_pool_check(&replay->pool);
    }
}

void golden_check_buffer_pool(struct golden_case *golden, const cJSON *row)
{
    const cJSON *ops = golden_array(golden, row, "ops");
    size_t op_count = (size_t)cJSON_GetArraySize(ops);
    struct replay replay = {.golden = golden, .allocator = {golden, allocate, release}};
    replay.allocations = golden_allocate(golden, (op_count + 1) * sizeof *replay.allocations);
    replay.owners = golden_allocate(golden, (op_count + 1) * sizeof *replay.owners);
    int64_t total_bytes = golden_integer_in(golden, row, "total", 1, TOTAL_MAX_BYTES);
    int64_t poolable_bytes = golden_integer_in(golden, row, "poolable", 1, TOTAL_MAX_BYTES);
    kp_buffer_pool_init(&replay.pool, &replay.allocator, NULL, total_bytes, (uint32_t)poolable_bytes);
    cJSON *actual = golden_new_object(golden);
    json_add_text(actual, "name", golden_text(golden, row, "name"));
    json_add_integer(actual, "total", total_bytes);
    json_add_integer(actual, "poolable", poolable_bytes);
    cJSON *done = cJSON_CreateArray();
    json_add(actual, "ops", done);
    const cJSON *op = NULL;
    cJSON_ArrayForEach(op, ops)
    {
        if (!golden_is_ok(golden)) {
            return;
        }
        cJSON *out = cJSON_CreateObject();
        json_add(done, NULL, out);
        replay_op(&replay, op, out);
    }
    golden_compare(golden, "", row, actual);
}
