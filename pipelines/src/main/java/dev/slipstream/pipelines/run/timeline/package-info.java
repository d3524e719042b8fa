/**
 * What ran where and when: one form for runs that were measured and for those that were simulated.
 *
 * <p>A {@link dev.slipstream.pipelines.run.timeline.Timeline} answers for utilisation, bubbles and copies that nothing
 * hides; a {@link dev.slipstream.pipelines.run.timeline.TimelineFormat} shows one or several beside each other.
 * Immutable values, which know neither programs nor devices.
 */
package dev.slipstream.pipelines.run.timeline;
