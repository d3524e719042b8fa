/**
 * Files and folders as such, whatever is in them: folders that appear whole or not at all, strict JSON, hashes, the
 * placeholders that a clone without Git LFS leaves, and links as the cache of the Hugging Face hub has them.
 */
package dev.slipstream.pipelines.file;
