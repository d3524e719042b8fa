package dev.slipstream.samples.generate;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Control;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.samples.generate.OutputFiles.WrittenPicture;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** What was drawn, on which devices, and how long it took: for people, and as JSON. */
final class GenerationReport {
    /** Linux's numbers of this process, proc(5). */
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String PEAK = "VmHWM:";
    /** Digits of an entry's ID that are shown, as {@code cache list} does. */
    private static final int SHORT_ID = 12;

    private final List<Device> devices;
    private final Made first;
    private final List<WrittenPicture> pictures;
    private final Duration firstStep;
    private final long prompts;

    /**
     * @param first the first picture or video; the others have other seeds
     * @param pictures all of them, in whole batches
     * @param firstStep time until the first step of the first picture was done, reading and building included
     */
    GenerationReport(List<Device> devices, Made first, List<WrittenPicture> pictures, Duration firstStep) {
        this.devices = devices;
        this.first = first;
        this.pictures = pictures;
        this.firstStep = firstStep;
        this.prompts = pictures.stream().map(WrittenPicture::prompt).distinct().count();
    }

    String text() {
        StringBuilder text = new StringBuilder();
        int steps = first.asked();
        text.append("plan     ").append(first.plan().strategy()).append(", ")
            .append(first.steps() < steps ? first.steps() + " of " : "").append(steps).append(" steps of ")
            .append(first.scheduler()).append(", guidance ")
            .append(number(first.guidance()))
            .append(first.guidanceRescale() > 0
                ? " rescaled by " + number(first.guidanceRescale()) : "")
            .append(first.precision() == DataType.FLOAT32 ? "" : ", " + precision()).append('\n');
        first.adapters().forEach(lora -> text.append("lora     ").append(lora).append('\n'));
        first.controls().forEach(control -> text.append("control  ").append(control.name()).append(", scale ")
            .append(number(control.picture().scale())).append(", range ").append(number(control.picture().from()))
            .append("..").append(number(control.picture().to()))
            .append(control.picture().guesses() ? ", guessing" : "").append('\n'));
        appendStages(text, first.plan());
        window().ifPresent(window -> text.append("window   ").append(window).append('\n'));
        first.refinement().ifPresent(refiner -> {
            text.append("refiner  ").append(refiner.model()).append(", the last ").append(refiner.steps())
                .append(" steps, with ").append(refiner.scheduler()).append('\n');
            appendStages(text, refiner.plan());
        });
        text.append("start    first step done after ").append(Amounts.time(firstStep)).append('\n');
        peakBytes().ifPresent(bytes -> text.append("memory   ").append(Amounts.bytes(bytes)).append(" at most\n"));
        text.append("copied   ").append(Amounts.bytes(first.copiedBytes())).append(" between devices for ")
            .append(first.film().isPresent() ? "a video" : first.batch() > 1 ? Amounts.count(first.batch(), "picture")
                : "a picture").append('\n');
        for (int index = 0; index < pictures.size(); index++) {
            append(text, index);
        }
        return text.substring(0, text.length() - 1);
    }

    private String precision() {
        return Precision.of(first.precision()).toString();
    }

    private void appendStages(StringBuilder text, Plan plan) {
        int widest = IntStream.range(0, plan.stages().size()).map(stage -> plan.label(stage).length()).max().orElse(0);
        for (int stage = 0; stage < plan.stages().size(); stage++) {
            Device device = devices.get(plan.stages().get(stage).device());
            text.append(String.format("         %-" + widest + "s on %s (%s)%s%n", plan.label(stage), device.name(),
                device.description(), decided(plan.label(stage))));
        }
    }

    /** At how many steps a stage ran about which the loop decided; null for others. */
    private Integer ran(String stage) {
        List<Integer> rested = first.rested().get(stage);
        return rested == null ? null : first.steps() - rested.size();
    }

    /** Of the first picture; others may decide otherwise. */
    private String decided(String stage) {
        Integer ran = ran(stage);
        return ran == null ? "" : ", ran at " + ran + " of " + first.steps() + " steps";
    }

    /** Where the loop decided it; of the first picture, too. */
    private Optional<String> window() {
        return first.plan().window().map(rule -> first.window().isEmpty() ? "none of the " + first.steps() + " steps"
            : "began at step " + (first.window().getFirst() + 1) + " of " + first.steps() + " and had "
                + Amounts.count(first.window().size(), "step") + ", as the loop decided");
    }

    private void append(StringBuilder text, int index) {
        WrittenPicture picture = pictures.get(index);
        int factor = picture.enlarged();
        if (index % first.batch() == 0) {
            text.append("time     ").append(time(picture)).append('\n');
        }
        text.append(first.film().isPresent() ? "video    " : "picture  ")
            .append(OutputFiles.isStandard(picture.file()) ? "standard output" : picture.file()).append(" (")
            .append(first.film().map(film -> film.frames() + " frames of ").orElse(""))
            .append(picture.width()).append('x')
            .append(picture.height()).append(factor > 1 ? " pixels, enlarged " + factor + " times" : " pixels")
            .append(first.film().map(film -> ", " + film.framesPerSecond() + " a second").orElse(""))
            .append(", seed ").append(picture.seed()).append(')')
            .append(prompts > 1 ? " of " + picture.prompt() : "").append('\n');
        cache(picture.cache()).ifPresent(line -> text.append("cache    ").append(line).append('\n'));
    }

