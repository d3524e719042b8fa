/**
 * Files and folders as such, whatever is in them: folders that appear whole or not at all, files told from what a clone
 * without Git LFS leaves in their place, and links as the cache of the Hugging Face hub has them.
 */
package dev.slipstream.pipelines.file;
