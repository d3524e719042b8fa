package dev.slipstream.samples;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The walls of the house: which room may know which, and how large rooms and files become. */
class HouseTest {
    private static final String ROOT = "dev.slipstream.";
    private static final String BINDINGS = ROOT + "jextract";
    private static final int FILES_OF_A_ROOM = 25;
    private static final int LINES_OF_A_FILE = 400;
    private static final int LEAST_MEDIAN = 60;
    private static final int LARGEST_MEDIAN = 120;
    private static final int PIECES_WITH_A_FILE_OF_THEIR_OWN = 18;
    private static final Pattern TESTS = Pattern.compile("/test(-classes)?/|-tests\\.jar");
    private static final JavaClasses CLASSES = new ClassFileImporter()
        .withImportOption(location -> !isOfTests(location)).importPackages("dev.slipstream");

    private static boolean isOfTests(Location location) {
        return TESTS.matcher(location.toString()).find();
    }

    @Test
    void arrowsBetweenPackagesPointOneWay() {
        slices().assignedFrom(by("package", JavaClass::getPackageName)).should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void arrowsBetweenClassesOfDiffusionPointOneWay() {
        slices().assignedFrom(by("class", type -> type.getPackageName().startsWith(ROOT + "pipelines.diffusion")
            ? file(type).getName() : type.getPackageName())).should().beFreeOfCycles().check(CLASSES);
    }

    private static SliceAssignment by(String kind, Function<JavaClass, String> name) {
        return new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass type) {
                return type.getPackageName().startsWith(ROOT) ? SliceIdentifier.of(name.apply(type))
                    : SliceIdentifier.ignore();
            }

            @Override
            public String getDescription() {
                return "each " + kind;
            }
        };
    }

    @Test
    void aRoomHasFewFiles() {
        Map<Path, Long> rooms = new TreeMap<>(sources().stream().collect(groupingBy(Path::getParent, counting())));
        rooms.values().removeIf(files -> files <= FILES_OF_A_ROOM);
        assertEquals(Map.of(), rooms);
    }

    @Test
    void aFileIsOneIdeaWithItsSmallHelpers() {
        List<Integer> lines = new ArrayList<>();
        for (Path file : sources()) {
            if (!file.endsWith("package-info.java") && !file.endsWith("module-info.java")) {
                lines.add(lines(file));
                assertTrue(lines.getLast() <= LINES_OF_A_FILE, () -> file + " has " + lines.getLast() + " lines");
            }
        }
        int median = lines.stream().sorted().toList().get(lines.size() / 2);
        assertTrue(median >= LEAST_MEDIAN && median <= LARGEST_MEDIAN, () -> "the median file has " + median
            + " lines");
    }

    @Test
    void whatOnlyOneTypeUsesLivesWithIt() {
        Map<JavaClass, Set<JavaClass>> users = CLASSES.stream()
            .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
            .filter(use -> !target(use).equals(file(use.getOriginClass())))
            .collect(groupingBy(HouseTest::target, mapping(use -> file(use.getOriginClass()), toSet())));
        List<String> pieces = CLASSES.stream().filter(type -> file(type).equals(type))
            .filter(type -> !type.getPackageName().startsWith(BINDINGS) && !type.getSimpleName().endsWith("-info"))
            .filter(type -> !type.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(type -> !isOneOfSeveral(type))
            .filter(type -> users.getOrDefault(type, Set.of()).size() <= 1).map(JavaClass::getName).sorted().toList();
        assertTrue(pieces.size() <= PIECES_WITH_A_FILE_OF_THEIR_OWN,
            () -> "these have one user at most, and their own files: " + pieces);
    }

    /** A recipe or another kind of a thing, which a list of its room names and the others know by what it is. */
    private static boolean isOneOfSeveral(JavaClass type) {
        return Stream.concat(type.getRawSuperclass().stream(), type.getRawInterfaces().stream())
            .anyMatch(above -> above.getPackageName().equals(type.getPackageName()));
    }

    private static JavaClass target(Dependency use) {
        return file(use.getTargetClass().getBaseComponentType());
    }

    private static JavaClass file(JavaClass type) {
        return type.getEnclosingClass().map(HouseTest::file).orElse(type);
    }

    private static List<Path> sources() {
        List<Path> all = new ArrayList<>();
        for (String module : List.of("bridge", "pipelines", "samples")) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "main", "java"))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(all::add);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
        return all;
    }

    private static int lines(Path file) {
        try {
            return Files.readAllLines(file).size();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
