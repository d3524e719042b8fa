package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ConfigFile;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression by which PEFT's settings name modules: it must match the end of a name, from a dot on or the
 * whole. Expressions come with files, so that one that would take for ever is given up.
 *
 * @param settings where it stands
 * @param key under which
 */
record ModulePattern(ConfigFile settings, String key, String expression) {
    private static final int LONGEST = 300;
    private static final int MOST_STEPS = 100_000;

    boolean matches(String module) {
        if (expression.length() > LONGEST) {
            throw settings.wrong(key, "has a name of " + expression.length() + " characters");
        }
        try {
            return Pattern.compile("(.*\\.)?(" + expression + ")").matcher(new Bounded(module, new int[1])).matches();
        } catch (PatternSyntaxException | TooManySteps e) {
            throw settings.wrong(key, "has the name " + expression + ", which is no simple regular expression");
        }
    }

    private static final class TooManySteps extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** A text that can be looked at only so often. */
    private record Bounded(CharSequence text, int[] steps) implements CharSequence {
        @Override
        public char charAt(int index) {
            steps[0]++;
            if (steps[0] > MOST_STEPS) {
                throw new TooManySteps();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }
    }
}
