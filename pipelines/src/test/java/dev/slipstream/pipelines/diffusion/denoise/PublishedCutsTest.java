package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.cut.CutFinder.Form;
import dev.slipstream.pipelines.graph.cut.CutFinder;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.FoundCut;
import dev.slipstream.pipelines.graph.cut.PartDevice;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.run.program.Program;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Found cuts of models in real size, with guidance in fp16, beside the published tables, counted alike. */
@Tag("slow")
class PublishedCutsTest {
    private static final double ROUNDING = 1e-9;

    @TempDir
    private Path folder;

    /** @param fullest the largest share of the weights on a device, with 2 and with 4 parts */
    @ParameterizedTest
    @CsvSource({"SD15, 512, 512, 1, 1", "SD21, 768, 768, 1, 1", "SDXL, 1024, 1024, 0.8, 0.35",
        "SVD_XT, 1024, 576, 1, 1", "SD3_MEDIUM, 1024, 1024, 0.55, 0.35"})
    void foundCutsAreNoWorseThanThePublishedOnes(ModelFamily family, int width, int height, double ofTwo,
        double ofFour) {
        ModelTemplate.of(family, false).hollowed().write(folder);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").plan("sequential")
            .precision(DataType.FLOAT16).spec()) {
            PartitionedDenoiser whole = spec.makesVideos()
                ? spec.unwrap(VideoRequest.of(Image.of(1, 1, new byte[3])).withSize(width, height),
                    PartitionedDenoiser.class)
                : spec.unwrap(ImageRequest.of("").withSize(width, height), PartitionedDenoiser.class);
            Graph graph = whole.segment(0).graph();
            Set<String> laggable = Set.of(whole.denoiser().ports().sample());
            CutFinder finder = CutFinder.of(graph, laggable, Costs.of(graph), List.of());
            CutFinder products = CutFinder.of(graph, laggable, Costs.of(graph)::multiplyAccumulates, List.of());
            for (int parts = 2; parts <= 4; parts++) {
                FoundCut published = finder.measure(Cuts.reference(whole.denoiser().config(), parts).orElseThrow());
                long start = System.nanoTime();
                FoundCut found = finder.best(PartDevice.equal(parts), Form.SHELLS, CutFinder.TOLERANCE);
                System.out.printf("%s, %d parts: load %.3f (%.3f published), MB %.1f (%.1f), weights %.3f, %.1f s%n",
                    family, parts, found.bottleneck(), published.bottleneck(), found.bytes() / 1e6,
                    published.bytes() / 1e6, (double) found.fullest() / graph.weightBytes(),
                    (System.nanoTime() - start) / 1e9);
                assertEquals(found, finder.measure(found.cut()));
                assertTrue(found.bottleneck() <= published.bottleneck() + ROUNDING, parts + " parts");
                assertTrue(products.measure(found.cut()).bottleneck()
                    <= products.measure(published.cut()).bottleneck() + ROUNDING, parts + " parts, products alone");
                assertTrue(found.bytes() <= published.bytes(), parts + " parts");
                assertTrue(found.fullest() <= graph.weightBytes() * (parts == 2 ? ofTwo : parts == 4 ? ofFour : 1),
                    parts + " parts have " + found.shares());
            }
        }
    }

    /** Of cuts for slow links, and that as many bytes go from device to device as the search has counted. */
    @Test
    void aPictureOfSdxlInTwoPartsMovesLessThanAThirdOfAGigabyteAndNoDeviceHasMostOfTheWeights() {
        ModelTemplate.of(ModelFamily.SDXL, false).hollowed().write(folder);
        ImageRequest request = ImageRequest.of("").withSteps(50);
        try (PipelineSpec whole = DiffusionPipeline.of(folder).devices("cpu:1").plan("sequential")
                 .precision(DataType.FLOAT16).spec();
             PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1", "cpu:1")
                 .plan("asyncdiff:n=2,cut=lean").precision(DataType.FLOAT16).spec()) {
            PartitionedDenoiser one = whole.unwrap(request, PartitionedDenoiser.class);
            Graph graph = one.segment(0).graph();
            CutFinder finder = CutFinder.of(graph, Set.of(one.denoiser().ports().sample()), Costs.of(graph), List.of());
            FoundCut lean = finder.best(PartDevice.equal(2), Form.REPEATED, CutFinder.LEAN);
            FoundCut published = finder.measure(Cuts.reference(one.denoiser().config(), 2).orElseThrow());
            PartitionedDenoiser two = spec.unwrap(request, PartitionedDenoiser.class);
            long copied = spec.unwrap(request, Program.class).copiedBytes();
            System.out.printf("SDXL, lean: load %.4f (%.4f published), %.1f MB, weights %.3f%n", lean.bottleneck(),
                published.bottleneck(), copied / 1e6, (double) lean.fullest() / graph.weightBytes());

            assertEquals(lean, finder.measure(lean.cut()));
            assertTrue(copied <= 0.33e9, copied + " bytes");
            long latents = two.shape().latents().bytes();
            assertEquals(49 * (lean.bytes() + latents), copied, (double) latents);
            assertTrue(lean.fullest() <= 0.8 * graph.weightBytes(), lean.shares().toString());
            assertTrue(lean.bottleneck() <= published.bottleneck() + 0.005, lean.bottleneck() + " of the work");
        }
    }
}
