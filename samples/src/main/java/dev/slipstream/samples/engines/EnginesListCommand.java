package dev.slipstream.samples.engines;

import dev.slipstream.bridge.store.EngineEntry;
import dev.slipstream.bridge.store.EngineKey;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what is in the store. */
@Command(name = "list", description = "Shows the engines in the store, the last used first.",
    footer = {"", "Examples:", "  slipstream engines list", "  slipstream engines list --json"})
public final class EnginesListCommand implements Callable<Integer> {
    /** Digits of an ID that are shown: enough to be unique, and for {@code clear}. */
    static final int SHORT_ID = 12;

    private static final DateTimeFormatter MINUTE =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").withZone(ZoneId.systemDefault());

    private final Terminal terminal;

    @Mixin
    private EnginesCommand.Store options;

    @Option(names = "--json", order = HelpLayout.OUTPUT,
        description = "Print one JSON object, with all that engines depend on.")
    private boolean json;

    public EnginesListCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private record Entry(String id, String name, Map<String, String> parts, long bytes, String lastUsed,
        String created) {
        static Entry of(EngineEntry engine) {
            return new Entry(engine.id(), engine.name(), engine.parts(), engine.bytes(), engine.lastUsed().toString(),
                engine.created().toString());
        }
    }

    private record Result(String folder, long bytes, long maxBytes, List<Entry> engines) {
    }

    @Override
    public Integer call() {
        EngineStore store = options.store();
        List<EngineEntry> engines = store.list();
        long bytes = engines.stream().mapToLong(EngineEntry::bytes).sum();
        if (json) {
            terminal.out().println(Json.text(new Result(store.folder().toString(), bytes, store.maxBytes(),
                engines.stream().map(Entry::of).toList())));
            return ExitCode.OK;
        }
        if (!engines.isEmpty()) {
            terminal.out().println(table(engines));
        }
        terminal.out().println(Amounts.count(engines.size(), "engine") + ", " + Amounts.bytes(bytes) + " of at most "
            + Amounts.bytes(store.maxBytes()) + ", in " + store.folder());
        return ExitCode.OK;
    }

    private static String table(List<EngineEntry> engines) {
        Table table = new Table().left("id").left("engine").left("compiler").left("for").right("size")
            .left("last used");
        for (EngineEntry engine : engines) {
            table.row(engine.id().substring(0, SHORT_ID), engine.name(),
                engine.parts().getOrDefault(EngineKey.COMPILER, ""),
                engine.parts().getOrDefault(EngineKey.GPU, engine.parts().getOrDefault(EngineKey.PROCESSOR, "")),
                Amounts.bytes(engine.bytes()), minute(engine.lastUsed()));
        }
        return table.toString();
    }

    private static String minute(Instant time) {
        return MINUTE.format(time);
    }
}
