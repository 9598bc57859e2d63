//! Numbers by chance: the system's, or, with a seed, those that Python's `random.Random` gives for the same seed, so that
//! a minute that was once chosen by `60 | random(seed=inventory_hostname)` stays what it is.
//!
//! Source: the documentation of Python's module `random`; what it does with seeds was observed.

use crate::template::call::int_of;
use crate::value::{Value, str_of};
use rand_mt::Mt;
use sha2::{Digest, Sha512};

/// A source of numbers.
pub(crate) enum Random {
    /// The system's, fit for passwords.
    System,
    /// The same numbers for the same seed.
    Seeded(Box<Mt>),
}

impl Random {
    /// The system's numbers, or those of a seed that is text.
    pub(crate) fn new(seed: Option<&str>) -> Self {
        seed.map_or(Self::System, |seed| {
            // the text and its SHA-512 as one number, whose last 32 bits come first
            let mut bytes = seed.as_bytes().to_vec();
            bytes.extend(Sha512::digest(seed.as_bytes()));
            Self::of_number(&bytes)
        })
    }

    /// As [`Self::new`], of a seed that may be a number.
    pub(crate) fn of(seed: Option<&Value>) -> Self {
        let Some(seed) = seed.filter(|seed| !seed.is_null()) else {
            return Self::System;
        };
        match int_of(seed).filter(|_| seed.as_str().is_none()) {
            Some(number) => Self::of_number(&number.unsigned_abs().to_be_bytes()),
            None => Self::new(Some(&str_of(seed))),
        }
    }

    /// A number of any length, its highest byte first.
    fn of_number(bytes: &[u8]) -> Self {
        let first = bytes.iter().position(|byte| *byte != 0);
        let digits = bytes
            .get(first.unwrap_or(bytes.len())..)
            .unwrap_or_default();
        let mut key: Vec<u32> = digits
            .rchunks(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |word, byte| (word << 8) | u32::from(*byte))
            })
            .collect();
        if key.is_empty() {
            key.push(0);
        }
        Self::Seeded(Box::new(Mt::new_with_key(key)))
    }

    fn next(&mut self) -> u32 {
        match self {
            Self::Seeded(numbers) => numbers.next_u32(),
            Self::System => getrandom::u32().expect("the kernel has random numbers"),
        }
    }

    /// A number of so many bits, at most 64.
    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.next()).checked_shr(32 - count).unwrap_or(0);
        }
        let low = u64::from(self.next());
        let high = u64::from(self.next()) >> (64 - count.min(64));
        (high << 32) | low
    }

    /// A number from 0 to below the limit; 0 if that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let count = u64::BITS - limit.leading_zeros();
        if limit == 0 {
            return 0;
        }
        loop {
            let number = self.bits(count);
            if number < limit {
                return usize::try_from(number).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;
    use crate::value::Value;

    /// What Python 3.11 gives: `r = Random(SEED); [r.randrange(n) for n in (60, 60, 1000, 2**40)]`.
    #[test]
    fn python_gives_the_same_numbers() {
        let cases: [(Value, [usize; 4]); 5] = [
            (Value::from("web1"), WEB1),
            (Value::from(""), EMPTY),
            (Value::from(42), FORTY_TWO),
            (Value::from(0), ZERO),
            (Value::from(-7_000_000_000_i64), NEGATIVE),
        ];
        for (seed, expected) in cases {
            let mut random = Random::of(Some(&seed));
            let got = [60, 60, 1000, 1 << 40].map(|limit| random.below(limit));
            assert_eq!(got, expected, "{seed:?}");
        }
    }

    #[test]
    fn without_a_seed_they_differ() {
        let draw = || {
            let mut random = Random::of(None);
            [(); 8].map(|()| random.below(1 << 30))
        };
        assert_ne!(draw(), draw());
        assert!((0..1000).all(|_| Random::System.below(3) < 3));
        assert_eq!(Random::System.below(0), 0);
    }

    const WEB1: [usize; 4] = [52, 20, 267, 750_615_705_911];

    const EMPTY: [usize; 4] = [29, 38, 211, 15_561_978_609];

    const FORTY_TWO: [usize; 4] = [40, 7, 25, 604_480_356_603];

    const ZERO: [usize; 4] = [54, 24, 776, 927_241_537_154];

    const NEGATIVE: [usize; 4] = [19, 1, 662, 451_518_847_699];
}
