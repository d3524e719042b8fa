package dev.slipstream.pipelines.model.weights;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.file.HubCache;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights of one component of a checkpoint, in one safetensors file or in several that an index names ("shards"),
 * found by the names that diffusers and transformers give such files.
 *
 * <p>All files are mapped, so opening costs no more than reading their headers. The owner closes it; then the tensors
 * can no longer be read. Any thread may read or close.
 */
public final class ComponentWeights implements AutoCloseable {
    private final List<SafetensorsFile> files;
    private final Map<String, SafetensorsFile> homes = new LinkedHashMap<>();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    private ComponentWeights(List<SafetensorsFile> files) {
        this.files = List.copyOf(files);
        for (SafetensorsFile file : files) {
            file.tensors().forEach((name, tensor) -> {
                SafetensorsFile other = homes.put(name, file);
                if (other != null) {
                    throw new ModelException("tensor " + SafetensorsHeader.shortened(name) + " is in both "
                        + other.path() + " and " + file.path());
                }
                tensors.put(name, tensor);
            });
        }
    }

    /** Whether a component's folder has weights that can be opened; a folder that is not there has none. */
    public static boolean isIn(Path folder) {
        return Files.isDirectory(folder) && new ComponentFiles(folder).isAny();
    }

    /**
     * The plain weights of a component's folder; if there are none but exactly one variant, that variant.
     *
     * @throws ModelException as {@link #open(Path, String)}
     */
    public static ComponentWeights open(Path folder) {
        return openFile(new ComponentFiles(folder).require(Optional.empty()));
    }

    /**
     * The weights of a variant, such as {@code fp16}.
     *
     * @throws ModelException if the folder has no such safetensors (pickles are refused), a file is missing or damaged,
     *     a tensor is not where the index says or is there twice, or the index names a file outside the folder
     */
    public static ComponentWeights open(Path folder, String variant) {
        return openFile(new ComponentFiles(folder).require(Optional.of(variant)));
    }

    private static ComponentWeights openFile(Path path) {
        List<SafetensorsFile> opened = new ArrayList<>();
        try {
            if (path.toString().endsWith(".json")) {
                openShards(ShardIndex.read(path), opened);
            } else {
                opened.add(SafetensorsFile.open(path));
            }
            return new ComponentWeights(opened);
        } catch (RuntimeException e) {
            opened.forEach(SafetensorsFile::close);
            throw e;
        }
    }

    private static void openShards(ShardIndex index, List<SafetensorsFile> opened) {
        Map<String, SafetensorsFile> byName = new HashMap<>();
        index.shards().forEach((tensor, shard) -> {
            SafetensorsFile file = byName.computeIfAbsent(shard, name -> {
                opened.add(SafetensorsFile.open(index.resolve(name)));
                return opened.getLast();
            });
            if (!file.tensors().containsKey(tensor)) {
                throw new ModelException(file.path() + " has no tensor " + SafetensorsHeader.shortened(tensor)
                    + ", which " + index.path() + " says is there");
            }
        });
    }

    /** The files that are mapped, in the index's order. */
    public List<Path> files() {
        return files.stream().map(SafetensorsFile::path).toList();
    }

    /** All tensors by name, file after file. */
    public Map<String, StoredTensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** @throws ModelException if no file has a tensor of this name */
    public StoredTensor tensor(String name) {
        return home(name).tensor(name);
    }

    /** The file that has a tensor. @throws ModelException if none has */
    public Path file(String name) {
        return home(name).path();
    }

    /** Where a tensor's first byte is in its {@link #file}. @throws ModelException if no file has the tensor */
    public long offset(String name) {
        return home(name).offset(name);
    }

    private SafetensorsFile home(String name) {
        SafetensorsFile file = homes.get(name);
        if (file == null) {
            throw new ModelException(files.stream().map(SafetensorsFile::path).toList() + " have no tensor \""
                + SafetensorsHeader.shortened(name) + "\" among their " + homes.size());
        }
        return file;
    }

