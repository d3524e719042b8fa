package dev.slipstream.samples.options;

import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** A model of a family in real size, with holes in place of weights, in a temporary folder: for plans and cuts. */
public final class HollowModel implements AutoCloseable {
    private final Path folder;

    private HollowModel(Path folder) {
        this.folder = folder;
    }

    /** The families that are whole models, not single components. */
    public static final class Families implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ModelFamily.ids().stream().filter(id -> !id.startsWith("controlnet") && !id.equals("taesd"))
                .iterator();
        }
    }

    /**
     * Writes one.
     *
     * @param family one of {@link Families}
     * @throws InputException if it is none
     */
    public static HollowModel like(String family) {
        List<String> families = new ArrayList<>();
        new Families().forEach(families::add);
        if (!families.contains(family)) {
            throw new InputException("--like: there is no family of whole models '" + family + "'; there are "
                + String.join(", ", families));
        }
        ModelTemplate template = ModelTemplate.of(ModelFamily.of(family), false).hollowed();
        try {
            HollowModel model = new HollowModel(Files.createTempDirectory("slipstream-"));
            try {
                template.write(model.folder);
                return model;
            } catch (RuntimeException | Error failure) {
                model.close();
                throw failure;
            }
        } catch (IOException failed) {
            throw new UncheckedIOException("no temporary folder could be made for the configuration of " + family
                + ": " + failed.getMessage(), failed);
        }
    }

    public Path folder() {
        return folder;
    }

    /** Deletes it. */
    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException left) {
            throw new UncheckedIOException("the temporary folder " + folder + " could not be deleted: "
                + left.getMessage(), left);
        }
    }
}
