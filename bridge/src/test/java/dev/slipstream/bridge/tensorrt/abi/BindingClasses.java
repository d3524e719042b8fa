package dev.slipstream.bridge.tensorrt.abi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A Java binding of one version of TensorRT, made by a tool that went through the C++ headers in order: what its class
 * files tell of the order of virtual methods and of the values of enumerations.
 */
public final class BindingClasses implements AutoCloseable {
    /** A virtual method: name and number of arguments. */
    public record CppMethod(String name, int arity) {
    }

    private static final String ROOT = "org/bytedeco/tensorrt/";

    private final ZipFile jar;

    public BindingClasses(Path file) throws IOException {
        this.jar = new ZipFile(file.toFile());
    }

    /**
     * Virtual methods in the order of the header. A C++ method may be several Java methods, for {@code String} and for
     * pointers, which follow each other and take equally many arguments.
     */
    public List<CppMethod> methods(String binaryName) throws IOException {
        List<CppMethod> methods = new ArrayList<>();
        reader(ROOT + binaryName.replace('.', '/')).accept(new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String generics,
                    String[] exceptions) {
                CppMethod method = new CppMethod(name, Type.getArgumentTypes(descriptor).length);
                boolean ofCpp = (access & Opcodes.ACC_NATIVE) != 0 && (access & Opcodes.ACC_PRIVATE) == 0;
                if (ofCpp && (methods.isEmpty() || !methods.getLast().equals(method))) {
                    methods.add(method);
                }
                return null;
            }
        }, ClassReader.SKIP_CODE);
        return methods;
    }

    public String superclass(String binaryName) throws IOException {
        return reader(ROOT + binaryName.replace('.', '/')).getSuperName();
    }

    /** Values by name. The initializer makes each constant from its name, its ordinal and its value. */
    public Map<String, Integer> enumeration(String name) throws IOException {
        Map<String, Integer> values = new LinkedHashMap<>();
        reader(ROOT + "global/nvinfer$" + name).accept(new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String method, String descriptor, String generics,
                    String[] exceptions) {
                return method.equals("<clinit>") ? new ConstantReader(values) : null;
            }
        }, 0);
        return values;
    }

    private ClassReader reader(String name) throws IOException {
        ZipEntry entry = jar.getEntry(name + ".class");
        try (InputStream in = jar.getInputStream(entry)) {
            return new ClassReader(in);
        }
    }

    @Override
    public void close() throws IOException {
        jar.close();
    }

    private static final class ConstantReader extends MethodVisitor {
        private final Map<String, Integer> values;
        private final Map<String, Integer> known = new HashMap<>();
        private String name;
        private int last;

        ConstantReader(Map<String, Integer> values) {
            super(Opcodes.ASM9);
            this.values = values;
        }

        @Override
        public void visitLdcInsn(Object value) {
            switch (value) {
                case String text -> name = text;
                case Integer number -> last = number;
                default -> throw new IllegalStateException("unexpected constant " + value);
            }
        }

        @Override
        public void visitInsn(int opcode) {
            if (opcode >= Opcodes.ICONST_M1 && opcode <= Opcodes.ICONST_5) {
                last = opcode - Opcodes.ICONST_0;
            }
        }

        @Override
        public void visitIntInsn(int opcode, int operand) {
            last = operand;
        }

        /** A constant that is an alias takes the value of another. */
        @Override
        public void visitFieldInsn(int opcode, String owner, String field, String descriptor) {
            if (opcode == Opcodes.GETSTATIC) {
                last = known.getOrDefault(field, last);
            }
        }

        @Override
        public void visitMethodInsn(int opcode, String owner, String method, String descriptor, boolean inInterface) {
            if (opcode == Opcodes.INVOKESPECIAL && name != null) {
                values.put(name, last);
                known.put(name, last);
                name = null;
            }
        }
    }
}
