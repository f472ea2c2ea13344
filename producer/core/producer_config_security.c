/*
 * What Kafka refuses of the security settings. Nothing is encrypted and nobody logs in here; but a
 * configuration that the Java client would refuse is refused, in the same words. Kafka:
 * ClientUtils.createChannelBuilder, ChannelBuilders, SaslChannelBuilder, DefaultSslEngineFactory.
 */
#include "core/producer_config_internal.h"

#include "core/producer_config_classes.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const struct kp_config *config, enum kp_config_id id)
{
    return kp_config_value_text(config, id);
}

static bool refuse(struct kp_failure *failure, const char *exception, const char *message)
{
    kp_failure_throw(failure, exception, message);
    return false;
}

/** new KafkaException(cause), whose message is cause.toString(). */
static bool wrap(struct kp_failure *failure, const char *package)
{
    char message[KP_FAILURE_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s", failure->thrown.message);
    char exception[KP_FAILURE_EXCEPTION_BYTES];
    snprintf(exception, sizeof exception, "%s", failure->thrown.exception);
    bool has_message = failure->thrown.has_message;
    kp_failure_wrapf(failure, "KafkaException", "%s.%s%s%s", package, exception, has_message ? ": " : "",
                     message);
    return false;
}

/** Is it one of the names, which are separated by spaces? Java compares algorithms without case. */
static bool is_one_of(const char *text, const char *names)
{
    size_t length_bytes = strlen(text);
    for (const char *name = names; *name != '\0';) {
        char one[32];
        size_t name_bytes = strcspn(name, " ");
        snprintf(one, sizeof one, "%.*s", (int)name_bytes, name);
        if (name_bytes == length_bytes && kp_text_equals_ignore_case(kp_text_span_of(text), one)) {
            return true;
        }
        name += name_bytes;
        name += *name == ' ';
    }
    return false;
}

static bool throw_no_algorithm(struct kp_failure *failure, const char *algorithm, const char *service)
{
    kp_failure_throwf(failure, "NoSuchAlgorithmException", "%s %s not available", algorithm, service);
    return wrap(failure, "java.security");
}

static bool can_read(const struct kp_config *config, const char *path)
{
    return config->options.can_read == NULL || config->options.can_read(config->options.context, path);
}

/** FileBasedStore.load and FileBasedPemStore.load of a file that cannot be read. */
static bool check_store_file(const struct kp_config *config, const char *type, const char *path,
                             struct kp_failure *failure)
{
    /* The empty path is the working directory. */
    bool is_directory = path[0] == '\0';
    if (!is_directory && can_read(config, path)) {
        return true;
    }
    kp_failure_throw(failure, is_directory ? "IOException" : "NoSuchFileException",
                     is_directory ? "Is a directory" : path);
    if (type != NULL && strcmp(type, "PEM") == 0) {
        kp_failure_wrapf(failure, "IOException", "Unable to read file %s", path);
        kp_failure_wrapf(failure, "InvalidConfigurationException", "Failed to load PEM SSL keystore %s",
                         path);
    } else {
        kp_failure_wrapf(failure, "KafkaException", "Failed to load SSL keystore %s of type %s", path,
                         type != NULL ? type : "null");
    }
    return false;
}

static bool has_pem(const char *text, const char *what)
{
    return strstr(text, "-----BEGIN") != NULL && strstr(text, what) != NULL;
}

/** createKeystore with ssl.keystore.key. */
static bool check_inline_key(const struct kp_config *config, bool is_pem, struct kp_failure *failure)
{
    static const char class_name[] = "InvalidConfigurationException";
    if (!is_pem) {
        const char *type = text_of(config, KP_KEY_SSL_KEYSTORE_TYPE);
        kp_failure_throwf(failure, class_name,
                          "SSL private key can be specified only for PEM, but key store type is %s.",
                          type != NULL ? type : "null");
        return false;
    }
    if (text_of(config, KP_KEY_SSL_KEYSTORE_CERTIFICATE_CHAIN) == NULL) {
        return refuse(failure, class_name,
                      "SSL private key is specified, but certificate chain is not specified.");
    }
    if (text_of(config, KP_KEY_SSL_KEYSTORE_LOCATION) != NULL) {
        return refuse(failure, class_name,
                      "Both SSL key store location and separate private key are specified.");
    }
    if (text_of(config, KP_KEY_SSL_KEYSTORE_PASSWORD) != NULL) {
        return refuse(failure, class_name,
                      "SSL key store password cannot be specified with PEM format, only key password may be "
                      "specified.");
    }
    if (!has_pem(text_of(config, KP_KEY_SSL_KEYSTORE_KEY), "PRIVATE KEY")) {
        kp_failure_throw(failure, class_name, "No matching PRIVATE KEY entries in PEM file");
        kp_failure_wrap(failure, class_name, "Invalid PEM keystore configs");
        return false;
    }
    return true;
}

/** DefaultSslEngineFactory.createKeystore. */
static bool check_key_store(const struct kp_config *config, struct kp_failure *failure)
{
    static const char class_name[] = "InvalidConfigurationException";
    const char *type = text_of(config, KP_KEY_SSL_KEYSTORE_TYPE);
    const char *path = text_of(config, KP_KEY_SSL_KEYSTORE_LOCATION);
    bool has_password = text_of(config, KP_KEY_SSL_KEYSTORE_PASSWORD) != NULL;
    bool is_pem = type != NULL && strcmp(type, "PEM") == 0;
    if (text_of(config, KP_KEY_SSL_KEYSTORE_KEY) != NULL) {
        return check_inline_key(config, is_pem, failure);
    }
    if (text_of(config, KP_KEY_SSL_KEYSTORE_CERTIFICATE_CHAIN) != NULL) {
        return refuse(failure, class_name,
                      "SSL certificate chain is specified, but private key is not specified");
    }
    if (is_pem && path != NULL) {
        if (has_password) {
            return refuse(failure, class_name,
                          "SSL key store password cannot be specified with PEM format, only key password may "
                          "be specified");
        }
        if (text_of(config, KP_KEY_SSL_KEY_PASSWORD) == NULL) {
            return refuse(failure, class_name,
                          "SSL PEM key store is specified, but key password is not specified.");
        }
        return check_store_file(config, type, path, failure);
    }
    if (path == NULL && has_password) {
        return refuse(failure, class_name,
                      "SSL key store is not specified, but key store password is specified.");
    }
    if (path != NULL && !has_password) {
        return refuse(failure, class_name,
                      "SSL key store is specified, but key store password is not specified.");
    }
    return path == NULL || check_store_file(config, type, path, failure);
}

/** DefaultSslEngineFactory.createTruststore. */
static bool check_trust_store(const struct kp_config *config, struct kp_failure *failure)
{
    static const char class_name[] = "InvalidConfigurationException";
    static const char no_password[] = "SSL trust store password cannot be specified for PEM format.";
    const char *type = text_of(config, KP_KEY_SSL_TRUSTSTORE_TYPE);
    const char *path = text_of(config, KP_KEY_SSL_TRUSTSTORE_LOCATION);
    const char *certificates = text_of(config, KP_KEY_SSL_TRUSTSTORE_CERTIFICATES);
    bool has_password = text_of(config, KP_KEY_SSL_TRUSTSTORE_PASSWORD) != NULL;
    bool is_pem = type != NULL && strcmp(type, "PEM") == 0;
    if (certificates != NULL) {
        if (!is_pem) {
            kp_failure_throwf(
                failure, class_name,
                "SSL trust store certs can be specified only for PEM, but trust store type is %s.",
                type != NULL ? type : "null");
            return false;
        }
        if (path != NULL) {
            return refuse(failure, class_name,
                          "Both SSL trust store location and separate trust certificates are specified.");
        }
        if (has_password) {
            return refuse(failure, class_name, no_password);
        }
        return has_pem(certificates, "CERTIFICATE") ||
               refuse(failure, class_name, "No matching CERTIFICATE entries in PEM file");
    }
    if (is_pem && path != NULL && has_password) {
        return refuse(failure, class_name, no_password);
    }
    if (path == NULL && has_password) {
        return refuse(failure, class_name,
                      "SSL trust store is not specified, but trust store password is specified.");
    }
    return path == NULL || check_store_file(config, type, path, failure);
}

/** DefaultSslEngineFactory.createSSLContext, with the algorithms of a usual Java. */
static bool check_context(const struct kp_config *config, struct kp_failure *failure)
{
    static const char contexts[] =
        "tls tlsv1 tlsv1.1 tlsv1.2 tlsv1.3 ssl sslv3 dtls dtlsv1.0 dtlsv1.2 default";
    static const char *const providers[] = {"SUN",     "SunRsaSign", "SunEC",   "SunJSSE",
                                            "SunJCE",  "SunJGSS",    "SunSASL", "XMLDSig",
                                            "SunPCSC", "JdkLDAP",    "JdkSASL", "SunPKCS11"};
    const char *protocol = text_of(config, KP_KEY_SSL_PROTOCOL);
    const char *provider = text_of(config, KP_KEY_SSL_PROVIDER);
    if (protocol == NULL) {
        kp_failure_throw(failure, "NullPointerException", "null protocol name");
        return wrap(failure, "java.lang");
    }
    if (provider != NULL) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
            is_known |= strcmp(providers[i], provider) == 0;
        }
        if (provider[0] == '\0') {
            kp_failure_throw(failure, "IllegalArgumentException", "missing provider");
            return wrap(failure, "java.lang");
        }
        if (!is_known) {
            kp_failure_throwf(failure, "NoSuchProviderException", "no such provider: %s", provider);
            return wrap(failure, "java.security");
        }
        if (strcmp(provider, "SunJSSE") != 0 || !is_one_of(protocol, contexts)) {
            kp_failure_throwf(failure, "NoSuchAlgorithmException", "no such algorithm: %s for provider %s",
                              protocol, provider);
            return wrap(failure, "java.security");
        }
    } else if (!is_one_of(protocol, contexts)) {
        return throw_no_algorithm(failure, protocol, "SSLContext");
    }
    const char *key_manager = text_of(config, KP_KEY_SSL_KEYMANAGER_ALGORITHM);
    if (key_manager != NULL && !is_one_of(key_manager, "sunx509 newsunx509 pkix")) {
        return throw_no_algorithm(failure, key_manager, "KeyManagerFactory");
    }
    const char *trust_manager = text_of(config, KP_KEY_SSL_TRUSTMANAGER_ALGORITHM);
    if (trust_manager != NULL && !is_one_of(trust_manager, "pkix sunx509 sunpkix x509 x.509")) {
        return throw_no_algorithm(failure, trust_manager, "TrustManagerFactory");
    }
    if (kp_text_equals_ignore_case(kp_text_span_of(protocol), "default")) {
        kp_failure_throw(failure, "KeyManagementException",
                         "Default SSLContext is initialized automatically");
        return wrap(failure, "java.security");
    }
    return true;
}

