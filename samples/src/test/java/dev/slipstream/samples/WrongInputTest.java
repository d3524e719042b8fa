package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.slipstream.samples.terminal.ExitCode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every wrong input: one line that says what and what to do, exit code 2, no file left. */
class WrongInputTest {
    @TempDir
    private Path folder;

    private static final String MODEL = CommandRun.MODEL.toString();

    private Path output() throws IOException {
        return Files.createDirectories(folder.resolve("out")).resolve("picture.png");
    }

    private CommandRun generate(String prompt, String... options) throws IOException {
        List<String> args = new ArrayList<>(List.of("generate", prompt, "--output", output().toString()));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    private void assertRefused(CommandRun run, String words) throws IOException {
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertEquals("", run.out());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().startsWith("slipstream: "), run.err());
        assertTrue(run.err().contains(words), run.err());
        assertTrue(run.err().contains("; "), "what to do is missing: " + run.err());
        try (Stream<Path> left = Files.list(folder.resolve("out"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        --steps 0                               | 1 to 10000 steps, not 0
        --steps 5000                            | must be 1 to 1000
        --steps many                            | 'many' is no whole number
        --plan zigzag                           | there is no plan 'zigzag'
        --precision fp8                         | there is no precision 'fp8'
        --tiles many                            | there are no tiles 'many'
        --tiles 15                              | multiple of 2 pixels a side, not 15
        --tiles 16                              | does not take such tiles
        --plan asyncdiff:speed=9                | asyncdiff has no setting speed
        --plan asyncdiff:n=2 --devices 3        | at most 2 devices, not 3
        --plan asyncdiff --devices 1            | at least 2 devices
        --plan cfg-split --devices 3            | on 2 devices
        --plan cfg-split --guidance 1           | needs guidance
        --plan asyncdiff:cut=nowhere            | no cut 'nowhere'
        --plan asyncdiff --devices 200          | into 200 parts
        --devices 0                             | 1 to 256 devices, not 0
        --devices 99999999999                   | 1 to 256 devices, not 99999999999
        --devices cpu:1,                        | is empty
        --devices cpu:0                         | no device cpu:0
        --devices abacus:1                      | no device provider 'abacus'
        --scheduler gaunt                       | no noise scheduler is called 'gaunt'
        --guidance -1                           | from 0 to 1000, not -1
        --guidance NaN                          | from 0 to 1000, not NaN
        --count 0                               | 1 or more pictures
        --count 5 --batch 2                     | take 4 or 6 pictures
        --count 2 --batch 3                     | take 3 pictures
        --batch 2000000000                      | 1 to 1000 pictures, not 2000000000
        --batch 0                               | 1 to 1000 pictures, not 0
        --steps 1000000000                      | 1 to 10000 steps, not 1000000000
        --steps 99999999999                     | '99999999999' is no whole number, or too large
        --guidance Infinity                     | from 0 to 1000, not Infinity
        --guidance 1e300                        | from 0 to 1000, not 1.0E300
        --guidance-rescale NaN                  | from 0 to 1, not NaN
        --guidance-rescale 2                    | from 0 to 1, not 2.0
        --count 100000                          | at most 10000 pictures, not 100000
        --count 100000 --size 1024x1024         | at most 10000 pictures, not 100000
        --seed 9223372036854775807 --batch 2    | go beyond 9223372036854775807
        --seed 9223372036854775807 --count 2    | go beyond 9223372036854775807
        --seed 9223372036854775808              | '9223372036854775808' is no whole number, or too large
        --size 8192x8192                        | at most 33 million, not 8192x8192
        --size 999999x999999                    | at most 33 million, not 999999x999999
        --size 0x32                             | at least 1x1 pixels
        --step-timeout 0                        | 1 to 86400 seconds, not 0
        --step-timeout 9223372036854775807      | 1 to 86400 seconds
        --handover 0.5                          | name one with --refiner
        --plan asyncdiff:warmup=-1              | warmup is a whole number from 1 to 10000, not '-1'
        --plan asyncdiff:warmup=                | warmup has no value
        --plan asyncdiff:warmup                 | warmup has no value
        --plan asyncdiff:warmup=99999999999     | warmup is a whole number from 1 to 10000
        --plan asyncdiff:warmup=1.5             | warmup is a whole number from 1 to 10000
        --plan asyncdiff:warmup=1,warmup=2      | setting warmup is given twice
        --plan asyncdiff:warmup=1,              | a setting is empty
        --plan asyncdiff:                       | a setting is empty
        --plan asyncdiff:n=0                    | n is a whole number from 2 to 256, not '0'
        --plan asyncdiff:n=1                    | n is a whole number from 2 to 256, not '1'
        --plan asyncdiff:n=2000000000           | n is a whole number from 2 to 256
        --plan asyncdiff:tail=-1                | tail is a whole number from 0 to 10000
        --plan asyncdiff:stride=3               | stride is 1 or 2, not '3'
        --plan asyncdiff:cut=                   | cut has no value
        --plan asyncdiff:cut                    | cut has no value
        --plan asyncdiff:shift=yes              | shift is false or true, not 'yes'
        --plan asyncdiff:form=odd               | form is reuse or paper, not 'odd'
        --plan sequential:n=2                   | sequential takes no settings
        --enlarge 0                             | from 1 up, not 0
        --enlarge 100000                        | use a smaller --enlarge
        --preview -2                            | not -2
        --size 32                               | WIDTHxHEIGHT
        --size 33x32                            | multiple of 8 pixels for this model, 32 or 40, not 33
        --size 32x6                             | multiple of 8 pixels for this model, 8, not 6
        --size 64x64                            | float32
        --strength 0.5                          | add --image
        --mask FILE.png                         | add --image
        --noise-level 20                        | add --image
        --clip-skip -1                          | 0 or more, not -1
        --clip-skip 1                           | take the encoder's checkpoint
        --original-size 64x64                   | are for SDXL
        --crop 0,0                              | are for SDXL
        --crop 0                                | takes X,Y
        --target-size 64                        | takes WIDTHxHEIGHT
        of red stars                            | put the whole prompt in quotes
        --colour blue                           | unknown option '--colour'
        --guidance much                         | 'much' is no number
        --output                                | --output
        """)
    void aWrongOptionIsRefused(String options, String words) throws IOException {
        List<String> args = new ArrayList<>(List.of("--model", MODEL));
        args.addAll(List.of(options.split(" ")));
        output();
        assertRefused(generate("a red star", args.toArray(String[]::new)), words);
    }

    @Test
    void aPictureForAModelThatHasNoEncoderOfPicturesIsRefused() throws IOException {
        assertRefused(generate("x", "--model", MODEL, "--image", picture().toString()), "has no vae_encoder/");
    }

    @Test
    void aPictureThatIsNoneIsRefused() throws IOException {
        assertRefused(generate("x", "--model", MODEL, "--image", folder.resolve("none.png").toString()),
            "there is no file");
        Path text = Files.writeString(folder.resolve("text.png"), "this is no picture");
        assertRefused(generate("x", "--model", MODEL, "--image", text.toString()), "neither a PNG nor a JPEG");
        assertRefused(generate("x", "--model", MODEL, "--image", picture().toString(), "--strength", "1.5"),
            "at most 1, not 1.5");
    }

    private Path picture() throws IOException {
        BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
        Path file = folder.resolve("given.png");
        ImageIO.write(image, "png", file.toFile());
        output();
        return file;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        paint                                   | there is no command 'paint'; there are generate, plan, predict
        genrate red                             | there is no command 'genrate'; there are generate, plan
        help paint                              | there is no command 'paint'; there are generate, plan
        help bench shapes                       | there is no command 'shapes' of bench; there are steps, graphs
        bench shapes                            | there is no command 'shapes'; there are steps, graphs
        engines list more                       | unexpected argument 'more'
        cache list more                         | unexpected argument 'more'
        cache clear Tenant                      | 'Tenant' is no namespace of a cache: it has 1 to 64 characters
        cache verify --folder pom.xml           | there is no cache of latents at pom.xml, which is a file
        generate x --cache always               | a cache of latents is off, read, write or use, not 'always'
        generate x --cache use --cache-namespace A | 'A' is no namespace of a cache: it has 1 to 64 characters
        cache stats --folder pom.xml            | there is no cache of latents at pom.xml, which is a file
        cache calibrate                         | missing required parameter: 'MODEL'
        cache calibrate model --steps 9         | --seeds takes 1 to 100, and --steps 10 to 10000, not 1 and 9
        cache calibrate model --psnr NaN        | --psnr takes more than 0 and at most 100 dB, not NaN; 30 is usual
        cache calibrate model --prompts pom.xm  | there is no file pom.xm; name another file with --prompts
        verify DIR --schedules FILE             | DIR, --schedules=FILE are mutually exclusive
        """)
    void aWrongCommandIsNamed(String words, String said) throws IOException {
        output();
        assertRefused(CommandRun.of(words.split(" ")), said);
    }

    @Test
    void aMissingModelFolderIsRefused() throws IOException {
        assertRefused(generate("x", "--model", folder.resolve("nothing").toString()), "nothing");
    }

    @Test
    void aFolderThatIsNoModelIsRefused() throws IOException {
        assertRefused(generate("x", "--model", Files.createDirectory(folder.resolve("empty")).toString()), "empty");
    }

    @ParameterizedTest
    @CsvSource({"unet", "text_encoder", "vae_decoder"})
    void aTruncatedGraphIsRefused(String component) throws IOException {
        Path onnx = copiedModel().resolve(component).resolve("model.onnx");
        byte[] whole = Files.readAllBytes(onnx);
        Files.write(onnx, Arrays.copyOf(whole, whole.length / 2));
        assertRefused(generate("x", "--model", folder.resolve("model").toString()), onnx.toString());
    }

    @ParameterizedTest
    @CsvSource({"unet", "text_encoder", "vae_decoder"})
    void bytesThatAreNoGraphAreRefused(String component) throws IOException {
        Path onnx = copiedModel().resolve(component).resolve("model.onnx");
        Files.writeString(onnx, "this is a poem and no neural network\n".repeat(40));
        assertRefused(generate("x", "--model", folder.resolve("model").toString()), onnx.toString());
    }

    @Test
    void aDamagedConfigurationIsRefused() throws IOException {
        Path config = copiedModel().resolve("scheduler").resolve("scheduler_config.json");
        Files.writeString(config, "{\"_class_name\": ");
        assertRefused(generate("x", "--model", folder.resolve("model").toString()), config.toString());
    }

    private Path copiedModel() throws IOException {
        Path copy = folder.resolve("model");
        try (Stream<Path> files = Files.walk(CommandRun.MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(CommandRun.MODEL.relativize(file).toString()));
            }
        }
        return copy;
    }

    @Test
    void anOutputInAFolderThatIsNotThereIsRefused() throws IOException {
        output();
        Path file = folder.resolve("nowhere").resolve("picture.png");
        assertRefused(CommandRun.of("generate", "x", "--model", MODEL, "--output", file.toString()), "no folder");
    }

    @Test
    void anOutputThatIsAFolderIsRefused() throws IOException {
        output();
        Path file = Files.createDirectory(folder.resolve("folder.png"));
        assertRefused(CommandRun.of("generate", "x", "--model", MODEL, "--output", file.toString()), "is a folder");
    }

    @Test
    void anOutputOfAnUnknownFormatIsRefused() throws IOException {
        output();
        assertRefused(CommandRun.of("generate", "x", "--model", MODEL, "--output", folder.resolve("x.gif").toString()),
            "written as .png, .jpg or .jpeg");
    }

    @Test
    void anOutputInAReadOnlyFolderIsRefused() throws IOException {
        Path closed = output().getParent();
        assumeFalse(!closed.toFile().setWritable(false) || Files.isWritable(closed),
            "this user may write everywhere");
        try {
            assertRefused(generate("x", "--model", MODEL), "no permission");
        } finally {
            closed.toFile().setWritable(true);
        }
    }

    /** Holds for users who may write everywhere, too: only trying to write tells. */
    @Test
    void anOutputWithANameThatNoFileSystemTakesIsRefused() throws IOException {
        output();
        Path file = folder.resolve("out").resolve("x".repeat(300) + ".png");
        assertRefused(CommandRun.of("generate", "x", "--model", MODEL, "--output", file.toString()), "cannot write");
    }

    @Test
    void wordsAfterThePromptAreRefused() throws IOException {
        output();
        assertRefused(CommandRun.of("generate", "a", "red", "star"),
            "unexpected argument 'red'; put the whole prompt in quotes");
    }

    @Test
    void debugPrintsTheTraceBelowTheLine() throws IOException {
        CommandRun run = generate("x", "--model", folder.resolve("nothing").toString(), "--debug");
        assertNotEquals(1, run.complaints().size());
        assertTrue(run.err().contains("\tat dev.slipstream."), run.err());
    }
}
