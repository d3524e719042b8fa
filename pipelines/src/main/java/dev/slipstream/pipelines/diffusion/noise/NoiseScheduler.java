package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.method.Sampler;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A noise scheduler: how a model was trained to see noise, and the method by which noise is taken away again. Read from
 * diffusers' {@code scheduler_config.json}; {@link #table} works out the coefficients for a number of steps.
 *
 * <pre>{@code
 * NoiseScheduler scheduler = NoiseScheduler.read(folder.resolve("scheduler/scheduler_config.json"));
 * NoiseTable table = scheduler.withMethod("dpm++2m").table(25);
 * }</pre>
 *
 * <p>The numbers are those of diffusers 0.40, but for its rounding: it works in fp32, this class in double precision,
 * so latents agree to about 1e-5. (For a few numbers of steps, like 61, diffusers' trailing spacing has one step
 * too many by rounding; here it has not.) An entry that is missing has the default of the diffusers class that is read
 * or chosen. An option that changes the result and cannot be honoured is an error that names it; options which a
 * method does not have are without effect on it, as in diffusers. The table of methods and their options is
 * {@code docs/noise-schedulers.md}. Immutable; safe for use by many threads.
 */
public final class NoiseScheduler {
    private static final Logger LOG = LoggerFactory.getLogger(NoiseScheduler.class);
    private static final String CLIPS = "clip_sample";
    /** Far more than any has, even with the betas of all steps. */
    private static final int MOST_BYTES = 16 << 20;

    private final SchedulerOptions options;
    private final Function<SchedulerOptions, Sampler> reader;
    private final Sampler sampler;

    private NoiseScheduler(SchedulerOptions options, Function<SchedulerOptions, Sampler> reader) {
        this.options = options;
        this.reader = reader;
        this.sampler = reader.apply(options);
    }

    /**
     * Reads a {@code scheduler_config.json}.
     *
     * @throws NoiseSchedulerException if the file is damaged, or names a class or an option that is not supported
     * @throws IOException if the file cannot be read
     */
    public static NoiseScheduler read(Path schedulerConfigJson) throws IOException {
        return of(load(schedulerConfigJson));
    }

    /**
     * Reads a {@code scheduler_config.json} for another method than the file's, whose class need not be supported then.
     *
     * @param method one of {@link #names()}
     * @throws NoiseSchedulerException as {@link #read(Path)}, or if there is no such method
     * @throws IOException if the file cannot be read
     */
    public static NoiseScheduler read(Path schedulerConfigJson, String method) throws IOException {
        return of(load(schedulerConfigJson), method);
    }

    /**
     * Reads the text of a {@code scheduler_config.json}.
     *
     * @param source what error messages call it
     * @throws NoiseSchedulerException as {@link #read(Path)}
     */
    public static NoiseScheduler parse(String json, String source) {
        return of(SchedulerOptions.parse(json, source));
    }

    /**
     * Reads the text of a {@code scheduler_config.json} for a class of diffusers that may be another than the file's,
     * as that class' {@code from_config} does. Unknown options of another class' file are without effect.
     *
     * @param source what error messages call it
     * @throws NoiseSchedulerException as {@link #read(Path)}
     */
    public static NoiseScheduler parseForClass(String json, String source, String className) {
        SchedulerOptions file = SchedulerOptions.parse(json, source);
        SchedulerOptions options = file.ofClass(className);
        NoiseMethod method = NoiseMethod.ofClass(options);
        boolean own = file.className().isEmpty() || file.className().equals(className);
        return new NoiseScheduler(own ? options.requireKnown() : options, method::read);
    }

    /**
     * Reads the text of a {@code scheduler_config.json} for which another method may be chosen later. If the file's own
     * cannot be used, as its class or an option is not supported, it is refused only where its steps are asked for.
     *
     * @param source what error messages call it
     * @throws NoiseSchedulerException if it is no JSON object
     */
    public static NoiseScheduler parseForAnyMethod(String json, String source) {
        return new NoiseScheduler(SchedulerOptions.parse(json, source), options -> {
            try {
                return NoiseMethod.ofClass(options).read(options.requireKnown());
            } catch (NoiseSchedulerException refusal) {
                return new RefusedMethod(refusal);
            }
        });
    }

