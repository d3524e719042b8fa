package dev.slipstream.samples;

import dev.slipstream.bridge.store.EngineEntry;
import dev.slipstream.bridge.store.EngineStore;
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

/** Deletes from the store. */
@Command(name = "clear", description = {
    "Deletes engines from the store: all, some, or those that were not used for long.",
    "All means timing caches and digests, too. Whoever uses an engine keeps it until he is done."},
    footer = {"",
        "Examples:",
        "  slipstream engines clear",
        "  slipstream engines clear 3fa94c01b2d7",
        "  slipstream engines clear --older-than 30"})
final class EnginesClearCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "ID", arity = "0..*", description = "Engines, as 'slipstream engines list' shows them.")
    private List<String> ids = List.of();

    @Mixin
    private StoreOptions options;

    @Option(names = "--older-than", paramLabel = "DAYS", order = 20,
        description = "Only engines that were not used in the last so many days.")
    private Double days;

    EnginesClearCommand(Terminal terminal) {
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
        terminal.out().println(Amounts.count(engines, "engine") + " deleted, " + Amounts.bytes(bytes) + " freed in "
            + store.folder());
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
