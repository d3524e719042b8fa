/**
 * The kit for device providers: what all devices have in common, beside the neutral API.
 *
 * <p>A provider extends {@link dev.slipstream.bridge.provider.BaseDevice}, which makes everything else, and
 * {@link dev.slipstream.bridge.provider.BaseBuffer}, {@link dev.slipstream.bridge.provider.BaseStream},
 * {@link dev.slipstream.bridge.provider.BaseEvent}, {@link dev.slipstream.bridge.provider.BaseEngine},
 * {@link dev.slipstream.bridge.provider.BaseContext}, {@link dev.slipstream.bridge.provider.BaseBindings} and, where it
 * captures graphs, {@link dev.slipstream.bridge.provider.BaseGraph}. The public methods of these check what callers
 * give, in one way for all providers, and then call {@code protected} steps, which only do the work. How to write a
 * provider is in {@code docs/provider.md}; its tests extend the contract tests of this module's test jar.
 *
 * <p>Public methods have the thread rules of the interfaces that they implement. A step runs on the thread that called
 * the public method: those of a stream one at a time, those of a device at any time. Unless it is marked {@code
 * @Nullable}, no argument and no result is null. The kit is for those who write providers; what it has may change from
 * one release to the next, with a line in the list of changes.
 */
@NullMarked
package dev.slipstream.bridge.provider;

import org.jspecify.annotations.NullMarked;
