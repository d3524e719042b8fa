/**
 * The methods that take noise away: one file for each, found by the name of its class in diffusers.
 *
 * <h2>How to write a noise scheduler</h2>
 *
 * A method is a record that implements {@link dev.slipstream.pipelines.diffusion.noise.method.Sampler}: it has read its
 * options, and makes a table of coefficients for a number of steps. The loop multiplies and adds by that table and
 * knows no methods. Here is Adams-Bashforth of order 4, whole:
 *
 * {@snippet :
 * public record AdamsBashforth(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
 *     private static final double[][] WEIGHTS = {
 *         {1}, {3.0 / 2, -1.0 / 2}, {23.0 / 12, -16.0 / 12, 5.0 / 12}, {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}};
 *
 *     public static AdamsBashforth read(SchedulerOptions options) {
 *         return new AdamsBashforth(KDiffusionSpacing.read(options), CleanEstimate.read(options));
 *     }
 *
 *     @Override
 *     public int trainedTimesteps() {
 *         return spacing.trainedTimesteps();
 *     }
 *
 *     @Override
 *     public NoiseTable table(int steps, int first) {
 *         SigmaPath path = spacing.path(steps);
 *         List<Row> rows = path.from(first).mapToObj(step ->
 *             row(path, step, WEIGHTS[Math.min(step - first, WEIGHTS.length - 1)])).toList();
 *         return estimate.table(spacing.name("adams-bashforth"), spacing.initialScale(path), rows);
 *     }
 *
 *     private Row row(SigmaPath path, int step, double[] weights) {
 *         LinearForm derivative = estimate.noise(path.level(step));
 *         LinearForm slope = derivative.times(weights[0]);
 *         for (int back = 1; back < weights.length; back++) {
 *             slope = slope.plus(LinearForm.past(back).times(weights[back]));
 *         }
 *         double length = path.sigma(step + 1) - path.sigma(step);
 *         return estimate.row(path, step, LinearForm.LATENT.plus(slope.times(length)), derivative);
 *     }
 * }
 * }
 *
 * These are all types that it needs:
 * <ul>
 * <li>{@link dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions}: the entries of a {@code
 * scheduler_config.json}. What cannot be honoured is refused: {@code options.choice(...)} names what is allowed, {@code
 * throw options.error(...)} says the rest.
 * <li>{@link dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing}: which timesteps and noise levels the
 * steps visit, as the options say. Its siblings are {@code SolverSpacing} for the kin of DPM-Solver, {@code EdmSpacing}
 * for models of EDM, and {@code TrainingSchedule} with {@code TimestepSpacing} for methods that go from timestep to
 * timestep.
 * <li>{@link dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath}: the levels of one number of steps. Step
 * {@code i} goes from {@code level(i)} to {@code level(i + 1)}; the last ends at the picture.
 * <li>{@link dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate}: the <em>estimate</em>. Latents of a
 * <em>level</em> are alpha times the clean image plus sigma times noise; the level is those two numbers. The denoiser
 * predicts noise, image or a velocity; {@code clean(level)} and {@code noise(level)} say what image and noise follow
 * from it. It makes the rows, so that each also says how the picture looks that its step expects: what previews show.
 * <li>{@link dev.slipstream.pipelines.run.loop.LinearForm}: a formula, as numbers before latents, prediction, noise,
 * and what earlier steps remembered.
 * <li>{@link dev.slipstream.pipelines.run.loop.NoiseTable} and its {@code Row}: what a step computes ({@code next}) and
 * what it remembers, its <em>history</em>: any form of its own latents and prediction, here the derivative. {@code
 * LinearForm.past(1)} is what the step before remembered. A method that does not look back remembers {@code
 * LinearForm.ZERO}.
 * </ul>
 *
 * A loop that begins with a given picture leaves out the first steps: {@code first} is where it begins, and nothing
 * from before is remembered there. A method of second order makes two rows a step; the later one is {@code
 * continued()}.
 *
 * <h2>How to add it</h2>
 *
 * One line in {@code NoiseMethod} gives it a name, its class in diffusers, the spacings that it knows, and its reader;
 * the command's help and the properties that hold for all methods pick it up. Tests are red until numbers of diffusers
 * say that its coefficients are right: {@code reference-schedules.json} wants cases of few steps, of many and begun
 * late, and {@code reference-options.json} what each option of the class does. {@code make_cases.py} beside them makes
 * both. {@code docs/noise-schedulers.md} has the table for users.
 */
package dev.slipstream.pipelines.diffusion.noise.method;
