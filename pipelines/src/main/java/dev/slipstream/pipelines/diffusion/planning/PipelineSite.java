package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.cost.DeviceRates;
import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.ModelFile;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.run.simulate.Interconnect;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The devices of a pipeline, which need not be there, as plans are predicted for them: measured, or estimated. */
public final class PipelineSite {
    private static final Logger LOG = LoggerFactory.getLogger(PipelineSite.class);
    private static final double NANOS_PER_SECOND = 1e9;
    /** Of one instruction, once what recurs is replayed. */
    private static final long HOST_NANOS = 1000;
    private static final Pattern THREADS = Pattern.compile("(\\d{1,4})(:.*)?");
    private static final String USUAL_LINK = "pcie4";

    private PipelineSite() {
    }

    /**
     * As a profile of such a denoiser has them, be it beside the model or in the user's cache; else estimated.
     *
     * @param model the folder or file
     * @param fingerprint of the denoiser
     */
    public static Site of(List<DeviceSpec> devices, Devices providers, Precision precision, Path model,
        String fingerprint) {
        return Stream.of(beside(model), ofUser(fingerprint)).filter(Files::exists).flatMap(file ->
            readable(file).filter(profile -> profile.denoiser().equals(fingerprint)).stream())
            .flatMap(profile -> measured(devices, providers, profile).stream()).findFirst()
            .orElseGet(() -> estimated(devices, providers, precision));
    }

    private static Optional<MachineProfile> readable(Path file) {
        try {
            return Optional.of(MachineProfile.read(file));
        } catch (ModelException damaged) {
            LOG.warn("plans are chosen by estimates, as {}", damaged.getMessage());
            return Optional.empty();
        }
    }

    /** Where a profile lies beside a model: in its folder, or next to its file. */
    public static Path beside(Path model) {
        return ModelSource.beside(model, ModelFile.PROFILE);
    }

    /** Where a profile lies that is only this user's. @param fingerprint of the denoiser */
    public static Path ofUser(String fingerprint) {
        return EngineStore.defaultFolder().resolve("profiles").resolve(fingerprint + ".json");
    }

    /**
     * Where nothing was measured: usual processors, and GPUs as data sheets have them.
     *
     * @param devices in the plan's order
     * @param precision in which a denoiser computes
     */
    public static Site estimated(List<DeviceSpec> devices, Devices providers, Precision precision) {
        Hardware.Link link = Hardware.link(USUAL_LINK);
        return site(devices, providers, devices.stream().<DeviceTimes>map(device -> estimate(device,
            providers, precision)).toList(),
            new Interconnect.Star(link.bytesPerNano() * NANOS_PER_SECOND, link.latencyNanos()), HOST_NANOS);
    }

    private static DeviceRates estimate(DeviceSpec device, Devices providers, Precision precision) {
        if (DeviceForm.of(device, providers) != DeviceForm.ONNX_RUNTIME) {
            Optional<DeviceProvider.Hardware> there = providers.hardware(device);
            DeviceRates rates = there.flatMap(it -> Hardware.named(it.name(), precision))
                .orElseGet(() -> Hardware.anyGpu(precision));
            return there.map(it -> rates.withMemory(it.memoryBytes())).orElse(rates);
        }
        Matcher threads = THREADS.matcher(device.selector());
        return Hardware.threads(threads.matches() ? Math.max(1, Integer.parseInt(threads.group(1))) : 1);
    }

    /** All devices of a profile. */
    public static Site measured(MachineProfile profile, Devices providers) {
        return measured(profile.specs().stream().map(DeviceSpec::parse).toList(), providers, profile).orElseThrow();
    }

    /**
     * As they were measured.
     *
     * @param devices in the plan's order
     * @return empty if there are others among them
     */
    public static Optional<Site> measured(List<DeviceSpec> devices, Devices providers, MachineProfile profile) {
        List<Integer> places = new ArrayList<>();
        List<String> left = new ArrayList<>(profile.specs());
        for (DeviceSpec device : devices) {
            int place = left.contains(device.toString()) ? left.indexOf(device.toString())
                : profile.specs().indexOf(device.toString());
            if (place < 0) {
                return Optional.empty();
            }
            left.set(place, "");
            places.add(place);
        }
        return Optional.of(site(devices, providers,
            places.stream().<DeviceTimes>map(place -> profile.devices().get(place)).toList(),
            new Cables(places, profile.links()), profile.hostNanos()));
    }

    private static Site site(List<DeviceSpec> devices, Devices providers, List<DeviceTimes> times,
        Interconnect interconnect, long hostNanos) {
        List<Device.Traits> traits = devices.stream().flatMap(device -> providers.traits(device).stream()).toList();
        return new Site(times, devices.stream().map(device -> DeviceForm.of(device, providers)).toList(),
            interconnect, UnrollOptions.ofTraits(traits, false), hostNanos);
    }

    /**
     * A cable for each pair of devices, as it was measured.
     *
     * @param places of the devices in the profile
     */
    private record Cables(List<Integer> places, List<MachineProfile.Link> links) implements Interconnect {
        @Override
        public Route route(int from, int to) {
            return links.stream().filter(link -> link.from() == places.get(from) && link.to() == places.get(to))
                .findFirst().or(() -> links.stream().findFirst())
                .map(link -> new Mesh(link.bytesPerNano() * NANOS_PER_SECOND, link.latencyNanos()).route(from, to))
                .orElseGet(() -> INSTANT.route(from, to));
        }
    }
}
