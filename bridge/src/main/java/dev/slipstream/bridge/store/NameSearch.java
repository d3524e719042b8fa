package dev.slipstream.bridge.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds out in one pass which of many names occur in bytes, in UTF-8. A graph may have hundreds of files beside it and
 * gigabytes inside.
 */
final class NameSearch {
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

    /** Those of {@code names} that occur in what remains in the buffer. One of a single byte always counts as found. */
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
