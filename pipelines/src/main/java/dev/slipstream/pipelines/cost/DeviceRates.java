package dev.slipstream.pipelines.cost;

import dev.slipstream.pipelines.graph.Graph;

/**
 * How fast a kind of device works. The time of a run is the sum of what its parts take: an upper bound where arithmetic
 * and traffic overlap, and linear, so that rates can be fitted to what was measured.
 *
 * @param device what it is called
 * @param basis where the rates are from
 * @param convolutions multiply-accumulates of convolutions a nanosecond; {@code products} and {@code attention}
 *     likewise
 * @param bytes that operators move, a nanosecond
 * @param operatorNanos what each operator takes beside that
 * @param startNanos what each run of an engine takes beside that
 * @param memoryBytes of the device
 */
public record DeviceRates(String device, Basis basis, double convolutions, double products, double attention,
    double bytes, double operatorNanos, double startNanos, long memoryBytes) implements DeviceTimes {

    /** Where rates are from, which every output that rests on them says. */
    public enum Basis {
        /** Public data sheets, and shares of their peaks that engines usually reach. */
        ESTIMATED,
        /** Runs on such a device. */
        MEASURED
    }

    @Override
    public double runNanos(Graph graph) {
        return startNanos + nanos(Workload.of(graph));
    }

    /** How long work takes, without the start of an engine. */
    public double nanos(Workload work) {
        return work.convolutions() / convolutions + work.products() / products + work.attention() / attention
            + work.bytes() / bytes + work.operators() * operatorNanos;
    }

    @Override
    public double moveNanos(long moved) {
        return operatorNanos + moved / bytes;
    }

    /** The same device with so much memory. */
    public DeviceRates withMemory(long has) {
        return new DeviceRates(device, basis, convolutions, products, attention, bytes, operatorNanos, startNanos, has);
    }

    /** The same device, on which a run of an engine takes so long beside its work. */
    DeviceRates withStartNanos(double nanos) {
        return new DeviceRates(device, basis, convolutions, products, attention, bytes, operatorNanos, nanos,
            memoryBytes);
    }
}
