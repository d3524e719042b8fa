package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.PriorityQueue;

/**
 * The model {@code BPE}: a word begins as its characters, and neighbours are merged, those of the earliest merge first
 * (Sennrich et al., arXiv:1508.07909; the order of equal merges is that of huggingface/tokenizers, left to right).
 *
 * @param wordEnd a suffix of the last character of a word, such as {@code </w>}
 * @param fusesUnknown whether consecutive unknown characters are one token
 * @param byteTokens ids of the tokens {@code <0x00>} to {@code <0xFF>}, as which unknown characters are written; null
 *     if there are none
 * @param takesWords whether a word that is a token stays one token, regardless of the merges
 */
record BytePairs(Vocabulary tokens, MergeTable merges, String wordEnd, boolean fusesUnknown, int[] byteTokens,
    boolean takesWords) implements TokenModel {
    private static final int LONGEST_WORD_END = 32;

    static BytePairs read(ConfigFile model) {
        if (model.number("dropout", 0) != 0) {
            throw model.wrong("dropout", "makes tokens by chance, which is not supported");
        }
        if (!model.text("continuing_subword_prefix").orElse("").isEmpty()) {
            throw model.wrong("continuing_subword_prefix", "is not supported for BPE");
        }
        String wordEnd = model.text("end_of_word_suffix").orElse("");
        if (wordEnd.length() > LONGEST_WORD_END) {
            throw model.wrong("end_of_word_suffix", "must have at most " + LONGEST_WORD_END + " characters");
        }
        Vocabulary vocabulary = Vocabulary.read(model, null);
        return new BytePairs(vocabulary, merges(model, vocabulary), wordEnd, model.flag("fuse_unk", false),
            model.flag("byte_fallback", false) ? vocabulary.byteTokens() : null, model.flag("ignore_merges", false));
    }

    private static MergeTable merges(ConfigFile model, Vocabulary vocabulary) {
        List<JsonElement> listed = model.list("merges");
        MergeTable merges = new MergeTable(listed.size());
        for (JsonElement merge : listed) {
            String[] halves = halves(model, merge);
            merges.add(id(vocabulary, halves[0]), id(vocabulary, halves[1]), id(vocabulary, halves[0] + halves[1]));
        }
        return merges;
    }

    /** Stored as a list of two texts, or as one text with a blank between them. */
    private static String[] halves(ConfigFile model, JsonElement merge) {
        if (merge.isJsonArray() && merge.getAsJsonArray().size() == 2) {
            return new String[] {model.text("merges", merge.getAsJsonArray().get(0)),
                model.text("merges", merge.getAsJsonArray().get(1))};
        }
        String text = model.text("merges", merge);
        int blank = text.indexOf(' ');
        if (blank < 0 || text.indexOf(' ', blank + 1) >= 0) {
            throw model.wrong("merges", "must be two pieces with a blank between them, not \"" + text + '"');
        }
        return new String[] {text.substring(0, blank), text.substring(blank + 1)};
    }

    private static int id(Vocabulary vocabulary, String piece) {
        Integer id = vocabulary.ids().get(piece);
        if (id == null) {
            throw vocabulary.source().wrong("merges", "has \"" + piece + "\", which is not in the vocabulary");
        }
        return id;
    }

    @Override
    public void encode(AlignedText word, Encoding.Builder encoded) {
        Integer whole = takesWords ? tokens.ids().get(word.text()) : null;
        if (whole != null) {
            encoded.add(whole, word.origin(0));
            return;
        }
        MergedPieces pieces = new MergedPieces(merges,
            byteTokens == null ? word.length() : 3 * (word.length() + wordEnd.length()));
        split(word, pieces);
        pieces.merge();
        pieces.addTo(encoded);
    }

    private void split(AlignedText word, MergedPieces pieces) {
        String text = word.text();
        int unknownFrom = -1;
        for (int at = 0; at < text.length(); ) {
            int end = at + Character.charCount(text.codePointAt(at));
            String piece = end == text.length() ? text.substring(at, end) + wordEnd : text.substring(at, end);
            Integer id = tokens.ids().get(piece);
            if (id != null) {
                endUnknown(word, unknownFrom, pieces);
                unknownFrom = -1;
                pieces.add(id, word.origin(at));
            } else if (!addBytes(piece, word.origin(at), pieces) && tokens.unknown() != null) {
                if (!fusesUnknown) {
                    endUnknown(word, unknownFrom, pieces);
                    unknownFrom = -1;
                }
                unknownFrom = unknownFrom < 0 ? at : unknownFrom;
            }
            at = end;
        }
        endUnknown(word, unknownFrom, pieces);
    }

    private void endUnknown(AlignedText word, int from, MergedPieces pieces) {
        if (from >= 0) {
            pieces.add(tokens.unknownId(), word.origin(from));
        }
    }

    /** Whether the vocabulary has tokens for all bytes of a piece; they are added then. */
    private boolean addBytes(String piece, int origin, MergedPieces pieces) {
        int[] ids = byteTokens == null ? null : Vocabulary.ofBytes(piece, byteTokens);
        if (ids != null) {
            for (int id : ids) {
                pieces.add(id, origin);
            }
        }
        return ids != null;
    }

    @Override
    public Map<String, Integer> vocabulary() {
        return tokens.ids();
    }

    @Override
    public OptionalInt unknownToken() {
        return tokens.unknownToken();
    }

    /**
     * The pieces of one word while they are merged, as a list that is linked both ways: what a merge makes takes the
     * place of its left piece. Takes {@code n log n} steps for n pieces.
     */
    private static final class MergedPieces {
        private static final int GONE = -1;

        private final MergeTable merges;
        private final int[] ids;
        private final int[] origins;
        private final int[] next;
        private final int[] previous;
        /**
         * Possible merges, some of them outdated: the rank in the upper half, the place of the left piece in the lower
         * half.
         */
        private final PriorityQueue<Long> queue = new PriorityQueue<>();
        private int count;

        /** @param most pieces that will be added */
        MergedPieces(MergeTable merges, int most) {
            this.merges = merges;
            ids = new int[most];
            origins = new int[most];
            next = new int[most];
            previous = new int[most];
        }

        void add(int id, int origin) {
            ids[count] = id;
            origins[count] = origin;
            previous[count] = count - 1;
            next[count] = ++count;
        }

        void merge() {
            for (int left = 0; left < count; left++) {
                offer(left);
            }
            while (!queue.isEmpty()) {
                long first = queue.poll();
                int left = (int) first;
                int whole = merges.merged((int) (first >>> Integer.SIZE));
                if (isPossible(left, whole)) {
                    join(left, whole);
                }
            }
        }

        private void offer(int left) {
            int rank = next[left] < count ? merges.rank(ids[left], ids[next[left]]) : MergeTable.NONE;
            if (rank != MergeTable.NONE) {
                queue.add((long) rank << Integer.SIZE | left);
            }
        }

        /** Whether a piece and the one after it still make the token that they made when they were queued. */
        private boolean isPossible(int left, int whole) {
            boolean isThere = ids[left] != GONE && next[left] < count;
            int rank = isThere ? merges.rank(ids[left], ids[next[left]]) : MergeTable.NONE;
            return rank != MergeTable.NONE && merges.merged(rank) == whole;
        }

        private void join(int left, int whole) {
            int right = next[left];
            ids[left] = whole;
            ids[right] = GONE;
            next[left] = next[right];
            if (next[left] < count) {
                previous[next[left]] = left;
            }
            if (previous[left] >= 0) {
                offer(previous[left]);
            }
            offer(left);
        }

        void addTo(Encoding.Builder encoded) {
            for (int at = 0; at < count; at = next[at]) {
                encoded.add(ids[at], origins[at]);
            }
        }
    }

    /** The merges of byte-pair encoding: the token that two tokens make, and the rank of each merge. */
    private static final class MergeTable {
        static final int NONE = LongTable.NONE;

        private final LongTable ranks;
        private final int[] merged;
        private int count;

        /** @param size how many will be added */
        MergeTable(int size) {
            ranks = new LongTable(size);
            merged = new int[size];
        }

        /** Adds the next merge; of two with the same halves, the later one counts. */
        void add(int left, int right, int whole) {
            ranks.put(pair(left, right), count);
            merged[count++] = whole;
        }

        private static long pair(int left, int right) {
            return (long) left << Integer.SIZE | right;
        }

        /** The place of a merge in the list, or {@link #NONE}. */
        int rank(int left, int right) {
            return ranks.get(pair(left, right));
        }

        /** What a merge makes. */
        int merged(int rank) {
            return merged[rank];
        }
    }
}
