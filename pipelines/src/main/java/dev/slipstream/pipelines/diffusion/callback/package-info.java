/**
 * How callers are called back, whatever it is about: {@link dev.slipstream.pipelines.diffusion.callback.Callbacks} on
 * their executor or on threads of their own, and a {@link dev.slipstream.pipelines.diffusion.callback.Feed} of news
 * that no slow listener holds up.
 */
@NullMarked
package dev.slipstream.pipelines.diffusion.callback;

import org.jspecify.annotations.NullMarked;
