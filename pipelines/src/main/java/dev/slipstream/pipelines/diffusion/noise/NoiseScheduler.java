package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A noise scheduler: how a model was trained to see noise, and the method by which noise is taken away again. Read from
 * diffusers' {@code scheduler_config.json}; {@link #table} works out the coefficients for a number of steps.
 *
 * <pre>{@code
 * NoiseScheduler scheduler = NoiseScheduler.read(folder.resolve("scheduler/scheduler_config.json"));
 * NoiseTable table = scheduler.withMethod("dpm++2m").table(25);
 * }</pre>
 *
 * <p>The numbers are those of diffusers 0.29.2, but for its rounding: it works in fp32, this class in double precision,
 * so latents agree to about 1e-5. (For a few numbers of steps, like 61, diffusers' trailing spacing has one step
 * too many by rounding; here it has not.) An entry that is missing has the default of the diffusers class that is read
 * or chosen. An option that changes the result and cannot be honoured is an error that names it; options which a
 * method does not have are without effect on it, as in diffusers. Immutable; safe for use by many threads.
 */
public final class NoiseScheduler {
    private final SchedulerOptions options;
    private final Sampler sampler;

    private NoiseScheduler(SchedulerOptions options, Sampler sampler) {
        this.options = options;
        this.sampler = sampler;
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
     * @param method one of {@link #methods()}
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

    /** The names of all methods: {@code ddim}, {@code euler}, {@code dpm++2m} and so on. */
    public static List<String> methods() {
        return NoiseMethod.labels();
    }

    private static SchedulerOptions load(Path file) throws IOException {
        return SchedulerOptions.parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), file.toString());
    }

    private static NoiseScheduler of(SchedulerOptions options) {
        NoiseMethod method = NoiseMethod.ofClass(options.className()).orElseThrow(() -> options.error(
            "noise scheduler class '" + options.className() + "' is not supported, only " + NoiseMethod.classNames()
                + "; or choose a method: " + String.join(", ", methods())));
        return new NoiseScheduler(options, method.read(options));
    }

    private static NoiseScheduler of(SchedulerOptions options, String name) {
        NoiseMethod method = NoiseMethod.named(name).orElseThrow(() -> new NoiseSchedulerException(
            "no noise scheduler is called '" + name + "'; choose one of " + String.join(", ", methods())));
        boolean trainedByFlowMatching = options.className().startsWith("FlowMatch");
        if (trainedByFlowMatching != (method == NoiseMethod.FLOW_MATCH_EULER)) {
            throw options.error("the model was " + (trainedByFlowMatching ? "" : "not ")
                + "trained by flow matching (class '" + options.className() + "'), so " + name + " cannot sample it");
        }
        SchedulerOptions chosen = options.with(method.options());
        return new NoiseScheduler(chosen, method.read(chosen));
    }

    /**
     * The same training schedule and options with another method, as diffusers' {@code from_config} does. A name
     * without {@code -karras} keeps what the file says about Karras spacing.
     *
     * @param method one of {@link #methods()}
     * @throws NoiseSchedulerException if there is no such method, or it does not support an option of the file
     */
    public NoiseScheduler withMethod(String method) {
        return of(options, method);
    }

    /** How many timesteps the model was trained with: the most steps that {@link #table} takes. */
    public int trainedTimesteps() {
        return sampler.trainedTimesteps();
    }

    /**
     * The coefficients of every step. The table has as many rows as steps, but for {@code pndm}, which has one more,
     * and {@code dpm++2m} with trailing spacing and {@code lambda_min_clipped}, which may have fewer.
     *
     * @param steps 1 to {@link #trainedTimesteps()}
     * @throws NoiseSchedulerException if the method cannot do so many steps
     */
    public NoiseTable table(int steps) {
        if (steps < 1 || steps > trainedTimesteps()) {
            throw new NoiseSchedulerException("the number of steps is " + steps + ", but must be 1 to "
                + trainedTimesteps() + ", the number of timesteps that the model was trained with");
        }
        return sampler.table(steps, 0);
    }

    /**
     * The coefficients of the last steps only, for a loop that starts from a picture; {@link NoiseTable#start} says how
     * its latents and noise are mixed. Methods that look back begin there as they begin at the first step. (diffusers
     * leaves out a step where PNDM begins late, and gives LMS weights for steps that were never taken.)
     *
     * @param steps as in {@link #table(int)}
     * @param first how many steps are left out, 0 or more, less than {@code steps}
     * @throws NoiseSchedulerException if the method cannot do so many steps, or none are left
     */
    public NoiseTable table(int steps, int first) {
        NoiseTable whole = table(steps);
        if (first < 0 || first >= steps) {
            throw new NoiseSchedulerException("of " + steps + " steps " + first + " cannot be left out");
        }
        return first == 0 ? whole : sampler.table(steps, first);
    }

    /**
     * The coefficients of those steps only that lie in a part of the way, which begins with what another model made of
     * the steps before it, and ends with latents for the next one. The steps are placed as for the whole way, so that
     * the spans of a way together have the steps of {@link #table(int, int)}. Methods that look back begin anew in each
     * span; {@code pndm} visits the second timestep of each twice.
     *
     * @param first as in {@link #table(int, int)}
     * @throws NoiseSchedulerException as {@link #table(int, int)}, or if no step lies there
     */
    public NoiseTable table(int steps, int first, NoiseSpan span) {
        NoiseTable whole = table(steps);
        int ahead = (int) whole.rows().stream()
            .takeWhile(row -> span.isAhead(row.timestep(), trainedTimesteps())).count();
        // Rows that are no steps: the second timestep of pndm, twice.
        int again = ahead > 1 ? Math.max(0, whole.steps() - steps) : 0;
        List<Row> rows = ahead == whole.steps() ? List.of()
            : table(steps, Math.max(first, ahead - again)).rows().stream()
                .takeWhile(row -> !span.isPast(row.timestep(), trainedTimesteps())).toList();
        if (rows.isEmpty()) {
            throw new NoiseSchedulerException("none of the " + (steps - first) + " steps of " + whole.name()
                + " lies in the part " + span + " of the way; take more steps, or share the way in another manner");
        }
        return whole.withRows(rows);
    }
}
