package dev.slipstream.pipelines.diffusion.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.run.unroll.Staleness;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChoiceTest {
    private static final PlanForecast ALONE = plan("sequential", 1, 100, 0);

    private static PlanForecast plan(String spec, int devices, long millis, double age) {
        return plan(spec, devices, millis, age, OptionalDouble.empty(), 1);
    }

    private static PlanForecast plan(String spec, int devices, long millis, double age, OptionalDouble decibels,
        long bytes) {
        return new PlanForecast(spec, devices, millis * 1_000_000, 1, Collections.nCopies(devices, bytes),
            Collections.nCopies(devices, 10L), 0, new Staleness(age == 0 ? 0 : 0.5, age), decibels, Basis.ESTIMATED,
            false);
    }

    private static final List<PlanForecast> ALL = List.of(ALONE, plan("cfg-split", 2, 60, 0),
        plan("asyncdiff:n=2", 2, 50, 0.5), plan("asyncdiff:n=4", 4, 30, 1.5), plan("cache:every=9", 1, 10, 4));

    @ParameterizedTest
    @CsvSource({"exact,cfg-split", "balanced,asyncdiff:n=2", "fast,asyncdiff:n=4"})
    void theFastestIsTakenOfThoseThatDrawWellEnough(String preference, String plan) {
        assertEquals(plan, Choice.of(ALL, Preference.parse(preference)).taken().plan());
    }

    @Test
    void aPlanThatIsSlowerThanOneDeviceIsNotTaken() {
        Choice choice = Choice.of(List.of(ALONE, plan("cfg-split", 2, 130, 0)), Preference.EXACT);
        assertEquals(ALONE, choice.taken());
        assertTrue(choice.reason().contains("nothing that is exact is predicted faster"), choice.reason());
    }

    @Test
    void ofEquallyFastPlansTheFresherOneIsTakenAndThenTheOneWithFewerDevices() {
        PlanForecast three = plan("asyncdiff:n=3", 3, 50, 0.9);
        PlanForecast two = plan("asyncdiff:n=2", 2, 50, 0.5);
        PlanForecast four = plan("cfg-split+asyncdiff:n=2", 4, 50, 0.5);
        assertEquals(two, Choice.of(List.of(ALONE, three, four, two), Preference.BALANCED).taken());
    }

    @Test
    void whatWasMeasuredOfTheModelCountsMoreThanTheAgeOfValues() {
        PlanForecast bad = plan("asyncdiff:n=2", 2, 50, 0.5, OptionalDouble.of(31), 1);
        PlanForecast good = plan("cache:every=5", 1, 55, 2, OptionalDouble.of(44), 1);
        Choice choice = Choice.of(List.of(ALONE, bad, good), Preference.BALANCED);
        assertEquals(good, choice.taken());
        assertTrue(choice.reason().contains("44.0 dB"), choice.reason());
    }

    @Test
    void howLikePicturesMustBeCanBeSaid() {
        PlanForecast cache = plan("cache:every=5", 1, 55, 2, OptionalDouble.of(44), 1);
        assertEquals(ALONE, Choice.of(List.of(ALONE, cache), Preference.BALANCED.withDecibels(45)).taken());
        assertEquals(cache, Choice.of(List.of(ALONE, cache), Preference.BALANCED.withDecibels(44)).taken());
        assertThrows(IllegalArgumentException.class, () -> Preference.EXACT.withDecibels(40));
        assertThrows(IllegalArgumentException.class, () -> Preference.FAST.withDecibels(101));
    }

    @Test
    void anExactPlanIsExactHoweverItsRoundingWasMeasured() {
        PlanForecast split = plan("cfg-split", 2, 60, 0, OptionalDouble.of(98), 1);
        assertEquals(split, Choice.of(List.of(ALONE, split), Preference.EXACT).taken());
    }

    @Test
    void aPlanThatDoesNotFitIsNotTaken() {
        PlanForecast full = plan("cfg-split", 2, 50, 0, OptionalDouble.empty(), 11);
        Choice choice = Choice.of(List.of(ALONE, full), Preference.EXACT);
        assertEquals(ALONE, choice.taken());
        assertTrue(choice.reason().contains("does not fit"), choice.reason());
    }

    @Test
    void whereOneDeviceIsTooSmallSeveralShareTheModel() {
        PlanForecast alone = plan("sequential", 1, 100, 0, OptionalDouble.empty(), 11);
        PlanForecast spread = plan("sequential", 2, 110, 0);
        assertEquals(spread, Choice.of(List.of(alone, spread), Preference.EXACT).taken());
        assertThrows(IllegalArgumentException.class, () -> Choice.of(List.of(alone), Preference.EXACT));
    }

    @Test
    void aPreferenceThatIsNoneIsRefusedWithThoseThatThereAre() {
        String message = assertThrows(IllegalArgumentException.class, () -> Preference.parse("quick")).getMessage();
        assertEquals("there is no preference 'quick'; take exact, balanced, fast", message);
    }
}