bool kp_config_check_ssl(const struct kp_config *config, struct kp_failure *failure)
{
    const char *factory = text_of(config, KP_KEY_SSL_ENGINE_FACTORY_CLASS);
    if (factory != NULL &&
        strcmp(factory, "org.apache.kafka.common.security.ssl.DefaultSslEngineFactory") != 0) {
        /* Somebody's own factory checks whatever it likes. */
        return true;
    }
    const char *random = text_of(config, KP_KEY_SSL_SECURE_RANDOM);
    if (random != NULL &&
        !is_one_of(random, "drbg sha1prng nativeprng nativeprngblocking nativeprngnonblocking")) {
        return throw_no_algorithm(failure, random, "SecureRandom");
    }
    return check_key_store(config, failure) && check_trust_store(config, failure) &&
           check_context(config, failure);
}

/** KerberosLogin.getServiceName. */
static bool check_service_name(const struct kp_config *config, const struct kp_jaas_login *login,
                               struct kp_failure *failure)
{
    const char *configured = text_of(config, KP_KEY_SASL_KERBEROS_SERVICE_NAME);
    if (configured == NULL && !login->has_service_name) {
        return refuse(failure, "IllegalArgumentException",
                      "No serviceName defined in either JAAS or Kafka config");
    }
    if (configured != NULL && login->has_service_name && strcmp(configured, login->service_name) != 0) {
        kp_failure_throwf(
            failure, "IllegalArgumentException",
            "Conflicting serviceName values found in JAAS and Kafka configs value in JAAS file %s, "
            "value in Kafka config %s",
            login->service_name, configured);
        return false;
    }
    return true;
}

