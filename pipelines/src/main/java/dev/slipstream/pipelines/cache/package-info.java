/**
 * A cache of latents: what was nearly drawn before is not drawn from its beginning again (NIRVANA, Agarwal et al.
 * 2024). A request whose prompt says the same as one before, in other words, goes on from latents that the other had at
 * some step, with its own prompt. That changes pictures, so it is done for those who ask for it.
 *
 * <p>{@link dev.slipstream.pipelines.cache.LatentCache} is the whole of it to the outside, and
 * {@link dev.slipstream.pipelines.cache.LatentTrial} stands in its place where thresholds are measured: an
 * {@link dev.slipstream.pipelines.cache.Entry} goes in, a {@link dev.slipstream.pipelines.cache.Query} gets an
 * {@link dev.slipstream.pipelines.cache.Answer}. It knows nothing of pipelines: who draws copies latents aside and
 * begins a loop in its midst. Inside, in the order of a query:
 * <ul>
 * <li>A {@link dev.slipstream.pipelines.cache.CacheKey} names all that must be equal. What has equal keys lies on one
 * {@code Shelf}, a folder {@code NAMESPACE/KEY} with a file for each entry and an index.
 * <li>{@code Projection} makes a compact vector of the conditioning, {@code Neighbours} finds the nearest: by comparing
 * all, or with many by a graph of JVector's.
 * <li>The query decides: the same content words in the same order ({@code Wording}), whole conditionings that are
 * near ({@link dev.slipstream.pipelines.cache.Thresholds}), and something to save
 * ({@link dev.slipstream.pipelines.cache.StepCosts}).
 * </ul>
 *
 * <p>Entries are files that are whole or not there and never change ({@code EntryFile}); the index is a log that all
 * processes read as it grows ({@code IndexFile}), and is made of the entries where it is damaged. Whoever changes a
 * shelf holds its lock. What is worth its bytes is {@code Usage}.
 */
@NullMarked
package dev.slipstream.pipelines.cache;

import org.jspecify.annotations.NullMarked;