    /** The names of all methods: {@code ddim}, {@code euler}, {@code dpm++2m} and so on. */
    public static List<String> methods() {
        return NoiseMethod.labels();
    }

    /**
     * All names that are methods' names: those of {@link #methods()}, and those with {@code -karras}, {@code
     * -exponential}, {@code -beta} or {@code -lu} behind, where the method can space its noise levels so.
     */
    public static List<String> names() {
        return NoiseMethod.names();
    }

    private static SchedulerOptions load(Path file) throws IOException {
        return SchedulerOptions.parse(InputFile.text(file, MOST_BYTES), file.toString());
    }

    private static NoiseScheduler of(SchedulerOptions options) {
        NoiseMethod method = NoiseMethod.ofClass(options);
        return new NoiseScheduler(options.requireKnown(), method::read);
    }

    /**
     * As diffusers' {@code from_config} goes about it: the method takes what it knows of the file, and what it does not
     * find there has the defaults of its own class.
     */
    private static NoiseScheduler of(SchedulerOptions options, String name) {
        NoiseMethod method = NoiseMethod.named(name);
        Training training = Training.of(options);
        if (!method.samples(training)) {
            throw options.refusal("the model was trained " + training + " (class '" + options.className() + "'), so "
                + name + " cannot sample it");
        }
        return new NoiseScheduler(options.with(training.options(options)).with(method.options(name)),
            method::read);
    }

    /**
     * The same training schedule and options with another method, as diffusers' {@code from_config} does. A name
     * without {@code -karras} keeps what the file says about Karras spacing.
     *
     * @param method one of {@link #names()}
     * @throws NoiseSchedulerException if there is no such method, or it does not support an option of the file
     */
    public NoiseScheduler withMethod(String method) {
        return of(options, method);
    }

    /** What a pipeline of diffusers sets in old configurations, whatever the file says. */
    public enum Repair {
        /** {@code steps_offset} is 1. */
        STEPS_OFFSET,
        /** {@code clip_sample} is false. */
        NO_CLIPPING,
        /** {@code skip_prk_steps} is true: PNDM begins without steps of Runge and Kutta. */
        NO_RUNGE_KUTTA
    }

    /**
     * The same as a pipeline of diffusers' uses it. Its latents are not clipped unless the file says so, even where it
     * is silent and its class, or that of a method which is chosen later, would clip.
     *
     * @param pipeline its name, for the warning about a file that is mended
     * @param repairs what it sets
     */
    public NoiseScheduler forPipeline(String pipeline, Set<Repair> repairs) {
        Map<String, String> mended = new LinkedHashMap<>();
        if (repairs.contains(Repair.STEPS_OFFSET) && options.number("steps_offset", 0) != 1) {
            mended.put("steps_offset", "1");
        }
        if (repairs.contains(Repair.NO_CLIPPING) && options.flag(CLIPS, false)) {
            mended.put(CLIPS, "false");
        }
        if (repairs.contains(Repair.NO_RUNGE_KUTTA)
            && !options.flag("skip_prk_steps", !options.className().equals("PNDMScheduler"))) {
            mended.put("skip_prk_steps", "true");
        }
        if (!mended.isEmpty()) {
            LOG.warn("{}", options.error("this configuration is outdated; " + pipeline + " takes " + mended
                + " instead of what it says").getMessage());
        }
        if (!options.has(CLIPS)) {
            mended.put(CLIPS, "false");
        }
        return new NoiseScheduler(options.with(mended), reader);
    }

    /**
     * The same for pictures of this size, where noise levels depend on it ({@code use_dynamic_shifting} of flow
     * matching).
     *
     * @param tokens how many image tokens the denoiser sees
     */
    public NoiseScheduler forImageTokens(long tokens) {
        return new NoiseScheduler(options.with(Map.of(SchedulerOptions.IMAGE_TOKENS, Long.toString(tokens))),
            reader);
    }

    /** The same with noise levels of flow matching that are spaced evenly from 1 to 1/steps before they are shifted. */
    public NoiseScheduler withEvenLevels() {
        return new NoiseScheduler(options.with(Map.of(SchedulerOptions.EVEN_LEVELS, "true")), reader);
    }

