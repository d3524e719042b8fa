package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.PipelineSite;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator;
import dev.slipstream.pipelines.diffusion.planning.ProfileRounds;
import dev.slipstream.pipelines.diffusion.planning.Profiler;
import dev.slipstream.samples.predict.Question;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/** How well a profile predicts plans: what it says that they take beside what they took. */
sealed interface Foresight extends AutoCloseable {
    /** Measures what there is to measure for it, once more. */
    void round();

    /** The profile, if one is asked for. */
    Optional<MachineProfile> profile();

    @Override
    void close();

    /** By a profile that was made before, if there is one. */
    record Given(Optional<MachineProfile> profile) implements Foresight {
        /** @throws InputException if it is not of the devices of the plans, before these are measured */
        Given(Optional<MachineProfile> profile, List<String> devices) {
            this(profile);
            profile.filter(it -> !it.specs().containsAll(devices)).ifPresent(other -> {
                throw new InputException("--profile is of " + String.join(",", other.specs()) + ", not of "
                    + String.join(",", devices) + "; make one with slipstream profile, or take --forecast");
            });
        }

        @Override
        public void round() {
            // It is known already.
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** By one that is made in turn with the plans, so that a machine whose speed changes does so for both. */
    final class InTurn implements Foresight {
        private final Profiler profiler;
        private final List<String> specs;
        private final List<Device> devices = new ArrayList<>();
        private final Map<String, ProfileRounds> kinds = new HashMap<>();

        /**
         * @param model what the profile says that it is of
         * @param specs of the devices of the plans
         */
        InTurn(Question question, String model, List<String> specs) {
            this.profiler = new Profiler(question.loop(), model);
            this.specs = List.copyOf(specs);
            try {
                specs.forEach(spec -> devices.add(Devices.discover().open(DeviceSpec.parse(spec))));
                devices.forEach(device -> kinds.computeIfAbsent(device.description(),
                    kind -> new ProfileRounds(question.loop(), device)));
            } catch (RuntimeException failure) {
                close();
                throw failure;
            }
        }

        @Override
        public void round() {
            kinds.values().forEach(ProfileRounds::run);
        }

        @Override
        public Optional<MachineProfile> profile() {
            return Optional.of(profiler.measure(devices, specs,
                device -> Objects.requireNonNull(kinds.get(device.description())).profile()));
        }

        @Override
        public void close() {
            Closer.closeAll(kinds.values());
            Closer.closeAll(devices);
        }
    }

    /**
     * What is printed, if a profile is asked for.
     *
     * @param rows what was measured; those on other devices are left out
     * @param devices as pipelines name them, as many as the largest plan takes
     */
    default Optional<String> table(List<BenchRow> rows, List<String> devices, Question question) {
        return profile()
            .flatMap(machine -> PipelineSite.measured(devices.stream().map(DeviceSpec::parse).toList(),
                Devices.discover(), machine))
            .map(site -> table(rows.stream().filter(row -> devices.containsAll(row.devices())).toList(),
                question.evaluator(site, plan -> OptionalDouble.empty())));
    }

    private static String table(List<BenchRow> rows, PlanEvaluator evaluator) {
        List<Row> all = new ArrayList<>();
        Table table = new Table().left("plan").right("on").right("path ms").right("predicted").right("error");
        for (BenchRow row : rows) {
            double predicted = evaluator.forecast(new Candidate(row.spec(), row.devices().size())).nanos() / 1e6;
            all.add(new Row(row.criticalMs(), predicted));
            table.row(row.plan(), row.devices().size(), Table.number("%.0f", row.criticalMs()),
                Table.number("%.0f", predicted), Table.number("%+.1f %%", 100 * all.getLast().error()));
        }
        return table + String.format(Locale.ROOT, "median error %.1f %%, of the speed-ups over the first row "
            + "%.1f %%; Kendall's tau of the ranking %.2f", 100 * Row.medianError(all, 1), 100 * Row.medianError(all,
            1 + all.getFirst().error()), Row.tau(all));
    }

    /** A plan's time by processing time, as if each device had a core of its own, and what was predicted. */
    record Row(double measuredMs, double predictedMs) {
        private double error() {
            return predictedMs / measuredMs - 1;
        }

        /** @param scale by which all were predicted too large */
        private static double medianError(List<Row> rows, double scale) {
            return Spread.of(rows.stream().mapToDouble(row -> Math.abs((1 + row.error()) / scale - 1)).toArray())
                .median();
        }

        /** Of all pairs, the share that is ranked right less the share that is ranked wrong (Kendall 1938). */
        private static double tau(List<Row> rows) {
            int sum = 0;
            int pairs = 0;
            for (int one = 0; one < rows.size(); one++) {
                for (int other = 0; other < one; other++) {
                    sum += (int) Math.signum((rows.get(one).measuredMs - rows.get(other).measuredMs)
                        * (rows.get(one).predictedMs - rows.get(other).predictedMs));
                    pairs++;
                }
            }
            return pairs == 0 ? 1 : (double) sum / pairs;
        }
    }
}
