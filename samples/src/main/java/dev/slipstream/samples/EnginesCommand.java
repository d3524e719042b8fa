package dev.slipstream.samples;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** The group of commands about the store of engines; by itself it does nothing. */
@Command(name = "engines", description = {"Shows, fills or empties the store of compiled engines.",
    "Engines for GPUs take minutes to build, so they are kept for the next start."},
    footer = {"",
        "Examples:",
        "  slipstream engines list",
        "  slipstream engines build DIR --devices cuda:0,cuda:1",
        "  slipstream engines clear --older-than 30",
        "",
        "'slipstream engines COMMAND --help' tells more."})
final class EnginesCommand implements CommandGroup {
    private final Terminal terminal;

    EnginesCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Map<String, Object> subcommands() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("list", new EnginesListCommand(terminal));
        all.put("build", new EnginesBuildCommand(terminal));
        all.put("clear", new EnginesClearCommand(terminal));
        return all;
    }
}
