package dev.slipstream.pipelines.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/** Writes character maps as google/sentencepiece does: a double-array trie of bytes, and the texts behind it. */
final class CharacterMaps {
    private static final int LEAF = 1 << 31;
    private static final int HAS_LEAF = 1 << 8;

    private final int[] units = new int[1 << 16];
    private final boolean[] taken = new boolean[units.length];
    private int size = 1;

    private CharacterMaps() {
    }

    /** A node: what a text that ends here becomes, and what comes next. */
    private static final class Node {
        private final Map<Integer, Node> children = new TreeMap<>();
        private int text = -1;
    }

    static String write(Map<String, String> changes) {
        ByteArrayOutputStream texts = new ByteArrayOutputStream();
        Node root = new Node();
        changes.forEach((from, to) -> {
            Node node = root;
            for (byte value : from.getBytes(StandardCharsets.UTF_8)) {
                node = node.children.computeIfAbsent(value & 0xFF, key -> new Node());
            }
            node.text = texts.size();
            texts.writeBytes((to + "\0").getBytes(StandardCharsets.UTF_8));
        });
        CharacterMaps map = new CharacterMaps();
        map.taken[0] = true;
        map.place(root, 0);
        int bytes = (map.size + 255) / 256 * 256 * Integer.BYTES;
        ByteBuffer written = ByteBuffer.allocate(Integer.BYTES + bytes + texts.size()).order(ByteOrder.LITTLE_ENDIAN);
        written.putInt(bytes);
        for (int i = 0; i < bytes / Integer.BYTES; i++) {
            written.putInt(map.units[i]);
        }
        return Base64.getEncoder().encodeToString(written.put(texts.toByteArray()).array());
    }

    private void place(Node node, int at) {
        int base = 1;
        while (!isFree(node, base)) {
            base++;
        }
        units[at] |= (at ^ base) << 10;
        if (node.text >= 0) {
            units[at] |= HAS_LEAF;
            take(base, LEAF | node.text);
        }
        for (Map.Entry<Integer, Node> child : node.children.entrySet()) {
            take(base ^ child.getKey(), child.getKey());
        }
        for (Map.Entry<Integer, Node> child : node.children.entrySet()) {
            place(child.getValue(), base ^ child.getKey());
        }
    }

    private boolean isFree(Node node, int base) {
        return (node.text < 0 || !taken[base])
            && node.children.keySet().stream().noneMatch(value -> taken[base ^ value]);
    }

    private void take(int at, int unit) {
        taken[at] = true;
        units[at] = unit;
        size = Math.max(size, at + 1);
    }
}
