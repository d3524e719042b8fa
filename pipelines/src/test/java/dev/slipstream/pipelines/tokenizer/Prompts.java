package dev.slipstream.pipelines.tokenizer;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Tuple;

/** Prompts of all that people type, and of what they do not. */
final class Prompts {
    private static final List<String> PIECES = List.of("a", "red", "star", "stars", "sun", "sunny", "SUN",
        "\u00E9T\u00C9", "Don't", "WE'LL", "they've", "it's",
        "'s", "''s", "x42", "1.5", "3/4", " ", "  ", "\n", "\t \r\n", "\u00A0", "\u3000", "\u2028", "\u200B", "\u200D",
        "!", "!!", "?!", "(word:1.3)", "<|startoftext|>", "<|endoftext|>", "<|EndOfText|>", "<cat>", "<Cat>", "<cat",
        "<cat>_1", "<mask>", "<pad>", "[UNK]", "\u00E9", "e\u0301", "E\u0301\u0327", "\u0130stanbul", "\u03A3\u03A3",
        "\u01C5", "stra\u00DFe", "\u1E9E", "\uFB01", "\uFF21\uFF76\uFF9E", "\u212B", "\uFDFA", "\u0E33", "\u0958",
        "\u4E2D\u6587", "\u65E5\u672C\u8A9E", "\uD55C\uAE00", "\u1112\u1161\u11AB", "\u0646\u0635", "\u0939\u093F",
        "\uD83D\uDE00", "\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67", "\uD83C\uDDE9\uD83C\uDDEA", "\u2764\uFE0F",
        "\uD835\uDD38", "\u2460", "\u00BD", "\u2167", "_", "a_b", "$", "\u20AC", "\u00BF", "\u2014", "...", "\u2581",
        "\u2581red", "aaaaaaaaaaaaaaaaaaaa", "ababababab", "=====", "\0", "\u0007", "\u007F", "\uFFFD", "\u0345",
        "\u0316\u0300\u0316\u0300");
    private static final int[][] BLOCKS = {{0x20, 0x7E}, {0xA0, 0x24F}, {0x300, 0x34E}, {0x370, 0x373}, {0x391, 0x3A1},
        {0x400, 0x481}, {0x5D0, 0x5EA}, {0x620, 0x669}, {0x905, 0x939}, {0xE01, 0xE3A}, {0x1100, 0x11FF},
        {0x1E00, 0x1EF9}, {0x2000, 0x2064}, {0x2100, 0x214F}, {0x2460, 0x24FF}, {0x3041, 0x3096}, {0x3099, 0x30FF},
        {0x3131, 0x318E}, {0x4E00, 0x4FFF}, {0xAC00, 0xACFF}, {0xF900, 0xFA6D}, {0xFF01, 0xFFBE}, {0x1D400, 0x1D454},
        {0x1F300, 0x1F5FF}};

    private Prompts() {
    }

    static Arbitrary<String> any() {
        Arbitrary<String> piece = Arbitraries.frequencyOf(Tuple.of(3, Arbitraries.of(PIECES)),
            Tuple.of(1, Arbitraries.integers().between(0, BLOCKS.length - 1).flatMap(block ->
                Arbitraries.integers().between(BLOCKS[block][0], BLOCKS[block][1]).filter(Character::isDefined)
                    .map(Character::toString))),
            Tuple.of(2, Arbitraries.of(" ", "", "a", "b", ", ")));
        return piece.list().ofMaxSize(24).map(pieces -> String.join("", pieces));
    }
}
