//! The order in which Python's sets of numbers give their items, which `union` and its kind show.
//!
//! Sets of texts have another order in each run of Python; here those keep the order of the first appearance.

use minijinja::value::{Value as Val, ValueKind};

/// Python's set, as far as its order is concerned: slots, of which some were left again.
#[derive(Clone)]
pub(super) struct NumberSet {
    slots: Vec<Slot>,
    used: usize,
    filled: usize,
}

#[derive(Clone)]
enum Slot {
    Free,
    Left,
    Held(i64, Val),
}

const SMALLEST: usize = 8;
/// How many neighbours are tried before the next jump.
const NEIGHBOURS: usize = 9;

impl NumberSet {
    /// The set of these items; `None` if they are not all numbers.
    pub(super) fn of(items: &[Val]) -> Option<Self> {
        let mut set = Self::empty();
        for item in items {
            set.add(hash(item)?, item);
        }
        Some(set)
    }

    fn empty() -> Self {
        Self {
            slots: vec![Slot::Free; SMALLEST],
            used: 0,
            filled: 0,
        }
    }

    /// The items in Python's order.
    pub(super) fn into_items(self) -> Vec<Val> {
        self.slots
            .into_iter()
            .filter_map(|slot| match slot {
                Slot::Held(_, item) => Some(item),
                _ => None,
            })
            .collect()
    }

    fn held(&self) -> impl Iterator<Item = (i64, &Val)> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Held(hash, item) => Some((*hash, item)),
            _ => None,
        })
    }

    /// The slot of the item, or the free one where it would go.
    fn slot(&self, hash: i64, item: &Val) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut perturb = hash.cast_unsigned();
        let mut at = low(perturb) & mask;
        // each jump takes in more of the hash, in the end every slot is met
        for _ in 0..self.slots.len() + 16 {
            let last = if at + NEIGHBOURS <= mask {
                at + NEIGHBOURS
            } else {
                at
            };
            for near in at..=last {
                match self.slots.get(near)? {
                    Slot::Free => return Some(near),
                    Slot::Held(other, held) if *other == hash && held == item => {
                        return Some(near);
                    }
                    _ => {}
                }
            }
            perturb >>= 5;
            at = at
                .wrapping_mul(5)
                .wrapping_add(1)
                .wrapping_add(low(perturb))
                & mask;
        }
        None
    }

    fn add(&mut self, hash: i64, item: &Val) {
        let Some(at) = self.slot(hash, item) else {
            return;
        };
        let Some(slot @ Slot::Free) = self.slots.get_mut(at) else {
            return;
        };
        *slot = Slot::Held(hash, item.clone());
        self.used += 1;
        self.filled += 1;
        if self.filled * 5 >= (self.slots.len() - 1) * 3 {
            let more = if self.used > 50_000 { 2 } else { 4 };
            self.resize(self.used * more);
        }
    }

    fn resize(&mut self, least: usize) {
        let mut size = SMALLEST;
        while size <= least {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::Free; size]);
        self.filled = self.used;
        for slot in old {
            if let Slot::Held(hash, item) = slot
                && let Some(at) = self.slot(hash, &item)
                && let Some(free) = self.slots.get_mut(at)
            {
                *free = Slot::Held(hash, item);
            }
        }
    }

    fn contains(&self, hash: i64, item: &Val) -> bool {
        self.slot(hash, item)
            .and_then(|at| self.slots.get(at))
            .is_some_and(|slot| matches!(slot, Slot::Held(..)))
    }

    /// All of the other set, too.
    fn merge(&mut self, other: &Self) {
        if other.used == 0 {
            return;
        }
        if (self.filled + other.used) * 5 >= (self.slots.len() - 1) * 3 {
            self.resize((self.used + other.used) * 2);
        }
        if self.filled == 0 && self.slots.len() == other.slots.len() && other.filled == other.used {
            *self = other.clone();
            return;
        }
        for (hash, item) in other.held() {
            self.add(hash, item);
        }
    }

    fn copy(&self) -> Self {
        let mut copy = Self::empty();
        copy.merge(self);
        copy
    }

    /// Takes the item out; whether it was there.
    fn discard(&mut self, hash: i64, item: &Val) -> bool {
        let at = self.slot(hash, item);
        let Some(slot @ Slot::Held(..)) = at.and_then(|at| self.slots.get_mut(at)) else {
            return false;
        };
        *slot = Slot::Left;
        self.used -= 1;
        true
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.copy();
        all.merge(other);
        all
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let (walked, asked) = if other.used > self.used {
            (self, other)
        } else {
            (other, self)
        };
        let mut both = Self::empty();
        for (hash, item) in walked.held() {
            if asked.contains(hash, item) {
                both.add(hash, item);
            }
        }
        both
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        if self.used >> 2 > other.used {
            let mut left = self.copy();
            for (hash, item) in other.held() {
                left.discard(hash, item);
            }
            return left;
        }
        let mut left = Self::empty();
        for (hash, item) in self.held() {
            if !other.contains(hash, item) {
                left.add(hash, item);
            }
        }
        left
    }

    pub(super) fn symmetric_difference(&self, other: &Self) -> Self {
        let mut apart = other.copy();
        for (hash, item) in self.held() {
            if !apart.discard(hash, item) {
                apart.add(hash, item);
            }
        }
        apart
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only the low bits count, as in Python"
)]
fn low(hash: u64) -> usize {
    hash as usize
}

/// Python's hash of a number: its rest by the prime 2^61 - 1, with its sign.
fn hash(item: &Val) -> Option<i64> {
    const PRIME: i128 = (1 << 61) - 1;
    if let Ok(yes) = bool::try_from(item.clone())
        && item.kind() == ValueKind::Bool
    {
        return Some(i64::from(yes));
    }
    if item.kind() != ValueKind::Number {
        return None;
    }
    let hash = if item.is_integer() {
        let number = i128::try_from(item.clone()).ok()?;
        i64::try_from(number % PRIME).ok()?
    } else {
        of_float(f64::try_from(item.clone()).ok()?)?
    };
    Some(if hash == -1 { -2 } else { hash })
}

/// A fraction's hash: its bits, 28 at a time, in the ring of that prime.
fn of_float(number: f64) -> Option<i64> {
    const BITS: i32 = 61;
    const PRIME: u64 = (1 << 61) - 1;
    if !number.is_finite() {
        return None;
    }
    let sign = if number < 0.0 { -1 } else { 1 };
    let bits = number.abs().to_bits();
    let raw = i32::try_from(bits >> 52).ok()?;
    let (mut mantissa, mut exponent) = if raw == 0 {
        (bits & ((1 << 52) - 1), -1074)
    } else {
        (bits & ((1 << 52) - 1) | 1 << 52, raw - 1075)
    };
    if mantissa == 0 {
        return Some(0);
    }
    // an integer times a power of two: a power of two turns the bits around
    while mantissa.is_multiple_of(2) {
        mantissa /= 2;
        exponent += 1;
    }
    let turns = exponent.rem_euclid(BITS);
    let turned = if turns == 0 {
        mantissa % PRIME
    } else {
        let wide = u128::from(mantissa) << turns;
        u64::try_from(wide % u128::from(PRIME)).ok()?
    };
    Some(i64::try_from(turned).ok()? * sign)
}
