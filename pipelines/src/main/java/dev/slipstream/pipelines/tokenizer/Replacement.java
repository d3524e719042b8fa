package dev.slipstream.pipelines.tokenizer;

/** Puts a fixed text in the place of all that matches. */
record Replacement(TextPattern pattern, String content) implements Normalizer {
    @Override
    public AlignedText normalize(AlignedText text) {
        AlignedText.Builder replaced = new AlignedText.Builder(text);
        int kept = 0;
        for (TextPattern.Part part : pattern.parts(text.text())) {
            if (part.matches()) {
                replaced.keep(kept, part.from()).put(content, part.from());
                kept = part.to();
            }
        }
        return kept == 0 ? text : replaced.keep(kept, text.length()).build();
    }
}
