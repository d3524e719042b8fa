package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.planning.Preference;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.util.Iterator;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** What a plan that is chosen may give up for speed. */
public final class WishOption {
    @Option(names = "--prefer", paramLabel = "WISH", order = HelpLayout.DEVICES + 6,
        completionCandidates = Wishes.class,
        description = "What plan auto may give up for speed: exact: nothing; balanced: pictures that one has to "
            + "compare to see a difference; fast: pictures of the same kind (balanced).")
    private String wish;

    private static final class Wishes implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.of(Preference.EXACT, Preference.BALANCED, Preference.FAST).map(Preference::name).iterator();
        }
    }

    boolean isGiven() {
        return wish != null;
    }

    /** Says what is said here. @throws InputException if there is no such preference */
    public DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        try {
            return wish == null ? pipeline : pipeline.prefer(wish);
        } catch (IllegalArgumentException unknown) {
            throw new InputException("--prefer: " + unknown.getMessage());
        }
    }
}
