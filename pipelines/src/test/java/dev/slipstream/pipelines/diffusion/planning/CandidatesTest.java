package dev.slipstream.pipelines.diffusion.planning;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Subject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CandidatesTest {
    @ParameterizedTest
    @CsvSource({"true,true,50,1", "true,true,50,2", "true,false,50,4", "false,true,28,3", "false,false,4,8",
        "true,true,1,16"})
    void eachSuitsTheDevicesAndTheStepsAndComesOnce(boolean convolves, boolean guided, int steps, int devices) {
        List<Candidate> all = Candidates.of(new Subject(convolves, Set.of(), guided, steps), devices);
        assertEquals(new Candidate("sequential", 1), all.getFirst());
        assertEquals(all.size(), new HashSet<>(all).size());
        for (Candidate candidate : all) {
            assertTrue(candidate.devices() <= devices, candidate.toString());
            assertDoesNotThrow(() -> candidate.strategy().check(candidate.devices(), guided), candidate.toString());
        }
    }

    @ParameterizedTest
    @CsvSource({"true,50,1", "true,50,2", "false,28,4", "true,4,2"})
    void theUsualOnesAreAFewThatNeedNoLookingAfter(boolean convolves, int steps, int devices) {
        Subject subject = new Subject(convolves, Set.of(), true, steps);
        List<Candidate> usual = Candidates.usual(subject, devices);
        List<Candidate> all = Candidates.of(subject, devices);
        assertEquals(all.getFirst(), usual.getFirst());
        assertTrue(all.containsAll(usual) && usual.size() < all.size(), usual::toString);
        for (Candidate candidate : usual) {
            assertEquals(List.of(), candidate.strategy().warnings(steps), candidate.spec());
            assertFalse(candidate.strategy().decides(), candidate.spec());
        }
    }

    @ParameterizedTest
    @CsvSource({"true,patches:,pipefusion:", "false,pipefusion:,patches:"})
    void picturesAreDividedAsTheNetworkCan(boolean convolves, String divided, String other) {
        List<Candidate> all = Candidates.of(new Subject(convolves, Set.of(), true, 50), 4);
        assertTrue(all.stream().anyMatch(it -> it.spec().contains(divided)));
        assertTrue(all.stream().noneMatch(it -> it.spec().contains(other)));
    }

    @ParameterizedTest
    @CsvSource({"true,3,true", "true,2,false", "false,3,false"})
    void theFastestCutIsLookedAtWhereNobodyHasSaidHowToCut(boolean convolves, int cut, boolean expected) {
        assertEquals(expected, Candidates.of(new Subject(convolves, Set.of(cut), true, 50), 2)
            .contains(new Candidate("asyncdiff:n=2,warmup=3,cut=fastest", 2)));
    }
}
