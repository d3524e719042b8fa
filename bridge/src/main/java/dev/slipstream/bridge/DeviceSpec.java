package dev.slipstream.bridge;

/**
 * Which device is meant: {@code PROVIDER[:SELECTOR]}. The provider says what the selector means: for {@code cpu} the
 * number of threads ({@code cpu:1}, which is also plain {@code cpu}), for {@code cuda} the ordinal ({@code cuda:0}).
 */
public record DeviceSpec(String provider, String selector) {
    public DeviceSpec {
        if (!provider.matches("[a-z][a-z0-9]*")) {
            throw new IllegalArgumentException("'" + provider + "' is no device provider; devices are written as "
                + "PROVIDER or PROVIDER:SELECTOR, for example cpu:1");
        }
    }

    public static DeviceSpec parse(String text) {
        int colon = text.indexOf(':');
        return colon < 0 ? new DeviceSpec(text.strip(), "")
            : new DeviceSpec(text.substring(0, colon).strip(), text.substring(colon + 1).strip());
    }

    @Override
    public String toString() {
        return selector.isEmpty() ? provider : provider + ":" + selector;
    }
}