    /** Unmaps all files. Closing twice is harmless. */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }

    /**
     * The {@code *.safetensors.index.json} of weights that are stored in several files: which tensor is in which.
     *
     * @param path the index itself, for messages
     * @param shards name of the file by tensor, in the index's order; not checked yet
     */
    private record ShardIndex(Path path, Map<String, String> shards) {
        private static final int DEEPEST = 32;

        ShardIndex {
            shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
        }

        /** @throws ModelException if the file cannot be read, is damaged, or lists a tensor twice or none at all */
        static ShardIndex read(Path path) {
            // Read token by token: a parsed tree would hide names that come twice.
            String text;
            try {
                text = InputFile.text(path, SafetensorsFile.MOST_HEADER_BYTES);
            } catch (IOException e) {
                throw new ModelException(e.getMessage(), e);
            }
            if (GitLfs.isPointer(text)) {
                throw new ModelException(GitLfs.advice(path));
            }
            try (JsonReader reader = new JsonReader(new StringReader(text))) {
                reader.setStrictness(Strictness.STRICT);
                reader.setNestingLimit(DEEPEST);
                return new ShardIndex(path, readAll(path, reader));
            } catch (IOException | IllegalStateException e) {
                throw new ModelException(path + " is damaged: " + JsonText.explain(e), e);
            }
        }

        private static Map<String, String> readAll(Path path, JsonReader reader) throws IOException {
            Map<String, String> shards = new LinkedHashMap<>();
            reader.beginObject();
            while (reader.hasNext()) {
                if (reader.nextName().equals("weight_map")) {
                    readMap(path, reader, shards);
                } else {
                    reader.skipValue();
                }
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new ModelException(path + " is damaged: something follows the object");
            }
            if (shards.isEmpty()) {
                throw new ModelException(path + " lists no tensors; it must have a \"weight_map\"");
            }
            return shards;
        }

        private static void readMap(Path path, JsonReader reader, Map<String, String> shards) throws IOException {
            reader.beginObject();
            while (reader.hasNext()) {
                String tensor = reader.nextName();
                String shown = SafetensorsHeader.shortened(tensor);
                if (reader.peek() != JsonToken.STRING) {
                    throw new ModelException(path + " does not name a file for tensor " + shown);
                }
                if (shards.put(tensor, reader.nextString()) != null) {
                    throw new ModelException(path + " lists tensor " + shown + " twice");
                }
            }
            reader.endObject();
        }

        /**
         * The file of a shard. An index is not trusted: only files in its own folder are opened, and links out of that
         * folder are followed only to blobs of the same model.
         *
         * @throws ModelException if the file is outside the folder, or missing
         */
        Path resolve(String name) {
            String shown = "\"" + SafetensorsHeader.shortened(name) + "\"";
            if (Pickle.is(name)) {
                throw Pickle.refused(path + " names " + shown + ", which");
            }
            Path folder = path.toAbsolutePath().getParent().normalize();
            Path file;
            try {
                file = folder.resolve(name).normalize();
                if (name.isBlank() || Path.of(name).isAbsolute() || !file.startsWith(folder) || file.equals(folder)) {
                    throw new ModelException(path + " names " + shown + ", which is not inside its folder");
                }
            } catch (InvalidPathException e) {
                throw new ModelException(path + " names " + shown + ", which cannot be a file", e);
            }
            if (!InputFile.isThere(file)) {
                throw new ModelException(file + " is missing, which " + path + " names; download it again");
            }
            checkLink(file);
            return file;
        }

        /** A link that leads nowhere is reported when it is opened. */
        private void checkLink(Path file) {
            try {
                if (Files.exists(file) && HubCache.leadsOut(path, file)) {
                    throw new ModelException(file + ", which " + path + " names, is a link out of the folder, to "
                        + file.toRealPath() + "; put the file itself there");
                }
            } catch (IOException e) {
                throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
    }
}
