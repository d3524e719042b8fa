package dev.slipstream.pipelines.diffusion.planning;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans that were chosen, a small file each, found by all that the choice depends on. A file that is damaged is
 * refused, and the plan chosen anew; a folder that cannot be written is no error. Any thread of any process may use it.
 */
public final class KeptChoices {
    /** The oldest go when there are more. */
    static final int MOST_FILES = 500;

    private static final Logger LOG = LoggerFactory.getLogger(KeptChoices.class);
    private static final int MOST_BYTES = 1 << 16;
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private final Path folder;
    private volatile boolean said;

    /** @param folder which is made when it is needed */
    public KeptChoices(Path folder) {
        this.folder = folder;
    }

    /** In the folder of the user's compiled engines. */
    public static KeptChoices ofUser() {
        return new KeptChoices(EngineStore.defaultFolder().resolve("plans"));
    }

    /** A choice. @param reason in one line */
    public record Kept(Candidate candidate, String reason) {
    }

    /** What a file has. @param sum of all else */
    private record Text(String key, String plan, int devices, String reason, String sum) {
        static Text of(String key, Kept kept) {
            Candidate plan = kept.candidate;
            return new Text(key, plan.spec(), plan.devices(), kept.reason, sum(key, plan, kept.reason));
        }

        private static String sum(String key, Candidate plan, String reason) {
            return Fingerprint.of(key, plan.toString(), reason);
        }

        /** @throws IOException if it is not what was written */
        Kept checked(String wanted) throws IOException {
            Candidate candidate = new Candidate(String.valueOf(plan), devices);
            if (!wanted.equals(key) || !sum(wanted, candidate, String.valueOf(reason)).equals(sum)) {
                throw new IOException("it is not what was written");
            }
            return new Kept(candidate, reason);
        }
    }

    /**
     * Looks for one.
     *
     * @param among the plans that there are to choose from; another one is not taken
     */
    Optional<Kept> find(String key, List<Candidate> among) {
        Path file = file(key);
        try {
            Text text = GSON.fromJson(InputFile.text(file, MOST_BYTES), Text.class);
            if (text == null) {
                throw new IOException("it is empty");
            }
            return Optional.of(text.checked(key)).filter(kept -> among.contains(kept.candidate()));
        } catch (NoSuchFileException notYet) {
            return Optional.empty();
        } catch (IOException | JsonParseException damaged) {
            LOG.warn("the plan that was kept in {} is damaged, so that it is chosen anew", file);
            return Optional.empty();
        }
    }

    /** Keeps one, in place of what there was. */
    void keep(String key, Kept kept) {
        try {
            Files.createDirectories(folder);
            AtomicFile.write(file(key), GSON.toJson(Text.of(key, kept)) + "\n");
            shrink();
        } catch (IOException unwritable) {
            if (!said) {
                said = true;
                LOG.warn("plans that are chosen cannot be kept in {}, and are chosen anew next time: {}", folder,
                    unwritable.getMessage());
            }
        }
    }

    private Path file(String key) {
        return folder.resolve(key + ".json");
    }

    private void shrink() throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(folder)) {
            all.filter(file -> file.toString().endsWith(".json")).forEach(files::add);
        }
        if (files.size() > MOST_FILES) {
            files.sort(Comparator.comparing(KeptChoices::written));
            for (Path oldest : files.subList(0, files.size() - MOST_FILES)) {
                Files.deleteIfExists(oldest);
            }
        }
    }

    private static FileTime written(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException gone) {
            return FileTime.fromMillis(0);
        }
    }
}
