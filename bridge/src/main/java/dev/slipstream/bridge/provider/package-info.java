/**
 * What all providers have in common, beside the neutral API: objects that their device knows while they are open, and
 * checks of what callers give. Others use only {@link dev.slipstream.bridge.provider.Owned}.
 */
package dev.slipstream.bridge.provider;
