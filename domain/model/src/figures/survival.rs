//! Figures that cannot be improved by leaving the slowest cases open.

/// One case's time to its result, in whole seconds. Small: a board holds one for each case and grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    pub seconds: u32,
    /// False while the case is still open: then it has lasted at least `seconds`.
    pub finished: bool,
}

/// The percentiles (given in percent) of time to result by the Kaplan-Meier estimate: the earliest time at which
/// at most `100 - p` percent are expected to be unfinished. `None` where so many cases are still open that the
/// percentile has not been reached.
///
/// Cases that finish at the same second as another is cut off count as finished first, as is usual.
pub fn percentiles<const N: usize>(spells: &mut [Spell], percents: [u32; N]) -> [Option<u64>; N] {
    // A share within this of the mark counts as having reached it; sums of tens of thousands of ratios are not exact.
    const TOLERANCE: f64 = 1e-9;
    spells.sort_unstable_by_key(|spell| (spell.seconds, !spell.finished));
    let mut reached = [None; N];
    let mut unfinished = 1.0_f64;
    let mut at_risk = spells.len();
    let mut rest = &*spells;
    while let Some(first) = rest.first() {
        let here = rest
            .iter()
            .take_while(|spell| spell.seconds == first.seconds)
            .count();
        let finished = rest[..here].iter().filter(|spell| spell.finished).count();
        if finished > 0 {
            unfinished *= 1.0 - finished as f64 / at_risk as f64;
            for (mark, percent) in reached.iter_mut().zip(percents) {
                if mark.is_none() && unfinished <= 1.0 - f64::from(percent) / 100.0 + TOLERANCE {
                    *mark = Some(u64::from(first.seconds));
                }
            }
        }
        at_risk -= here;
        rest = &rest[here..];
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spells(finished: &[u32], open: &[u32]) -> Vec<Spell> {
        let finished = finished.iter().map(|&seconds| Spell {
            seconds,
            finished: true,
        });
        let open = open.iter().map(|&seconds| Spell {
            seconds,
            finished: false,
        });
        finished.chain(open).collect()
    }

    #[test]
    fn without_open_cases_they_are_the_plain_percentiles() {
        let mut all = spells(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], &[]);
        assert_eq!(
            percentiles(&mut all, [50, 75, 90, 95]),
            [Some(50), Some(80), Some(90), Some(100)]
        );
    }

    #[test]
    fn leaving_the_slowest_open_does_not_improve_any() {
        let mut honest = spells(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], &[]);
        let mut gamed = spells(&[10, 20, 30, 40, 50, 60, 70, 80], &[90, 100]);
        let honest = percentiles(&mut honest, [50, 75, 90]);
        let gamed = percentiles(&mut gamed, [50, 75, 90]);
        assert_eq!(gamed, [Some(50), Some(80), None]);
        assert!(
            honest
                .iter()
                .zip(gamed)
                .all(|(honest, gamed)| gamed.is_none() || gamed >= *honest)
        );
    }

    #[test]
    fn a_young_open_case_counts_only_for_the_time_it_was_watched() {
        // After 10 s one of four finished; the one cut off at 15 s leaves two at risk at 20 s.
        let mut all = spells(&[10, 20, 30], &[15]);
        assert_eq!(percentiles(&mut all, [50, 75]), [Some(20), Some(30)]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(percentiles(&mut [], [50]), [None]);
    }
}
