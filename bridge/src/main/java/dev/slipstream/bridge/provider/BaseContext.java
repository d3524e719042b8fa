package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What all execution contexts have in common: they say what is wrong with tensors before the runtime behind them sees
 * these, and free their bindings. Binding and freeing hold the context's monitor.
 */
public abstract class BaseContext<D extends BaseDevice> extends DeviceObject<D> implements ExecutionContext {
    private final BaseEngine<D> engine;
    private final List<BaseBindings> bindings = new ArrayList<>();

    protected BaseContext(BaseEngine<D> engine) {
        super(engine.device());
        this.engine = engine;
    }

    /** Ties tensors that fit. Where it throws, nothing stays tied. */
    protected abstract BaseBindings makeBindings(Map<String, Tensor> tensors);

    /** Refuses a type that the runtime cannot take, with an {@link IllegalArgumentException} that names the tensor. */
    protected void requireTakes(String tensor, TensorType type) {
        // Most runtimes take all.
    }

    /** Whether inputs may lie on another device, where the engine then reads them in place. */
    protected boolean readsFrom(Device other) {
        return false;
    }

    /** Gives back what it holds beside its bindings. */
    protected abstract void freeContext();

    @Override
    public final Engine engine() {
        return engine;
    }

    @Override
    public final synchronized Bindings bind(Map<String, Tensor> tensors) {
        requireOpen();
        check(tensors);
        BaseBindings made = makeBindings(tensors);
        bindings.add(made);
        return made;
    }

    @Override
    protected final synchronized void free() {
        try (Closer all = new Closer()) {
            bindings.forEach(each -> all.own(each::free));
            bindings.clear();
            all.own(this::freeContext);
        }
    }

    /** @throws IllegalArgumentException naming the tensor that does not fit */
    private void check(Map<String, Tensor> tensors) {
        engine.inputs().forEach((name, type) -> checkTensor("input", name, type, tensors.get(name)));
        engine.outputs().forEach((name, type) -> checkTensor("output", name, type, tensors.get(name)));
        for (String name : tensors.keySet()) {
            require(engine.inputs().containsKey(name) || engine.outputs().containsKey(name), name, "is unknown; it has "
                + Stream.concat(engine.inputs().keySet().stream(), engine.outputs().keySet().stream())
                    .collect(Collectors.joining(", ")));
        }
        for (String name : engine.outputs().keySet()) {
            Slice written = Objects.requireNonNull(tensors.get(name)).slice();
            tensors.forEach((other, tensor) -> require(other.equals(name) || !written.overlaps(tensor.slice()), name,
                "would be written over '" + other + "', whose bytes overlap"));
        }
        tensors.values().forEach(tensor -> ((BaseBuffer<?>) tensor.slice().buffer()).requireOpen());
    }

    private void checkTensor(String role, String name, TensorType wanted, @Nullable Tensor given) {
        if (given == null) {
            throw refused(name, "is missing, an " + role + " of type " + wanted);
        }
        requireTakes(name, given.type());
        require(fits(wanted, given.type()), name, "must be " + wanted + ", not " + given.type());
        Device place = given.slice().buffer().device();
        require(place == engine.device() || role.equals("input") && readsFrom(place), name, "is on " + place.name()
            + ", the engine on " + engine.device().name());
        require(given.slice().offset() % given.type().type().bytes() == 0, name, "begins at byte "
            + given.slice().offset() + ", which is no multiple of its element size");
    }

    private void require(boolean condition, String tensor, String otherwise) {
        if (!condition) {
            throw refused(tensor, otherwise);
        }
    }

    private IllegalArgumentException refused(String tensor, String why) {
        return new IllegalArgumentException("engine " + engine.name() + ": tensor '" + tensor + "' " + why);
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

    @Override
    public final String toString() {
        return "execution context of " + engine.name();
    }
}
