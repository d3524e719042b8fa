/**
 * Compiled engines on disk. Building an engine takes minutes for a GPU, and for a CPU seconds and twice the memory; the
 * result serves as long as graph, weights, compiler, processor and options stay the same, and all of these are in its
 * {@link dev.slipstream.bridge.store.EngineKey}.
 *
 * <p>{@link dev.slipstream.bridge.store.EngineStore} is a folder with one file an engine, named by the key's hash. It
 * holds three promises, whatever threads, processes and power cuts do:
 * <ul>
 * <li><b>Whole or nothing.</b> Files appear by renaming and never change afterwards; each carries its length, a
 * checksum and its key, which are checked whenever it is read. What does not pass is deleted and built again.
 * <li><b>Built once.</b> Who builds holds a {@code KeyLock}: a lock on a file, which dies with its process.
 * <li><b>Never in the way.</b> A folder that cannot be read or written costs a warning and the time to build.
 * </ul>
 *
 * <p>In the folder: {@code ID.engine}; {@code ID.weights} (the weights of an engine that maps them, see {@link
 * dev.slipstream.bridge.store.MappedEngine}; the engine has their sum); {@code ID.timing} (what a compiler remembers of
 * its measurements); {@code ID.digest} (the hash or sum of a large file of weights); {@code ID.KIND.lock} and {@code
 * ID.KIND.work} while one of them is made. All but the weights have the format of {@code StoredFile}.
 */
package dev.slipstream.bridge.store;
