package dev.slipstream.pipelines.model.config;

import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a caller wants of a graph that no configuration says. Writers look at what they know and leave the rest.
 *
 * @param inputs that the caller can give; some are only written if they are among them, such as the residuals of a
 *     ControlNet
 * @param clipSkip how many of its last layers a text encoder's {@code last_hidden_state} leaves out
 * @param base configuration of the component that an adapter is joined with, whose weights are there, too
 * @param skipped numbers of the blocks without which a transformer predicts once more, so that what they add can count
 *     for more; none for the usual prediction alone
 */
public record GraphOptions(Set<String> inputs, int clipSkip, Optional<ConfigFile> base, SortedSet<Integer> skipped) {
    /** The usual graph. */
    public static final GraphOptions NONE = new GraphOptions(Set.of(), 0, Optional.empty());

    public GraphOptions {
        inputs = Set.copyOf(inputs);
        skipped = Collections.unmodifiableSortedSet(new TreeSet<>(skipped));
    }

    public GraphOptions(Set<String> inputs, int clipSkip, Optional<ConfigFile> base) {
        this(inputs, clipSkip, base, Collections.emptySortedSet());
    }

    /** For a caller that can give these inputs, and maybe others that the graph does not take. */
    public static GraphOptions withInputs(Collection<String> names) {
        return new GraphOptions(Set.copyOf(names), 0, Optional.empty());
    }

    public static GraphOptions withClipSkip(int layers) {
        return new GraphOptions(Set.of(), layers, Optional.empty());
    }

    /** The same for an adapter that is joined with this component. */
    public GraphOptions withBase(ConfigFile component) {
        return new GraphOptions(inputs, clipSkip, Optional.of(component), skipped);
    }

    /** The same for a transformer that also predicts without these blocks. */
    public GraphOptions withSkipped(SortedSet<Integer> blocks) {
        return new GraphOptions(inputs, clipSkip, base, blocks);
    }

    /** How many of {@code name.0}, {@code name.1}, ... are there, without a gap. */
    public int count(String name) {
        int count = 0;
        while (inputs.contains(name + "." + count)) {
            count++;
        }
        return count;
    }
}
