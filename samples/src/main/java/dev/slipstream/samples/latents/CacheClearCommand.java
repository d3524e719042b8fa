package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.CacheKey;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Deletes what is in the cache. */
@Command(name = "clear", description = {
    "Deletes all that is kept in some namespaces of the cache of latents, or in all.",
    "Nothing of a namespace is left on disk."},
    footer = {"", "Examples:", "  slipstream cache clear tenant-7", "  slipstream cache clear"})
public final class CacheClearCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "NAMESPACE", arity = "0..*",
        description = "Namespaces, as 'slipstream cache list' shows them. Without one all of them.")
    private List<String> namespaces = List.of();

    @Mixin
    private CacheCommand.Folder options;

    @Mixin
    private QuietOption quiet;

    public CacheClearCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        namespaces.forEach(name -> {
            try {
                CacheKey.checkNamespace(name);
            } catch (IllegalArgumentException wrong) {
                throw new InputException(wrong.getMessage());
            }
        });
        long freed = options.cache().map(cache -> {
            try (LatentCache open = cache) {
                return new TreeSet<>(namespaces.isEmpty() ? open.stats().keySet() : namespaces).stream()
                    .mapToLong(open::clear).sum();
            }
        }).orElse(0L);
        if (!quiet.isQuiet()) {
            terminal.out().println(Amounts.bytes(freed) + " freed in " + options.path());
        }
        return ExitCode.OK;
    }
}
