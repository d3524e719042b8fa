package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.method.DpmSolver;
import dev.slipstream.pipelines.diffusion.noise.method.Euler;
import dev.slipstream.pipelines.diffusion.noise.method.Lms;
import dev.slipstream.pipelines.diffusion.noise.schedule.NoiseSpace;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/**
 * What must hold whatever the options are, with a denoiser that knows the one image there is: its prediction follows
 * from the latents alone.
 */
class MethodPropertiesTest {
    /** Betas, spacing and prediction of a model, as its configuration says. */
    record Model(String betas, String spacing, int offset, String prediction) {
        NoiseScheduler scheduler(String method, String more) {
            return NoiseScheduler.parse("""
                {"_class_name": "DDIMScheduler", "clip_sample": false, "skip_prk_steps": true, %s,
                 "timestep_spacing": "%s", "steps_offset": %d, "prediction_type": "%s", "set_alpha_to_one": true%s}
                """.formatted(betas, spacing, offset, prediction, more), "a model").withMethod(method);
        }

        NoiseTable table(String method, int steps) {
            return scheduler(method, "").table(steps);
        }

        NoiseTable table(String method, int steps, int first) {
            return scheduler(method, "").table(steps, first);
        }

        TrainingSchedule training() {
            return TrainingSchedule.read(SchedulerOptions.parse("{" + betas + "}", "a model"));
        }

        Model predicting(String other) {
            return new Model(betas, spacing, offset, other);
        }

        /** What a denoiser that knows {@code image} predicts at this level. */
        double predict(Mix level, double latent, double image) {
            double noise = (latent - level.image() * image) / level.noise();
            double norm = Math.hypot(level.image(), level.noise());
            return switch (prediction) {
                case "epsilon" -> noise;
                case "sample" -> image;
                default -> (level.image() * noise - level.noise() * image) / norm;
            };
        }
    }

    @Provide
    Arbitrary<Model> models() {
        Arbitrary<String> betas = Arbitraries.of(
            "\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"",
            "\"beta_start\": 0.0001, \"beta_end\": 0.02, \"beta_schedule\": \"linear\"",
            "\"beta_schedule\": \"squaredcos_cap_v2\"");
        return Combinators.combine(betas, Arbitraries.of("leading", "trailing", "linspace"),
            Arbitraries.integers().between(0, 1), Arbitraries.of("epsilon", "v_prediction", "sample"))
            .as(Model::new);
    }

    private static List<Double> walk(Model model, NoiseTable table, double first, double image) {
        TrainingSchedule training = model.training();
        return Walk.follow(table, first, (step, row, latent) ->
            model.predict(level(training, row), latent, image), new double[table.steps()]);
    }

    /** Read from the row alone: the variance exploding methods are those that scale the denoiser's input. */
    private static Mix level(TrainingSchedule training, Row row) {
        if (row.inputScale() != 1) {
            return NoiseSpace.VARIANCE_EXPLODING.level(Math.sqrt(1 / (row.inputScale() * row.inputScale()) - 1));
        }
        return training.level((int) row.timestep());
    }

