package dev.slipstream.samples.settings;

import dev.slipstream.bridge.file.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * What options are where the command line does not say it: the value of the variable {@code SLIPSTREAM_OPTION}, else of
 * the configuration file's section for the command, else of the lines above all sections. The file is read when the
 * first value is asked for, and what it says for other commands is not looked at. One thread.
 */
public final class Settings implements IDefaultValueProvider {
    /** Names the file; empty for none. */
    public static final String CONFIG_VARIABLE = "SLIPSTREAM_CONFIG";
    /** Names the file, before {@link #CONFIG_VARIABLE}. */
    public static final String CONFIG_OPTION = "--config";
    private static final String PREFIX = "SLIPSTREAM_";
    /** What concerns one call only, means another thing to each command, or where settings come from. */
    private static final Set<String> NEVER = Set.of("json", "dot", "prompts", "debug", "config");
    private static final Map<String, String> FLAGS = Map.of("1", "true", "yes", "true", "on", "true", "0", "false",
        "no", "false", "off", "false");

    private final Map<String, String> environment;
    /** The file that is asked for, empty for none; null for the user's. */
    private final String named;
    private final Set<String> commands;
    private final Supplier<CommandLine> whole;
    private final List<String> checked = new ArrayList<>();
    private Optional<ConfigFile> file;

    private Settings(Map<String, String> environment, String named, Set<String> commands,
        Supplier<CommandLine> whole) {
        this.environment = environment;
        this.named = named;
        this.commands = commands;
        this.whole = whole;
    }

    /**
     * @param args the command line, which may name the file
     * @param commands names of all, like {@code bench steps}
     * @param whole the command with all of these, which takes long to make; asked only in doubt
     */
    public static Settings of(Map<String, String> environment, List<String> args, Set<String> commands,
        Supplier<CommandLine> whole) {
        return new Settings(environment, named(args, environment.get(CONFIG_VARIABLE)), commands, whole);
    }

    private static String named(List<String> args, String variable) {
        for (int index = 0; index < args.size() && !args.get(index).equals("--"); index++) {
            String config = null;
            if (args.get(index).equals(CONFIG_OPTION) && index + 1 < args.size()) {
                config = args.get(index + 1);
            } else if (args.get(index).startsWith(CONFIG_OPTION + "=")) {
                config = args.get(index).substring(CONFIG_OPTION.length() + 1);
            }
            if (config != null && !isModel(config)) {
                return config;
            }
        }
        return variable;
    }

    /** A folder has the configuration of a model. */
    private static boolean isModel(String path) {
        try {
            return !path.isEmpty() && Files.isDirectory(Path.of(path));
        } catch (InvalidPathException said) {
            return false;
        }
    }

    /** Where the user's programs have their configuration; the XDG specification wants relative paths to be ignored. */
    private static Optional<Path> folder(Map<String, String> environment) {
        return Optional.ofNullable(environment.get("XDG_CONFIG_HOME")).map(Path::of).filter(Path::isAbsolute)
            .or(() -> Optional.ofNullable(environment.get("APPDATA")).map(Path::of))
            .or(() -> Optional.ofNullable(environment.get("HOME")).map(home -> Path.of(home, ".config")))
            .filter(Path::isAbsolute);
    }

    /** A value for an option, and in words what says so. */
    public record Setting(String option, String value, String origin) {
        private static final int TELLING = 4;

        /** Short ones may be there by chance, so that they must be complained of. */
        private boolean isNamedIn(String message) {
            String before = value.length() < TELLING ? "(not |'|=)" : "(?<![\\w.-])";
            return !value.isBlank()
                && Pattern.compile(before + Pattern.quote(value) + "(?![\\w.-])").matcher(message).find();
        }
    }

    /** The file that is read if it is there; empty where there is no home, or where none is wanted. */
    public Optional<Path> path() {
        return named != null ? Optional.of(named).filter(name -> !name.isEmpty()).map(Path::of)
            : folder(environment).map(folder -> folder.resolve("slipstream").resolve("config"));
    }

    /** The variables that set an option of some command. */
    public List<String> variables() {
        Set<String> read = new TreeSet<>();
        addVariables(whole.get().getCommandSpec(), read);
        return environment.keySet().stream().filter(read::contains).sorted().toList();
    }

    private static void addVariables(CommandSpec command, Set<String> read) {
        command.options().stream().filter(Settings::isSettable).map(Settings::variable).forEach(read::add);
        command.subcommands().values().forEach(line -> addVariables(line.getCommandSpec(), read));
    }

