package dev.slipstream.pipelines.run.simulate;

import java.util.List;

/**
 * How bytes get from device to device. Copies that are on a link at the same time have equal shares of its bandwidth;
 * each goes as fast as the least share on its way lets it. What one leaves of its share is not given to others, so a
 * forecast is never too good for that.
 */
public interface Interconnect {
    /** Takes no time. */
    Interconnect INSTANT = (from, to) -> new Route(0, List.of());

    /**
     * The way from one device to another.
     *
     * @throws IllegalArgumentException if there is none
     */
    Route route(int from, int to);

    /**
     * A way for bytes.
     *
     * @param latencyNanos until the first byte moves, 0 or more; no link is busy meanwhile
     * @param links that all bytes pass; none if bytes take no time
     */
    record Route(long latencyNanos, List<Link> links) {
        public Route {
            if (latencyNanos < 0) {
                throw new IllegalArgumentException("a copy cannot begin to move after " + latencyNanos + " ns");
            }
            links = List.copyOf(links);
        }
    }

    /**
     * Something that copies share: a bus, a switch's port, one direction of a cable. Equal links are the same one.
     *
     * @param bytesPerSecond more than 0
     */
    record Link(String name, double bytesPerSecond) {
        public Link {
            if (!(bytesPerSecond > 0)) {
                throw new IllegalArgumentException("link " + name + " cannot move " + bytesPerSecond + " bytes/s");
            }
        }
    }

    /** One link for everything, such as the memory of a host or the root of a PCIe tree. */
    record Bus(double bytesPerSecond, long latencyNanos) implements Interconnect {
        @Override
        public Route route(int from, int to) {
            return new Route(latencyNanos, List.of(new Link("bus", bytesPerSecond)));
        }
    }

    /** Each device has a cable of its own to a switch that is never the bottleneck; both directions work at once. */
    record Star(double bytesPerSecond, long latencyNanos) implements Interconnect {
        @Override
        public Route route(int from, int to) {
            return new Route(latencyNanos, List.of(new Link("from device " + from, bytesPerSecond),
                new Link("to device " + to, bytesPerSecond)));
        }
    }

    /** Each pair of devices has a cable of its own; both directions work at once. */
    record Mesh(double bytesPerSecond, long latencyNanos) implements Interconnect {
        @Override
        public Route route(int from, int to) {
            return cable(from, to, bytesPerSecond, latencyNanos);
        }

        private static Route cable(int from, int to, double bytesPerSecond, long latencyNanos) {
            return new Route(latencyNanos,
                List.of(new Link("from device " + from + " to device " + to, bytesPerSecond)));
        }
    }
}
