package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** Chains of what exporters put between a timestep and its cast, against the same chains in real numbers throughout. */
class TimestepChainsTest {
    private enum Link { IDENTITY, UNSQUEEZE, FLATTEN, EXPAND, GATHER, SLICE, CONCAT, WHERE, ONES, MORE, CLIP, TO_INT64,
        TO_INT32 }

    private enum End { FLOAT, HALF, DOUBLE }

    /** @param table after which link a table of embeddings is read, too; -1 for none */
    private record Chain(List<Link> links, End end, int table) {
    }

    private static final OnnxRunner RUNNER = new OnnxRunner();

    @Provide
    Arbitrary<Chain> chains() {
        return Combinators.combine(Arbitraries.of(Link.class).list().ofMaxSize(8), Arbitraries.of(End.class),
            Arbitraries.integers().between(-4, 8)).as((links, end, table) ->
                new Chain(links, end, table > links.size() ? -1 : Math.max(table, -1)));
    }

    /** Writes a chain; its integers are float32 throughout where it is the twin. */
    private static final class Writer {
        private final GraphSketch sketch = new GraphSketch();
        private final boolean whole;
        private int type;
        private String now = "timestep";
        private int count;

        Writer(boolean whole) {
            this.whole = whole;
            this.type = whole ? DataType.INT64_VALUE : DataType.FLOAT_VALUE;
            sketch.typedInput("timestep", type, 1);
        }

        private String constant(int ofType, long... values) {
            String name = "c" + count++;
            TensorProto.Builder weight = TensorProto.newBuilder().setName(name).setDataType(ofType)
                .addDims(values.length);
            for (long value : values) {
                switch (ofType) {
                    case DataType.FLOAT_VALUE -> weight.addFloatData(value);
                    case DataType.INT64_VALUE -> weight.addInt64Data(value);
                    default -> weight.addInt32Data((int) value);
                }
            }
            sketch.weight(weight.build());
            return name;
        }

        private void node(String operator, String... inputs) {
            String made = "v" + count++;
            sketch.node(operator, "/time/" + operator + "_" + count, List.of(inputs), made);
            now = made;
        }

        private void cast(int to) {
            String made = "v" + count++;
            sketch.node("Cast", "/time/Cast_" + count, List.of(now), made, GraphSketch.integer("to", to));
            now = made;
        }

        private void castWhole(int to) {
            type = whole ? to : type;
            cast(type);
        }

        /** Of a tensor of any rank that begins with a dimension; one again afterwards, where it needs to be. */
        void write(Link link) {
            switch (link) {
                case IDENTITY -> node("Identity", now);
                case UNSQUEEZE -> node("Unsqueeze", now, constant(DataType.INT64_VALUE, 0));
                case FLATTEN -> node("Reshape", now, constant(DataType.INT64_VALUE, -1));
                case EXPAND -> {
                    node("Unsqueeze", now, constant(DataType.INT64_VALUE, 0));
                    node("Expand", now, constant(DataType.INT64_VALUE, 2, 1));
                }
                case GATHER -> node("Gather", now, constant(DataType.INT64_VALUE, 0));
                case SLICE -> node("Slice", now, constant(DataType.INT64_VALUE, 0), constant(DataType.INT64_VALUE, 1));
                case CONCAT -> {
                    node("Reshape", now, constant(DataType.INT64_VALUE, -1));
                    String made = "v" + count++;
                    sketch.node("Concat", "/time/Concat_" + count, List.of(now, constant(type, 7, 500)), made,
                        GraphSketch.integer("axis", 0));
                    now = made;
                }
                case WHERE -> node("Where", constant(DataType.BOOL_VALUE, 1), now, constant(type, 3));
                case ONES -> node("Mul", now, constant(type, 1));
                case MORE -> node("Add", now, constant(type, 2));
                case CLIP -> node("Max", now, constant(type, 0));
                case TO_INT64 -> castWhole(DataType.INT64_VALUE);
                case TO_INT32 -> castWhole(DataType.INT32_VALUE);
            }
        }

        void readTable() {
            float[] table = new float[2000];
            for (int i = 0; i < table.length; i++) {
                table[i] = i * i;
            }
            sketch.weight("table", table, table.length);
            String before = now;
            if (!whole) {
                cast(DataType.INT64_VALUE);
            }
            node("Gather", "table", now);
            node("Reshape", now, constant(DataType.INT64_VALUE, -1));
            sketch.node("ReduceSum", "/other/ReduceSum", List.of(now), "row").output("row", 1);
            now = before;
        }

        Graph finish(End end) {
            switch (end) {
                case FLOAT -> { /* that is the last cast */ }
                case HALF -> cast(DataType.FLOAT16_VALUE);
                case DOUBLE -> cast(DataType.DOUBLE_VALUE);
            }
            cast(DataType.FLOAT_VALUE);
            node("Mul", now, "factor");
            sketch.node("Reshape", "/out/Reshape", List.of(now, constant(DataType.INT64_VALUE, -1)), "out")
                .output("out", -1);
            return sketch.build();
        }
    }

    private static Graph graph(Chain chain, boolean whole) {
        Writer writer = new Writer(whole);
        writer.sketch.weight("factor", new float[] {0.37f}, 1);
        for (int link = 0; link <= chain.links().size(); link++) {
            if (link == chain.table()) {
                writer.readTable();
            }
            if (link < chain.links().size()) {
                writer.write(chain.links().get(link));
            }
        }
        return writer.finish(chain.end());
    }

    private static List<float[]> run(Graph graph, ai.onnxruntime.OnnxTensor timestep) throws OrtException {
        List<float[]> results = new ArrayList<>();
        RUNNER.run(graph, Map.of("timestep", timestep)).values().forEach(tensor -> {
            results.add(OnnxRunner.floats(tensor));
            tensor.close();
        });
        return results;
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i));
        }
    }

    @Property(tries = 300)
    void aFractionReachesTheCastAsInAModelOfRealNumbers(@ForAll("chains") Chain chain,
        @ForAll @DoubleRange(min = 0, max = 999) double timestep) throws OrtException {
        Graph allowed = FractionalTimesteps.allow(graph(chain, true), "timestep");
        float[] given = {(float) timestep};
        assertSame(run(graph(chain, false), RUNNER.tensor(given, 1)), run(allowed, RUNNER.tensor(given, 1)));
        assertEquals(chain.table() >= 0 ? 1 : 0,
            FractionalTimesteps.cutBy(allowed, "timestep").stream().filter(node -> node.contains("Gather")).count());
    }

    @Property(tries = 200)
    void aWholeTimestepGivesTheSameBits(@ForAll("chains") Chain chain, @ForAll @IntRange(max = 999) int timestep)
        throws OrtException {
        Graph graph = graph(chain, true);
        assertSame(run(graph, RUNNER.tensor(new long[] {timestep}, 1)),
            run(FractionalTimesteps.allow(graph, "timestep"), RUNNER.tensor(new float[] {timestep}, 1)));
    }
}