    /** Whether there is a file. */
    public boolean isThere() {
        return file().isPresent();
    }

    /** The variable of an option. */
    public static String variable(OptionSpec option) {
        return PREFIX + key(option).toUpperCase(Locale.ROOT).replace('-', '_');
    }

    /** Its name in the file. */
    public static String key(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    /** Whether it may be set elsewhere than on the command line. */
    public static boolean isSettable(OptionSpec option) {
        return !option.usageHelp() && !option.versionHelp() && option.group() == null && !NEVER.contains(key(option));
    }

    @Override
    public String defaultValue(ArgSpec arg) {
        return arg instanceof OptionSpec option ? of(option).map(Setting::value).orElse(null) : null;
    }

    /** What is said of an option. @throws ParameterException if the file is wrong */
    public Optional<Setting> of(OptionSpec option) {
        if (!isSettable(option)) {
            return Optional.empty();
        }
        String variable = variable(option);
        String given = environment.getOrDefault(variable, "");
        return given.isEmpty() ? ofFile(option)
            : Optional.of(new Setting(option.longestName(), plain(option, given), variable));
    }

    private Optional<Setting> ofFile(OptionSpec option) {
        String command = name(option.command());
        try {
            return file().flatMap(it -> {
                if (!checked.contains(command)) {
                    checked.add(command);
                    check(it, option.command());
                }
                return it.line(command, key(option)).map(line ->
                    new Setting(option.longestName(), inHome(option, plain(option, line.value())), it.place(line)));
            });
        } catch (ConfigFile.WrongException wrong) {
            throw new ParameterException(option.command().commandLine(), wrong.getMessage());
        }
    }

    private static String plain(OptionSpec option, String value) {
        return option.arity().max() == 0 ? FLAGS.getOrDefault(value.toLowerCase(Locale.ROOT), value) : value;
    }

    /** Shells replace {@code ~}, too. */
    private String inHome(OptionSpec option, String value) {
        return option.type() == Path.class && value.startsWith("~/") && environment.containsKey("HOME")
            ? environment.get("HOME") + value.substring(1) : value;
    }

    private Optional<ConfigFile> file() {
        if (file == null) {
            file = path().flatMap(it -> ConfigFile.read(it, named != null));
        }
        return file;
    }

    /** {@code bench steps} of {@code slipstream bench steps}. */
    private static String name(CommandSpec command) {
        String qualified = command.qualifiedName();
        return qualified.substring(Math.min(qualified.length(), command.root().name().length() + 1));
    }

    /** All that is said of a command's options, in their order. */
    public List<Setting> of(CommandSpec command) {
        return command.options().stream().flatMap(option -> of(option).stream()).toList();
    }

    /**
     * Which settings a failure may come from: those whose value its message names.
     *
     * @param command the options to look at
     * @param isGiven whether an option was on the command line
     * @return words to put behind the message; empty if there is none
     */
    public static String blame(CommandSpec command, Predicate<OptionSpec> isGiven, String message) {
        if (!(command.defaultValueProvider() instanceof Settings settings)) {
            return "";
        }
        try {
            String blamed = command.options().stream().filter(option -> !isGiven.test(option))
                .flatMap(option -> settings.of(option).stream()).filter(setting -> setting.isNamedIn(message))
                .map(setting -> setting.option() + " is set by " + setting.origin()).collect(Collectors.joining(", "));
            return blamed.isEmpty() ? "" : " (" + blamed + ")";
        } catch (ParameterException wrongFile) {
            return "";
        }
    }

    /** Looks at the whole file. @return what is wrong first, if something is */
    public Optional<String> complaint() {
        try {
            file().ifPresent(it -> commands.stream().filter(it.sections::containsKey)
                .forEach(name -> check(it, spec(whole.get(), name))));
            file().ifPresent(it -> check(it, whole.get().getCommandSpec()));
            return Optional.empty();
        } catch (ConfigFile.WrongException wrong) {
            return Optional.of(wrong.getMessage());
        }
    }

    private static CommandSpec spec(CommandLine root, String name) {
        CommandLine line = root;
        for (String word : name.split(" ")) {
            line = line.getSubcommands().get(word);
        }
        return line.getCommandSpec();
    }

    /** @throws ConfigFile.WrongException if a section is for no command, or an option is none of this one */
    private void check(ConfigFile it, CommandSpec command) {
        it.sections.forEach((section, lines) -> {
            if (!section.isEmpty() && !commands.contains(section)) {
                throw it.wrong(it.heads.get(section), "has options for '" + section + "', which is no command; there "
                    + "are " + String.join(", ", commands));
            }
        });
        it.sections.getOrDefault(name(command), Map.of()).forEach((key, line) -> {
            if (!name(command).isEmpty() && !hasOption(command, key)) {
                throw it.wrong(line.number(), "sets '" + key + "', which is no option of '" + command.qualifiedName()
                    + "' that files may set; '" + command.qualifiedName() + " --help' has its options");
            }
        });
        it.sections.getOrDefault("", Map.of()).forEach((key, line) -> {
            if (!hasOption(command, key) && !isAnywhere(whole.get().getCommandSpec(), key)) {
                throw it.wrong(line.number(), "sets '" + key + "', which is no option that files may set; "
                    + "'slipstream help generate' has the usual ones");
            }
        });
    }

    private static boolean isAnywhere(CommandSpec command, String key) {
        return hasOption(command, key) || command.subcommands().values().stream()
            .anyMatch(line -> isAnywhere(line.getCommandSpec(), key));
    }

    private static boolean hasOption(CommandSpec command, String key) {
        return command.options().stream().anyMatch(option -> key(option).equals(key) && isSettable(option));
    }

    /**
     * Lines {@code option = value}, those for one command below a line {@code [COMMAND]}; empty lines and those that
     * begin with {@code #} mean nothing.
     */
    private static final class ConfigFile {
        private static final int MOST_BYTES = 1 << 20;

        private final Path path;
        private final Map<String, Map<String, Line>> sections = new LinkedHashMap<>();
        private final Map<String, Integer> heads = new LinkedHashMap<>();

        private record Line(int number, String value) {
        }

        /** One sentence that names file and line, and after a semicolon says what to do. */
        private static final class WrongException extends RuntimeException {
            private static final long serialVersionUID = 1;

            WrongException(String sentence) {
                super(sentence);
            }
        }

        private ConfigFile(Path path) {
            this.path = path;
        }

        /** @param needed whether it must be there */
        static Optional<ConfigFile> read(Path path, boolean needed) {
            try {
                ConfigFile file = new ConfigFile(path);
                file.parse(InputFile.text(path, MOST_BYTES).lines().map(String::strip).toList());
                return Optional.of(file);
            } catch (NoSuchFileException missing) {
                if (needed) {
                    throw new WrongException("the configuration cannot be read: " + missing.getMessage()
                        + "; write it, or leave out " + CONFIG_OPTION + " and " + CONFIG_VARIABLE);
                }
                return Optional.empty();
            } catch (IOException unreadable) {
                throw new WrongException("the configuration cannot be read: " + unreadable.getMessage()
                    + "; mend it, or name another file with " + CONFIG_OPTION);
            }
        }

        private void parse(List<String> lines) {
            String section = "";
            for (int number = 1; number <= lines.size(); number++) {
                String line = lines.get(number - 1);
                if (line.startsWith("[") && line.endsWith("]")) {
                    section = String.join(" ", line.substring(1, line.length() - 1).strip().split("\\s+"));
                    heads.putIfAbsent(section, number);
                    sections.computeIfAbsent(section, name -> new LinkedHashMap<>());
                } else if (!line.isEmpty() && !line.startsWith("#")) {
                    add(section, number, line);
                }
            }
        }

        private void add(String section, int number, String line) {
            int equals = line.indexOf('=');
            if (equals < 1) {
                throw wrong(number, "is no 'option = value'; write it like steps = 30, and a flag like guard = true");
            }
            String key = line.substring(0, equals).strip();
            Line before = sections.computeIfAbsent(section, name -> new LinkedHashMap<>())
                .putIfAbsent(key, new Line(number, unquoted(line.substring(equals + 1).strip())));
            if (before != null) {
                throw wrong(number, "sets '" + key + "' again, after line " + before.number()
                    + "; leave out one of them");
            }
        }

        private static String unquoted(String value) {
            boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
            return quoted ? value.substring(1, value.length() - 1) : value;
        }

        Optional<Line> line(String command, String key) {
            return Optional.ofNullable(sections.getOrDefault(command, Map.of()).get(key))
                .or(() -> Optional.ofNullable(sections.getOrDefault("", Map.of()).get(key)));
        }

        String place(Line line) {
            return "line " + line.number() + " of " + path;
        }

        WrongException wrong(int number, String what) {
            return new WrongException("line " + number + " of " + path + " " + what);
        }
    }
}
