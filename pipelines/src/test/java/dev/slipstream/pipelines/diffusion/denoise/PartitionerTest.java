package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.plan.Sequential;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartitionerTest {
    private static final ImageRequest STAR = ImageRequest.of("a red star").withSteps(3);

    @TempDir
    private Path folder;

    @Test
    void partitionsOfManyShapesStayWithinABoundInBytes() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            PartitionedDenoiser first = spec.unwrap(STAR, PartitionedDenoiser.class);
            Partitioner two = new Partitioner(first.denoiser(), new Sequential(), 1, first.heapBytes() * 5 / 2);
            PartitionedDenoiser kept = two.partition(first.shape());
            assertSame(kept, two.partition(first.shape()));
            for (int width = 16; width <= 64; width += 16) {
                LoopShape shape = spec.unwrap(STAR.withSize(width, 32), PartitionedDenoiser.class).shape();
                assertSame(two.partition(shape), two.partition(shape));
                assertTrue(two.size() <= 2, two.size() + " partitions");
            }
            assertNotSame(kept, two.partition(first.shape()));
        }
    }

    @Test
    @Tag("slow")
    void theHeapAfter256SizesIsWithinTheBoundOfWhatIsKept() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            long each = spec.unwrap(STAR, PartitionedDenoiser.class).heapBytes();
            long before = heap();
            for (int size = 0; size < 256; size++) {
                spec.unwrap(STAR.withSize(16 + size % 16 * 8, 16 + size / 16 * 8), PartitionedDenoiser.class);
            }
            long grown = heap() - before;
            long bound = Runtime.getRuntime().maxMemory() / Partitioner.SHARE_OF_HEAP;
            assertTrue(256 * each > 2 * bound, "all together would be beyond the bound, or this shows nothing");
            assertTrue(grown < bound * 1.1, grown + " bytes of heap, where " + bound + " may be kept");
            // Partitions have much in common, which is counted for each: 0.4 of it was measured.
            assertTrue(grown > bound / 5, grown + " bytes of heap are far from what is counted, " + bound);
        }
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void aPartitionBeyondTheBoundIsKeptUntilTheNext() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            PartitionedDenoiser any = spec.unwrap(STAR, PartitionedDenoiser.class);
            Partitioner none = new Partitioner(any.denoiser(), new Sequential(), 1, 0);
            assertSame(none.partition(any.shape()), none.partition(any.shape()));
            none.partition(spec.unwrap(STAR.withSize(32, 32), PartitionedDenoiser.class).shape());
            assertEquals(1, none.size());
        }
    }
}
