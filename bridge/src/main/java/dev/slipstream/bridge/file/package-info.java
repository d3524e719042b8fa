/**
 * Files as such, whatever is in them: written whole or not at all, by one process at a time, and kept where the user's
 * caches lie. {@link dev.slipstream.bridge.file.CheckedFile} is the format of what stores keep, which shows whether it
 * is whole. {@link dev.slipstream.bridge.file.LibraryCache} is where native libraries go that jars carry.
 */
package dev.slipstream.bridge.file;
