/*
 * The doubles of a configuration. They belong to SASL settings without effect here and reach no decision of
 * the simulator except whether a value is refused, so the host's own conversions may be used.
 */
#include "core/producer_config_text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const char *text, const char *characters)
{
    return strspn(text, characters);
}

/** FloatingPointLiteral's digits, one point at most; false when there is no digit. */
static bool skip_digits(const char **text, const char *characters)
{
    size_t whole = count_of(*text, characters);
    *text += whole;
    size_t fraction = 0;
    if (**text == '.') {
        fraction = count_of(*text + 1, characters);
        *text += 1 + fraction;
    }
    return whole + fraction > 0;
}

static bool skip_exponent(const char **text)
{
    *text += 1;
    if (**text == '+' || **text == '-') {
        *text += 1;
    }
    size_t digits = count_of(*text, "0123456789");
    *text += digits;
    return digits > 0;
}

/** Double.valueOf's grammar: decimal, or hexadecimal with its mandatory exponent; either may end with f, F, d
 * or D. */
static bool is_number(const char *text)
{
    if (*text == '+' || *text == '-') {
        text++;
    }
    bool is_ok;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        is_ok = skip_digits(&text, "0123456789abcdefABCDEF") && (*text == 'p' || *text == 'P') &&
                skip_exponent(&text);
    } else {
        is_ok = skip_digits(&text, "0123456789");
        if (is_ok && (*text == 'e' || *text == 'E')) {
            is_ok = skip_exponent(&text);
        }
    }
    if (*text != '\0' && strchr("fFdD", *text) != NULL) {
        text++;
    }
    return is_ok && *text == '\0';
}

bool kp_text_parse_double(char *text, double *out)
{
    const char *unsigned_text = text + (*text == '+' || *text == '-');
    bool is_named = strcmp(unsigned_text, "NaN") == 0 || strcmp(unsigned_text, "Infinity") == 0;
    if (!is_named && !is_number(text)) {
        return false;
    }
    /* strtod() reads the point of the program's locale. */
    char *point = strchr(text, '.');
    const char *local_point = localeconv()->decimal_point;
    if (point != NULL && strlen(local_point) == 1) {
        *point = *local_point;
    }
    *out = strtod(text, NULL);
    return true;
}

/** The digits and the decimal exponent of the shortest text that reads back as value. */
static int shortest_digits(double value, char digits[20])
{
    char text[KP_TEXT_DOUBLE_BYTES];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    size_t count = 0;
    const char *mark = strchr(text, 'e');
    for (const char *from = text; from < mark; from++) {
        if (*from >= '0' && *from <= '9' && count < 19) {
            digits[count++] = *from;
        }
    }
    digits[count] = '\0';
    return (int)strtol(mark + 1, NULL, 10);
}

/** Minus zero has a sign too. */
static bool is_negative(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 != 0;
}

void kp_text_format_double(double value, char out[KP_TEXT_DOUBLE_BYTES])
{
    const char *sign = is_negative(value) ? "-" : "";
    double magnitude = value < 0 ? -value : value;
    char digits[20];
    if (magnitude != magnitude) {
        snprintf(out, KP_TEXT_DOUBLE_BYTES, "NaN");
        return;
    }
    if (magnitude > 1.7976931348623157e308) {
        snprintf(out, KP_TEXT_DOUBLE_BYTES, "%sInfinity", sign);
        return;
    }
    int exponent = shortest_digits(magnitude, digits);
    int count = (int)strlen(digits);
    if (magnitude != 0 && (magnitude < 1e-3 || magnitude >= 1e7)) {
        snprintf(out, KP_TEXT_DOUBLE_BYTES, "%s%c.%sE%d", sign, digits[0], count > 1 ? digits + 1 : "0",
                 exponent);
    } else if (exponent < 0) {
        snprintf(out, KP_TEXT_DOUBLE_BYTES, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
    } else {
        int whole = exponent + 1;
        int kept = count < whole ? count : whole;
        snprintf(out, KP_TEXT_DOUBLE_BYTES, "%s%.*s%.*s.%s", sign, kept, digits, whole - kept, "0000000",
                 count > whole ? digits + whole : "0");
    }
}
