package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.LatentCache.Stats;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what the cache is good for. */
@Command(name = "stats", description = {
    "Shows what each namespace of the cache of latents has, and what that was good for.",
    "What pictures have saved that are there no more is forgotten."},
    footer = {"", "Examples:", "  slipstream cache stats", "  slipstream cache stats --json"})
public final class CacheStatsCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private CacheCommand.Folder options;

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print one JSON object.")
    private boolean json;

    public CacheStatsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private record Result(String folder, Map<String, Namespace> namespaces) {
    }

    private record Namespace(int pictures, long bytes, long hits, double savedSeconds) {
        static Namespace of(Stats stats) {
            return new Namespace(stats.entries(), stats.bytes(), stats.hits(), stats.savedSeconds());
        }
    }

    @Override
    public Integer call() {
        SortedMap<String, Namespace> namespaces = new TreeMap<>();
        options.cache().ifPresent(cache -> {
            try (LatentCache open = cache) {
                open.stats().forEach((name, stats) -> namespaces.put(name, Namespace.of(stats)));
            }
        });
        if (json) {
            terminal.out().println(Json.text(new Result(options.path().toString(), namespaces)));
        } else if (namespaces.isEmpty()) {
            terminal.out().println("nothing is kept in " + options.path());
        } else {
            Table table = new Table().left("namespace").right("pictures").right("size").right("hits").right("saved");
            namespaces.forEach((name, it) -> table.row(name, it.pictures, Amounts.bytes(it.bytes), it.hits,
                Table.number("%.1f s", it.savedSeconds)));
            terminal.out().print(table);
        }
        return ExitCode.OK;
    }
}
