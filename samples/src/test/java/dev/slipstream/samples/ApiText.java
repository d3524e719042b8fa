package dev.slipstream.samples;

import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.AnnotatedWildcardType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericDeclaration;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Types as callers see them, in lines that can be compared: what a type is, and below it its constructors, fields and
 * methods, each kind in alphabetical order, with generics, nullness, and what it throws. {@code dev.slipstream}, {@code
 * java.lang} and {@code java.util} are left out of names.
 */
final class ApiText {
    private static final Set<String> OF_EVERY_OBJECT = Set.of("equals", "hashCode", "toString");

    /** Records whose constructors are no API. */
    private final Set<String> results;

    ApiText(Set<String> results) {
        this.results = results;
    }

    String of(List<Class<?>> types) throws IllegalAccessException {
        StringBuilder text = new StringBuilder();
        for (Class<?> type : types.stream().sorted(Comparator.comparing(Class::getName)).toList()) {
            text.append(head(type)).append('\n');
            for (String member : members(type)) {
                text.append("    ").append(member).append('\n');
            }
        }
        return text.toString();
    }

    private static String head(Class<?> type) {
        String kind = type.isAnnotation() ? "@interface " : type.isInterface() ? "interface " : type.isEnum() ? "enum "
            : type.isRecord() ? "record " : "class ";
        int dull = Modifier.STATIC | (type.isInterface() ? Modifier.ABSTRACT : 0)
            | (type.isRecord() || type.isEnum() ? Modifier.FINAL | Modifier.ABSTRACT : 0);
        StringBuilder head = new StringBuilder(modifiers(type.getModifiers() & ~dull))
            .append(type.isSealed() && !type.isEnum() ? "sealed " : "").append(kind).append(name(type))
            .append(variables(type));
        AnnotatedType parent = type.getAnnotatedSuperclass();
        if (parent != null && !Set.of(Object.class, Record.class).contains(type.getSuperclass()) && !type.isEnum()) {
            head.append(" extends ").append(text(parent));
        }
        head.append(list(type.isInterface() ? " extends " : " implements ",
            Stream.of(type.getAnnotatedInterfaces()).map(ApiText::text).sorted()));
        return head.append(type.isSealed() && !type.isEnum()
            ? list(" permits ", Stream.of(type.getPermittedSubclasses()).map(ApiText::name).sorted()) : "").toString();
    }

    private List<String> members(Class<?> type) throws IllegalAccessException {
        List<String> all = new ArrayList<>();
        boolean open = !Modifier.isFinal(type.getModifiers());
        Predicate<Member> visible = it -> !it.isSynthetic() && (Modifier.isPublic(it.getModifiers())
            || open && Modifier.isProtected(it.getModifiers()));
        Stream.of(type.getDeclaredConstructors()).filter(visible).filter(it -> !isOfResult(it))
            .map(it -> modifiers(it.getModifiers()) + signature(it, type.getSimpleName())).sorted().forEach(all::add);
        List<String> fields = new ArrayList<>();
        for (Field field : type.getDeclaredFields()) {
            if (visible.test(field)) {
                fields.add(text(field));
            }
        }
        fields.stream().sorted().forEach(all::add);
        Stream.concat(Stream.of(type.getDeclaredMethods()), hidden(type)).filter(visible)
            .filter(it -> !OF_EVERY_OBJECT.contains(it.getName()) && !isOfEveryEnum(type, it))
            .map(ApiText::text).distinct().sorted().forEach(all::add);
        return all;
    }

    /** Methods that callers see though not the class that has them. */
    private static Stream<Method> hidden(Class<?> type) {
        Class<?> parent = type.getSuperclass();
        return parent == null || Modifier.isPublic(parent.getModifiers()) ? Stream.empty()
            : Stream.concat(Stream.of(parent.getDeclaredMethods()), hidden(parent));
    }

