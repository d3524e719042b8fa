package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.model.folder.Component;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Which text encoders a model has, and how what they make is put together: the states of a block's encoders stand side
 * by side, the blocks follow one another along the tokens, and pooled texts stand side by side in the order of the
 * encoders. Where blocks are of several widths, or narrower than the denoiser reads, zeros fill them up. A model that
 * reads no text has no blocks.
 *
 * @param pooledInput the denoiser's input for the pooled text
 * @param width of the states that the denoiser reads; without it that of the widest block
 * @param zeroesEmptyText whether an empty negative prompt becomes zeros instead of what the encoders make of it
 * @param maskInput the denoiser's input that says which tokens are a prompt's and which fill it up, where there is one;
 *     then the encoder, of which there is one, is told, too, and reads the prompt's alone
 * @param lowersCase whether prompts are written in small letters, without blanks around them, before all else
 */
public record TextLayout(List<Block> blocks, String pooledInput, OptionalLong width, boolean zeroesEmptyText,
    Optional<String> maskInput, boolean lowersCase) {
    /** Of a model that reads no text. */
    public static final TextLayout NONE =
        new TextLayout(List.of(), TextEncoders.POOLED, OptionalLong.empty(), false);

    public TextLayout {
        blocks = List.copyOf(blocks);
        if (maskInput.isPresent() && blocks.stream().mapToInt(block -> block.encoders().size()).sum() != 1) {
            throw new IllegalArgumentException("a mask is that of one encoder's tokens");
        }
    }

    /** Without a mask, for prompts as they are written. */
    public TextLayout(List<Block> blocks, String pooledInput, OptionalLong width, boolean zeroesEmptyText) {
        this(blocks, pooledInput, width, zeroesEmptyText, Optional.empty(), false);
    }

    /** Encoders whose states all stand side by side. */
    public static TextLayout sideBySide(List<Encoder> encoders, boolean zeroesEmptyText) {
        return new TextLayout(List.of(new Block(encoders, 0)), TextEncoders.POOLED, OptionalLong.empty(),
            zeroesEmptyText);
    }

    /** All encoders, block after block. */
    List<Encoder> encoders() {
        return blocks.stream().flatMap(block -> block.encoders().stream()).toList();
    }

    /**
     * Encoders that read texts of one length.
     *
     * @param empty tokens of zeros in place of what the encoders would make, where the model has been left without them
     */
    public record Block(List<Encoder> encoders, int empty) {
        public Block {
            encoders = List.copyOf(encoders);
        }
    }

    /**
     * @param states what is read of its layers
     * @param pooled what is read of the text as a whole
     * @param length tokens of a text, of which longer ones are cut; without it as many as its tokenizer and the encoder
     *     say
     */
    public record Encoder(Component component, States states, Pooled pooled, OptionalInt length) {
        /** With texts of the usual length, and no pooled text. */
        public Encoder(Component component, States states) {
            this(component, states, Pooled.NONE, OptionalInt.empty());
        }

        /** With a pooled text. */
        public Encoder(Component component, States states, Pooled pooled) {
            this(component, states, pooled, OptionalInt.empty());
        }
    }

    /** Of the layers of a text encoder. */
    public enum States {
        /** Nothing: only its pooled text is read. */
        NONE,
        /** The states after the last layer. */
        LAST,
        /** The states before the last layer. */
        PENULTIMATE
    }

    /** What stands for a text as a whole. */
    public enum Pooled {
        NONE,
        /** The state at its end, normalised: {@code pooler_output}. */
        STATE,
        /** That, projected: {@code text_embeds}. */
        PROJECTED
    }
}
