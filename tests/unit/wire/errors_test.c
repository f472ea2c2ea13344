#include "wire/errors.h"

#include "unit.h"

#include <string.h>

/* Codes of 3.0.0 are -1 to 105 without a gap. */
static void knows_every_code(void)
{
    for (int code = -1; code <= 105; code++) {
        CU_ASSERT_EQUAL((int)kw_error_from_code((int16_t)code), code);
        CU_ASSERT_EQUAL((int)kw_error_info((enum kw_error)code)->error, code);
    }
}

static void turns_unknown_codes_into_one(void)
{
    static const int16_t codes[] = {106, INT16_MAX, -2, -100, -101, -113, INT16_MIN};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CU_ASSERT_EQUAL(kw_error_from_code(codes[i]), KW_ERROR_UNKNOWN_SERVER_ERROR);
    }
    CU_ASSERT_STRING_EQUAL(kw_error_name((enum kw_error)4711), "UNKNOWN_SERVER_ERROR");
}

/* Every local error and the columns of each row. */
static void has_complete_rows(void)
{
    static const enum kw_error all[] = {
#define KW_ERROR_ROW(code, name, exception, retriable, refreshes_metadata, message) KW_ERROR_##name,
#include "wire/errors.def"
#undef KW_ERROR_ROW
    };
    int previous = INT16_MIN - 1;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const struct kw_error_info *row = kw_error_info(all[i]);
        enum kw_error found = KW_ERROR_UNKNOWN_SERVER_ERROR;
        /* The search is binary. */
        CU_ASSERT_TRUE((int)all[i] > previous);
        previous = (int)all[i];
        CU_ASSERT_EQUAL(row->error, all[i]);
        CU_ASSERT_TRUE(kw_error_find(row->name, &found));
        CU_ASSERT_EQUAL(found, all[i]);
        CU_ASSERT_TRUE((int)all[i] >= -1 || (int)all[i] < -100);
        bool is_exception = all[i] != KW_ERROR_NONE && all[i] != KW_ERROR_WOULD_BLOCK;
        CU_ASSERT_EQUAL(strlen(row->exception) > 0, is_exception);
        CU_ASSERT_EQUAL(strlen(row->message) > 0, all[i] != KW_ERROR_NONE);
        /* InvalidMetadataException extends RetriableException. */
        CU_ASSERT_TRUE(row->retriable || !row->refreshes_metadata);
    }
}

/* Kafka 3.0.0: Errors.java and the ancestors of each exception. */
static void has_kafkas_columns(void)
{
    static const enum kw_error refreshing[] = {
        KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
        KW_ERROR_LEADER_NOT_AVAILABLE,
        KW_ERROR_NOT_LEADER_OR_FOLLOWER,
        KW_ERROR_REPLICA_NOT_AVAILABLE,
        KW_ERROR_NETWORK_EXCEPTION,
        KW_ERROR_KAFKA_STORAGE_ERROR,
        KW_ERROR_LISTENER_NOT_FOUND,
        KW_ERROR_FENCED_LEADER_EPOCH,
        KW_ERROR_PREFERRED_LEADER_NOT_AVAILABLE,
        KW_ERROR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
        KW_ERROR_ELECTION_NOT_NEEDED,
        KW_ERROR_UNKNOWN_TOPIC_ID,
        KW_ERROR_INCONSISTENT_TOPIC_ID,
    };
    static const enum kw_error retriable_only[] = {
        KW_ERROR_CORRUPT_MESSAGE,
        KW_ERROR_REQUEST_TIMED_OUT,
        KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS,
        KW_ERROR_COORDINATOR_NOT_AVAILABLE,
        KW_ERROR_NOT_COORDINATOR,
        KW_ERROR_NOT_ENOUGH_REPLICAS,
        KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KW_ERROR_NOT_CONTROLLER,
        KW_ERROR_FETCH_SESSION_ID_NOT_FOUND,
        KW_ERROR_INVALID_FETCH_SESSION_EPOCH,
        KW_ERROR_UNKNOWN_LEADER_EPOCH,
        KW_ERROR_OFFSET_NOT_AVAILABLE,
        KW_ERROR_UNSTABLE_OFFSET_COMMIT,
        KW_ERROR_THROTTLING_QUOTA_EXCEEDED,
    };
    enum {
        REFRESHING = sizeof refreshing / sizeof refreshing[0],
        RETRIABLE_ONLY = sizeof retriable_only / sizeof retriable_only[0]
    };
    int refreshing_count = 0;
    int retriable_count = 0;
    for (int code = -1; code <= 105; code++) {
        refreshing_count += kw_error_refreshes_metadata((enum kw_error)code);
        retriable_count += kw_error_is_retriable((enum kw_error)code);
    }
    CU_ASSERT_EQUAL(refreshing_count, REFRESHING);
    CU_ASSERT_EQUAL(retriable_count, REFRESHING + RETRIABLE_ONLY);
    for (size_t i = 0; i < REFRESHING; i++) {
        CU_ASSERT_TRUE(kw_error_refreshes_metadata(refreshing[i]));
    }
    for (size_t i = 0; i < RETRIABLE_ONLY; i++) {
        CU_ASSERT_TRUE(kw_error_is_retriable(retriable_only[i]));
        CU_ASSERT_FALSE(kw_error_refreshes_metadata(retriable_only[i]));
    }
    CU_ASSERT_STRING_EQUAL(kw_error_exception(KW_ERROR_MESSAGE_TOO_LARGE), "RecordTooLargeException");
    CU_ASSERT_STRING_EQUAL(kw_error_exception(KW_ERROR_REQUEST_TIMED_OUT), "TimeoutException");
    CU_ASSERT_STRING_EQUAL(kw_error_message(KW_ERROR_NETWORK_EXCEPTION),
                           "The server disconnected before a response was received.");
    CU_ASSERT_FALSE(kw_error_is_retriable(KW_ERROR_NONE));
}

static void finds_no_unknown_name(void)
{
    enum kw_error error = KW_ERROR_NONE;
    CU_ASSERT_FALSE(kw_error_find("NOT_LEADER", &error));
    CU_ASSERT_FALSE(kw_error_find("", &error));
    CU_ASSERT_EQUAL(error, KW_ERROR_NONE);
}

int main(void)
{
    return unit_main("errors",
                     (struct unit_test[]){{"knows_every_code", knows_every_code},
                                          {"turns_unknown_codes_into_one", turns_unknown_codes_into_one},
                                          {"has_complete_rows", has_complete_rows},
                                          {"has_kafkas_columns", has_kafkas_columns},
                                          {"finds_no_unknown_name", finds_no_unknown_name},
                                          {0}});
}
