/**
 * The Java classes that a configuration may name, and what Java says of the others.
 * Kafka: Utils.newInstance, AbstractConfig.getConfiguredInstance.
 */
#ifndef KP_PRODUCER_CONFIG_CLASSES_H
#define KP_PRODUCER_CONFIG_CLASSES_H

#include <linger/producer_config.h>

/** What becomes of getDeclaredConstructor().newInstance(). */
enum kp_java_construction {
    KP_JAVA_CONSTRUCTIBLE,
    KP_JAVA_ABSTRACT,
    KP_JAVA_INTERFACE,
    KP_JAVA_NO_CONSTRUCTOR,
    KP_JAVA_PRIVATE,
    KP_JAVA_PROTECTED,
};

/** The roles of enum kp_config_role, and these. */
#define KP_JAVA_ROLE_SERDE           16u
#define KP_JAVA_ROLE_CONFIG_PROVIDER 32u
#define KP_JAVA_ROLE_LOGIN_MODULE    64u

struct kp_java_class {
    const char *name;
    enum kp_java_construction construction;
    unsigned roles;
};

/** Kafka's and Java's classes, then those of the options (which may be NULL). */
bool kp_java_class_find(const struct kp_config_options *options, const char *name, struct kp_java_class *out);

/** Utils.newInstance(Class): false with the KafkaException and its cause. */
bool kp_java_class_instantiate(const struct kp_java_class *java_class, struct kp_failure *failure);

/**
 * AbstractConfig.getConfiguredInstance for a Class: an instance that is then asked whether it has the role,
 * which the interface stands for. False with the KafkaException.
 */
bool kp_java_class_configure(const struct kp_java_class *java_class, unsigned role,
                             const char *interface_name, struct kp_failure *failure);

/**
 * AbstractConfig.getConfiguredInstance for a class name, as the elements of a list are: the class is looked
 * up and asked first, then an instance is made. False with the exception.
 */
bool kp_java_class_configure_named(const struct kp_config_options *options, const char *name, unsigned role,
                                   struct kp_failure *failure);

/** Class.asSubclass: false with the ClassCastException. */
bool kp_java_class_cast(const struct kp_java_class *java_class, unsigned role, struct kp_failure *failure);

#endif
