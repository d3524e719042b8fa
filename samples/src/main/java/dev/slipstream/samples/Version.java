package dev.slipstream.samples;

import picocli.CommandLine.IVersionProvider;

/** Which Slipstream this is. */
final class Version implements IVersionProvider {
    /** The version of the jar; classes that were not packed have none. */
    static String number() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"slipstream " + number(),
            "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")};
    }
}