    private boolean isOfResult(Constructor<?> constructor) {
        Class<?> type = constructor.getDeclaringClass();
        return results.contains(type.getName()) && Arrays.equals(constructor.getParameterTypes(),
            Stream.of(type.getRecordComponents()).map(RecordComponent::getType).toArray());
    }

    private static boolean isOfEveryEnum(Class<?> type, Method method) {
        return type.isEnum() && Set.of("values", "valueOf").contains(method.getName());
    }

    private static String text(Field field) throws IllegalAccessException {
        if (field.isEnumConstant()) {
            return field.getName();
        }
        Class<?> type = field.getType();
        boolean constant = Modifier.isStatic(field.getModifiers()) && Modifier.isFinal(field.getModifiers())
            && (type.isPrimitive() || type == String.class);
        return modifiers(field.getModifiers()) + text(field.getAnnotatedType()) + " " + field.getName()
            + (constant ? " = " + field.get(null) : "");
    }

    private static String text(Method method) {
        boolean ofInterface = method.getDeclaringClass().isInterface();
        return modifiers(method.getModifiers() & ~(ofInterface ? Modifier.ABSTRACT : 0))
            + (method.isDefault() ? "default " : "") + variables(method).replaceFirst("(?<=.)$", " ")
            + text(method.getAnnotatedReturnType()) + " " + signature(method, method.getName());
    }

    private static String signature(Executable code, String name) {
        String parameters = Stream.of(code.getAnnotatedParameterTypes()).map(ApiText::text)
            .collect(Collectors.joining(", "));
        return name + "(" + (code.isVarArgs() ? parameters.replaceFirst("\\[]$", "...") : parameters) + ")"
            + list(" throws ", Stream.of(code.getAnnotatedExceptionTypes()).map(ApiText::text).sorted());
    }

    private static String variables(GenericDeclaration declaration) {
        String all = Stream.of(declaration.getTypeParameters()).map(it -> it.getName() + list(" extends ",
            Stream.of(it.getAnnotatedBounds()).filter(bound -> bound.getType() != Object.class).map(ApiText::text)))
            .collect(Collectors.joining(", "));
        return all.isEmpty() ? "" : "<" + all + ">";
    }

    private static String text(AnnotatedType type) {
        return nullness(type) + switch (type) {
            case AnnotatedArrayType array -> text(array.getAnnotatedGenericComponentType()) + "[]";
            case AnnotatedParameterizedType generic -> generic.getType().getTypeName().replaceFirst("<.*", "")
                .transform(ApiText::shortened) + Stream.of(generic.getAnnotatedActualTypeArguments())
                .map(ApiText::text).collect(Collectors.joining(", ", "<", ">"));
            case AnnotatedWildcardType wild when wild.getAnnotatedLowerBounds().length > 0 ->
                "? super " + text(wild.getAnnotatedLowerBounds()[0]);
            case AnnotatedWildcardType wild when wild.getAnnotatedUpperBounds()[0].getType() != Object.class ->
                "? extends " + text(wild.getAnnotatedUpperBounds()[0]);
            case AnnotatedWildcardType any -> "?";
            default -> shortened(type.getType().getTypeName());
        };
    }

    private static String nullness(AnnotatedElement type) {
        return type.isAnnotationPresent(Nullable.class) ? "@Nullable " : "";
    }

    private static String name(Class<?> type) {
        return shortened(type.getName());
    }

    private static String shortened(String name) {
        return name.replace('$', '.').replaceFirst("^(dev\\.slipstream|java\\.(lang|util)(?=\\.[A-Z]))\\.", "");
    }

    private static String modifiers(int all) {
        String text = Modifier.toString(all & (Modifier.PUBLIC | Modifier.PROTECTED | Modifier.STATIC | Modifier.FINAL
            | Modifier.ABSTRACT));
        return text.isEmpty() ? "" : text + " ";
    }

    private static String list(String before, Stream<String> names) {
        String all = names.collect(Collectors.joining(", "));
        return all.isEmpty() ? "" : before + all;
    }
}
