package dev.slipstream.pipelines.file;

/**
 * Python writes infinities and NaN as bare words, which JSON does not know; diffusers' own configurations hold
 * {@code -Infinity} ({@code lambda_min_clipped}). Quoted, they pass a strict parser and still convert to a double.
 */
final class PythonNumbers {
    private static final String[] WORDS = {"-Infinity", "Infinity", "NaN"};

    private PythonNumbers() {
    }

    static String quoted(String json) {
        if (!json.contains("Infinity") && !json.contains("NaN")) {
            return json;
        }
        StringBuilder result = new StringBuilder(json.length() + 16);
        boolean inString = false;
        for (int i = 0; i < json.length(); i++) {
            String word = inString ? null : wordAt(json, i);
            if (word != null) {
                result.append('"').append(word).append('"');
                i += word.length() - 1;
                continue;
            }
            char c = json.charAt(i);
            result.append(c);
            if (inString && c == '\\' && i + 1 < json.length()) {
                result.append(json.charAt(++i));
            } else if (c == '"') {
                inString = !inString;
            }
        }
        return result.toString();
    }

    private static String wordAt(String json, int index) {
        for (String word : WORDS) {
            if (json.startsWith(word, index)) {
                return word;
            }
        }
        return null;
    }
}
