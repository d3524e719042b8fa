package dev.slipstream.samples;

import java.util.Map;

/** A command that only holds others together. */
interface CommandGroup {
    /** Objects with picocli's annotations, by the names of the commands. */
    Map<String, Object> subcommands();
}
