package dev.slipstream.pipelines.cost;

import com.google.gson.Gson;
import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.graph.precision.Precision;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Usual GPUs and links, from public data sheets, with what engines usually reach of their peaks: good enough to compare
 * plans for machines that one does not have. All of it is an estimate.
 */
public final class Hardware {
    private static final Table TABLE = read();
    private static final double GIB = 1024.0 * 1024 * 1024;
    /** Of the highest arithmetic: a multiply-accumulate is two floating-point operations. */
    private static final double OPERATIONS = 2;
    private static final double MICROSECOND = 1000;

    private Hardware() {
    }

    private record Table(List<Gpu> gpus, List<Link> links, Reached reached, Thread thread) {
    }

    /**
     * A thread of a processor: GMAC/s, GB/s, microseconds.
     *
     * @param several what each doubling of threads is worth, as a power of their number
     */
    private record Thread(double convolutions, double products, double attention, double bytes, double operator,
        double run, double several) {
    }

    private record Reached(double arithmetic, double traffic, double link, double operator, double run) {
    }

    /** Peaks: TFLOP/s, GB/s, GiB; 0 for what it cannot do. */
    private record Gpu(String name, double fp16, double bf16, double fp32, double bandwidth, double memory) {
        /** As a word, which may be written apart: not the A10 in an A100. */
        private boolean isNamedIn(String driverName) {
            return Pattern.compile("\\b" + name.replaceFirst("(?<=RTX)", " ?") + "\\b").matcher(driverName).find();
        }

        private double peak(Precision precision) {
            return switch (precision) {
                case FP32 -> fp32;
                case FP16 -> fp16;
                case BF16 -> bf16;
            };
        }
    }

    /**
     * A way between two devices.
     *
     * @param bandwidth of the data sheet, GB/s one way
     * @param latency of a copy, microseconds
     */
    public record Link(String name, double bandwidth, double latency) {
        /** Bytes a nanosecond that copies reach. */
        public double bytesPerNano() {
            return bandwidth * TABLE.reached.link;
        }

        public long latencyNanos() {
            return Math.round(latency * MICROSECOND);
        }
    }

    /**
     * How fast a GPU is.
     *
     * @param name as in {@link #gpus}, in any case; spaces, hyphens and a maker's name do not matter
     * @throws IllegalArgumentException if there is no such GPU, or it does not compute in this precision
     */
    public static DeviceRates gpu(String name, Precision precision) {
        Gpu gpu = find(TABLE.gpus, Gpu::name, name, "GPU");
        if (gpu.peak(precision) == 0) {
            throw new IllegalArgumentException("a " + gpu.name + " does not compute in " + precision
                + "; take fp16 or fp32");
        }
        return rates(gpu, precision);
    }

    private static DeviceRates rates(Gpu gpu, Precision precision) {
        Reached reached = TABLE.reached;
        double products = gpu.peak(precision) * MICROSECOND / OPERATIONS * reached.arithmetic;
        return new DeviceRates(gpu.name, Basis.ESTIMATED, products, products, products,
            gpu.bandwidth / reached.traffic, reached.operator * MICROSECOND, reached.run * MICROSECOND,
            Math.round(gpu.memory * GIB));
    }

    /**
     * The same for a GPU as its driver calls it, like {@code NVIDIA GeForce RTX 4090}.
     *
     * @return empty if it is not in the table, or does not compute in this precision
     */
    public static Optional<DeviceRates> named(String driverName, Precision precision) {
        return TABLE.gpus.stream().filter(gpu -> gpu.peak(precision) > 0 && gpu.isNamedIn(driverName)).findFirst()
            .map(gpu -> rates(gpu, precision));
    }

    /** A GPU of which nothing is known but that it is one, with room for everything. */
    public static DeviceRates anyGpu(Precision precision) {
        DeviceRates rates = gpu("A100", precision);
        return new DeviceRates("a GPU", rates.basis(), rates.convolutions(), rates.products(), rates.attention(),
            rates.bytes(), rates.operatorNanos(), rates.startNanos(), Long.MAX_VALUE);
    }

    /** So many threads of a usual processor, with room for everything; halves are computed as floats. */
    public static DeviceRates threads(int count) {
        Thread thread = TABLE.thread;
        double several = Math.pow(count, thread.several);
        return new DeviceRates(count == 1 ? "a thread" : count + " threads", Basis.ESTIMATED,
            several * thread.convolutions, several * thread.products, several * thread.attention,
            several * thread.bytes, thread.operator * MICROSECOND, thread.run * MICROSECOND, Long.MAX_VALUE);
    }

    /** @throws IllegalArgumentException if there is no such link */
    public static Link link(String name) {
        return find(TABLE.links, Link::name, name, "link");
    }

    /** Names of all GPUs. */
    public static List<String> gpus() {
        return TABLE.gpus.stream().map(Gpu::name).toList();
    }

    /** Names of all links. */
    public static List<String> links() {
        return TABLE.links.stream().map(Link::name).toList();
    }

    private static <T> T find(List<T> all, Function<T, String> name, String wanted, String kind) {
        return all.stream().filter(it -> plain(name.apply(it)).equals(plain(wanted))).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no " + kind + " '" + wanted + "' in the table; "
                + "there are " + all.stream().map(name).collect(Collectors.joining(", "))));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("nvidia|geforce|[ _-]", "");
    }

    private static Table read() {
        try (InputStream in = Hardware.class.getResourceAsStream("hardware.json");
            Reader text = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            return new Gson().fromJson(text, Table.class);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
