/**
 * Textual inversion: an {@link dev.slipstream.pipelines.model.embedding.Embedding} is a file of vectors that stand for
 * a word, {@link dev.slipstream.pipelines.model.embedding.Embeddings} those that a model is opened with.
 */
package dev.slipstream.pipelines.model.embedding;
