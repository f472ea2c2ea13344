#include "core/producer_config_hosts.h"

#include <string.h>

/** The class [0-9a-zA-Z\-%._:] of Utils.HOST_PORT_PATTERN. */
static bool is_host_character(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') ||
           (character != '\0' && strchr("-%._:", character) != NULL);
}

/** Is there a character that the dot of a Java pattern does not match? */
static bool has_line_terminator(struct kp_text_span span)
{
    while (span.length_bytes > 0) {
        size_t length_bytes;
        uint32_t code_point = kp_text_code_point(span, &length_bytes);
        if (code_point == '\n' || code_point == '\r' || (code_point == 0x85 && length_bytes == 2) ||
            code_point == 0x2028 || code_point == 0x2029) {
            return true;
        }
        span.text += length_bytes;
        span.length_bytes -= length_bytes;
    }
    return false;
}

enum kp_host_parse kp_host_parse(const char *url, struct kp_text_span *host, int32_t *port)
{
    /*
     * .*?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+) on the whole text. The digits cannot hold a colon, so the last
     * colon is the one before them; from there backwards everything is determined.
     */
    const char *colon = strrchr(url, ':');
    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return KP_HOST_INVALID_URL;
    }
    const char *end = colon > url && colon[-1] == ']' ? colon - 1 : colon;
    const char *begin = end;
    while (begin > url && is_host_character(begin[-1])) {
        begin--;
    }
    if (has_line_terminator((struct kp_text_span){url, (size_t)(begin - url)})) {
        return KP_HOST_INVALID_URL;
    }
    int64_t number;
    if (!kp_text_parse_integer(kp_text_span_of(colon + 1), 0, INT32_MAX, &number)) {
        return KP_HOST_INVALID_PORT;
    }
    *host = (struct kp_text_span){begin, (size_t)(end - begin)};
    *port = (int32_t)number;
    return KP_HOST_OK;
}

/** sun.net.util.IPAddressUtil.textToNumericFormatV4: one to four decimal parts; the last one fills what is
 * left. */
static bool is_ipv4(const char *text, size_t length_bytes, bool needs_four)
{
    static const int64_t largest_last[] = {0, 0xFFFFFFFF, 0xFFFFFF, 0xFFFF, 0xFF};
    if (length_bytes == 0 || length_bytes > 15) {
        return false;
    }
    int parts = 0;
    int64_t last = 0;
    for (size_t at = 0; at <= length_bytes;) {
        size_t digits = 0;
        int64_t value = 0;
        for (; at + digits < length_bytes && text[at + digits] >= '0' && text[at + digits] <= '9'; digits++) {
            value = value * 10 + (text[at + digits] - '0');
        }
        if (digits == 0 || parts == 4 || (parts > 0 && last > 0xFF)) {
            return false;
        }
        parts++;
        last = value;
        at += digits;
        if (at < length_bytes && text[at] != '.') {
            return false;
        }
        at++;
    }
    return last <= largest_last[parts] && (!needs_four || parts == 4);
}

static bool is_hexadecimal(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
           (character >= 'A' && character <= 'F');
}

/** IPAddressUtil.textToNumericFormatV6: eight groups of four digits, one "::" for zeros, the end perhaps in
 * IPv4. */
static bool is_ipv6(const char *text, size_t length_bytes)
{
    size_t at = 0;
    int groups = 0;
    bool has_gap = false;
    if (length_bytes >= 2 && text[0] == ':' && text[1] == ':') {
        has_gap = true;
        at = 2;
    }
    while (at < length_bytes) {
        size_t digits = 0;
        while (at + digits < length_bytes && is_hexadecimal(text[at + digits])) {
            digits++;
        }
        if (at + digits < length_bytes && text[at + digits] == '.') {
            groups += 2;
            return is_ipv4(text + at, length_bytes - at, true) && (has_gap ? groups < 8 : groups == 8);
        }
        if (digits == 0 || digits > 4) {
            return false;
        }
        groups++;
        at += digits;
        if (at == length_bytes) {
            break;
        }
        if (text[at] != ':' || at + 1 == length_bytes) {
            return false;
        }
        at++;
        if (text[at] == ':') {
            if (has_gap) {
                return false;
            }
            has_gap = true;
            at++;
        }
    }
    return has_gap ? groups < 8 : groups == 8;
}

static bool is_localhost(const char *host)
{
    return kp_text_equals_ignore_case(kp_text_span_of(host), "localhost");
}

bool kp_host_resolves(const struct kp_config_options *options, const char *host)
{
    size_t length_bytes = strlen(host);
    if (length_bytes == 0) {
        return true;
    }
    /* Which network interfaces there are to a scope ("%1", "%eth0") depends on the machine: any will do. */
    size_t address_bytes = strcspn(host, "%");
    bool has_scope = address_bytes < length_bytes;
    bool is_scope_empty = address_bytes + 1 == length_bytes;
    if ((is_hexadecimal(host[0]) || host[0] == ':') && ((!has_scope && is_ipv4(host, length_bytes, false)) ||
                                                        (!is_scope_empty && is_ipv6(host, address_bytes)))) {
        return true;
    }
    if (strchr(host, ':') != NULL) {
        return false;
    }
    return options != NULL && options->can_resolve != NULL ? options->can_resolve(options->context, host)
                                                           : is_localhost(host);
}
