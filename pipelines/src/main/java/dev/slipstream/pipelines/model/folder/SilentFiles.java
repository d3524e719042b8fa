package dev.slipstream.pipelines.model.folder;

import dev.slipstream.pipelines.model.folder.Inventory.FileNote;
import dev.slipstream.pipelines.model.folder.Inventory.FileRule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Files beside models that do not matter for running them, by their usual names. A name that could also be that of a
 * file that changes pictures does not belong here.
 */
public final class SilentFiles implements FileRule {
    private static final Map<Pattern, String> KINDS = kinds();

    private static Map<Pattern, String> kinds() {
        Map<Pattern, String> kinds = new LinkedHashMap<>();
        kinds.put(pattern("\\..*"), "of the hub, the version control or the system");
        kinds.put(pattern("(thumbs\\.db|desktop\\.ini|__pycache__/|__MACOSX/|.*~)"), "of the system");
        kinds.put(pattern("(readme|licen[sc]e|notice|copying|changelog|citation|authors|model_?card|use_?policy)"
            + "([._-][^/]*)?|[^/]*\\.(md|rst|pdf|html?|bib|cff)"), "documentation");
        kinds.put(pattern("[^/]*\\.(png|jpe?g|webp|gif|svg|bmp|tiff?|ico|mp4|webm|mov)"), "a picture");
        kinds.put(pattern("((sample|example|preview)s?[_-]?(images?)?|images?|assets|docs|media|figures)/"
            + "|requirements\\.txt"), "documentation");
        kinds.put(pattern("(safety_checker|feature_extractor|watermark)/"), "judges or marks finished pictures");
        kinds.put(pattern("(optimizer|scheduler|scaler|ema_state)([._-][^/]*)?\\.(pt|pth|bin)|"
            + "(random_states|rng_state)[^/]*|trainer_state\\.json|training_args\\.(bin|json)|"
            + "(all|train|eval)_results\\.json|events\\.out\\.tfevents\\.[^/]*|[^/]*\\.log|"
            + "(checkpoint-\\d+|logs?|runs|wandb)/"), "left by the training");
        kinds.put(pattern("[^/]*\\.(sha256|md5|sha1|sig|asc|lock|metadata)|(md5|sha1|sha256)_?sums?(\\.txt)?"),
            "about a download");
        return kinds;
    }

    private static Pattern pattern(String names) {
        return Pattern.compile(names, Pattern.CASE_INSENSITIVE);
    }

    @Override
    public Optional<FileNote> note(String folder, String name) {
        return KINDS.entrySet().stream().filter(kind -> kind.getKey().matcher(name).matches()).findFirst()
            .map(kind -> FileNote.silent(kind.getValue()));
    }
}
