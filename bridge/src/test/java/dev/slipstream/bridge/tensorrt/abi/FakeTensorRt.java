package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.Upcall;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * TensorRT without TensorRT: its exported functions and the tables of its objects, made of Java methods. What is called
 * goes through the real downcalls, slots and structs. Calls that can fail are counted, and one can be made to fail.
 *
 * <p>Its objects live and die as TensorRT's do, and {@link #close} fails if one was used after its end or outlived what
 * it needs: contexts their engine, engines their runtime, networks and configurations their builder, parsers their
 * network. What an object owned ends with it: a parser's errors, and the weights that it parsed.
 */
public final class FakeTensorRt implements AutoCloseable {
    /** What a call does. */
    public interface Behaviour {
        Object call(FakeObject self, Object[] arguments);
    }

    private static final Set<Method> CANNOT_FAIL = EnumSet.of(Method.GET_NAME, Method.GET_DIMENSION_NAME,
        Method.IS_SHAPE_TENSOR, Method.IS_REFITTABLE, Method.GET_DATA, Method.SUPPORTS_OPERATOR,
        Method.ERROR_DESCRIPTION, Method.ERROR_NODE_NAME, Method.ERROR_NODE_OPERATOR, Method.GET_ENGINE_INFORMATION);

    private final int major;
    private final Arena arena = Arena.ofShared();
    private final Map<Method, Behaviour> behaviours = new EnumMap<>(Method.class);
    private final Map<CppClass, MemorySegment> tables = new EnumMap<>(CppClass.class);
    private final Map<CppClass, MemorySegment> outerTables = new EnumMap<>(CppClass.class);
    private final Map<Long, FakeObject> objects = new HashMap<>();
    private final Map<String, MemorySegment> exports = new HashMap<>();
    private final List<Method> calls = new ArrayList<>();
    private final List<Throwable> broken = new ArrayList<>();
    private MemorySegment logger = MemorySegment.NULL;
    private int fallible;
    private boolean finishesCancelledBuilds;
    private int failing = -1;
    private final List<CppClass> deleted = new ArrayList<>();
    private long nothing;

    public FakeTensorRt(int major) {
        this(major, 2);
    }

