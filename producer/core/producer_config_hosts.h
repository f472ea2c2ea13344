/**
 * Addresses of brokers as text.
 * Kafka: ClientUtils.parseAndValidateAddresses, Utils.getHost, Utils.getPort; Java: InetAddress.getAllByName.
 */
#ifndef KP_PRODUCER_CONFIG_HOSTS_H
#define KP_PRODUCER_CONFIG_HOSTS_H

#include <linger/producer_config.h>

#include "core/producer_config_text.h"

enum kp_host_parse {
    KP_HOST_OK,
    /** Not [protocol://]host:port. */
    KP_HOST_INVALID_URL,
    /** The port is above INT32_MAX. */
    KP_HOST_INVALID_PORT,
};

/** *host is the part of url without brackets; it may be empty, which is the loopback address. *port may
 * still be above 65535. */
enum kp_host_parse kp_host_parse(const char *url, struct kp_text_span *host, int32_t *port);

/** Is it a numeric address, or else a name that resolves? Of names only options->can_resolve knows (or
 * "localhost"). */
bool kp_host_resolves(const struct kp_config_options *options, const char *host);

#endif
