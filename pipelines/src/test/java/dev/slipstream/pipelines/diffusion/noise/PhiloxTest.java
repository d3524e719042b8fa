package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

/** The known answers that the authors of Philox publish with Random123 (philox4x32, 10 rounds). */
class PhiloxTest {
    @Test
    void zerosGiveTheKnownAnswer() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, block(0, 0, 0));
    }

    @Test
    void onesGiveTheKnownAnswer() {
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, block(-1, -1, -1));
    }

    @Test
    void digitsOfPiGiveTheKnownAnswer() {
        assertArrayEquals(new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
            block(0x85a308d3_243f6a88L, 0x03707344_13198a2eL, 0x299f31d0_a4093822L));
    }

    private static int[] block(long low, long high, long key) {
        int[] words = new int[Noise.Philox.WORDS];
        Noise.Philox.block(low, high, key, words);
        return words;
    }
}