    /** How many timesteps the model was trained with: the most steps that {@link #table} takes. */
    public int trainedTimesteps() {
        return sampler.trainedTimesteps();
    }

    /**
     * The coefficients of every step. The table has as many rows as steps, but for {@code pndm}, which has one more,
     * methods of second order ({@code heun}, {@code dpm2}, {@code dpm++sde}), which have two for every step but the
     * last, and {@code dpm++2m} with trailing spacing and {@code lambda_min_clipped}, which may have fewer.
     *
     * @param steps 1 to {@link #trainedTimesteps()}
     * @throws NoiseSchedulerException if the method cannot do so many steps
     */
    public NoiseTable table(int steps) {
        return table(steps, 0);
    }

    /**
     * The coefficients of the last steps only, for a loop that starts from a picture; {@link NoiseTable#start} says how
     * its latents and noise are mixed. Methods that look back begin there as they begin at the first step, but for
     * {@code pndm} and {@code lms}, which do as diffusers does: PNDM leaves out a step where it begins late, and LMS
     * has weights for steps that were never taken. {@code pndm-restart} and {@code lms-restart} do not.
     *
     * @param steps as in {@link #table(int)}
     * @param first how many steps are left out, 0 or more, less than {@code steps}
     * @throws NoiseSchedulerException if the method cannot do so many steps, or none are left
     */
    public NoiseTable table(int steps, int first) {
        if (steps < 1 || steps > trainedTimesteps()) {
            throw new NoiseSchedulerException("the number of steps is " + steps + ", but must be 1 to "
                + trainedTimesteps() + ", the number of timesteps that the model was trained with");
        }
        if (first < 0 || first >= steps) {
            throw new NoiseSchedulerException("of " + steps + " steps " + first + " cannot be left out");
        }
        return begun(steps, first);
    }

    private NoiseTable begun(int steps, int first) {
        try {
            return sampler.table(steps, first);
        } catch (IllegalArgumentException infinite) {
            // Options that are fine each by itself, and together divide by nothing: no signal, or a step of no length.
            throw options.refusal("with these options " + steps + " steps cannot be taken, as "
                + infinite.getMessage() + "; choose another number of steps or another method");
        }
    }

    /**
     * The coefficients of those steps only that lie in a part of the way, which begins with what another model made of
     * the steps before it, and ends with latents for the next one. The steps are placed as for the whole way, so that
     * the spans of a way together have the steps of {@link #table(int, int)}. A step lies where its first row does.
     *
     * @param first as in {@link #table(int, int)}
     * @throws NoiseSchedulerException as {@link #table(int, int)}, or if no step lies there
     */
    public NoiseTable table(int steps, int first, NoiseSpan span) {
        NoiseTable whole = table(steps);
        List<Row> starts = whole.rows().stream().filter(row -> !row.continues()).toList();
        int ahead = (int) starts.stream().takeWhile(row -> span.isAhead(row.timestep(), trainedTimesteps())).count();
        int begin = Math.max(first, ahead);
        List<Row> rows = new ArrayList<>();
        if (begin < starts.size()) {
            for (Row row : begun(steps, begin).rows()) {
                if (!row.continues() && span.isPast(row.timestep(), trainedTimesteps())) {
                    break;
                }
                rows.add(row);
            }
        }
        if (rows.isEmpty()) {
            throw new NoiseSchedulerException("none of the " + (steps - first) + " steps of " + whole.name()
                + " lies in the part " + span + " of the way; take more steps, or share the way in another manner");
        }
        return whole.withRows(rows);
    }

    /**
     * Stands for a file's own method that cannot be used, until another is chosen.
     *
     * @param refusal why
     */
    private record RefusedMethod(NoiseSchedulerException refusal) implements Sampler {
        @Override
        public int trainedTimesteps() {
            throw refused();
        }

        @Override
        public NoiseTable table(int steps, int first) {
            throw refused();
        }

        /** A new one each time, which has the stack of who asked. */
        private NoiseSchedulerException refused() {
            return refusal.again();
        }
    }
}
