package dev.slipstream.pipelines.run.loop;

import java.util.List;

/**
 * Which tensor of a denoiser means what.
 *
 * @param sample the input that depends on the latents, {@code [rows, channels, height, width]} float32
 * @param timestep the input that takes the timestep, a scalar or one element a row
 * @param conditions the inputs that stay the same during a loop, rows first
 * @param prediction the output that the noise scheduler consumes
 */
public record DenoiserPorts(String sample, String timestep, List<String> conditions, String prediction) {
    public DenoiserPorts {
        conditions = List.copyOf(conditions);
    }
}
