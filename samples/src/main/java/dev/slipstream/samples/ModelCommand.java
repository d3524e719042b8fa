package dev.slipstream.samples;

import java.util.Map;
import picocli.CommandLine.Command;

/** The group of commands about model folders; by itself it does nothing. */
@Command(name = "model", description = "Makes model folders.",
    footer = {"",
        "Example:",
        "  slipstream model init --like sdxl --tiny tiny-sdxl",
        "",
        "'slipstream model COMMAND --help' tells more."})
final class ModelCommand implements CommandGroup {
    private final Terminal terminal;

    ModelCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Map<String, Object> subcommands() {
        return Map.of("init", new ModelInitCommand(terminal));
    }
}
