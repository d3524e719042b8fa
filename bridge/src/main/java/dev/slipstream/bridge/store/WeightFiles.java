package dev.slipstream.bridge.store;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.file.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
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
    /** How to come by the SHA-256 of a file: by reading it, or from memory. */
    @FunctionalInterface
    interface FileDigest {
        /** In hexadecimal digits. */
        String of(Path file) throws IOException;
    }

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

    /**
     * Finds out in one pass which of many names occur in bytes, in UTF-8. A graph may have hundreds of files beside it
     * and gigabytes inside.
     */
    static final class NameSearch {
        private final Map<Integer, List<byte[]>> byBeginning = new HashMap<>();
        /** Whether some name begins with these two bytes. */
        private final boolean[] beginning = new boolean[1 << 16];
        private final Set<String> found = new HashSet<>();

        private NameSearch(Collection<String> names) {
            for (String name : names) {
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                if (bytes.length < 2) {
                    // Too short to look for: it may well be there.
                    found.add(name);
                } else {
                    int begin = beginning(bytes[0], bytes[1]);
                    beginning[begin] = true;
                    byBeginning.computeIfAbsent(begin, it -> new ArrayList<>()).add(bytes);
                }
            }
        }

        private static int beginning(byte first, byte second) {
            return (first & 0xff) << 8 | second & 0xff;
        }

        /** Those of {@code names} that occur in what remains in the buffer. One of a single byte counts as found. */
        static Set<String> found(Collection<String> names, ByteBuffer in) {
            return new NameSearch(names).search(in);
        }

        private Set<String> search(ByteBuffer in) {
            for (int at = in.position(); at < in.limit() - 1; at++) {
                int begin = beginning(in.get(at), in.get(at + 1));
                if (beginning[begin]) {
                    compare(byBeginning.get(begin), in, at);
                }
            }
            return found;
        }

        private void compare(List<byte[]> names, ByteBuffer in, int at) {
            for (byte[] name : names) {
                if (name.length <= in.limit() - at && in.slice(at, name.length).equals(ByteBuffer.wrap(name))) {
                    found.add(new String(name, StandardCharsets.UTF_8));
                }
            }
        }
    }
}
