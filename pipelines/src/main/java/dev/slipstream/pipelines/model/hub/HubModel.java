package dev.slipstream.pipelines.model.hub;

import dev.slipstream.pipelines.model.ModelException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a model on a hub.
 *
 * @param organisation whose model it is
 * @param name of the model there
 * @param revision a branch, a tag or a commit
 */
public record HubModel(String organisation, String name, String revision) {
    private static final String PART = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}";
    private static final Pattern MODEL = Pattern.compile("(" + PART + ")/(" + PART + ")(?:@(" + PART + "))?");

    /** Empty if the text is no such name: {@code ORG/NAME} or {@code ORG/NAME@REVISION}. */
    public static Optional<HubModel> parse(String text) {
        Matcher matcher = MODEL.matcher(text);
        return matcher.matches() && !text.contains("--") && !text.contains("..")
            ? Optional.of(new HubModel(matcher.group(1), matcher.group(2),
                Optional.ofNullable(matcher.group(3)).orElse("main")))
            : Optional.empty();
    }

    /** @throws ModelException if the text is no name of a model */
    public static HubModel of(String text) {
        return parse(text).orElseThrow(() -> new ModelException("'" + text + "' is no model on a hub; such are called "
            + "ORG/NAME, or ORG/NAME@REVISION"));
    }

    /** {@code ORG/NAME}. */
    public String repository() {
        return organisation + "/" + name;
    }

    @Override
    public String toString() {
        return revision.equals("main") ? repository() : repository() + "@" + revision;
    }
}
