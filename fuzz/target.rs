//! What can be fuzzed.

use crate::mutate::Mutator;

/// A target: what reads the input, what inputs begin with, how they are broken.
pub struct Target {
    pub name: &'static str,
    pub corpus: fn() -> Vec<Vec<u8>>,
    pub mutate: fn(&mut Mutator, &[Vec<u8>]) -> Vec<u8>,
    /// Reads the input. An error is a lie found: something that should hold does not.
    pub run: fn(&[u8]) -> Result<(), String>,
}

/// All targets, in the order in which they are run.
pub const TARGETS: &[Target] = &[
    Target {
        name: "yaml",
        corpus: crate::yaml::corpus,
        mutate: any,
        run: crate::yaml::run,
    },
    Target {
        name: "playbook",
        corpus: crate::playbook::corpus,
        mutate: any,
        run: crate::playbook::run,
    },
    Target {
        name: "template",
        corpus: crate::template::corpus,
        mutate: any,
        run: crate::template::run,
    },
    Target {
        name: "inventory",
        corpus: crate::inventory::corpus,
        mutate: crate::inventory::mutate,
        run: crate::inventory::run,
    },
    Target {
        name: "patterns",
        corpus: crate::words::patterns,
        mutate: any,
        run: crate::words::run_pattern,
    },
    Target {
        name: "words",
        corpus: crate::words::arguments,
        mutate: any,
        run: crate::words::run_argument,
    },
    Target {
        name: "vault",
        corpus: crate::secrets::corpus,
        mutate: any,
        run: crate::secrets::run,
    },
    Target {
        name: "machines",
        corpus: crate::machines::corpus,
        mutate: crate::machines::mutate,
        run: crate::machines::run,
    },
];

/// A text of the corpus, broken; now and then with a piece of another.
fn any(mutator: &mut Mutator, corpus: &[Vec<u8>]) -> Vec<u8> {
    let pick = |mutator: &mut Mutator| {
        let at = mutator.below(corpus.len());
        corpus.get(at).map_or(&[][..], Vec::as_slice)
    };
    let base = pick(mutator).to_vec();
    if mutator.below(4) > 0 {
        return mutator.bytes(&base);
    }
    let other = pick(mutator).to_vec();
    let from = mutator.below(other.len() + 1);
    let to = (from + mutator.below(200)).min(other.len());
    let at = mutator.below(base.len() + 1);
    let mut mixed = base;
    mixed.splice(at..at, other[from..to].iter().copied());
    if mutator.below(2) == 0 {
        return mixed;
    }
    mutator.bytes(&mixed)
}
