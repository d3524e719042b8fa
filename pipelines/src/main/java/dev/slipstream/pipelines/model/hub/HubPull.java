package dev.slipstream.pipelines.model.hub;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.hub.Hub.RemoteFile;
import dev.slipstream.pipelines.model.hub.Hub.Revision;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Fetches a model from a hub into its cache: what a pipeline needs, and no more. What is there is not fetched again,
 * what was cut short is gone on with, and every file is compared with its checksum before it counts as there.
 *
 * @param model what is fetched
 * @param variant of the weights, such as {@code fp16}; empty for the plain ones
 * @param files that are fetched instead of a pipeline's; none for a pipeline
 * @param environment variables of the process, see {@link Hub} and {@link HubFolder}
 */
public record HubPull(HubModel model, Optional<String> variant, Set<String> files, Map<String, String> environment) {
    private static final int ATTEMPTS = 5;
    private static final int CHUNK = 1 << 16;
    private static final int PARTIAL = 206;
    private static final int BEYOND = 416;
    private static final Set<String> ON = Set.of("1", "ON", "YES", "TRUE");

    public HubPull {
        files = Set.copyOf(files);
        environment = Map.copyOf(environment);
    }

    /** Is told of what happens, on the thread that fetches. */
    public interface Listener {
        /** @param licence as the hub names it; empty if it says none */
        void found(String commit, String licence, int files, long bytes);

        /** @param done bytes of {@code all} files that are here, at the beginning those that were already */
        void progress(String file, long done, long all);
    }

    /** What is there now. @param fetched bytes that were fetched for it */
    public record Pulled(Path snapshot, String commit, String licence, int files, long bytes, long fetched) {
    }

    /** Whether the user wants no network: {@code HF_HUB_OFFLINE}. */
    public static boolean isOffline(Map<String, String> environment) {
        return ON.contains(environment.getOrDefault("HF_HUB_OFFLINE", "").strip().toUpperCase(Locale.ROOT));
    }

    /**
     * @throws ModelException if there is no such model, the user may not have it, it has no weights that are read, or a
     *     file is not what its checksum says
     * @throws InterruptedException if the thread is interrupted; what is fetched so far stays
     */
    public Pulled run(Listener listener) throws InterruptedException {
        if (isOffline(environment)) {
            throw new ModelException("HF_HUB_OFFLINE is set, so that nothing is fetched; unset it to fetch " + model);
        }
        HubFolder folder = HubFolder.of(model, environment);
        try (Hub hub = Hub.of(environment)) {
            Revision revision = hub.revision(model);
            Fetch fetch = new Fetch(hub, model, revision, folder);
            Set<String> wanted = wanted(revision, fetch);
            long bytes = wanted.stream().mapToLong(path -> revision.files().get(path).size()).sum();
            listener.found(revision.commit(), revision.licence(), wanted.size(), bytes);
            long done = 0;
            for (String path : wanted) {
                long before = done;
                fetch.file(path, of -> listener.progress(path, before + of, bytes));
                done += revision.files().get(path).size();
                listener.progress(path, done, bytes);
            }
            folder.setRef(model.revision(), revision.commit());
            return new Pulled(folder.snapshot(revision.commit()), revision.commit(), revision.licence(), wanted.size(),
                bytes, fetch.fetched);
        } catch (IOException e) {
            throw new ModelException("cannot fetch " + model + ": " + FileFailure.reason(e), e);
        }
    }

    private Set<String> wanted(Revision revision, Fetch fetch) throws IOException, InterruptedException {
        Set<String> wanted = new LinkedHashSet<>(files);
        if (files.isEmpty()) {
            Optional<JsonObject> index = Optional.empty();
            if (revision.files().containsKey(PipelineFiles.INDEX)) {
                fetch.file(PipelineFiles.INDEX, done -> { });
                index = Optional.of(ConfigFile.read(fetch.folder.snapshot(revision.commit())
                    .resolve(PipelineFiles.INDEX)).root());
            }
            try {
                wanted.addAll(new PipelineFiles(revision.files().keySet(), variant).needed(index));
            } catch (ModelException e) {
                throw new ModelException(model + ": " + e.getMessage(), e);
            }
        }
        wanted.stream().filter(path -> !revision.files().containsKey(path)).findFirst().ifPresent(path -> {
            throw new ModelException(model + " has no file " + path);
        });
        return wanted;
    }

    /** How many bytes of a file are here. */
    private interface Progress {
        void at(long bytes);
    }