/** SaslChannelBuilder.configure, as far as it depends on the settings alone. */
static bool check_login(const struct kp_config *config, const struct kp_jaas_login *login,
                        struct kp_failure *failure)
{
    const char *mechanism = text_of(config, KP_KEY_SASL_MECHANISM);
    bool is_own_login = text_of(config, KP_KEY_SASL_LOGIN_CLASS) != NULL;
    if (!is_own_login && strcmp(mechanism, "GSSAPI") == 0 && !check_service_name(config, login, failure)) {
        return wrap(failure, "java.lang");
    }
    struct kp_java_class module;
    if (!is_own_login && !kp_java_class_find(&config->options, login->module, &module)) {
        kp_failure_throwf(failure, "LoginException", "No LoginModule found for %s", login->module);
        return wrap(failure, "javax.security.auth.login");
    }
    return true;
}

static bool check_sasl(const struct kp_config *config, const char *protocol, struct kp_failure *failure)
{
    if (text_of(config, KP_KEY_SASL_MECHANISM) == NULL) {
        kp_failure_throwf(
            failure, "IllegalArgumentException",
            "`clientSaslMechanism` must be non-null in client mode if `securityProtocol` is `%s`", protocol);
        return false;
    }
    const char *jaas = text_of(config, KP_KEY_SASL_JAAS_CONFIG);
    if (jaas == NULL) {
        return refuse(failure, "IllegalArgumentException",
                      "Could not find a 'KafkaClient' entry in the JAAS configuration. System property "
                      "'java.security.auth.login.config' is not set");
    }
    struct kp_jaas_login login;
    return kp_jaas_parse(jaas, &login, failure) && check_login(config, &login, failure);
}

