package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** What is in a drawing. */
class DrawingTest {
    private static Document drawn(Map<String, Timeline> runs) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(new ByteArrayInputStream(TimelineFormat.SVG.text(runs).getBytes(StandardCharsets.UTF_8)));
    }

    private static List<Element> elements(Document document, String tag, String style) {
        List<Element> found = new ArrayList<>();
        for (int i = 0; i < document.getElementsByTagName(tag).getLength(); i++) {
            Element element = (Element) document.getElementsByTagName(tag).item(i);
            if (List.of(element.getAttribute("class").split(" ")).contains(style)) {
                found.add(element);
            }
        }
        return found;
    }

    private static double number(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute));
    }

    /** Where this fails on purpose, copy pipelines/target/timeline.svg to docs, and look at it. */
    @Test
    void thePictureOfTheDocumentationIsWhatIsDrawn() throws Exception {
        String drawn = TimelineFormat.SVG.text(Runs.documented());
        Files.createDirectories(Path.of("target"));
        Files.writeString(Path.of("target", "timeline.svg"), drawn);

        assertEquals(Files.readString(Path.of("..", "docs", "timeline.svg")), drawn);
    }

    @Test
    void everyStageAndCopyHasABoxInTheColourOfItsStep() throws Exception {
        Timeline timeline = Runs.of("asyncdiff:n=3,warmup=2", 3, 8, true);

        Document drawn = drawn(Map.of("", timeline));

        for (int colour = 0; colour < 6; colour++) {
            int step = colour;
            long spans = timeline.spans().stream().filter(span -> span.step() % 6 == step
                && (span.activity() instanceof Activity.Stage || span.activity() instanceof Activity.Copy)).count();
            long boxes = elements(drawn, "rect", "c" + colour).stream()
                .filter(box -> box.getElementsByTagName("title").getLength() == 1).count();
            assertEquals(spans, boxes, "step " + (step + 1));
        }
    }

    @Test
    void boxesOfALaneLieBesideEachOtherInsideOfIt() throws Exception {
        Document drawn = drawn(Runs.documented());

        for (Element lane : elements(drawn, "rect", "lane")) {
            double end = number(lane, "x");
            List<Element> boxes = elements(drawn, "rect", "box").stream()
                .filter(box -> box.getAttribute("y").equals(lane.getAttribute("y"))).toList();
            for (Element box : boxes) {
                assertTrue(number(box, "x") >= end - 0.02, () -> "a box begins before " + box.getAttribute("x"));
                end = number(box, "x") + number(box, "width");
            }
            assertTrue(end <= number(lane, "x") + number(lane, "width") + 0.02);
        }
    }

    @Test
    void allRunsAreOnOneAxisOfTime() throws Exception {
        Map<String, Timeline> both = Runs.documented();
        double ratio = (double) both.get("asyncdiff:n=3,warmup=2").endNanos()
            / both.get("sequential").endNanos();

        List<Element> lanes = elements(drawn(both), "rect", "lane");

        assertEquals(ratio, number(lanes.getLast(), "width") / number(lanes.getFirst(), "width"), 0.001);
    }

    @Test
    void oldValuesAreDashedAndArrowsAreLeftOutWhereStepsAreNarrow() throws Exception {
        Document few = drawn(Map.of("", Runs.of("asyncdiff:n=3,warmup=2", 3, 8, false)));
        Document exact = drawn(Map.of("", Runs.of("asyncdiff:n=3,warmup=8", 3, 8, false)));
        Document many = drawn(Map.of("", Runs.of("asyncdiff:n=3,warmup=2", 3, 50, false)));

        assertFalse(elements(few, "path", "old").isEmpty());
        assertFalse(elements(exact, "path", "new").isEmpty());
        assertEquals(List.of(), elements(exact, "path", "old"), "nothing is old in synchronous steps");
        assertEquals(List.of(), elements(many, "path", "new"));
    }

    @Test
    void everyColourIsThereForLightAndDark() {
        String[] styles = TimelineFormat.SVG.text(Runs.documented()).split("<style>|</style>")[1].split("@media");

        assertEquals(filled(styles[0]), filled(styles[1]));
    }

    private static Set<String> filled(String style) {
        Set<String> classes = new TreeSet<>();
        Pattern.compile("([^{}]+)\\{[^{}]*#[0-9a-f]{3,6}[^{}]*\\}").matcher(style).results()
            .forEach(rule -> Pattern.compile("\\.(\\w+)").matcher(rule.group(1)).results()
                .forEach(name -> classes.add(name.group(1))));
        return classes;
    }

    @Test
    void namesMayHaveAnyLetters() throws Exception {
        Timeline timeline = new Timeline(List.of(new Timeline.Lane(0, "<\"&'>", false)), List.of("a<b&c"), 1000,
            List.of(new Timeline.Span(0, 0, 0, new Activity.Stage(0), 0, 1000, 1000)), List.of());

        Document drawn = drawn(Map.of("", timeline));

        assertTrue(elements(drawn, "text", "note").stream().anyMatch(it -> it.getTextContent().equals("<\"&'>")));
        assertTrue(elements(drawn, "text", "in").getFirst().getTextContent().endsWith("a<b&c"));
    }

    @Test
    void nothingAtAllIsADrawingToo() throws Exception {
        assertEquals("svg", drawn(Map.of("", new Timeline(List.of(), List.of(), 0, List.of(), List.of())))
            .getDocumentElement().getTagName());
    }
}
