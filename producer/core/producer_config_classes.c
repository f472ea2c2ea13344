#include "core/producer_config_classes.h"

#include "base/assert.h"

#include <string.h>

#define CONSTRUCTIBLE      KP_JAVA_CONSTRUCTIBLE
#define ABSTRACT           KP_JAVA_ABSTRACT
#define INTERFACE          KP_JAVA_INTERFACE
#define NO_CONSTRUCTOR     KP_JAVA_NO_CONSTRUCTOR
#define PRIVATE            KP_JAVA_PRIVATE
#define PROTECTED          KP_JAVA_PROTECTED
#define IS_SERIALIZER      KP_CONFIG_ROLE_SERIALIZER
#define IS_PARTITIONER     KP_CONFIG_ROLE_PARTITIONER
#define IS_INTERCEPTOR     KP_CONFIG_ROLE_INTERCEPTOR
#define IS_REPORTER        KP_CONFIG_ROLE_REPORTER
#define IS_SERDE           KP_JAVA_ROLE_SERDE
#define IS_CONFIG_PROVIDER KP_JAVA_ROLE_CONFIG_PROVIDER
#define IS_LOGIN_MODULE    KP_JAVA_ROLE_LOGIN_MODULE

static const struct kp_java_class java_classes[] = {
#define JAVA_CLASS(name, construction, roles) {name, construction, roles},
#include "core/producer_config_classes.def"
#undef JAVA_CLASS
};

bool kp_java_class_find(const struct kp_config_options *options, const char *name, struct kp_java_class *out)
{
    for (size_t i = 0; i < sizeof java_classes / sizeof java_classes[0]; i++) {
        if (strcmp(java_classes[i].name, name) == 0) {
            *out = java_classes[i];
            return true;
        }
    }
    for (size_t i = 0; options != NULL && i < options->class_count; i++) {
        if (strcmp(options->classes[i].name, name) == 0) {
            *out = (struct kp_java_class){options->classes[i].name, KP_JAVA_CONSTRUCTIBLE,
                                          options->classes[i].roles};
            return true;
        }
    }
    return false;
}

/** Java's words for a constructor that may not be called. */
static void throw_illegal_access(const char *name, const char *modifier, struct kp_failure *failure)
{
    bool is_in_base = strncmp(name, "java.", 5) == 0;
    kp_failure_throwf(failure, "IllegalAccessException",
                      "class org.apache.kafka.common.utils.Utils cannot access a member of class %s%s with "
                      "modifiers \"%s\"",
                      name, is_in_base ? " (in module java.base)" : "", modifier);
}

bool kp_java_class_instantiate(const struct kp_java_class *java_class, struct kp_failure *failure)
{
    switch (java_class->construction) {
    case KP_JAVA_CONSTRUCTIBLE:
        return true;
    case KP_JAVA_INTERFACE:
    case KP_JAVA_NO_CONSTRUCTOR:
        kp_failure_throwf(failure, "NoSuchMethodException", "%s.<init>()", java_class->name);
        kp_failure_wrapf(failure, "KafkaException", "Could not find a public no-argument constructor for %s",
                         java_class->name);
        return false;
    case KP_JAVA_ABSTRACT:
        kp_failure_throw(failure, "InstantiationException", NULL);
        break;
    case KP_JAVA_PRIVATE:
        throw_illegal_access(java_class->name, "private", failure);
        break;
    case KP_JAVA_PROTECTED:
        throw_illegal_access(java_class->name, "protected", failure);
        break;
    }
    kp_failure_wrapf(failure, "KafkaException", "Could not instantiate class %s", java_class->name);
    return false;
}

bool kp_java_class_configure(const struct kp_java_class *java_class, unsigned role,
                             const char *interface_name, struct kp_failure *failure)
{
    if (!kp_java_class_instantiate(java_class, failure)) {
        return false;
    }
    if ((java_class->roles & role) == 0) {
        kp_failure_throwf(failure, "KafkaException", "class %s is not an instance of %s", java_class->name,
                          interface_name);
        return false;
    }
    return true;
}

bool kp_java_class_cast(const struct kp_java_class *java_class, unsigned role, struct kp_failure *failure)
{
    if ((java_class->roles & role) != 0) {
        return true;
    }
    kp_failure_throwf(failure, "ClassCastException", "%s %s",
                      java_class->construction == KP_JAVA_INTERFACE ? "interface" : "class",
                      java_class->name);
    return false;
}

/** Class.forName tells the name in the virtual machine's form, with slashes, when no class can have it. */
static void throw_class_not_found(const char *name, struct kp_failure *failure)
{
    bool is_impossible = name[0] == '.' || strstr(name, "..") != NULL || strpbrk(name, ";[") != NULL;
    kp_failure_throw(failure, "ClassNotFoundException", name);
    char *at = failure->thrown.message;
    while (is_impossible && (at = strchr(at, '.')) != NULL) {
        *at = '/';
    }
}

bool kp_java_class_configure_named(const struct kp_config_options *options, const char *name, unsigned role,
                                   struct kp_failure *failure)
{
    struct kp_java_class java_class;
    if (!kp_java_class_find(options, name, &java_class)) {
        throw_class_not_found(name, failure);
        kp_failure_wrapf(failure, "KafkaException", "Class %s cannot be found", name);
        return false;
    }
    return kp_java_class_cast(&java_class, role, failure) && kp_java_class_instantiate(&java_class, failure);
}
