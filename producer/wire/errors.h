/**
 * Every error of the protocol and of this library, in one table: errors.def.
 *
 * Kafka's errors keep Kafka's numbers, so that a code read from the wire is an enum kw_error; local errors
 * are below -100 and never travel.
 *
 * Kafka: org.apache.kafka.common.protocol.Errors (3.0.0: codes -1 to 105).
 */
#ifndef KW_ERRORS_H
#define KW_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

enum kw_error {
#define KW_ERROR_ROW(code, name, exception, retriable, refreshes_metadata, message) KW_ERROR_##name = (code),
#include "wire/errors.def"
#undef KW_ERROR_ROW
};

/** One row of the table. All text is static. */
struct kw_error_info {
    enum kw_error error;
    /** As in Kafka's enumeration, e.g. "NOT_LEADER_OR_FOLLOWER". */
    const char *name;
    /** Class of the Java client, without package, e.g. "NotLeaderOrFollowerException"; "" where there is
     * none. */
    const char *exception;
    /** The exception's default text; "" for NONE. Kafka: Errors.message (which answers "NONE" there). */
    const char *message;
    /** The exception extends RetriableException. */
    bool retriable;
    /** The exception extends InvalidMetadataException: the client asks for metadata, even when it does not
     * retry. */
    bool refreshes_metadata;
};

/**
 * The error of a code that came over the wire. One that 3.0.0 does not know is UNKNOWN_SERVER_ERROR, and so
 * is one in the range of the local errors. Kafka: Errors.forCode.
 */
enum kw_error kw_error_from_code(int16_t code);

/** The row of an error, valid forever; the row of UNKNOWN_SERVER_ERROR for a number that is no error. */
const struct kw_error_info *kw_error_info(enum kw_error error);

/** Columns of kw_error_info(error). */
const char *kw_error_name(enum kw_error error);
const char *kw_error_exception(enum kw_error error);
const char *kw_error_message(enum kw_error error);
bool kw_error_is_retriable(enum kw_error error);
bool kw_error_refreshes_metadata(enum kw_error error);

/** The error of a name, e.g. from a scenario file: true and *error, or false when there is none of that name.
 */
bool kw_error_find(const char *name, enum kw_error *error);

#endif
