package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.pipelines.graph.Segment;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.StageEngine;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A blueprint with its engines built: ready to make executions. It owns the engines; the devices stay the caller's.
 * Any thread may use it.
 */
public final class Denoiser implements AutoCloseable {
    private record Place(Segment segment, Device device) {
    }

    private final Blueprint blueprint;
    private final List<Device> devices;
    private final Map<Place, Engine> engines;

    private Denoiser(Blueprint blueprint, List<Device> devices, Map<Place, Engine> engines) {
        this.blueprint = blueprint;
        this.devices = List.copyOf(devices);
        this.engines = engines;
    }

    /**
     * Builds one engine for each segment on each device that runs it; devices build at the same time.
     *
     * <p>Whether a device can compute in the model's precision is asked here, before anything is built.
     *
     * @throws EngineBuildException if one cannot be built; the others are freed again
     */
    public static Denoiser build(Blueprint blueprint, List<Device> devices) {
        return build(blueprint, devices, () -> {
        });
    }

    /** @param gate asked before each engine; what it throws ends the building */
    static Denoiser build(Blueprint blueprint, List<Device> devices, Runnable gate) {
        checkPrecision(blueprint.model(), devices);
        Builds<Place, Engine> builds = new Builds<>();
        Map<Device, CompletableFuture<Engine>> last = new HashMap<>();
        for (int stage = 0; stage < blueprint.plan().stages().size(); stage++) {
            Stage it = blueprint.plan().stages().get(stage);
            Place place = new Place(blueprint.segment(stage), devices.get(it.device()));
            if (!builds.contains(place)) {
                CompletableFuture<Engine> before = last.get(place.device());
                last.put(place.device(), builds.start(place, Builds.thread(place.segment().name()), () -> {
                    if (before != null) {
                        before.join();
                    }
                    gate.run();
                    return build(place);
                }));
            }
        }
        return new Denoiser(blueprint, devices, builds.allOrNone());
    }

    private static void checkPrecision(DenoiserModel model, List<Device> devices) {
        devices.stream().filter(device -> !device.computesIn(model.precision().type())).findFirst()
            .ifPresent(device -> {
                throw new EngineBuildException(device.name() + ": engine " + model.name() + " cannot be built: "
                    + "precision " + model.precision() + " needs a CUDA device; take fp16 or fp32 here");
            });
    }

    private static Engine build(Place place) {
        return DeviceForm.of(place.device()).build(place.device(), place.segment().name(), place.segment().graph());
    }

    public Blueprint blueprint() {
        return blueprint;
    }

    /**
     * Makes the loop ready to run. The caller closes it before this denoiser.
     *
     * @param keepLatents whether the latents of every step stay readable after a run
     * @param traced whether runs are timed
     */
    public Execution prepare(NoiseTable noise, Guidance guidance, boolean keepLatents, boolean traced) {
        return prepare(noise, guidance, LoopOptions.DEFAULT.withKeptLatents(keepLatents).withTrace(traced));
    }

    /** Makes the loop ready to run. The caller closes it before this denoiser. */
    public Execution prepare(NoiseTable noise, Guidance guidance, LoopOptions options) {
        return prepare(blueprint.program(noise, guidance, options.keepLatents(), options.estimates(),
            UnrollOptions.of(devices, options.guarded())), options);
    }

    /** @param program of the blueprint, for these devices */
    Execution prepare(Program program, LoopOptions options) {
        List<StageEngine> stages = new ArrayList<>();
        for (int stage = 0; stage < blueprint.plan().stages().size(); stage++) {
            Device device = devices.get(blueprint.plan().stages().get(stage).device());
            stages.add(new StageEngine(engines.get(new Place(blueprint.segment(stage), device)),
                blueprint.types(stage)));
        }
        return new Execution(program, devices, stages, options.traced(), options.replayed(), options.patience());
    }

    @Override
    public void close() {
        Owned.closeAll(engines.values());
    }
}
