package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PtxTest {
    private static final Set<String> KERNELS = Set.of("combine_f32", "combine_f16", "combine_bf16", "cast_f32_f16",
        "cast_f32_bf16", "cast_f16_f32", "cast_f16_bf16", "cast_bf16_f32", "cast_bf16_f16", "fill_b32", "fill_b16",
        "normal_f32", "image_rgb8", "guard_f32", "guard_f16", "guard_bf16", "rescale_spread_f32",
        "rescale_f32", "clamp_f32", "threshold_f32", "change_lanes_f32", "change_f32");

    @Test
    void thePtxHasEachKernel() {
        Set<String> entries = Pattern.compile("^\\.visible \\.entry (\\w+)\\(", Pattern.MULTILINE)
            .matcher(KernelRuns.ptx()).results().map(found -> found.group(1)).collect(Collectors.toSet());
        assertEquals(new TreeSet<>(KERNELS), new TreeSet<>(entries));
    }

    @Test
    void eachKernelHasOneArgument() {
        List<String> parameters = Pattern.compile("^\\s+\\.param .* (\\w+)_param_(\\d+)\\[", Pattern.MULTILINE)
            .matcher(KernelRuns.ptx()).results().map(MatchResult::group).toList();
        assertEquals(KERNELS.size(), parameters.size(), parameters::toString);
    }

    @Test
    void thePtxIsForTheLowestIsaAndTargetThatServe() {
        assertEquals(List.of(".version 6.3", ".target sm_75", ".address_size 64"),
            KernelRuns.ptx().lines().skip(1).limit(3).toList());
    }

    @Test
    void thePtxIsWhatTheSourcesGive() throws IOException, InterruptedException {
        assumeTrue(runs("nvcc", "--version"), "nvcc of the CUDA toolkit is not on the path");
        assertEquals("", failure(FakeCudaBuild.nativeFolder().resolve("make-ptx").toString(), "--verify"));
    }

    private static boolean runs(String... command) throws InterruptedException {
        try {
            return failure(command).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    /** What a command that failed printed, or nothing. */
    private static String failure(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String messages = new String(process.getInputStream().readAllBytes());
        int status = process.waitFor();
        return status == 0 ? "" : "exit status " + status + ": " + messages;
    }
}
