/**
 * Files as such, whatever is in them: written whole or not at all, and told from what a clone without Git LFS leaves.
 */
package dev.slipstream.pipelines.file;
