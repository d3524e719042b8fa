package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.StageEngine;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * A partitioned denoiser with its engines built: ready to make executions. It owns the engines; the devices stay the
 * caller's. Any thread may use it.
 */
public final class Denoiser implements AutoCloseable {
    private record Place(Segment segment, Device device) {
    }

    private final PartitionedDenoiser partitioned;
    private final List<Device> devices;
    private final Map<Place, Engine> engines;

    private Denoiser(PartitionedDenoiser partitioned, List<Device> devices, Map<Place, Engine> engines) {
        this.partitioned = partitioned;
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
    public static Denoiser build(PartitionedDenoiser partitioned, List<Device> devices) {
        return build(partitioned, devices, () -> {
        });
    }

    /** @param gate asked before each engine; what it throws ends the building */
    public static Denoiser build(PartitionedDenoiser partitioned, List<Device> devices, Runnable gate) {
        checkPrecision(partitioned.denoiser(), devices);
        Builds<Place, Engine> builds = new Builds<>();
        Map<Device, CompletableFuture<Engine>> last = new HashMap<>();
        for (int stage = 0; stage < partitioned.plan().stages().size(); stage++) {
            Stage it = partitioned.plan().stages().get(stage);
            Place place = new Place(partitioned.segment(stage), devices.get(it.device()));
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
        return new Denoiser(partitioned, devices, builds.allOrNone());
    }

    private static void checkPrecision(DenoiserGraph graph, List<Device> devices) {
        devices.stream().filter(device -> !device.traits().types().contains(graph.precision().type())).findFirst()
            .ifPresent(device -> {
                throw new EngineBuildException(device.name() + ": engine " + graph.name() + " cannot be built: "
                    + "the device does not compute in " + graph.precision() + "; take "
                    + Arrays.stream(Precision.values())
                        .filter(other -> device.traits().types().contains(other.type()))
                        .map(Precision::toString).collect(Collectors.joining(" or ")));
            });
    }

    private static Engine build(Place place) {
        return DeviceForm.of(place.device()).build(place.device(), place.segment().name(), place.segment().graph());
    }

    public PartitionedDenoiser partitioned() {
        return partitioned;
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
        return prepare(partitioned.program(noise, guidance, options.kept(), options.estimates(),
            UnrollOptions.of(devices, options.guarded())), options);
    }

    /** @param program of this partitioned denoiser, for these devices */
    public Execution prepare(Program program, LoopOptions options) {
        List<StageEngine> stages = new ArrayList<>();
        for (int stage = 0; stage < partitioned.plan().stages().size(); stage++) {
            Device device = devices.get(partitioned.plan().stages().get(stage).device());
            stages.add(new StageEngine(engines.get(new Place(partitioned.segment(stage), device)),
                partitioned.types(stage)));
        }
        return new Execution(program, devices, stages, options.traced(), options.replayed(), options.patience(),
            options.observer());
    }

    @Override
    public void close() {
        Closer.closeAll(engines.values());
    }
}
