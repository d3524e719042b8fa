package dev.slipstream.samples;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what works here. */
@Command(name = "doctor", description = {
    "Looks at Java, the machine, its devices and a model, and says what works or what to do.",
    "The exit code is 0 if pictures can be drawn here."},
    footer = {"", "Example:", "  slipstream doctor --model DIR"})
final class DoctorCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private ModelOptions model;

    @Option(names = "--json", order = 20, description = "Print one JSON object.")
    private boolean json;

    DoctorCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private record Result(boolean ready, List<Finding> findings) {
    }

    @Override
    public Integer call() {
        List<Finding> findings = new Examination(model.path()).findings();
        boolean ready = findings.stream().noneMatch(finding -> finding.state() == Finding.State.BAD);
        if (json) {
            terminal.out().println(Json.text(new Result(ready, findings)));
        } else {
            findings.forEach(terminal.out()::println);
            terminal.out().println(ready ? "\nPictures can be drawn here." : "\nPictures cannot be drawn here yet.");
        }
        return ready ? ExitCode.OK : ExitCode.FAILED;
    }
}