    /** What the cache of latents had to do with a picture that asked it. */
    private Optional<String> cache(CacheReport report) {
        return report.source().map(source -> "went on from " + source.entry().substring(0, SHORT_ID)
            + (source.finished() ? ", finished, at step " : " at step ") + source.step() + " of " + first.asked()
            + ", score " + String.format(Locale.ROOT, "%.3f", source.score()))
            .or(() -> report.miss().map(reason -> "drawn whole: " + reason));
    }

    private String time(WrittenPicture picture) {
        return (picture.build().isZero() ? "" : "engines " + Amounts.time(picture.build()) + ", ")
            + "text " + Amounts.time(picture.text()) + ", steps " + Amounts.time(picture.loop()) + " ("
            + Amounts.time(picture.loop().dividedBy(picture.steps())) + " each), decoding "
            + Amounts.time(picture.decode())
            + (first.batch() > 1 ? ", of " + first.batch() + " pictures together" : "");
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.format(Locale.ROOT, "%.0f", value) : Double.toString(value);
    }

    String json() {
        Plan plan = first.plan();
        OptionalLong peakBytes = peakBytes();
        return Json.text(new Result(
            pictures.stream().map(picture -> picture.file().toString()).toList(),
            first.prompt(), first.negative(), first.seed(),
            first.asked(), first.guidance(),
            first.guidanceRescale(), first.batch(), first.scheduler(), precision(),
            first.adapters().stream().map(lora -> new LoraResult(lora.file().toString(), lora.weight())).toList(),
            first.controls().stream().map(GenerationReport::result).toList(), plan.strategy(),
            first.refinement().map(it -> new RefinerResult(it.model(), it.handover(), it.scheduler(), it.steps()))
                .orElse(null),
            devices.stream().map(device -> new DeviceResult(device.name(), device.description())).toList(),
            IntStream.range(0, plan.stages().size()).mapToObj(stage -> new StageResult(plan.label(stage),
                devices.get(plan.stages().get(stage).device()).name(), ran(plan.label(stage)))).toList(),
            plan.window().isPresent() ? first.window() : null, first.copiedBytes(), Amounts.millis(firstStep),
            peakBytes.isPresent() ? Long.valueOf(peakBytes.getAsLong()) : null,
            first.film().map(Made.Film::frames).orElse(null), first.film().map(Made.Film::framesPerSecond).orElse(null),
            pictures.stream().map(GenerationReport::result).toList()));
    }

    private static ControlResult result(Control control) {
        return new ControlResult(control.folder().toString(), control.picture().scale(), control.picture().from(),
            control.picture().to(), control.picture().guesses());
    }

    private static PictureResult result(WrittenPicture picture) {
        return new PictureResult(picture.file().toString(), picture.prompt(), picture.seed(), picture.width(),
            picture.height(), picture.enlarged(), new Times(Amounts.millis(picture.build()),
                Amounts.millis(picture.text()), Amounts.millis(picture.loop()), Amounts.millis(picture.decode())),
            result(picture.cache()));
    }

    private static CacheResult result(CacheReport report) {
        return report.source().map(it -> new CacheResult(it.entry(), it.step(), it.score(), it.finished(), null))
            .or(() -> report.miss().map(reason -> new CacheResult(null, null, null, null, reason))).orElse(null);
    }

    /** The most memory that this process has had in RAM, mapped weights included, where the system says it. */
    private static OptionalLong peakBytes() {
        try {
            return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith(PEAK))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", ""))).findFirst();
        } catch (IOException notLinux) {
            return OptionalLong.empty();
        }
    }

    /**
     * Bytes, and the times in {@code pictures}, are of a batch, which is drawn together. Without
     * {@code peakResidentBytes} where the system does not say it, and without {@code refiner} if none is; {@code
     * frames} and {@code framesPerSecond} are of videos, {@code window} of plans that decide where theirs lies.
     */
    private record Result(List<String> files, String prompt, String negative, long seed, int steps, double guidance,
        double guidanceRescale, int batch, String scheduler, String precision, List<LoraResult> loras,
        List<ControlResult> controls, String plan,
        RefinerResult refiner, List<DeviceResult> devices, List<StageResult> stages, List<Integer> window,
        long copiedBytes, double firstStepMilliseconds, Long peakResidentBytes, Integer frames,
        Integer framesPerSecond, List<PictureResult> pictures) {
    }

    private record LoraResult(String file, double weight) {
    }

    private record ControlResult(String controlnet, double scale, double from, double to, boolean guess) {
    }

    private record RefinerResult(String model, double handover, String scheduler, int steps) {
    }

    private record DeviceResult(String name, String description) {
    }

    /** @param ran at how many steps, where the loop decided that */
    private record StageResult(String segment, String device, Integer ran) {
    }

    /** Sizes in pixels as drawn; {@code enlarged} is the factor by which the file has more. */
    private record PictureResult(String file, String prompt, long seed, int width, int height, int enlarged,
        Times milliseconds, CacheResult cache) {
    }

    /** Of a picture that asked the cache of latents: what it went on from, or why it was drawn whole. */
    private record CacheResult(String source, Integer step, Double score, Boolean finished, String miss) {
    }

    private record Times(double engines, double text, double steps, double decoding) {
    }
}
