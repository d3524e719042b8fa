package dev.slipstream.pipelines.diffusion.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Small tokenizers for tests, whose ids can be worked out by hand. */
record TokenizerFolder(Path path) {
    static final String TEMPLATE = """
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "<eos>", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<bos>": {"id": "<bos>", "ids": [1], "tokens": ["<bos>"]},
                            "<eos>": {"id": "<eos>", "ids": [2], "tokens": ["<eos>"]}}}""";

    /** ! to ~ are 0 to 93, é's two bytes 94 and 95; with the end of a word 96 more; then merges, start and end. */
    private static final String CLIP_SIGNS = signs();
    private static final List<String> CLIP_MERGES = List.of("r e", "re d</w>", "s t", "d o", "do n</w>", "' t</w>");

    Path put(String name, String contents) throws IOException {
        return Files.writeString(path.resolve(name), contents);
    }

    /** Words in lower case: a is 4, red is 5, star is 6; padding 0, start 1, end 2, unknown 3; length 8. */
    TokenizerFolder withWords(String postProcessor) throws IOException {
        put("tokenizer.json", """
            {"version": "1.0",
             "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
             "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                         "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"},
             "added_tokens": [],
             "normalizer": {"type": "Lowercase"},
             "pre_tokenizer": {"type": "WhitespaceSplit"},
             "post_processor": %s,
             "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "<unk>",
                       "vocab": {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "a": 4, "red": 5, "star": 6}}}
            """.formatted(postProcessor));
        return this;
    }

    TokenizerFolder withClip(int length) throws IOException {
        List<String> vocabulary = new ArrayList<>();
        CLIP_SIGNS.chars().forEach(c -> vocabulary.add(Character.toString(c)));
        CLIP_SIGNS.chars().forEach(c -> vocabulary.add(Character.toString(c) + "</w>"));
        CLIP_MERGES.forEach(merge -> vocabulary.add(merge.replace(" ", "")));
        vocabulary.add("<|startoftext|>");
        vocabulary.add("<|endoftext|>");
        StringBuilder json = new StringBuilder("{");
        for (int id = 0; id < vocabulary.size(); id++) {
            json.append(id == 0 ? "" : ", ").append('"')
                .append(vocabulary.get(id).replace("\\", "\\\\").replace("\"", "\\\"")).append("\": ").append(id);
        }
        put("vocab.json", json.append('}').toString());
        put("merges.txt", "#version: 0.2\n" + String.join("\n", CLIP_MERGES) + "\n");
        put("tokenizer_config.json", "{\"model_max_length\": " + length + ", \"pad_token\": \"<|endoftext|>\"}");
        return this;
    }

    /** The id of a sign inside a word. */
    static long sign(char sign) {
        return CLIP_SIGNS.indexOf(sign);
    }

    /** The id of a sign at the end of a word. */
    static long last(char sign) {
        return CLIP_SIGNS.length() + CLIP_SIGNS.indexOf(sign);
    }

    /** The id of what a merge makes. */
    static long merged(String piece) {
        List<String> pieces = CLIP_MERGES.stream().map(merge -> merge.replace(" ", "")).collect(Collectors.toList());
        pieces.add("<|startoftext|>");
        pieces.add("<|endoftext|>");
        return 2L * CLIP_SIGNS.length() + pieces.indexOf(piece);
    }

    private static String signs() {
        StringBuilder signs = new StringBuilder();
        for (char c = '!'; c <= '~'; c++) {
            signs.append(c);
        }
        // Byte-level BPE writes a byte above the ASCII ones as the character with its number: é is C3 A9 in UTF-8.
        return signs.append('\u00C3').append('\u00A9').toString();
    }
}
