//! Medians, and ratios that hold although the machine is not still.
//!
//! Peers are measured in turns: what else the machine does in a turn falls on all of them. So two peers are
//! compared turn by turn, and the figure is the median of those ratios, not the ratio of two medians.

use serde::Serialize;

/// A median and how far the values lie around it: half of them between `low` and `high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The first quartile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub high: f64,
}

impl Spread {
    /// Of some values; `None` of none, or if one is no number.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Some(Self {
            low: quantile(&values, 0.25)?,
            median: quantile(&values, 0.5)?,
            high: quantile(&values, 0.75)?,
        })
    }

    /// Of the ratios, turn by turn, of one peer's values to another's.
    #[must_use]
    pub fn of_ratios(numerators: &[f64], denominators: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = numerators
            .iter()
            .zip(denominators)
            .map(|(one, other)| one / other)
            .collect();
        Self::of(&ratios)
    }
}

/// Of sorted values, interpolated between neighbours.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        let spread = Spread::of(&[9.0, 1.0, 5.0, 3.0, 7.0]).unwrap();
        assert_eq!((spread.low, spread.median, spread.high), (3.0, 5.0, 7.0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_ones() {
        let spread = Spread::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert!(close(spread.median, 2.5) && close(spread.low, 1.75) && close(spread.high, 3.25));
    }

    #[test]
    fn one_value_is_all_three() {
        assert_eq!(
            Spread::of(&[2.0]),
            Some(Spread {
                low: 2.0,
                median: 2.0,
                high: 2.0
            })
        );
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[1.0, f64::NAN]), None);
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }

    #[test]
    fn ratios_are_taken_turn_by_turn() {
        // The machine was three times slower in the second turn, for both.
        let spread = Spread::of_ratios(&[10.0, 30.0, 11.0], &[20.0, 60.0, 22.0]).unwrap();
        assert_eq!((spread.low, spread.median, spread.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn one_disturbed_turn_does_not_move_the_median() {
        let spread = Spread::of_ratios(&[10.0, 10.0, 90.0, 10.0, 10.0], &[20.0; 5]).unwrap();
        assert_eq!(spread.median, 0.5);
    }
}