    /** Fetches files of one revision. One thread. */
    private static final class Fetch {
        private final Hub hub;
        private final HubModel model;
        private final Revision revision;
        private final HubFolder folder;
        private long fetched;

        Fetch(Hub hub, HubModel model, Revision revision, HubFolder folder) {
            this.hub = hub;
            this.model = model;
            this.revision = revision;
            this.folder = folder;
        }

        void file(String path, Progress progress) throws IOException, InterruptedException {
            RemoteFile file = revision.files().get(path);
            Path blob = folder.blob(file.hash());
            Files.createDirectories(blob.getParent());
            try (KeyLock _ = KeyLock.acquire(blob)) {
                if (!Files.exists(blob)) {
                    Path incomplete = blob.resolveSibling(file.hash() + ".incomplete");
                    complete(path, file, incomplete, progress);
                    if (!hash(incomplete, file).equals(file.hash())) {
                        Files.delete(incomplete);
                        throw new ModelException(path + " of " + model + " is not what its checksum says; it was "
                            + "damaged on the way, fetch it again");
                    }
                    Files.move(incomplete, blob, StandardCopyOption.ATOMIC_MOVE);
                }
            }
            folder.link(revision.commit(), path, file.hash());
        }

        /** Goes on with what is there, and after a cut connection some times more. */
        private void complete(String path, RemoteFile file, Path incomplete, Progress progress)
            throws IOException, InterruptedException {
            if (Files.exists(incomplete) && Files.size(incomplete) > file.size()) {
                Files.delete(incomplete);
            }
            for (int attempt = 1; ; attempt++) {
                long before = Files.exists(incomplete) ? Files.size(incomplete) : 0;
                if (before == file.size() && Files.exists(incomplete)) {
                    return;
                }
                try {
                    append(path, file, incomplete, before, progress);
                    if (Files.size(incomplete) == file.size()) {
                        return;
                    }
                    throw new IOException("the connection ended after " + Files.size(incomplete) + " of " + file.size()
                        + " bytes of " + path);
                } catch (IOException cut) {
                    boolean isFurther = Files.exists(incomplete) && Files.size(incomplete) > before;
                    if (!isFurther && attempt >= ATTEMPTS) {
                        throw cut;
                    }
                    attempt = isFurther ? 0 : attempt;
                }
            }
        }

        private void append(String path, RemoteFile file, Path incomplete, long before, Progress progress)
            throws IOException, InterruptedException {
            HttpResponse<InputStream> response = hub.file(model, revision.commit(), path, before);
            boolean goesOn = response.statusCode() == PARTIAL && response.headers().firstValue("Content-Range")
                .filter(range -> range.startsWith("bytes " + before + "-")).isPresent();
            try (InputStream in = response.body()) {
                if (response.statusCode() == BEYOND || response.statusCode() == PARTIAL && !goesOn) {
                    Files.deleteIfExists(incomplete);
                    throw new IOException("the hub does not go on with " + path + " at byte " + before);
                }
                try (OutputStream out = Files.newOutputStream(incomplete, StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE, goesOn ? StandardOpenOption.APPEND
                    : StandardOpenOption.TRUNCATE_EXISTING)) {
                    long at = goesOn ? before : 0;
                    byte[] chunk = new byte[CHUNK];
                    for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                        if (Thread.interrupted()) {
                            throw new InterruptedException("fetching " + path + " was interrupted");
                        }
                        at += read;
                        if (at > file.size()) {
                            throw new ModelException(path + " of " + model + " has more than the " + file.size()
                                + " bytes that the hub says");
                        }
                        out.write(chunk, 0, read);
                        fetched += read;
                        progress.at(at);
                    }
                }
            }
        }

        /** Git hashes a file's size with it. */
        private static String hash(Path path, RemoteFile file) throws IOException {
            if (file.isLarge()) {
                return Sha256.ofFile(path);
            }
            try (InputStream in = InputFile.stream(path)) {
                MessageDigest sha = MessageDigest.getInstance("SHA-1");
                sha.update(("blob " + Files.size(path) + "\0").getBytes(StandardCharsets.US_ASCII));
                byte[] chunk = new byte[CHUNK];
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    sha.update(chunk, 0, read);
                }
                return HexFormat.of().formatHex(sha.digest());
            } catch (NoSuchAlgorithmException impossible) {
                throw new AssertionError("every Java platform has SHA-1", impossible);
            }
        }
    }
}
