package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.List;

/** The tokens before and after every prompt, from the {@code post_processor} of a tokenizer.json. */
record SpecialTokens(List<Integer> before, List<Integer> after) {
    /** Models have one or two, which are part of every chunk of a prompt. */
    private static final int MOST = 8;
    private static final SpecialTokens NONE = new SpecialTokens(List.of(), List.of());

    SpecialTokens {
        before = List.copyOf(before);
        after = List.copyOf(after);
    }

    int count() {
        return before.size() + after.size();
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if the post-processor is damaged or of an unknown kind */
    static SpecialTokens of(ConfigFile file) {
        return file.object("post_processor").map(SpecialTokens::ofProcessor).orElse(NONE);
    }

    private static SpecialTokens ofProcessor(ConfigFile processor) {
        String type = processor.text("type").orElse("");
        SpecialTokens read = switch (type) {
            case "TemplateProcessing" -> ofTemplate(processor);
            case "RobertaProcessing", "BertProcessing" ->
                new SpecialTokens(List.of(second(processor, "cls")), List.of(second(processor, "sep")));
            // It only changes the offsets of tokens.
            case "ByteLevel" -> NONE;
            case "Sequence" -> {
                SpecialTokens tokens = NONE;
                for (ConfigFile inner : processor.objects("processors")) {
                    tokens = ofProcessor(inner).around(tokens).checked(processor);
                }
                yield tokens;
            }
            default -> throw processor.wrong("post_processor", "is of an unknown type, \"" + type + "\"");
        };
        return read.checked(processor);
    }

    private SpecialTokens checked(ConfigFile processor) {
        if (count() > MOST) {
            throw processor.wrong("post_processor", "puts more than " + MOST + " tokens around a prompt");
        }
        return this;
    }

    /** Of a pair like ["&lt;/s>", 2]. */
    private static int second(ConfigFile processor, String key) {
        List<JsonElement> pair = processor.list(key);
        if (pair.size() != 2) {
            throw processor.wrong(key, "must be a token and its id");
        }
        return processor.index(key, pair.get(1));
    }

    private static SpecialTokens ofTemplate(ConfigFile processor) {
        List<Integer> before = new ArrayList<>();
        List<Integer> after = new ArrayList<>();
        List<Integer> side = before;
        for (ConfigFile piece : processor.objects("single")) {
            if (piece.has("Sequence")) {
                side = after;
                continue;
            }
            String name = piece.object("SpecialToken").flatMap(token -> token.text("id"))
                .orElseThrow(() -> processor.wrong("single", "must have only Sequence and SpecialToken"));
            ConfigFile token = processor.object("special_tokens").flatMap(tokens -> tokens.object(name))
                .orElseThrow(() -> processor.wrong("special_tokens", "must have " + name));
            for (JsonElement id : token.list("ids")) {
                side.add(token.index("ids", id));
            }
        }
        return new SpecialTokens(before, after);
    }

    private SpecialTokens around(SpecialTokens inner) {
        List<Integer> outerBefore = new ArrayList<>(before);
        outerBefore.addAll(inner.before);
        List<Integer> outerAfter = new ArrayList<>(inner.after);
        outerAfter.addAll(after);
        return new SpecialTokens(outerBefore, outerAfter);
    }
}
