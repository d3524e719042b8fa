package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import org.junit.jupiter.api.Test;

/** Small tables worked out by hand from the published formulas, with the betas of Stable Diffusion. */
class TimestepTablesTest {
    private static final String BETAS = "\"beta_start\": 0.00085, \"beta_end\": 0.012, "
        + "\"beta_schedule\": \"scaled_linear\", \"clip_sample\": false";

    private static NoiseTable table(String className, String options, int steps) {
        return NoiseScheduler.parse("{\"_class_name\": \"" + className + "\", " + BETAS + options + "}", "a test")
            .table(steps);
    }

    private static double[] timesteps(NoiseTable table) {
        return table.rows().stream().mapToDouble(NoiseTable.Row::timestep).toArray();
    }

    @Test
    void scaledLinearBetasOfStableDiffusion() {
        TrainingSchedule training = TrainingSchedule.read(SchedulerOptions.parse("{" + BETAS + "}", "a test"));
        assertEquals(1 - 0.00085, training.alphaCumprod(0), 1e-12);
        assertEquals(0.00466, training.alphaCumprod(999), 5e-6);
        assertEquals(14.6146, training.sigmas().max(), 5e-4);
        assertEquals(0.0292, training.sigmas().min(), 5e-5);
    }

    @Test
    void cosineBetasAreCapped() {
        TrainingSchedule training = TrainingSchedule.read(SchedulerOptions.parse(
            "{\"beta_schedule\": \"squaredcos_cap_v2\", \"num_train_timesteps\": 10}", "a test"));
        double start = Math.pow(Math.cos(0.008 / 1.008 * Math.PI / 2), 2);
        double ninth = Math.pow(Math.cos(0.908 / 1.008 * Math.PI / 2), 2);
        assertEquals(ninth / start, training.alphaCumprod(8), 1e-12);
        assertEquals(ninth / start * 0.001, training.alphaCumprod(9), 1e-12);
    }

    @Test
    void zeroTerminalSnrKeepsTheFirstAndEmptiesTheLast() {
        TrainingSchedule training = TrainingSchedule.readRescaled(
            SchedulerOptions.parse("{" + BETAS + ", \"rescale_betas_zero_snr\": true}", "a test"));
        assertEquals(1 - 0.00085, training.alphaCumprod(0), 1e-12);
        assertEquals(0, training.alphaCumprod(999));
        assertEquals(Math.sqrt((1 - 0x1p-24) / 0x1p-24), training.sigmas().max(), 1e-9);
    }

    @Test
    void leadingTimestepsAreMultiplesPlusTheOffset() {
        assertArrayEquals(new double[] {901, 801, 701, 601, 501, 401, 301, 201, 101, 1},
            timesteps(table("DDIMScheduler", ", \"steps_offset\": 1", 10)));
        assertArrayEquals(new double[] {667, 334, 1}, timesteps(table("DDIMScheduler", ", \"steps_offset\": 1", 3)));
    }

    @Test
    void trailingTimestepsEndTheirIntervals() {
        String trailing = ", \"timestep_spacing\": \"trailing\"";
        assertArrayEquals(new double[] {999, 899, 799, 699, 599, 499, 399, 299, 199, 99},
            timesteps(table("EulerDiscreteScheduler", trailing, 10)));
        assertArrayEquals(new double[] {999, 666, 332}, timesteps(table("DDIMScheduler", trailing, 3)));
    }

    @Test
    void trailingTimestepsAreAsManyAsAskedFor() {
        // 1000 / (1000 / 61) is a little more than 61 in double precision.
        for (String className : new String[] {"DDIMScheduler", "DPMSolverMultistepScheduler"}) {
            NoiseTable table = table(className, ", \"timestep_spacing\": \"trailing\"", 61);
            assertEquals(61, table.steps());
            assertEquals(15, table.rows().getLast().timestep());
        }
    }

    @Test
    void linspaceTimestepsReachBothEndsAndRoundToEven() {
        String linspace = ", \"timestep_spacing\": \"linspace\"";
        assertArrayEquals(new double[] {999, 888, 777, 666, 555, 444, 333, 222, 111, 0},
            timesteps(table("EulerDiscreteScheduler", linspace, 10)));
        assertArrayEquals(new double[] {999, 499.5, 0}, timesteps(table("EulerDiscreteScheduler", linspace, 3)));
        assertArrayEquals(new double[] {999, 500, 0}, timesteps(table("DDIMScheduler", linspace, 3)));
    }

    @Test
    void dpmSolverLeavesTheLastIntervalToTheEnd() {
        assertArrayEquals(new double[] {999, 799, 599, 400, 200},
            timesteps(table("DPMSolverMultistepScheduler", ", \"timestep_spacing\": \"linspace\"", 5)));
        assertArrayEquals(new double[] {801, 601, 401, 201}, timesteps(table("DPMSolverMultistepScheduler",
            ", \"timestep_spacing\": \"leading\", \"steps_offset\": 1", 4)));
    }

    @Test
    void lcmChoosesAmongTheStepsOfItsTeacher() {
        assertArrayEquals(new double[] {999, 759, 499, 259}, timesteps(table("LCMScheduler", "", 4)));
    }

    @Test
    void pndmVisitsItsSecondTimestepTwice() {
        assertArrayEquals(new double[] {751, 501, 501, 251, 1},
            timesteps(table("PNDMScheduler", ", \"skip_prk_steps\": true, \"steps_offset\": 1", 4)));
    }

    @Test
    void initialScaleOfEulerDependsOnTheSpacing() {
        double sigma = 14.6146;
        assertEquals(sigma, table("EulerDiscreteScheduler", ", \"timestep_spacing\": \"trailing\"", 10)
            .initialScale(), 5e-4);
        NoiseTable leading = table("EulerDiscreteScheduler", ", \"timestep_spacing\": \"leading\"", 1000);
        assertEquals(Math.sqrt(sigma * sigma + 1), leading.initialScale(), 5e-4);
        assertEquals(1, table("DDIMScheduler", "", 10).initialScale());
    }

    @Test
    void flowMatchingShiftsItsLevels() {
        // shift 3: 0.5 becomes 1.5 / 2; the least level 0.001 becomes 0.003 / 1.002, and is shifted once more.
        double least = 0.003 / 1.002;
        double middle = (1 + least) / 2;
        assertArrayEquals(new double[] {1000, 1000 * 3 * middle / (1 + 2 * middle), 1000 * 3 * least / (1 + 2 * least)},
            timesteps(table("FlowMatchEulerDiscreteScheduler", ", \"shift\": 3.0", 3)), 1e-9);
    }
}
