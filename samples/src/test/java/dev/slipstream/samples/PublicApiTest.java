package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.slipstream.bridge.SlipstreamException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What others see of the modules: the packages that are exported to all. */
class PublicApiTest {
    private static final int MOST_TYPES = 76;
    /** They get more components: their canonical constructors are no API. */
    private static final Set<String> RESULTS = Set.of("dev.slipstream.pipelines.diffusion.Progress",
        "dev.slipstream.pipelines.diffusion.GeneratedImage$Adapter",
        "dev.slipstream.pipelines.diffusion.GeneratedImage$Refinement");
    private static final Pattern EXPORTED = Pattern.compile("(?m)^ *exports ([\\w.]+);");
    private static final Pattern TRANSITIVE = Pattern.compile("(?m)^ *requires transitive ([\\w.]+);");
    private static final Pattern TESTS = Pattern.compile("/test(-classes)?/|-tests\\.jar|-contract\\.jar");
    private static final JavaClasses CLASSES = new ClassFileImporter().withImportOption((ImportOption)
        location -> !TESTS.matcher(location.toString()).find()).importPackages("dev.slipstream");

    private static List<String> found(Pattern pattern) throws IOException {
        List<String> found = new ArrayList<>();
        for (String module : List.of("jextract", "bridge", "pipelines")) {
            Path file = Path.of("..", module, "src", "main", "java", "module-info.java");
            Matcher matcher = pattern.matcher(Files.readString(file));
            matcher.results().forEach(result -> found.add(result.group(1)));
        }
        return found;
    }

    private static List<JavaClass> types() throws IOException {
        Set<String> exported = Set.copyOf(found(EXPORTED));
        return CLASSES.stream().filter(type -> exported.contains(type.getPackageName()) && isVisible(type)).toList();
    }

    private static boolean isVisible(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
            && type.getEnclosingClass().map(PublicApiTest::isVisible).orElse(true);
    }

    @Test
    void itIsSmall() throws IOException {
        Set<String> types = types().stream().filter(type -> type.getEnclosingClass().isEmpty())
            .map(JavaClass::getName).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(types.contains("dev.slipstream.pipelines.diffusion.DiffusionPipeline"), types::toString);
        assertTrue(types.size() <= MOST_TYPES, () -> types.size() + " types: " + types);
    }

    /** Where this fails on purpose, the change has a line in CHANGELOG.md. */
    @Test
    void itIsWhatTheCommittedTextSays() throws Exception {
        List<Class<?>> types = types().stream().<Class<?>>map(JavaClass::reflect).toList();
        Set<String> names = types.stream().map(Class::getName).collect(Collectors.toSet());
        assertTrue(names.containsAll(RESULTS), () -> RESULTS + " are not all types of the API");
        String now = new ApiText(RESULTS).of(types);
        Path written = Path.of("target", "api.txt");
        Files.createDirectories(written.getParent());
        Files.writeString(written, now);
        Set<String> gone = lines(Files.readString(Path.of("..", "config", "api.txt")));
        Set<String> come = lines(now);
        Set<String> same = new TreeSet<>(gone);
        same.retainAll(come);
        gone.removeAll(same);
        come.removeAll(same);
        assertTrue(gone.isEmpty() && come.isEmpty(), () -> "the public API is not what config/api.txt says; if that is "
            + "meant, copy samples/target/api.txt there. Gone: " + gone + "; new: " + come);
    }

    /** Each line of a member behind that of its type. */
    private static Set<String> lines(String text) {
        Set<String> lines = new TreeSet<>();
        String type = "";
        for (String line : text.lines().toList()) {
            boolean isMember = line.startsWith(" ");
            type = isMember ? type : line;
            lines.add(isMember ? type.replaceFirst(" (extends|implements|permits) .*", ":") + line : line);
        }
        return lines;
    }

    @Test
    void noTypeOfALibraryOrOfOurInsideIsPartOfIt() throws IOException {
        Set<String> visible = types().stream().map(JavaClass::getName).collect(Collectors.toSet());
        Set<String> strange = new TreeSet<>();
        for (JavaClass type : types()) {
            Stream<JavaClass> seen = Stream.of(type.getRawInterfaces().stream(), type.getRawSuperclass().stream(),
                type.getMembers().stream().filter(PublicApiTest::isVisible).flatMap(PublicApiTest::typesOf))
                .flatMap(it -> it);
            seen.map(JavaClass::getBaseComponentType).filter(it -> !it.isPrimitive() && !visible.contains(it.getName())
                && !it.getPackageName().startsWith("java.")).forEach(it ->
                    strange.add(type.getSimpleName() + " shows " + it.getName()));
        }
        assertEquals(Set.of(), strange);
    }

    private static boolean isVisible(JavaMember member) {
        return (member.getModifiers().contains(JavaModifier.PUBLIC)
            || member.getModifiers().contains(JavaModifier.PROTECTED))
            && !member.getModifiers().contains(JavaModifier.SYNTHETIC);
    }

    private static Stream<JavaClass> typesOf(JavaMember member) {
        return switch (member) {
            case JavaField field -> field.getType().getAllInvolvedRawTypes().stream();
            case JavaCodeUnit code -> Stream.concat(code.getReturnType().getAllInvolvedRawTypes().stream(),
                Stream.concat(code.getParameterTypes().stream().flatMap(it -> it.getAllInvolvedRawTypes().stream()),
                    code.getExceptionTypes().stream()));
            default -> Stream.empty();
        };
    }

    @Test
    void everyFailureThatLeavesARoomHasOneParent() {
        Set<String> strange = CLASSES.stream().filter(type -> type.isAssignableTo(RuntimeException.class)
            && !type.isAssignableTo(SlipstreamException.class) && type.getModifiers().contains(JavaModifier.PUBLIC))
            .map(JavaClass::getName).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), strange);
    }

    @Test
    void noLibraryIsPassedOnToThoseWhoUseUs() throws IOException {
        assertEquals(List.of("dev.slipstream.bridge"), found(TRANSITIVE));
    }
}
