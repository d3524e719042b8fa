package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Says what is wrong with tensors for an engine, before the runtime behind it sees them. */
public final class BindingCheck {
    private final Engine engine;

    public BindingCheck(Engine engine) {
        this.engine = engine;
    }

    /** @throws IllegalArgumentException naming the tensor */
    public void check(Map<String, Tensor> tensors) {
        engine.inputs().forEach((name, type) -> checkTensor("input", name, type, tensors.get(name)));
        engine.outputs().forEach((name, type) -> checkTensor("output", name, type, tensors.get(name)));
        for (String name : tensors.keySet()) {
            require(engine.inputs().containsKey(name) || engine.outputs().containsKey(name), name, "is unknown; it has "
                + Stream.concat(engine.inputs().keySet().stream(), engine.outputs().keySet().stream())
                    .collect(Collectors.joining(", ")));
        }
        for (String name : engine.outputs().keySet()) {
            tensors.forEach((other, tensor) -> require(
                other.equals(name) || !tensors.get(name).slice().overlaps(tensor.slice()), name,
                "would be written over '" + other + "', whose bytes overlap"));
        }
    }

    private void checkTensor(String role, String name, TensorType wanted, Tensor given) {
        require(given != null, name, "is missing, an " + role + " of type " + wanted);
        require(fits(wanted, given.type()), name, "must be " + wanted + ", not " + given.type());
        require(given.slice().buffer().device() == engine.device(), name, "is on "
            + given.slice().buffer().device().name() + ", the engine on " + engine.device().name());
        require(given.slice().offset() % given.type().type().bytes() == 0, name, "begins at byte "
            + given.slice().offset() + ", which is no multiple of its element size");
    }

    private void require(boolean condition, String tensor, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(
                "engine " + engine.name() + ": tensor '" + tensor + "' " + otherwise);
        }
    }

    private static boolean fits(TensorType wanted, TensorType given) {
        Shape open = wanted.shape();
        Shape shape = given.shape();
        boolean fits = wanted.type() == given.type() && open.rank() == shape.rank();
        for (int i = 0; fits && i < open.rank(); i++) {
            fits = open.dim(i) == Shape.UNKNOWN || open.dim(i) == shape.dim(i);
        }
        return fits;
    }
}
