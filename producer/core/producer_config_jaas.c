/*
 * The text of sasl.jaas.config: `module flag (name=value)*;`
 * Kafka: JaasConfig, JaasContext.load; Java: StreamTokenizer with Kafka's settings.
 */
#include "core/producer_config_internal.h"

#include <stdio.h>
#include <string.h>

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_CHARACTER };

/** StreamTokenizer: only words and quoted texts have a value (sval). */
struct tokenizer {
    const char *next;
    enum token_kind kind;
    char character;
    /** The value; a longer one is cut, which no module or service name is. */
    char text[160];
};

static bool is_digit(char character)
{
    return (character >= '0' && character <= '9') || character == '.' || character == '-';
}

static bool is_word(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           character == '_' || character == '$' || character == '-' || (unsigned char)character >= 0x80;
}

/** Skip white space and the comments of Java; a single slash begins a comment of one line too. */
static void skip_blanks(struct tokenizer *tokenizer)
{
    const char *next = tokenizer->next;
    while (*next != '\0') {
        if ((unsigned char)*next <= ' ') {
            next++;
        } else if (next[0] == '/' && next[1] == '*') {
            const char *end = strstr(next + 2, "*/");
            next = end != NULL ? end + 2 : next + strlen(next);
        } else if (*next == '/') {
            next += strcspn(next, "\r\n");
        } else {
            break;
        }
    }
    tokenizer->next = next;
}

static void append(struct tokenizer *tokenizer, size_t *length_bytes, char character)
{
    if (*length_bytes + 1 < sizeof tokenizer->text) {
        tokenizer->text[(*length_bytes)++] = character;
        tokenizer->text[*length_bytes] = '\0';
    }
}

/** A character of Java, below 256. */
static uint32_t unescape(const char **next)
{
    char character = *(*next)++;
    if (character >= '0' && character <= '7') {
        uint32_t value = (uint32_t)(character - '0');
        int digits_max = character <= '3' ? 2 : 1;
        for (int i = 0; i < digits_max && **next >= '0' && **next <= '7'; i++) {
            value = value * 8 + (uint32_t)(*(*next)++ - '0');
        }
        return value;
    }
    static const char names[] = "abfnrtv";
    static const char values[] = "\a\b\f\n\r\t\v";
    const char *found = strchr(names, character);
    return (unsigned char)(found != NULL ? values[found - names] : character);
}

static void read_quoted(struct tokenizer *tokenizer, char quote)
{
    size_t length_bytes = 0;
    const char *next = tokenizer->next + 1;
    while (*next != '\0' && *next != quote && *next != '\n' && *next != '\r') {
        char bytes[4] = {*next++};
        size_t count = 1;
        if (bytes[0] == '\\' && *next != '\0') {
            /* What is beyond ASCII stands for itself. */
            bool is_ascii = (unsigned char)*next < 0x80;
            count = is_ascii ? kp_text_encode(unescape(&next), bytes) : 0;
        }
        for (size_t i = 0; i < count; i++) {
            append(tokenizer, &length_bytes, bytes[i]);
        }
    }
    tokenizer->next = *next == quote ? next + 1 : next;
    tokenizer->kind = TOKEN_WORD;
    tokenizer->character = quote;
}

/** True when a number was read; false when a lone '-' is a character. */
static bool read_number(struct tokenizer *tokenizer)
{
    const char *next = tokenizer->next;
    if (*next == '-' && !(next[1] == '.' || (next[1] >= '0' && next[1] <= '9'))) {
        tokenizer->kind = TOKEN_CHARACTER;
        tokenizer->character = '-';
        tokenizer->next = next + 1;
        return false;
    }
    next += *next == '-';
    bool has_point = false;
    while ((*next >= '0' && *next <= '9') || (*next == '.' && !has_point)) {
        has_point |= *next == '.';
        next++;
    }
    tokenizer->next = next;
    tokenizer->kind = TOKEN_NUMBER;
    return true;
}

