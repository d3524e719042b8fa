/**
 * Files and folders as such, whatever is in them: folders that appear whole or not at all, and files told from what a
 * clone without Git LFS leaves in their place.
 */
package dev.slipstream.pipelines.file;
