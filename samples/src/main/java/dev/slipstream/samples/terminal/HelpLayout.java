package dev.slipstream.samples.terminal;

import dev.slipstream.samples.settings.Settings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * What {@code --help} shows of options: groups under headings, and where values come from that are not on the command
 * line. An option's {@code order} says its group and its place there, as in {@code HelpLayout.PICTURE + 2}.
 */
public final class HelpLayout {
    /** What only this command has. */
    public static final int OWN = 0;
    /** What the picture shows, and how it is drawn. */
    public static final int PICTURE = 100;
    /** What comes out, and where it goes. */
    public static final int OUTPUT = 200;
    /** Which weights draw it. */
    public static final int MODEL = 300;
    /** Where and how they run. */
    public static final int DEVICES = 400;
    /** A picture to start from. */
    public static final int GIVEN = 500;
    /** How texts are read. */
    public static final int TEXT = 600;
    /** Pictures that steer. */
    public static final int CONTROL = 700;
    /** What makes a video. */
    public static final int VIDEO = 800;
    /** What all commands have. */
    public static final int GENERAL = 900;

    private static final int SIZE = 100;
    private static final Map<Integer, String> HEADINGS = Map.of(OWN, "Options", PICTURE, "The picture", MODEL,
        "The model", DEVICES, "Where and how it runs", GIVEN, "A picture to start from", TEXT, "Reading prompts",
        CONTROL, "ControlNets", VIDEO, "Videos",
        OUTPUT, "Output", GENERAL, "General");
    private static final String SETTINGS = "settings";

    private HelpLayout() {
    }

    /** Lays out the help of a command. */
    public static void apply(CommandLine line) {
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpLayout::options);
        line.getHelpSectionMap().put(SETTINGS, help -> settings(help.commandSpec()));
        List<String> keys = new ArrayList<>(line.getHelpSectionKeys());
        keys.add(keys.indexOf(UsageMessageSpec.SECTION_KEY_OPTION_LIST) + 1, SETTINGS);
        line.setHelpSectionKeys(keys);
    }

    /** The options of a command by the heading of their group, the usual ones first. */
    public static Map<String, List<OptionSpec>> groups(CommandSpec command) {
        Map<String, List<OptionSpec>> groups = new LinkedHashMap<>();
        command.options().stream().filter(option -> !option.hidden()).sorted(Comparator.comparingInt(OptionSpec::order))
            .forEach(option -> groups.computeIfAbsent(HEADINGS.get(option.order() / SIZE * SIZE),
                heading -> new ArrayList<>()).add(option));
        return groups;
    }

    private static String options(Help help) {
        StringBuilder text = new StringBuilder();
        groups(help.commandSpec()).forEach((heading, options) -> {
            // For the columns of all groups to have one width.
            Help.Layout layout = help.createDefaultLayout(help.commandSpec().options(),
                help.commandSpec().positionalParameters(), help.colorScheme());
            layout.addOptions(options, help.parameterLabelRenderer());
            text.append(System.lineSeparator()).append(heading).append(':').append(System.lineSeparator())
                .append(layout);
        });
        return text.toString();
    }

    private static String settings(CommandSpec command) {
        if (!(command.defaultValueProvider() instanceof Settings settings)
            || command.options().stream().noneMatch(Settings::isSettable)) {
            return "";
        }
        List<OptionSpec> settable = command.options().stream().filter(Settings::isSettable).toList();
        OptionSpec example = settable.stream().filter(option -> Settings.key(option).equals("model")).findFirst()
            .orElse(settable.getFirst());
        List<String> lines = new ArrayList<>(List.of("", "Settings:",
            "  What the command line does not say, variables like " + Settings.variable(example),
            "  do, or else lines like '" + Settings.key(example) + " = ...' of a file:",
            "  " + settings.path().map(path -> path + (settings.isThere() ? "" : " (not there)"))
                .orElse("$XDG_CONFIG_HOME/slipstream/config")));
        settings.of(command).forEach(setting -> lines.add("  " + setting.option() + "=" + setting.value()
            + " is set by " + setting.origin()));
        return String.join(System.lineSeparator(), lines) + System.lineSeparator();
    }
}
