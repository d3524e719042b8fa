package dev.slipstream.pipelines.diffusion.image;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What made a picture, as AUTOMATIC1111's web UI writes it into its files and other tools read it there.
 *
 * @param prompt may have several lines
 * @param negativePrompt empty for none
 * @param settings such as {@code Steps}, {@code Sampler}, {@code CFG scale}, {@code Seed}, {@code Size}, {@code Model},
 *     {@code Version}, in the order in which they are written
 */
public record GenerationParameters(String prompt, String negativePrompt, Map<String, String> settings) {
    /** The name that the text goes by among a picture's metadata. */
    public static final String KEYWORD = "parameters";

    public GenerationParameters {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** Prompt, negative prompt and settings, each on lines of its own. */
    public String text() {
        StringBuilder text = new StringBuilder(prompt.strip());
        if (!negativePrompt.isBlank()) {
            text.append("\nNegative prompt: ").append(negativePrompt.strip());
        }
        String separator = "\n";
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            text.append(separator).append(setting.getKey()).append(": ").append(quoted(setting.getValue()));
            separator = ", ";
        }
        return text.toString();
    }

    /** Readers split the settings at commas and colons, unless they stand in quotes. */
    private static String quoted(String value) {
        if (value.chars().noneMatch(c -> c == ',' || c == ':' || c == '\n' || c == '"')) {
            return value;
        }
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