    public FakeTensorRt(int major, int minor) {
        this.major = major;
        export("getInferLibVersion", FunctionDescriptor.of(ValueLayout.JAVA_INT),
            arguments -> major * 10_000 + minor * 100 + 3);
        export("getInferLibBuildVersion", FunctionDescriptor.of(ValueLayout.JAVA_INT), arguments -> 7);
        export("getNvOnnxParserVersion", FunctionDescriptor.of(ValueLayout.JAVA_INT), arguments -> 100);
        FunctionDescriptor create = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT);
        export("createInferRuntime_INTERNAL", create, arguments -> created(CppClass.RUNTIME, arguments[0], null, null));
        export("createInferBuilder_INTERNAL", create, arguments -> created(CppClass.BUILDER, arguments[0], null, null));
        export("createNvOnnxParser_INTERNAL", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS,
            ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            arguments -> created(CppClass.PARSER, arguments[1], FakeBuilding.parsing(at(arguments[0])),
                at(arguments[0])));
        for (CppClass type : CppClass.values()) {
            table(type);
        }
        new FakeBuilding(this).install();
        new FakeRunning(this).install();
    }

    public int major() {
        return major;
    }

    public Arena arena() {
        return arena;
    }

    /** Its exported functions, for TensorRT as the code under test sees it. */
    public SymbolLookup lookup() {
        return name -> Optional.ofNullable(exports.get(name));
    }

    /** From now on builds give an engine even when they were cancelled. */
    public void finishCancelledBuilds() {
        finishesCancelledBuilds = true;
    }

    public boolean finishesCancelledBuilds() {
        return finishesCancelledBuilds;
    }

    public void withoutParser() {
        exports.remove("createNvOnnxParser_INTERNAL");
    }

    public void when(Method method, Behaviour behaviour) {
        behaviours.put(method, behaviour);
    }

    /** Tells of the arguments of calls, which are answered as before. */
    public void listen(Method method, Consumer<Object[]> listener) {
        Behaviour answer = behaviours.get(method);
        when(method, (self, arguments) -> {
            listener.accept(arguments);
            return answer.call(self, arguments);
        });
    }

    /** Makes the call with this number fail, counted from 0 among those that can; none if negative. */
    public void failCall(int number) {
        fallible = 0;
        failing = number;
    }

    /** Calls so far that could have failed. */
    public int fallibleCalls() {
        return fallible;
    }

    /** What failing calls return in place of an object. */
    public void answerNothingWith(long address) {
        nothing = address;
    }

    public List<Method> calls() {
        return calls;
    }

    /** Classes of the objects that were deleted, in order. */
    public List<CppClass> deleted() {
        return deleted;
    }

    /** Objects that the code under test owns and has not freed. */
    public long owned() {
        return objects.values().stream().filter(object -> object.type().isOwned()).count();
    }

    /** A living object that was handed out. */
    public FakeObject at(Object address) {
        FakeObject object = objects.get(((MemorySegment) address).address());
        if (object == null) {
            throw new AssertionError("an argument was deleted before, or never made");
        }
        return object;
    }

    /** Notes something that TensorRT would not forgive. */
    public void broken(String what) {
        broken.add(new AssertionError(what));
    }

    /** The one living object of a class. */
    public FakeObject only(CppClass type) {
        List<FakeObject> found = objects.values().stream().filter(object -> object.type() == type).toList();
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " objects of " + type);
        }
        return found.getFirst();
    }

    public MemorySegment make(CppClass type, Object state, FakeObject parent) {
        MemorySegment outer = arena.allocate(ValueLayout.ADDRESS, 2);
        if (type.hasImplementation()) {
            MemorySegment behind = arena.allocate(ValueLayout.ADDRESS);
            behind.set(ValueLayout.ADDRESS, 0, tables.get(type));
            outer.setAtIndex(ValueLayout.ADDRESS, 0, outerTables.get(type));
            outer.setAtIndex(ValueLayout.ADDRESS, 1, behind);
            objects.put(outer.address(), new FakeObject(type, state, outer, behind, parent));
        } else {
            outer.setAtIndex(ValueLayout.ADDRESS, 0, tables.get(type));
            objects.put(outer.address(), new FakeObject(type, state, outer, outer, parent));
        }
        return outer;
    }

    public MemorySegment text(String text) {
        return text == null ? MemorySegment.NULL : arena.allocateFrom(text);
    }

    /** Says something through the logger that was given, as TensorRT does: by its slot. */
    public void log(int severity, String message) {
        MemorySegment table = logger.reinterpret(8).get(ValueLayout.ADDRESS, 0).reinterpret(5 * 8);
        MemorySegment log = table.getAtIndex(ValueLayout.ADDRESS, major == 10 ? 0 : 4);
        try {
            Linker.nativeLinker().downcallHandle(log, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS)).invokeWithArguments(logger, severity, text(message));
        } catch (Throwable failure) {
            broken.add(failure);
        }
    }

    /** Throws what went wrong inside the fake, where nothing can be thrown. */
    @Override
    public void close() {
        arena.close();
        if (!broken.isEmpty()) {
            throw new AssertionError("the fake failed", broken.getFirst());
        }
    }

    private MemorySegment created(CppClass type, Object log, Object state, FakeObject parent) {
        logger = (MemorySegment) log;
        return fails(type + " creation") ? MemorySegment.ofAddress(nothing) : make(type, state, parent);
    }

    private boolean fails(String what) {
        boolean failed = fallible++ == failing;
        if (failed) {
            log(1, "injected into " + what);
        }
        return failed;
    }

    private Object dispatch(Method method, Object[] arguments) {
        Class<?> result = method.signature().descriptor().toMethodType().returnType();
        try {
            long self = ((MemorySegment) arguments[0]).address();
            FakeObject object = objects.values().stream()
                .filter(it -> it.type() == method.type() && it.behind().address() == self).findFirst().orElseThrow();
            calls.add(method);
            boolean pointer = result == MemorySegment.class && !method.signature().descriptor().returnLayout()
                .orElseThrow().equals(Dims.LAYOUT) && method != Method.GET_WEIGHTS_PROTOTYPE;
            if ((pointer || result == boolean.class) && !CANNOT_FAIL.contains(method) && fails(method.toString())) {
                return pointer ? MemorySegment.ofAddress(nothing) : false;
            }
            Object[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
            Behaviour behaviour = behaviours.get(method);
            if (behaviour == null) {
                throw new AssertionError("the fake has no " + method);
            }
            return behaviour.call(object, rest);
        } catch (Throwable failure) {
            broken.add(failure);
            return result == boolean.class ? (Object) false : result == int.class ? (Object) 0
                : result == long.class ? (Object) 0L : result == void.class ? null : arena.allocate(128);
        }
    }

    private Object delete(CppClass type, Object[] arguments) {
        FakeObject object = objects.remove(((MemorySegment) arguments[0]).address());
        if (object == null || object.type() != type) {
            broken("deleted twice: " + type);
            return null;
        }
        objects.values().stream().filter(other -> other.parent() == object && other.type().isOwned())
            .forEach(child -> broken(type + " was deleted before its " + child.type()));
        objects.values().removeIf(other -> other.parent() == object);
        if (object.state() instanceof FakeBuilding.Mortal mortal) {
            mortal.end(this);
        }
        deleted.add(type);
        return null;
    }

    private void table(CppClass type) {
        MemorySegment table = arena.allocate(ValueLayout.ADDRESS, 100);
        for (Method method : Method.values()) {
            if (method.type() == type) {
                FunctionDescriptor descriptor = method.signature().descriptor();
                table.setAtIndex(ValueLayout.ADDRESS, method.slot(major),
                    Upcall.stub(descriptor, arena, arguments -> dispatch(method, arguments)));
            }
        }
        MemorySegment outer = type.hasImplementation() ? arena.allocate(ValueLayout.ADDRESS, 2) : table;
        if (type.isOwned()) {
            outer.setAtIndex(ValueLayout.ADDRESS, type.deleteSlot(major),
                Upcall.stub(FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), arena,
                    arguments -> delete(type, arguments)));
        }
        tables.put(type, table);
        outerTables.put(type, outer);
    }

    private void export(String name, FunctionDescriptor descriptor, Upcall body) {
        exports.put(name, Upcall.stub(descriptor, arena, body));
    }
}
