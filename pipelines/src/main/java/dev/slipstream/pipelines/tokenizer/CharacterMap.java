package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.BreakIterator;
import java.util.Base64;
import java.util.Locale;

/**
 * The normalizer {@code Precompiled}: what each sequence of bytes becomes, as a double-array trie.
 *
 * <p>Source: the precompiled_charsmap of google/sentencepiece (normalizer.cc) and its trie, s-yata/darts-clone; how it
 * is applied, to grapheme clusters of up to five bytes and then to single characters, is as in huggingface/tokenizers.
 */
final class CharacterMap implements Normalizer {
    private static final int LONGEST_CLUSTER = 5;

    private final int[] units;
    private final byte[] texts;

    private CharacterMap(int[] units, byte[] texts) {
        this.units = units;
        this.texts = texts;
    }

    /** @throws ModelException if the map is missing or damaged */
    static CharacterMap read(ConfigFile step) {
        String key = "precompiled_charsmap";
        String encoded = step.text(key).orElseThrow(() -> step.wrong(key, "is missing"));
        try {
            ByteBuffer map = ByteBuffer.wrap(Base64.getDecoder().decode(encoded)).order(ByteOrder.LITTLE_ENDIAN);
            int size = map.remaining() < 4 ? -1 : map.getInt();
            if (size <= 0 || size % 4 != 0 || size > map.remaining()) {
                throw step.wrong(key, "is damaged: its trie does not fit into it");
            }
            int[] units = new int[size / 4];
            map.asIntBuffer().get(units);
            byte[] texts = new byte[map.remaining() - size];
            map.position(4 + size).get(texts);
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
            return new CharacterMap(units, texts);
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw step.wrong(key, "is damaged: " + e.getMessage());
        }
    }

    @Override
    public AlignedText normalize(AlignedText text) {
        String source = text.text();
        AlignedText.Builder mapped = new AlignedText.Builder(text);
        BreakIterator clusters = BreakIterator.getCharacterInstance(Locale.ROOT);
        clusters.setText(source);
        int from = clusters.first();
        for (int to = clusters.next(); to != BreakIterator.DONE; to = clusters.next()) {
            String whole = to - from > LONGEST_CLUSTER ? null : map(source.substring(from, to));
            if (whole != null) {
                mapped.put(whole, from);
            } else {
                characters(source, from, to, mapped);
            }
            from = to;
        }
        return mapped.build();
    }

    private void characters(String source, int from, int to, AlignedText.Builder mapped) {
        for (int at = from; at < to; ) {
            int end = at + Character.charCount(source.codePointAt(at));
            String changed = map(source.substring(at, end));
            if (changed == null) {
                mapped.keep(at, end);
            } else {
                mapped.put(changed, at);
            }
            at = end;
        }
    }

    /** What the shortest beginning that the map has becomes; null if it has none, or the text is too long for it. */
    private String map(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > LONGEST_CLUSTER) {
            return null;
        }
        int node = offset(units[0]);
        for (byte value : bytes) {
            node ^= value & 0xFF;
            if (value == 0 || node < 0 || node >= units.length || (units[node] & 0x800000FF) != (value & 0xFF)) {
                return null;
            }
            int unit = units[node];
            node ^= offset(unit);
            if ((unit >>> 8 & 1) == 1) {
                return node < 0 || node >= units.length ? null : textAt(units[node] & Integer.MAX_VALUE);
            }
        }
        return null;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }

    private String textAt(int start) {
        int end = start;
        while (end < texts.length && texts[end] != 0) {
            end++;
        }
        return start >= texts.length ? "" : new String(texts, start, end - start, StandardCharsets.UTF_8);
    }
}
