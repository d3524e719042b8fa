/** {@code slipstream predict}: what plans would take on devices that need not be there. */
package dev.slipstream.samples.predict;