static enum token_kind next_token(struct tokenizer *tokenizer)
{
    skip_blanks(tokenizer);
    tokenizer->text[0] = '\0';
    tokenizer->character = *tokenizer->next;
    if (*tokenizer->next == '\0') {
        tokenizer->kind = TOKEN_END;
    } else if (is_digit(*tokenizer->next)) {
        (void)read_number(tokenizer);
    } else if (is_word(*tokenizer->next)) {
        size_t length_bytes = 0;
        while (is_word(*tokenizer->next) || is_digit(*tokenizer->next)) {
            append(tokenizer, &length_bytes, *tokenizer->next++);
        }
        tokenizer->kind = TOKEN_WORD;
        tokenizer->character = '\0';
    } else if (*tokenizer->next == '"' || *tokenizer->next == '\'') {
        read_quoted(tokenizer, *tokenizer->next);
    } else {
        tokenizer->kind = TOKEN_CHARACTER;
        tokenizer->next++;
    }
    return tokenizer->kind;
}

static bool is_character(const struct tokenizer *tokenizer, char character)
{
    return tokenizer->kind == TOKEN_CHARACTER && tokenizer->character == character;
}

static bool refuse(struct kp_failure *failure, const char *message)
{
    kp_failure_throw(failure, "IllegalArgumentException", message);
    return false;
}

static bool check_flag(const struct tokenizer *tokenizer, struct kp_failure *failure)
{
    if (tokenizer->kind != TOKEN_WORD) {
        return refuse(failure, "Login module control flag is not available in the JAAS config");
    }
    static const char *const flags[] = {"required", "requisite", "sufficient", "optional"};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (kp_text_equals_ignore_case(kp_text_span_of(tokenizer->text), flags[i])) {
            return true;
        }
    }
    kp_failure_throwf(failure, "IllegalArgumentException",
                      "Invalid login module control flag '%s' in JAAS config", tokenizer->text);
    return false;
}

/** JaasConfig.parseAppConfigurationEntry; the current token is the module. */
static bool parse_entry(struct tokenizer *tokenizer, struct kp_jaas_login *login, struct kp_failure *failure)
{
    bool has_module = tokenizer->kind == TOKEN_WORD && tokenizer->text[0] != '\0';
    snprintf(login->module, sizeof login->module, "%s", tokenizer->text);
    login->has_service_name = false;
    if (next_token(tokenizer) == TOKEN_END) {
        return refuse(failure, "Login module control flag not specified in JAAS config");
    }
    if (!check_flag(tokenizer, failure)) {
        return false;
    }
    while (next_token(tokenizer) != TOKEN_END && !is_character(tokenizer, ';')) {
        char name[sizeof tokenizer->text];
        snprintf(name, sizeof name, "%s", tokenizer->kind == TOKEN_WORD ? tokenizer->text : "null");
        (void)next_token(tokenizer);
        if (!is_character(tokenizer, '=') || next_token(tokenizer) != TOKEN_WORD) {
            kp_failure_throwf(failure, "IllegalArgumentException",
                              "Value not specified for key '%s' in JAAS config", name);
            return false;
        }
        if (strcmp(name, "serviceName") == 0) {
            login->has_service_name = true;
            memcpy(login->service_name, tokenizer->text, sizeof login->service_name);
        }
    }
    if (tokenizer->kind == TOKEN_END) {
        return refuse(failure, "JAAS config entry not terminated by semi-colon");
    }
    /* AppConfigurationEntry refuses a module without a name, without a message. */
    return has_module || refuse(failure, NULL);
}

bool kp_jaas_parse(const char *text, struct kp_jaas_login *login, struct kp_failure *failure)
{
    struct tokenizer tokenizer = {.next = text};
    uint32_t module_count = 0;
    struct kp_jaas_login other;
    while (next_token(&tokenizer) != TOKEN_END) {
        if (!parse_entry(&tokenizer, module_count == 0 ? login : &other, failure)) {
            return false;
        }
        module_count++;
    }
    if (module_count == 0) {
        return refuse(failure, "Login module not specified in JAAS config");
    }
    if (module_count != 1) {
        kp_failure_throwf(failure, "IllegalArgumentException",
                          "JAAS config property contains %u login modules, should be 1 module",
                          (unsigned)module_count);
        return false;
    }
    return true;
}
