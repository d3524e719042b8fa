package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.LatentsDecoder;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A second model that takes the last steps of a picture. */
@Timeout(120)
class RefinerTest {
    private static final int STEPS = 8;
    /** Leading spacing has timesteps 876, 751 ... 1: of 8 steps the refiner takes 3. */
    private static final double HANDOVER = 0.7;
    private static final ImageRequest STAR = FamiliesTest.request(Family.SDXL).withSteps(STEPS);

    @TempDir
    private static Path folder;
    private static Path base;
    private static Path refiner;

    @BeforeAll
    static void writeModels() {
        base = RandomModel.write(folder.resolve("base"), Family.SDXL).path();
        refiner = RandomModel.write(folder.resolve("refiner"), Family.REFINER).path();
    }

    private static DiffusionPipeline.Builder pipeline(String plan, int devices) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(base).devices(specs).plan(plan);
    }

    private static byte[] draw(DiffusionPipeline.Builder builder, ImageRequest request) {
        try (DiffusionPipeline pipeline = builder.open()) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }

    private static byte[] draw(String plan, int devices, ImageRequest request) {
        return draw(pipeline(plan, devices).refiner(refiner, HANDOVER), request);
    }

    @Test
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame() {
        byte[] alone = draw("sequential", 1, STAR);
        assertEquals(16 * 16 * 3, alone.length);
        assertArrayEquals(alone, draw("sequential", 2, STAR));
        assertArrayEquals(alone, draw("asyncdiff:warmup=" + STEPS, 2, STAR));
        assertArrayEquals(alone, draw("asyncdiff:stride=2,warmup=" + STEPS, 2, STAR));
        assertEquals(alone.length, draw("cfg-split", 2, STAR).length);
        assertFalse(Arrays.equals(alone, draw("asyncdiff:warmup=1", 2, STAR)), "lag shows");
        assertFalse(Arrays.equals(alone, draw("asyncdiff:stride=2,warmup=1", 2, STAR)), "lag shows");
        assertFalse(Arrays.equals(alone, draw(pipeline("sequential", 1), STAR)), "the refiner shows");
        assertFalse(Arrays.equals(alone, draw(pipeline("sequential", 1).refiner(refiner, 0.3), STAR)),
            "where it takes over shows");
    }

    private static void goOn() {
        // Nothing ends the building.
    }

    private static RunningRequest<?> generation() {
        return new RunningRequest<>(Callbacks.onOwnThreads(), () -> {
        });
    }

    private static EngineCache engines(Device device) {
        return new EngineCache(List.of(device), LoopOptions.DEFAULT, OptionalLong.empty());
    }

    /** The latents after the last step, by the steps of {@link RequestWork}. */
    private static float[] latents(PipelineSpec spec, ImageRequest request) {
        try (spec; Arena arena = Arena.ofShared();
             Device device = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst()) {
            List<ResolvedRequest> models = spec.resolve(request);
            MemorySegment latents = arena.allocate(models.getFirst().latents().bytes(), 64);
            for (ResolvedRequest model : models) {
                try (EngineCache engines = engines(device)) {
                    RequestEngines built = engines.build(List.of(model.keys()), RefinerTest::goOn).getFirst();
                    new DenoisingPass(model, built, arena).run(latents, STEPS, generation(), null);
                }
            }
            return latents.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** The family's own method is DDIM. */
    @ParameterizedTest
    @CsvSource({"SDXL, ddim, 0.8", "SDXL, euler, 0.8", "SDXL, euler, 0.13", "SDXL, euler-ancestral, 0.5",
        "STABLE_DIFFUSION, euler-karras, 0.5"})
    void handingOverToTheSameModelChangesNotABit(Family family, String scheduler, double handover,
        @TempDir Path one, @TempDir Path same) {
        RandomModel.write(one, family);
        RandomModel.write(same, family);
        ImageRequest request = STAR.withScheduler(scheduler);
        assertArrayEquals(latents(DiffusionPipeline.of(one).devices("cpu:1").spec(), request),
            latents(DiffusionPipeline.of(one).devices("cpu:1").refiner(same, handover).spec(), request));
    }

    @Test
    void aGivenPictureIsTakenInByTheBaseAlone(@TempDir Path same) {
        RandomModel.write(same, Family.SDXL);
        ImageRequest request = STAR.withGiven(GivenImage.of(FamiliesTest.picture(16, 16)).withStrength(0.75));
        assertArrayEquals(draw(pipeline("sequential", 1), request),
            draw(pipeline("sequential", 1).refiner(same), request));
    }

    @Test
    void progressCountsTheStepsOfBothAndBothShowPreviews() throws Exception {
        try (DiffusionPipeline pipeline = pipeline("sequential", 1).refiner(refiner, 0.5).open()) {
            // A request in front holds the pipeline's thread until the listener is there.
            pipeline.submit(STAR);
            Generation generation = pipeline.submit(STAR.withPreviewEvery(2));
            List<Progress> seen = Collections.synchronizedList(new ArrayList<>());
            var heard = generation.onProgress(seen::add);
            generation.result().join();
            heard.get(60, TimeUnit.SECONDS);
            assertEquals(IntStream.rangeClosed(1, STEPS).boxed().toList(), seen.stream().map(Progress::step).toList());
            assertTrue(seen.stream().allMatch(progress -> progress.steps() == STEPS), seen.toString());
            // Also where the refiner takes over, and not after the last of all.
            assertEquals(List.of(2, 4, 6), seen.stream().filter(progress -> progress.preview().isPresent())
                .map(Progress::step).toList());
        }
    }

    @Test
    void aGenerationCanBeCancelledInTheRefinersPart() {
        try (PipelineSpec spec = DiffusionPipeline.of(base).devices("cpu:1").refiner(refiner).spec();
             Arena arena = Arena.ofShared();
             Device device = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
             EngineCache engines = engines(device)) {
            ResolvedRequest last = spec.resolve(STAR).getLast();
            RequestEngines built = engines.build(List.of(last.keys()), RefinerTest::goOn).getFirst();
            DenoisingPass pass = new DenoisingPass(last, built, arena);
            MemorySegment latents = arena.allocate(last.latents().bytes(), 64);
            LatentsDecoder decoder = built.decoder().orElseThrow();
            RunningRequest<?> generation = generation();
            generation.cancel();
            assertThrows(CancellationException.class, () -> pass.run(latents, STEPS, generation, decoder));
            pass.run(latents, STEPS, generation(), decoder);
        }
    }

    @Test
    void theRefinersLoopHasATimelineOfItsOwn() {
        List<Integer> steps = new ArrayList<>();

        draw(pipeline("sequential", 1).refiner(refiner, HANDOVER).timelines(timeline -> steps.add(
            1 + timeline.spans().stream().mapToInt(Timeline.Span::step).max().orElseThrow())), STAR);

        assertEquals(List.of(5, 3), steps);
    }

    @Test
    void thePictureSaysWhoRefinedItAndFromWhereOn() {
        try (DiffusionPipeline pipeline = pipeline("cfg-split", 2).refiner(refiner, HANDOVER).open()) {
            GeneratedImage picture = pipeline.submit(STAR).result().join();
            assertEquals(STEPS, picture.steps());
            Refinement refinement = picture.refinement().orElseThrow();
            assertEquals(3, refinement.steps());
            assertEquals("refiner", refinement.model());
            assertEquals(picture.plan().strategy(), refinement.plan().strategy());
            String text = picture.metadata().get("parameters");
            assertTrue(text.contains("Steps: 8, ") && text.contains("Model: base, Refiner: refiner, "
                + "Refiner switch at: 0.7, Plan: cfg-split"), text);
        }
    }

    @Test
    void theRefinerDrawsInTheSizeOfTheBase(@TempDir Path other) {
        RandomModel.write(other, Family.REFINER).change("unet/config.json", "sample_size", 16);
        assertArrayEquals(draw("sequential", 1, STAR), draw(pipeline("sequential", 1).refiner(other, HANDOVER), STAR));
        assertEquals(24 * 16 * 3, draw("sequential", 1, STAR.withSize(24, 16)).length);
    }

    @Test
    void memoryIsThatOfBothModelsAndOneDecoder() {
        try (PipelineSpec spec = pipeline("cfg-split", 2).refiner(refiner, HANDOVER).spec()) {
            PipelineSpec second = spec.refiner().orElseThrow();
            for (int device = 0; device < 2; device++) {
                MemoryNeed all = spec.memory(STAR).get(device);
                assertEquals(spec.denoiser(STAR).weightBytes(device) + second.denoiser(STAR).weightBytes(device),
                    all.weightBytes());
                assertEquals(spec.program(STAR).bufferBytes(device) + second.program(STAR).bufferBytes(device),
                    all.bufferBytes());
            }
            LoadedModel begins = spec.stages().getFirst().model();
            LoadedModel ends = spec.stages().getLast().model();
            DeviceForm form = DeviceForm.ONNX_RUNTIME;
            assertEquals(begins.texts().weightBytes(form) + ends.texts().weightBytes(form)
                + ends.decoder().weightBytes(), spec.memory(STAR).getFirst().componentBytes());
        }
    }

    private static FaultInjectingProvider provider() {
        return new FaultInjectingProvider(Devices.discover().providers().stream()
            .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());
    }

    @Test
    void aRefinerForWhichThereIsNoRoomIsRefusedBeforeAnythingIsBuilt() {
        FaultInjectingProvider provider = provider();
        try (DiffusionPipeline pipeline = pipeline("sequential", 1).providers(Devices.of(provider))
                .refiner(refiner, HANDOVER).open()) {
            long all = pipeline.spec().memory(STAR).getFirst().totalBytes();
            provider.faults().pretend(new Device.Memory(all - 1, all));
            provider.faults().arm(0, EnumSet.of(Call.BUILD, Call.ALLOCATE), Faults.Manner.THROWN);
            Throwable refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(STAR).result().join()).getCause();
            assertEquals(DeviceOutOfMemoryException.class, refused.getClass());
            assertEquals(0, provider.faults().callsSeen(), "builds and allocations");
            provider.faults().pretend(new Device.Memory(all, all));
            pipeline.submit(STAR).result().join();
        }
    }

    @ParameterizedTest
    @EnumSource(Faults.Manner.class)
    void whateverFailsTheNextPictureIsTheSameAndClosingFreesBoth(Faults.Manner manner) {
        FaultInjectingProvider provider = provider();
        ImageRequest request = STAR.withSteps(4);
        DiffusionPipeline pipeline =
            pipeline("asyncdiff:warmup=1", 2).providers(Devices.of(provider)).refiner(refiner, 0.5)
                .engineMemory(0).open();
        List<Device> devices = pipeline.devices();
        try (pipeline) {
            byte[] expected = pipeline.submit(request).result().join().image().rgb();
            provider.faults().arm(0, manner);
            pipeline.submit(request.withSize(24, 16)).result().join();
            int calls = provider.faults().callsSeen();
            assertTrue(calls > 100, calls + " calls");
            for (int call = 1; call <= calls; call += calls / 6) {
                provider.faults().arm(call, manner);
                // Another size, so that everything is built anew.
                assertThrows(CompletionException.class,
                    () -> pipeline.submit(request.withSize(24, 16)).result().join(), "call " + call);
                provider.faults().disarm();
                assertArrayEquals(expected, pipeline.submit(request).result().join().image().rgb(), "call " + call);
            }
        }
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
    }
}
