package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ConfigFile;
import java.util.List;
import java.util.Map;

/**
 * The model {@code BPE}: a word begins as its characters, and neighbours are merged, those of the earliest merge first
 * (Sennrich et al., arXiv:1508.07909; the order of equal merges is that of huggingface/tokenizers, left to right).
 *
 * @param wordEnd what the last character of a word ends in, such as {@code </w>}
 * @param fusesUnknown whether unknown characters that follow one another are one token
 * @param byteTokens ids of the tokens {@code <0x00>} to {@code <0xFF>}, in whose place unknown characters are written;
 *     null without such
 * @param takesWords whether a word that is a token stays one, whatever the merges say
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

    /** Written as two texts in a list, or in one with a blank between them. */
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
}
