package dev.slipstream.samples.engines;

import dev.slipstream.bridge.store.EngineEntry;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes engines from the store. */
@Command(name = "clear", description = {
    "Deletes engines from the store: all, some, or those that were not used for long.",
    "All means timing caches and digests, too. An engine in use stays usable until it is closed."},
    footer = {"",
        "Examples:",
        "  slipstream engines clear --older-than 30",
        "  slipstream engines clear 3fa94c01b2d7",
        "  slipstream engines clear"})
public final class EnginesClearCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "ID", arity = "0..*", description = "Engines, as 'slipstream engines list' shows them.")
    private List<String> ids = List.of();

    @Mixin
    private EnginesCommand.Store options;

    @Option(names = "--older-than", paramLabel = "DAYS", order = HelpLayout.OWN + 2,
        description = "Only engines that were not used in the last so many days.")
    private Double days;

    @Mixin
    private QuietOption quiet;

    public EnginesClearCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        EngineStore store = options.store();
        if (ids.isEmpty() && days == null) {
            int engines = store.list().size();
            say(engines, store.clear(), store);
            return ExitCode.OK;
        }
        int engines = 0;
        long bytes = 0;
        for (EngineEntry engine : chosen(store.list())) {
            if (store.remove(engine.id())) {
                engines++;
                bytes += engine.bytes();
            }
        }
        say(engines, bytes, store);
        return ExitCode.OK;
    }

    private void say(int engines, long bytes, EngineStore store) {
        if (!quiet.isQuiet()) {
            terminal.out().println(Amounts.count(engines, "engine") + " deleted, " + Amounts.bytes(bytes) + " freed in "
                + store.folder());
        }
    }

    private Set<EngineEntry> chosen(List<EngineEntry> engines) {
        if (days == null) {
            Set<EngineEntry> chosen = new LinkedHashSet<>();
            ids.forEach(id -> chosen.add(withId(id, engines)));
            return chosen;
        }
        if (!ids.isEmpty()) {
            throw new InputException("--older-than chooses engines by itself; leave out either it or the IDs");
        }
        if (!(days >= 0 && days <= 36_500)) {
            throw new InputException("--older-than takes days from 0 to 36500, not " + days
                + "; leave it out to delete all");
        }
        Instant since = Instant.now().minus(Duration.ofSeconds(Math.round(days * 86_400)));
        return new LinkedHashSet<>(engines.stream().filter(engine -> engine.lastUsed().isBefore(since)).toList());
    }

    private EngineEntry withId(String id, List<EngineEntry> engines) {
        List<EngineEntry> found =
            id.isEmpty() ? List.of() : engines.stream().filter(engine -> engine.id().startsWith(id)).toList();
        if (found.size() != 1) {
            throw new InputException((found.isEmpty() ? "no engine" : "more than one engine") + " in " + options.path()
                + " has the ID '" + id + "'; 'slipstream engines list' shows them");
        }
        return found.getFirst();
    }
}