    @Property(tries = 300)
    void deterministicMethodsLandOnTheOneImage(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60)
        int steps, @ForAll @DoubleRange(min = -2, max = 2) double image, @ForAll @DoubleRange(min = -2, max = 2)
        double noise) {
        for (String method : List.of("euler", "euler-karras", "lms", "lms-karras", "dpm++2m")) {
            NoiseTable table = model.table(method, steps);
            List<Double> latents = walk(model, table, table.initialScale() * noise, image);
            assertEquals(image, latents.getLast(), 1e-6, method);
        }
    }

    @Property(tries = 200)
    void ddimLandsOnTheLevelThatItsLastStepAimsAt(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60)
        int steps, @ForAll @DoubleRange(min = -2, max = 2) double image) {
        NoiseTable table = model.table("ddim", steps);
        List<Double> latents = walk(model, table, 1, image);
        TrainingSchedule training = model.training();
        int last = (int) table.rows().getLast().timestep();
        int aim = last - 1000 / steps;
        Mix from = training.level(last);
        Mix to = aim < 0 ? Mix.CLEAN : training.level(aim);
        double noise = (latents.get(steps - 1) - from.image() * image) / from.noise();
        assertEquals(to.image() * image + to.noise() * noise, latents.getLast(), 1e-9);
    }

    @Property(tries = 200)
    void everyStepEstimatesTheOneImageFromAnyLatents(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60)
        int steps, @ForAll @DoubleRange(min = -2, max = 2) double image, @ForAll @DoubleRange(min = -2, max = 2)
        double latent) {
        for (String method : List.of("ddim", "ddpm", "euler", "euler-karras", "euler-ancestral", "lms", "lms-karras",
            "dpm++2m", "dpm++2m-sde")) {
            for (Row row : model.table(method, steps).rows()) {
                double prediction = model.predict(level(model.training(), row), latent, image);
                assertEquals(image, estimate(row, latent, prediction), 1e-6, method + " at " + row.timestep());
            }
        }
    }

    private static double estimate(Row row, double latent, double prediction) {
        return row.estimate().latent() * latent + row.estimate().prediction() * prediction;
    }

    private static final List<String> METHODS = List.of("ddim", "ddpm", "pndm-restart", "euler", "euler-karras",
        "euler-ancestral", "dpm++2m", "dpm++2m-karras", "dpm++2m-sde", "lms", "lms-karras");

    /** From a mixture of image and noise, wherever it is entered, and with whatever history that lacks. */
    @Property(tries = 200)
    void methodsThatStartFromAPictureLandOnIt(@ForAll("models") Model model, @ForAll @IntRange(min = 2, max = 40)
        int steps, @ForAll @DoubleRange(min = 0, max = 0.99) double skipped,
        @ForAll @DoubleRange(min = -2, max = 2) double image, @ForAll @DoubleRange(min = -2, max = 2) double noise) {
        int first = (int) (steps * skipped);
        for (String method : List.of("euler", "euler-karras", "lms-restart", "lms-restart-karras", "dpm++2m")) {
            NoiseTable table = model.table(method, steps, first);
            assertEquals(steps - first, table.steps(), method);
            assertEquals(model.table(method, steps).rows().get(first).timestep(),
                table.rows().getFirst().timestep(), method);
            double start = table.start().image() * image + table.start().noise() * noise;
            assertEquals(image, walk(model, table, start, image).getLast(), 1e-6, method);
        }
    }

    /** By whatever the denoiser says elsewhere: the known part is where the noise scheduler would mix it. */
    @Property(tries = 200)
    void whatIsKnownOfAPictureIsAtTheLevelOfEveryStepAndCleanInTheEnd(@ForAll("models") Model model,
        @ForAll @IntRange(min = 2, max = 40) int steps, @ForAll @DoubleRange(min = 0, max = 0.99) double skipped,
        @ForAll @DoubleRange(min = -2, max = 2) double image, @ForAll @DoubleRange(min = -2, max = 2) double noise) {
        int first = (int) (steps * skipped);
        for (String method : METHODS) {
            NoiseTable plain = model.table(method, steps, first);
            Mix begin = first == 0 ? new Mix(0, plain.initialScale()) : plain.start();
            NoiseTable table = plain.repainting(begin);
            List<Double> latents = Walk.follow(table, begin.image() * image + begin.noise() * noise,
                (step, row, latent) -> at(row.known().prediction(), image, noise),
                new double[table.steps()]);
            for (int step = 1; step < table.steps(); step++) {
                Mix level = table.rows().get(step).level();
                assertEquals(at(level, image, noise), latents.get(step),
                    1e-6 * (1 + Math.abs(latents.get(step))), method + " before step " + step);
            }
            assertEquals(image, latents.getLast(), 1e-6, method);
        }
    }

    private static double at(Mix mix, double image, double noise) {
        return mix.image() * image + mix.noise() * noise;
    }

    /** With one image, all true noises are equal, and so is any mean of them. */
    @Property(tries = 100)
    void pndmLandsOnTheOneImage(@ForAll("models") Model model, @ForAll @DoubleRange(min = -2, max = 2) double image) {
        Model epsilon = new Model(model.betas(), "leading", 0, "epsilon");
        for (int steps : List.of(1, 2, 4, 5, 10, 20, 50)) {
            NoiseTable table = epsilon.table("pndm", steps);
            List<Double> latents = walk(epsilon, table, 1, image);
            assertEquals(image, latents.getLast(), 1e-6);
            for (int step = 0; step < table.steps(); step++) {
                Row row = table.rows().get(step);
                double prediction = epsilon.predict(level(epsilon.training(), row), latents.get(step), image);
                assertEquals(image, estimate(row, latents.get(step), prediction), 1e-6);
            }
        }
    }

    /** The boundary condition of consistency models leaves a little of the noisy latents in the result. */
    @Property(tries = 100)
    void lcmLandsNearTheOneImage(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 50) int steps,
                                 @ForAll @DoubleRange(min = -2, max = 2) double image) {
        NoiseTable table = model.table("lcm", steps);
        List<Double> latents = walk(model, table, 1, image);
        double scaled = table.rows().getLast().timestep() * 10;
        double skip = 0.25 / (scaled * scaled + 0.25);
        double out = scaled / Math.sqrt(scaled * scaled + 0.25);
        assertEquals(out * image + skip * latents.get(steps - 1), latents.getLast(), 1e-9);
        assertTrue(skip < 1e-5);
        // Without fresh noise, each step ends at its estimate, scaled to the next level.
        Row last = table.rows().getLast();
        double prediction = model.predict(level(model.training(), last), latents.get(steps - 1), image);
        assertEquals(latents.getLast(), estimate(last, latents.get(steps - 1), prediction), 1e-12);
        for (Row row : table.rows()) {
            assertEquals(image, estimate(row, 1, model.predict(level(model.training(), row), 1, image)), 1e-4);
        }
    }

    @Property(tries = 200)
    void allPredictionsGiveTheSameLatents(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 40)
        int steps, @ForAll @DoubleRange(min = -2, max = 2) double image) {
        for (String method : List.of("ddim", "ddpm", "euler", "euler-ancestral", "dpm++2m-sde", "lms", "lcm")) {
            List<Double> first = null;
            for (String prediction : List.of("epsilon", "v_prediction", "sample")) {
                Model other = model.predicting(prediction);
                NoiseTable table = other.table(method, steps);
                List<Double> latents = walk(other, table, table.initialScale(), image);
                first = first == null ? latents : first;
                for (int step = 0; step < latents.size(); step++) {
                    assertEquals(first.get(step), latents.get(step), 1e-6, method + ", step " + step);
                }
            }
        }
    }

    @Property(tries = 100)
    void ddimIsEulerInTheOtherSpace(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 40) int half) {
        // Numbers of steps that divide 1000, where DDIM's steps end where the next begins.
        int steps = List.of(1, 2, 4, 5, 8, 10, 20, 25, 40, 50).get(half % 10);
        Model leading = new Model(model.betas(), "leading", 0, model.prediction());
        TrainingSchedule training = leading.training();
        List<Row> ddim = leading.table("ddim", steps).rows();
        List<Row> euler = leading.table("euler", steps).rows();
        for (int step = 0; step < steps; step++) {
            int timestep = (int) ddim.get(step).timestep();
            assertEquals(timestep, euler.get(step).timestep());
            double alpha = training.level(timestep).image();
            double next = step == steps - 1 ? 1 : training.level(timestep - 1000 / steps).image();
            assertEquals(ddim.get(step).next().latent() * alpha / next, euler.get(step).next().latent(), 1e-9);
            assertEquals(ddim.get(step).next().prediction() / next, euler.get(step).next().prediction(), 1e-9
                * Math.max(1, Math.abs(euler.get(step).next().prediction())));
            assertEquals(alpha, euler.get(step).inputScale(), 1e-12);
        }
    }

    @Property(tries = 100)
    void firstOrderOfDpmSolverIsDdim(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60) int steps) {
        SchedulerOptions options = SchedulerOptions.parse("{" + model.betas() + ", \"solver_order\": 1, "
            + "\"prediction_type\": \"" + model.prediction() + "\", \"timestep_spacing\": \"trailing\"}", "a model");
        List<Row> rows = DpmSolver.read(options).table(steps, 0).rows();
        TrainingSchedule training = model.training();
        for (int step = 0; step < rows.size(); step++) {
            Mix to = step == rows.size() - 1 ? Mix.CLEAN
                : training.level((int) rows.get(step + 1).timestep());
            Mix from = training.level((int) rows.get(step).timestep());
            LinearForm ddim = new CleanEstimate(Prediction.read(options)).transfer(from, to);
            assertEquals(ddim.latent(), rows.get(step).next().latent(), 1e-9 * Math.abs(ddim.latent()) + 1e-9);
            assertEquals(ddim.prediction(), rows.get(step).next().prediction(),
                1e-9 * Math.abs(ddim.prediction()) + 1e-9);
        }
    }

    @Property(tries = 100)
    void firstOrderOfLmsIsEuler(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60) int steps) {
        SchedulerOptions options = SchedulerOptions.parse("{" + model.betas() + ", \"prediction_type\": \""
            + model.prediction() + "\"}", "a model");
        List<Row> euler = Euler.read(options).table(steps, 0).rows();
        Lms fourth = Lms.read(options);
        List<Row> first = new Lms(fourth.spacing(), fourth.estimate(), 1, false).table(steps, 0).rows();
        for (int step = 0; step < steps; step++) {
            assertTrue(first.get(step).next().past().isEmpty());
            assertEquals(euler.get(step).next().latent(), first.get(step).next().latent(), 1e-9);
            assertEquals(euler.get(step).next().prediction(), first.get(step).next().prediction(), 1e-9
                * Math.max(1, Math.abs(first.get(step).next().prediction())));
        }
    }

    /** The integral of 1 is the length of the step, however many derivatives are mixed. */
    @Property(tries = 100)
    void weightsOfMultistepMethodsAddUpToTheStep(@ForAll("models") Model model, @ForAll @IntRange(min = 1, max = 60)
        int steps) {
        Model epsilon = model.predicting("epsilon");
        List<Row> lms = epsilon.table("lms", steps).rows();
        List<Row> euler = epsilon.table("euler", steps).rows();
        for (int step = 0; step < steps; step++) {
            double sum = lms.get(step).next().prediction()
                + lms.get(step).next().past().stream().mapToDouble(weight -> weight).sum();
            assertEquals(euler.get(step).next().prediction(), sum, 1e-9 * Math.max(1, Math.abs(sum)));
        }
    }

    @Property(tries = 100)
    void karrasSigmasFallFromEndToEnd(@ForAll @IntRange(min = 2, max = 200) int steps,
                                      @ForAll @DoubleRange(min = 0.01, max = 1) double min,
                                      @ForAll @DoubleRange(min = 2, max = 200) double max) {
        double[] sigmas = SigmaSpacing.karras(max, min, steps, 7);
        assertEquals(max, sigmas[0]);
        assertEquals(min, sigmas[steps - 1]);
        for (int step = 1; step < steps; step++) {
            assertTrue(sigmas[step] < sigmas[step - 1]);
        }
    }

    @Property(tries = 100)
    void ancestralStepsKeepTheVarianceOfTheirLevel(@ForAll("models") Model model,
                                                   @ForAll @IntRange(min = 2, max = 60) int steps) {
        List<Row> rows = model.predicting("sample").table("euler-ancestral", steps).rows();
        for (int step = 0; step < steps - 1; step++) {
            // With the image known to be 0, x has variance sigma², which the step must turn into that of the next.
            double from = 1 / Math.pow(rows.get(step).inputScale(), 2) - 1;
            double to = 1 / Math.pow(rows.get(step + 1).inputScale(), 2) - 1;
            double latent = rows.get(step).next().latent();
            double noise = rows.get(step).next().noise();
            assertEquals(to, latent * latent * from + noise * noise, 1e-9 * Math.max(1, to));
        }
        assertEquals(0, rows.getLast().next().noise());
    }

    @Property(tries = 100)
    void flowMatchingLandsOnTheOneImage(@ForAll @IntRange(min = 1, max = 100) int steps,
                                        @ForAll @DoubleRange(min = 0.1, max = 10) double shift,
                                        @ForAll @DoubleRange(min = -2, max = 2) double image) {
        NoiseTable table = NoiseScheduler.parse("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": "
            + shift + "}", "a model").table(steps, 0);
        List<Double> latents = Walk.follow(table, 1.5, (step, row, latent) -> {
            double sigma = row.timestep() / 1000;
            double prediction = (latent - image) / sigma;
            assertEquals(image, estimate(row, latent, prediction), 1e-9);
            return prediction;
        });
        assertEquals(image, latents.getLast(), 1e-9);
        assertEquals(1000, table.rows().getFirst().timestep(), 1e-9);
    }
}
