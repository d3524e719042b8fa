package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a {@code UNet2DConditionModel}, with defaults filled in and lists of both directions spelled out.
 *
 * @param down blocks in the order in which they run
 * @param mid the block in the middle, if there is one
 * @param up blocks in the order in which they run
 * @param resnet what all residual blocks have in common
 * @param midScale what the residual blocks of the middle divide their sums by
 * @param contextWidth channels of {@code encoder_hidden_states}
 * @param linearProjection whether transformers begin and end with a linear layer, not a convolution
 * @param downPadding of the convolutions that halve the size
 * @param time how timestep and conditions other than the text come in
 */
record UNetConfig(int inChannels, int outChannels, int convInKernel, int convOutKernel, boolean centerInput,
    List<UNetBlock> down, Optional<UNetBlock> mid, List<UNetBlock> up, ResnetBlock resnet, double midScale,
    int contextWidth, boolean linearProjection, int downPadding, Time time) {

    /**
     * @param width of the sinusoids
     * @param embedding width of the embedding that residual blocks read
     * @param cosineFirst whether cosines come before sines
     * @param frequencyShift taken from the number of frequencies when they are spaced
     * @param activation between the linear layers
     * @param afterTime applied to the embedded timestep
     * @param afterAll applied to the sum of all embeddings
     * @param guidanceWidth of {@code timestep_cond}; 0 if there is none
     * @param classes what becomes of {@code class_labels}
     * @param classCount rows of their table
     * @param projectionWidth what their projection, or SDXL's, reads
     * @param idWidth of the sinusoids of each of SDXL's {@code time_ids}; 0 without {@code text_embeds, time_ids}
     */
    record Time(int width, int embedding, boolean cosineFirst, double frequencyShift, Activation activation,
        Optional<Activation> afterTime, Optional<Activation> afterAll, int guidanceWidth, ClassEmbedding classes,
        int classCount, int projectionWidth, int idWidth) {
    }

    boolean attends() {
        return mid.stream().anyMatch(UNetBlock::attends) || down.stream().anyMatch(UNetBlock::attends)
            || up.stream().anyMatch(UNetBlock::attends);
    }
}
