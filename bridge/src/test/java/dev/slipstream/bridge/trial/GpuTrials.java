package dev.slipstream.bridge.trial;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.cuda.HostEngines;
import dev.slipstream.bridge.cuda.RealGpus;
import dev.slipstream.bridge.cuda.StoredEngines;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.bridge.tensorrt.BuildOptions;
import dev.slipstream.bridge.tensorrt.CancelledBuild;
import dev.slipstream.bridge.tensorrt.TensorRtCompiler;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What only a GPU can show, one thing a process: {@code GpuTrials NAME [ARGUMENT...]}. Each trial prints what it found.
 * Exit codes: 0 it is as it should be, 1 it is not, {@value #NOTHING_HERE} there is nothing here to try it on. With the
 * system property {@value #HOST_ENGINES} engines run on the host, for a stand-in in place of the driver.
 */
public final class GpuTrials {
    static final int NOTHING_HERE = 77;
    static final String HOST_ENGINES = "trial.host-engines";

    private static final Map<String, Trial> TRIALS = new TreeMap<>(Map.of(
        "weights", EngineTrials::weights, "replay", EngineTrials::replay, "reopen", EngineTrials::reopen,
        "memory", MemoryTrials::memory, "peers", MemoryTrials::peers,
        "store", ProcessTrials::store, "cancel", ProcessTrials::cancel, "exit", ProcessTrials::exit));

    private GpuTrials() {
    }

    public static void main(String[] arguments) throws Exception {
        Trial trial = arguments.length == 0 ? null : TRIALS.get(arguments[0]);
        if (trial == null) {
            System.err.println("GpuTrials: one of " + TRIALS.keySet());
            System.exit(2);
        }
        int code = run(arguments[0], trial, List.of(arguments).subList(1, arguments.length));
        if (code != 0) {
            System.exit(code);
        }
    }

    private static int run(String name, Trial trial, List<String> arguments) throws Exception {
        Machine machine = machine(name);
        if (machine.provider().availability() instanceof Availability.Unavailable(String reason, String remedy)) {
            System.out.println(name + ": no GPU here: " + reason + "; " + remedy);
            return NOTHING_HERE;
        }
        try {
            trial.run(machine, arguments);
            return 0;
        } catch (NothingHereException nothing) {
            System.out.println(name + ": " + nothing.getMessage());
            return NOTHING_HERE;
        } catch (AssertionError wrong) {
            System.out.println("=> " + name + ": " + wrong.getMessage());
            return 1;
        }
    }

    private static Machine machine(String name) {
        if (Boolean.getBoolean(HOST_ENGINES)) {
            return new Machine(RealGpus.provider(new HostEngines()), false);
        }
        return new Machine(RealGpus.provider(name.equals("cancel") ? CancelledBuild.compiler()
            : new TensorRtCompiler(UserCache.folder(), new StoredEngines(EngineStore.ofUser()), BuildOptions.DEFAULT)),
            true);
    }
}
