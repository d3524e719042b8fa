package dev.slipstream.pipelines.model.hub;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model in the cache of the Hugging Face hub, which other programs share: blobs named by their contents, and for each
 * commit a folder of links to them (huggingface_hub, "Understand caching").
 *
 * @param folder {@code models--ORGANISATION--NAME}
 */
public record HubFolder(Path folder) {
    private static final String COMMIT = "[0-9a-f]{40}";
    private static final int LONGEST_REF = 1000;

    /**
     * @param environment variables of the process: {@code HF_HUB_CACHE} names the cache, else {@code HF_HOME} the
     *     folder that it is in, else it is in the user's
     */
    public static HubFolder of(HubModel model, Map<String, String> environment) {
        Path cache = variable(environment, "HF_HUB_CACHE").or(() -> variable(environment, "HUGGINGFACE_HUB_CACHE"))
            .orElseGet(() -> home(environment).resolve("hub"));
        return new HubFolder(cache.resolve("models--" + model.organisation() + "--" + model.name()));
    }

    /** Where the hub's programs keep what they know: {@code HF_HOME}, or {@code ~/.cache/huggingface}. */
    static Path home(Map<String, String> environment) {
        return variable(environment, "HF_HOME").orElseGet(() -> variable(environment, "XDG_CACHE_HOME")
            .orElseGet(() -> Path.of(System.getProperty("user.home", ""), ".cache")).resolve("huggingface"));
    }

    private static Optional<Path> variable(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank()).map(value ->
            value.startsWith("~/") ? Path.of(System.getProperty("user.home", ""), value.substring(2)) : Path.of(value));
    }

    /** The folder of a commit. */
    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /** Where a file's contents are. @param hash that names them */
    Path blob(String hash) {
        return folder.resolve("blobs").resolve(hash);
    }

    /** The snapshot of a revision, if it was fetched; a commit may be given by its first seven digits or more. */
    public Optional<Path> find(String revision) throws IOException {
        Path ref = folder.resolve("refs").resolve(revision);
        if (Files.isRegularFile(ref)) {
            String commit = InputFile.text(ref, LONGEST_REF).strip();
            return Optional.of(commit).filter(it -> it.matches(COMMIT)).map(this::snapshot).filter(Files::isDirectory);
        }
        if (!revision.matches("[0-9a-f]{7,40}") || !Files.isDirectory(folder.resolve("snapshots"))) {
            return Optional.empty();
        }
        try (Stream<Path> all = Files.list(folder.resolve("snapshots"))) {
            return all.filter(snapshot -> snapshot.getFileName().toString().startsWith(revision)).findFirst();
        }
    }

    /** Says which commit a branch or tag is now. */
    void setRef(String revision, String commit) throws IOException {
        if (!revision.matches(COMMIT)) {
            Path ref = folder.resolve("refs").resolve(revision);
            Files.createDirectories(ref.getParent());
            AtomicFile.write(ref, commit);
        }
    }

    /** Lets a snapshot have a file: a link to its blob, or a copy where there are no links. */
    void link(String commit, String path, String hash) throws IOException {
        Path link = snapshot(commit).resolve(path);
        Files.createDirectories(link.getParent());
        if (Files.exists(link)) {
            return;
        }
        Files.deleteIfExists(link);
        try {
            Files.createSymbolicLink(link, link.getParent().relativize(blob(hash)));
        } catch (FileAlreadyExistsException another) {
            // Another process was faster.
        } catch (IOException | UnsupportedOperationException noLinks) {
            Files.copy(blob(hash), link);
        }
    }
}
