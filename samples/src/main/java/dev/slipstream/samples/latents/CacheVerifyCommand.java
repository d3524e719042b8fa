package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.LatentCache.Verification;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Reads all of the cache. */
@Command(name = "verify", description = {"Reads all pictures in the cache of latents, and deletes damaged ones.",
    "Exits with 1 if there were any. Nobody is ever served a damaged one, whether this ran or not."},
    footer = {"", "Example:", "  slipstream cache verify"})
public final class CacheVerifyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private CacheCommand.Folder options;

    public CacheVerifyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Verification found = options.cache().map(cache -> {
            try (LatentCache open = cache) {
                return open.verify();
            }
        }).orElse(new Verification(0, 0));
        terminal.out().println(Amounts.count(found.whole(), "picture") + " whole, " + found.damaged()
            + " damaged and deleted, in " + options.path());
        return found.damaged() == 0 ? ExitCode.OK : ExitCode.FAILED;
    }
}
