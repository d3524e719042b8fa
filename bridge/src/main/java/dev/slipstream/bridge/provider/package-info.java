/**
 * What all providers have in common, beside the neutral API: objects that their device knows while they are open, and
 * checks of what callers give. Only for providers.
 */
package dev.slipstream.bridge.provider;
