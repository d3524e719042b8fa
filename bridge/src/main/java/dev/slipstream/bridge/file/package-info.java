/** Files as such, whatever is in them: written whole or not at all, and kept where the user's caches lie. */
package dev.slipstream.bridge.file;
