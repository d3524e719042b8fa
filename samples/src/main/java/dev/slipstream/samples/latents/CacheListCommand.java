package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.CacheKey;
import dev.slipstream.pipelines.cache.CachedEntry;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what is in the cache. */
@Command(name = "list", description = {
    "Shows the pictures whose latents are kept, the last used first, and their use.",
    "Prompts are not among it: nothing of them is kept in clear, unless a program asked for that."},
    footer = {"", "Examples:", "  slipstream cache list", "  slipstream cache list --json"})
public final class CacheListCommand implements Callable<Integer> {
    /** Digits of an ID that are shown. */
    private static final int SHORT_ID = 12;
    private static final DateTimeFormatter MINUTE =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").withZone(ZoneId.systemDefault());

    private final Terminal terminal;

    @Mixin
    private CacheCommand.Folder options;

    @Option(names = "--json", order = HelpLayout.OUTPUT,
        description = "Print one JSON object, with all that must be equal for a picture to serve.")
    private boolean json;

    public CacheListCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private record Picture(String namespace, String id, Map<String, String> facts, String prompt,
        List<Integer> steps, long bytes, int hits, double savedSeconds, String lastUsed, String created) {
        static Picture of(CachedEntry entry) {
            return new Picture(entry.namespace(), entry.id(), entry.facts(), entry.prompt().orElse(null), entry.steps(),
                entry.bytes(), entry.hits(), entry.savedSeconds(), entry.lastUsed().toString(),
                entry.created().toString());
        }
    }

    private record Result(String folder, long bytes, int hits, double savedSeconds, List<Picture> pictures) {
    }

    @Override
    public Integer call() {
        List<CachedEntry> entries = options.cache().map(cache -> {
            try (LatentCache open = cache) {
                return open.list();
            }
        }).orElse(List.of());
        Result result = new Result(options.path().toString(), entries.stream().mapToLong(CachedEntry::bytes).sum(),
            entries.stream().mapToInt(CachedEntry::hits).sum(),
            entries.stream().mapToDouble(CachedEntry::savedSeconds).sum(),
            entries.stream().map(Picture::of).toList());
        if (json) {
            terminal.out().println(Json.text(result));
            return ExitCode.OK;
        }
        if (!entries.isEmpty()) {
            terminal.out().println(table(entries));
        }
        terminal.out().println(Amounts.count(entries.size(), "picture") + ", " + Amounts.bytes(result.bytes) + ", "
            + Amounts.count(result.hits, "hit") + ", " + Table.number("%.1f", result.savedSeconds) + " s saved, in "
            + result.folder);
        return ExitCode.OK;
    }

    private static String table(List<CachedEntry> entries) {
        Table table = new Table().left("namespace").left("id").left("latents").right("steps").right("size")
            .right("hits").right("saved").left("last used");
        for (CachedEntry entry : entries) {
            table.row(entry.namespace(), entry.id().substring(0, SHORT_ID),
                entry.facts().getOrDefault(CacheKey.LATENTS, ""), entry.facts().getOrDefault(CacheKey.STEPS, ""),
                Amounts.bytes(entry.bytes()), entry.hits(), Table.number("%.1f s", entry.savedSeconds()),
                MINUTE.format(entry.lastUsed()));
        }
        return table.toString();
    }
}
