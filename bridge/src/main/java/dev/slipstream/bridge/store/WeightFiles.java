package dev.slipstream.bridge.store;

import dev.slipstream.bridge.EngineSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files that may hold weights of a graph: those in its folder whose name occurs anywhere in the graph's bytes, and
 * likewise inside folders whose name does, with a slash behind it. A graph keeps the location of external data as it
 * is, in UTF-8, as a POSIX path (ONNX, "External Tensor Data"), so none is missed; a file that is taken by chance costs
 * no more than an engine built anew.
 */
final class WeightFiles {
    private final EngineSource source;

    WeightFiles(EngineSource source) {
        this.source = source;
    }

    /** One digest over relative names and contents of the files; empty if there are none. */
    String digest(FileDigest fileDigest) throws IOException {
        Map<String, String> digests = new TreeMap<>();
        for (Map.Entry<String, Path> file : files().entrySet()) {
            digests.put(file.getKey(), fileDigest.of(file.getValue()));
        }
        return digests.isEmpty() ? "" : Sha256.of(ByteBuffer.wrap(Label.encoded(digests)));
    }

    /** The files, by their names relative to the folder. */
    Map<String, Path> files() throws IOException {
        Map<String, Path> files = new TreeMap<>();
        if (source.weightFolder().isPresent()) {
            collect(source.weightFolder().get(), "", files, new HashSet<>());
        }
        return files;
    }

    /** @param seen folders above this one, as links may lead in circles */
    private void collect(Path folder, String prefix, Map<String, Path> files, Set<Path> seen) throws IOException {
        if (!seen.add(folder.toRealPath())) {
            return;
        }
        Map<String, Path> entries = new TreeMap<>();
        try (Stream<Path> listed = Files.list(folder)) {
            listed.forEach(entry ->
                entries.put(entry.getFileName() + (Files.isDirectory(entry) ? "/" : ""), entry));
        }
        Set<String> mentioned = NameSearch.found(entries.keySet(), source.onnx());
        for (Map.Entry<String, Path> entry : entries.entrySet()) {
            if (mentioned.contains(entry.getKey())) {
                if (entry.getKey().endsWith("/")) {
                    collect(entry.getValue(), prefix + entry.getKey(), files, seen);
                } else if (Files.isRegularFile(entry.getValue())) {
                    files.put(prefix + entry.getKey(), entry.getValue());
                }
            }
        }
        seen.remove(folder.toRealPath());
    }
}
