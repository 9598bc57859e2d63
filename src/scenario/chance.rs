//! Choices that come again with the same seed.

use sha2::{Digest, Sha256};

/// A source of numbers from a seed.
#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.drawn.to_le_bytes());
        let bytes: [u8; 8] = std::array::from_fn({
            let digest = hash.finalize();
            move |at| digest.get(at).copied().unwrap_or_default()
        });
        let number = usize::try_from(u64::from_le_bytes(bytes) >> 1).unwrap_or(usize::MAX);
        number.checked_rem(end).unwrap_or(0)
    }

    /// Some of the items, at most `count`, in their order.
    pub fn some<T>(&mut self, mut items: Vec<T>, count: usize) -> Vec<T> {
        while items.len() > count {
            let at = self.below(items.len());
            items.remove(at);
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_chooses_the_same() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            (0..20).map(|_| chance.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(Chance::new(3).below(0), 0);
        assert_eq!(Chance::new(3).some(vec![1, 2, 3, 4], 2).len(), 2);
    }
}