bool kp_config_check_security(struct kp_config *config, struct kp_failure *failure)
{
    static const char *const protocols[] = {
        [KP_SECURITY_PLAINTEXT] = "PLAINTEXT",
        [KP_SECURITY_SSL] = "SSL",
        [KP_SECURITY_SASL_PLAINTEXT] = "SASL_PLAINTEXT",
        [KP_SECURITY_SASL_SSL] = "SASL_SSL",
    };
    const char *given = text_of(config, KP_KEY_SECURITY_PROTOCOL);
    if (given == NULL) {
        return refuse(failure, "NullPointerException",
                      "Cannot invoke \"String.toUpperCase(java.util.Locale)\" because \"name\" is null");
    }
    char upper[KP_FAILURE_MESSAGE_BYTES];
    const char *name = kp_text_to_upper_case(kp_text_span_of(given), upper, sizeof upper) ? upper : given;
    size_t protocol = 0;
    while (protocol < sizeof protocols / sizeof protocols[0] && strcmp(protocols[protocol], name) != 0) {
        protocol++;
    }
    if (protocol == sizeof protocols / sizeof protocols[0]) {
        kp_failure_throwf(failure, "IllegalArgumentException",
                          "No enum constant org.apache.kafka.common.security.auth.SecurityProtocol.%s", name);
        return false;
    }
    config->resolved.security_protocol = (enum kp_security_protocol)protocol;
    bool is_sasl = protocol == KP_SECURITY_SASL_PLAINTEXT || protocol == KP_SECURITY_SASL_SSL;
    if (is_sasl && !check_sasl(config, name, failure)) {
        return false;
    }
    bool is_ssl = protocol == KP_SECURITY_SSL || protocol == KP_SECURITY_SASL_SSL;
    if (!is_ssl || kp_config_check_ssl(config, failure)) {
        return true;
    }
    /* SaslChannelBuilder wraps whatever is thrown; SslChannelBuilder wraps nothing of Kafka's. */
    return is_sasl ? wrap(failure, strcmp(failure->thrown.exception, "KafkaException") == 0
                                       ? "org.apache.kafka.common"
                                       : "org.apache.kafka.common.errors")
                   : false;
}
