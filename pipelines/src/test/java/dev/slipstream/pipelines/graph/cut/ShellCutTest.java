package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShellCutTest {
    private static final Graph UNET = UNetSketch.of(true, true, false);
    private static final Set<String> LAGGABLE = Set.of("sample");

    /** The hidden state before the layer of the way up that mirrors the last one of the shell. */
    @ParameterizedTest
    @CsvSource({"0, /up_blocks.2/attentions.1", "1, /up_blocks.2/attentions.0", "2, /up_blocks.1/upsamplers.0/conv",
        "3, /up_blocks.1/attentions.1", "4, /up_blocks.1/attentions.0", "5, /up_blocks.0/upsamplers.0/conv",
        "6, /up_blocks.0/resnets.1", "7, /up_blocks.0/resnets.0", "8, /mid_block/resnets.1"})
    void whateverTheDepthTheShellReadsOneTensorOfWhatIsInside(int depth, String module) {
        Partition partition = Splitter.split(UNET, ShellCut.of(UNET, depth), LAGGABLE);
        List<Segment> inner = partition.component(1);
        assertEquals(1, inner.size(), () -> partition.segments().toString());
        assertEquals(List.of(module + "/Conv_output_0"), inner.getFirst().outputs());
        assertEquals(List.of(0, 1, 0), partition.segments().stream().map(Segment::component).toList());
    }

    @Test
    void aShellWithoutLayersOfTheWayDownIsThoseNextToTheEnds() {
        Cut cut = ShellCut.of(UNET, 0);
        assertEquals("shell-0", cut.name());
        assertEquals(List.of("conv_in", "conv_norm_out", "conv_act", "conv_out", "up_blocks.2.resnets.2",
            "up_blocks.2.attentions.2"), cut.components().getFirst());
    }

    @ParameterizedTest
    @CsvSource({"9", "-1"})
    void aDepthThatIsNotThereIsRefusedWithThoseThatAre(int depth) {
        assertEquals("a shell of this denoiser has a depth of 0 to 8, not " + depth,
            assertThrows(GraphException.class, () -> ShellCut.of(UNET, depth)).getMessage());
    }

    @Test
    void aDenoiserThatIsNoUNetHasNoShell() {
        Graph blocks = new GraphSketch().input("sample", 1, 4).node("Conv", "/transformer_blocks.0/Conv",
            List.of("sample"), "y").output("y", 1, 4).build();
        String message = assertThrows(GraphException.class, () -> ShellCut.of(blocks, 0)).getMessage();
        assertEquals("this denoiser has no down_blocks and up_blocks, so it has no shell; name a cut of two components "
            + "with cut=NAME", message);
    }
}
