package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.PromptException;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/**
 * Prompts to what cross-attention reads: a tokenizer and an engine for two rows, the unconditional prompt first. One
 * call at a time; it owns its engine.
 */
final class TextEncoder implements AutoCloseable {
    private final Tokenizer tokenizer;
    private final ComponentModel model;
    private final EngineRunner runner;

    private TextEncoder(Tokenizer tokenizer, ComponentModel model, EngineRunner runner) {
        this.tokenizer = tokenizer;
        this.model = model;
        this.runner = runner;
    }

    /** The encoder for two prompts; its first output is the hidden states, {@code [2, tokens, width]}. */
    static ComponentModel fix(Graph graph, Tokenizer tokenizer) {
        ValueInfoProto ids = graph.inputs().getFirst();
        return ComponentModel.fix("text_encoder", graph, Map.of(ids.getName(),
            TensorType.of(InputTypes.element(ids), 2, tokenizer.length())));
    }

    static TextEncoder build(ComponentModel model, Tokenizer tokenizer, Device device) {
        return new TextEncoder(tokenizer, model, model.build(device));
    }

    /**
     * Encodes both prompts.
     *
     * @throws PromptException if one has more tokens than the encoder takes
     */
    MemorySegment encode(String unconditional, String conditional, Arena arena) {
        Map.Entry<String, TensorType> input = model.inputs().entrySet().iterator().next();
        MemorySegment ids = arena.allocate(input.getValue().bytes(), 8);
        long[] first = tokenizer.encodeWhole(unconditional).ids();
        long[] second = tokenizer.encodeWhole(conditional).ids();
        boolean wide = input.getValue().type() == DataType.INT64;
        for (int i = 0; i < first.length + second.length; i++) {
            long id = i < first.length ? first[i] : second[i - first.length];
            if (wide) {
                ids.setAtIndex(ValueLayout.JAVA_LONG, i, id);
            } else {
                ids.setAtIndex(ValueLayout.JAVA_INT, i, (int) id);
            }
        }
        return runner.run(Map.of(input.getKey(), ids), arena).get(model.output());
    }

    @Override
    public void close() {
        runner.close();
    }
}
