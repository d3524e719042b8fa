package dev.slipstream.pipelines.model;

import java.nio.file.Files;
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
 * <p>Everything is mapped, so opening costs the headers. The owner closes it; then the tensors can no longer be read.
 * Any thread may read or close.
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
                    throw new ModelException("tensor " + SafetensorsHeaderReader.shortened(name) + " is in both "
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
     * The plain weights of a component's folder; where there are none, and only one variant, that.
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
                opened.add(SafetensorsFile.open(ShardPath.resolve(index.path(), name)));
                return opened.getLast();
            });
            if (!file.tensors().containsKey(tensor)) {
                throw new ModelException(file.path() + " has no tensor " + SafetensorsHeaderReader.shortened(tensor)
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
                + SafetensorsHeaderReader.shortened(name) + "\" among their " + homes.size());
        }
        return file;
    }

    /** Unmaps all files. Closing twice is harmless. */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
