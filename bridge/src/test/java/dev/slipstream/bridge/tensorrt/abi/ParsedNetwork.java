package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.Upcall;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network of TensorRT's, made of Java methods, for the real parser: it takes constants and outputs, and keeps what a
 * network keeps of a constant's weights, a pointer. Slots come from the class files of a public binding.
 */
public final class ParsedNetwork {
    private static final int SLOTS = 120;
    private static final FunctionDescriptor ANY = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS);

    private static final class Constant {
        private final Weights weights;
        private final Shape shape;
        private String name = "";

        Constant(Weights weights, Shape shape) {
            this.weights = weights;
            this.shape = shape;
        }
    }

    private final Arena arena;
    private final BindingClasses classes;
    private final List<Constant> outputs = new ArrayList<>();
    private final Map<Long, Constant> tensors = new LinkedHashMap<>();
    private final List<Throwable> failures = new ArrayList<>();
    private final MemorySegment object;
    private int layers;

    public ParsedNetwork(Arena arena, BindingClasses classes) throws IOException {
        this.arena = arena;
        this.classes = classes;
        MemorySegment table = table();
        install(table, "nvinfer.VNetworkDefinition", "getNbLayers", Signature.GET_INT.descriptor(), a -> layers);
        install(table, "nvinfer.VNetworkDefinition", "getNbInputs", Signature.GET_INT.descriptor(), a -> 0);
        install(table, "nvinfer.VNetworkDefinition", "getNbOutputs", Signature.GET_INT.descriptor(),
            a -> outputs.size());
        install(table, "nvinfer.VNetworkDefinition", "addConstant", FunctionDescriptor.of(ValueLayout.ADDRESS,
            ValueLayout.ADDRESS, ValueLayout.ADDRESS, Weights.LAYOUT), a -> constant(dims(a[1]), (MemorySegment) a[2]));
        install(table, "nvinfer.VNetworkDefinition", "markOutput", Signature.VOID_PTR.descriptor(),
            a -> outputs.add(tensor(a[1])));
        object = object(table);
    }

    public MemorySegment address() {
        return object;
    }

    /** The weights of the graph's outputs, by their names, as the network points to them. */
    public Map<String, Weights> outputs() {
        if (!failures.isEmpty()) {
            throw new AssertionError("the network failed", failures.getFirst());
        }
        Map<String, Weights> weights = new LinkedHashMap<>();
        outputs.forEach(output -> weights.put(output.name, output.weights));
        return weights;
    }

    private MemorySegment constant(Shape shape, MemorySegment weights) throws IOException {
        layers++;
        Constant constant = new Constant(Weights.read(weights), shape);
        MemorySegment tensorTable = table();
        install(tensorTable, "nvinfer.VTensor", "setName", Signature.VOID_PTR.descriptor(), a -> {
            constant.name = CppObject.text((MemorySegment) a[1]);
            return null;
        });
        install(tensorTable, "nvinfer.VTensor", "getName", Signature.GET_PTR.descriptor(),
            a -> arena.allocateFrom(constant.name));
        install(tensorTable, "nvinfer.VTensor", "getDimensions", Signature.GET_DIMS.descriptor(),
            a -> Dims.of(constant.shape, arena));
        install(tensorTable, "nvinfer.VTensor", "getType", Signature.GET_INT.descriptor(),
            a -> constant.weights.type());
        MemorySegment tensor = object(tensorTable);
        tensors.put(tensor.address(), constant);
        MemorySegment layerTable = table();
        install(layerTable, "nvinfer.VLayer", "getOutput", Signature.PTR_INT.descriptor(), a -> tensor);
        return object(layerTable);
    }

    private Constant tensor(Object address) {
        return tensors.get(((MemorySegment) address).address());
    }

    private static Shape dims(Object reference) {
        return Dims.read(((MemorySegment) reference).reinterpret(Dims.LAYOUT.byteSize())).orElseThrow();
    }

    /** One that answers zero to everything. */
    private MemorySegment table() {
        MemorySegment table = arena.allocate(ValueLayout.ADDRESS, SLOTS);
        MemorySegment zero = Upcall.stub(ANY, arena, arguments -> MemorySegment.NULL);
        for (int slot = 0; slot < SLOTS; slot++) {
            table.setAtIndex(ValueLayout.ADDRESS, slot, zero);
        }
        return table;
    }

    /** It is its own implementation, and that of its base class. */
    private MemorySegment object(MemorySegment table) {
        MemorySegment made = arena.allocate(ValueLayout.ADDRESS, 3);
        made.setAtIndex(ValueLayout.ADDRESS, 0, table);
        made.setAtIndex(ValueLayout.ADDRESS, 1, made);
        made.setAtIndex(ValueLayout.ADDRESS, 2, made);
        return made;
    }

    private interface Failing {
        Object call(Object[] arguments) throws IOException;
    }

    private void install(MemorySegment table, String type, String name, FunctionDescriptor descriptor, Failing body)
            throws IOException {
        List<String> names = classes.methods(type).stream().map(BindingClasses.CppMethod::name).toList();
        table.setAtIndex(ValueLayout.ADDRESS, 2L + names.indexOf(name), Upcall.stub(descriptor, arena, arguments -> {
            try {
                return body.call(arguments);
            } catch (Throwable failure) {
                failures.add(failure);
                return descriptor.returnLayout().isEmpty() ? null : descriptor.returnLayout().get()
                    .equals(ValueLayout.JAVA_INT) ? (Object) 0 : MemorySegment.NULL;
            }
        }));
    }
}
