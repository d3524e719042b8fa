/**
 * What graphs cost: {@link dev.slipstream.pipelines.cost.Workload} counts the work of a graph from its shapes,
 * {@link dev.slipstream.pipelines.cost.DeviceRates} says how fast a device does such work, and
 * {@link dev.slipstream.pipelines.cost.Hardware} knows usual GPUs and links from their data sheets.
 */
@NullMarked
package dev.slipstream.pipelines.cost;

import org.jspecify.annotations.NullMarked;
