package dev.slipstream.pipelines.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.cost.Profile.Sample;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProfileTest {
    private static final double START = 500;

    /** Of twelve modules, no two alike. */
    private static Workload work(int module) {
        return new Workload(1e6 * (module + 1), 3e5 * (module % 4), 1e5 * (module % 3), 1e4 * (12 - module),
            3 + module % 5);
    }

    private static double nanos(Workload work) {
        return work.convolutions() / 50 + work.products() / 25 + work.attention() / 10 + work.bytes() / 8
            + 40 * work.operators();
    }

    private static List<Sample> samples() {
        return IntStream.range(0, 12).mapToObj(module ->
            new Sample("m" + module, Map.of("m" + module, work(module)), START + nanos(work(module)))).toList();
    }

    private static Map<String, Workload> all() {
        Map<String, Workload> all = new HashMap<>();
        IntStream.range(0, 12).forEach(module -> all.put("m" + module, work(module)));
        return all;
    }

    private static double predicted(Profile profile) {
        return profile.rates().startNanos() + all().entrySet().stream().mapToDouble(module ->
            profile.factors().get(module.getKey()) * profile.rates().nanos(module.getValue())).sum();
    }

    @Test
    void modulesThatTakeWhatRatesSayArePredictedTogether() {
        double whole = START + all().values().stream().mapToDouble(ProfileTest::nanos).sum();
        assertEquals(1, predicted(Profile.fit("toy", 1 << 30, samples())) / whole, 0.02);
    }

    @Test
    void aNetworkInOnePieceIsPredictedAsItWasMeasuredHoweverItsModulesWere() {
        for (double whole : new double[] {300_000, 500_000, 900_000}) {
            Profile profile = Profile.fit("toy", 1 << 30, samples())
                .scaledTo(List.of(new Sample("", all(), whole)));
            assertEquals(1, predicted(profile) / whole, 1e-9);
        }
    }

    @Test
    void withoutOneInOnePieceModulesCountAsTheyWereMeasured() {
        Profile profile = Profile.fit("toy", 1 << 30, samples());
        assertEquals(profile, profile.scaledTo(List.of()));
    }

    @Test
    void whatARunTakesByItselfIsToldByNetworksInOnePieceAndInTwo() {
        double modules = all().values().stream().mapToDouble(ProfileTest::nanos).sum();
        Map<String, Workload> first = all();
        Map<String, Workload> second = all();
        IntStream.range(0, 12).forEach(module -> (module < 6 ? second : first).remove("m" + module));
        for (double start : new double[] {0, 20_000, 500_000}) {
            // Inside of a piece modules take 0.8 of what they take by themselves.
            Profile profile = Profile.fit("toy", 1 << 30, samples()).scaledTo(List.of(
                new Sample("", all(), start + 0.8 * modules), new Sample("", first, start + 0.8 * sum(first)),
                new Sample("", second, start + 0.8 * sum(second))));
            assertEquals(start, profile.rates().startNanos(), 0.02 * (start + modules));
            assertEquals(1, predicted(profile) / (start + 0.8 * modules), 0.02);
        }
    }

    private static double sum(Map<String, Workload> modules) {
        return modules.values().stream().mapToDouble(ProfileTest::nanos).sum();
    }
}
