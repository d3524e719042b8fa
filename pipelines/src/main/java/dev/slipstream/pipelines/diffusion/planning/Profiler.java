package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.pipelines.cost.MachineProfile.Link;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.cost.Profile;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Measures a machine with a model: how long modules take on its devices, copies between these, and the host. */
public final class Profiler {
    private static final int ROUNDS = 7;

    private final Loop loop;
    private final String model;

    /** @param model what the profile says that it is of */
    public Profiler(Loop loop, String model) {
        this.loop = loop;
        this.model = model;
    }

    /**
     * Measures; takes as long as building the engines of the model a few times, and a few loops.
     *
     * @param devices the caller's; those of the same description are measured once
     * @param specs what a pipeline calls them
     */
    public MachineProfile measure(List<Device> devices, List<String> specs) {
        return measure(devices, specs, this::profile);
    }

    /**
     * The same where the times of modules are known, and links and the host are measured.
     *
     * @param times of a device's modules; asked once for each description
     */
    public MachineProfile measure(List<Device> devices, List<String> specs, Function<Device, Profile> times) {
        Map<String, Profile> kinds = new HashMap<>();
        List<Profile> profiles = devices.stream()
            .map(device -> kinds.computeIfAbsent(device.description(), key -> times.apply(device))).toList();
        return new MachineProfile(MachineProfile.FORMAT, LocalDate.now().toString(), model,
            Fingerprint.of(loop.denoiser()), loop.shape().latents().shape().toString(), specs, profiles,
            Copies.links(devices), ProfileRounds.hostNanos(loop, devices.getFirst()));
    }

    private Profile profile(Device device) {
        try (ProfileRounds rounds = new ProfileRounds(loop, device)) {
            for (int round = 0; round < ROUNDS; round++) {
                rounds.run();
            }
            return rounds.profile();
        }
    }

    /** Copies from device to device, timed by the streams on which they run. */
    private static final class Copies {
        private static final int[] SIZES = {1 << 12, 1 << 23};
        private static final int TRIES = 9;
        private static final Duration LONGEST = Duration.ofMinutes(1);

        private Copies() {
        }

        /** From each to each other one; those between devices of the same descriptions are measured once. */
        static List<Link> links(List<Device> devices) {
            Map<List<String>, Link> kinds = new HashMap<>();
            List<Link> links = new ArrayList<>();
            for (int from = 0; from < devices.size(); from++) {
                for (int to = 0; to < devices.size(); to++) {
                    if (from != to) {
                        Device source = devices.get(from);
                        Device target = devices.get(to);
                        Link kind = kinds.computeIfAbsent(List.of(source.description(), target.description()),
                            key -> link(source, target));
                        links.add(new Link(from, to, kind.bytesPerNano(), kind.latencyNanos()));
                    }
                }
            }
            return links;
        }

        /** What each byte takes, by the largest copy, and what each copy takes beside that, by the smallest. */
        private static Link link(Device from, Device to) {
            double[] nanos = new double[SIZES.length];
            try (Stream stream = from.newStream("copies"); Event begin = from.newTimedEvent();
                Event end = from.newTimedEvent(); Buffer source = from.allocate(SIZES[SIZES.length - 1]);
                Buffer target = to.allocate(SIZES[SIZES.length - 1])) {
                for (int size = 0; size < SIZES.length; size++) {
                    long[] tries = new long[TRIES];
                    for (int run = 0; run < TRIES; run++) {
                        stream.record(begin);
                        stream.copy(source.slice(0, SIZES[size]), target.slice(0, SIZES[size]));
                        stream.record(end);
                        end.await(LONGEST);
                        tries[run] = end.nanos() - begin.nanos();
                    }
                    Arrays.sort(tries);
                    nanos[size] = tries[TRIES / 2];
                }
            }
            int largest = SIZES.length - 1;
            double perByte = Math.max((nanos[largest] - nanos[0]) / (SIZES[largest] - SIZES[0]), 1e-6);
            return new Link(0, 0, 1 / perByte, Math.max(0, Math.round(nanos[0] - perByte * SIZES[0])));
        }
    }
}
