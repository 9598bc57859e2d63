//! The steps of a scenario, and the orders in which they are taken.

use std::fmt;

/// One thing to do with a scenario. Names and order are those of Molecule, where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Gets what the playbooks need.
    Dependency,
    /// Undoes what happened outside of the machines.
    Cleanup,
    /// Removes the machines.
    Destroy,
    /// Reads the playbook without running it.
    Syntax,
    /// Makes the machines.
    Create,
    /// Brings new machines to where the scenario begins.
    Prepare,
    /// Runs the playbook under test.
    Converge,
    /// Runs it in check mode; a failure is one of the step.
    Check,
    /// Runs it once more: nothing may change, and something must have been looked at.
    Idempotence,
    /// Makes the machines drift, and compares what check mode predicts with what a run then changes.
    Predict,
    /// Kills a run after some task; a run from the start must bring the same end state.
    Interrupt,
    /// Does something to the machines that they must survive.
    SideEffect,
    /// Asserts what the converged machines are to be.
    Verify,
}

impl Step {
    /// All, in the order of a whole test.
    pub const ALL: [Self; 13] = [
        Self::Dependency,
        Self::Cleanup,
        Self::Destroy,
        Self::Syntax,
        Self::Create,
        Self::Prepare,
        Self::Converge,
        Self::Check,
        Self::Idempotence,
        Self::Predict,
        Self::Interrupt,
        Self::SideEffect,
        Self::Verify,
    ];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Cleanup => "cleanup",
            Self::Destroy => "destroy",
            Self::Syntax => "syntax",
            Self::Create => "create",
            Self::Prepare => "prepare",
            Self::Converge => "converge",
            Self::Check => "check",
            Self::Idempotence => "idempotence",
            Self::Predict => "predict",
            Self::Interrupt => "interrupt",
            Self::SideEffect => "side_effect",
            Self::Verify => "verify",
        }
    }

    /// The step of that name; `side-effect` is `side_effect` too.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// What it takes when it is asked for alone.
    pub fn alone(self) -> Vec<Self> {
        match self {
            Self::Create => vec![Self::Create, Self::Prepare],
            Self::Converge => vec![
                Self::Dependency,
                Self::Create,
                Self::Prepare,
                Self::Converge,
            ],
            // as Molecule's `destroy_sequence`
            Self::Destroy => vec![Self::Dependency, Self::Cleanup, Self::Destroy],
            other => vec![other],
        }
    }

    /// These, with a cleanup directly before each destroy that has none: who names steps by hand means by `destroy` what it
    /// does alone, and a scenario's own sequence is taken as it is.
    pub fn by_hand(steps: &[Self]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for step in steps {
            if *step == Self::Destroy && all.last() != Some(&Self::Cleanup) {
                all.push(Self::Cleanup);
            }
            all.push(*step);
        }
        all
    }

    /// Whether it takes away what others made; such steps are taken after a failure too.
    pub fn tears_down(self) -> bool {
        matches!(self, Self::Cleanup | Self::Destroy)
    }

    /// Whether it needs machines.
    pub fn needs_machines(self) -> bool {
        !matches!(
            self,
            Self::Dependency | Self::Cleanup | Self::Destroy | Self::Syntax | Self::Create
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `runbook test` does if the scenario does not say otherwise.
pub fn whole_test() -> Vec<Step> {
    vec![
        Step::Dependency,
        Step::Cleanup,
        Step::Destroy,
        Step::Syntax,
        Step::Create,
        Step::Prepare,
        Step::Converge,
        Step::Idempotence,
        Step::Predict,
        Step::SideEffect,
        Step::Verify,
        Step::Cleanup,
        Step::Destroy,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for step in Step::ALL {
            assert_eq!(Step::named(step.name()), Some(step));
        }
        assert_eq!(Step::named("side-effect"), Some(Step::SideEffect));
        assert_eq!(Step::named("conserve"), None);
    }

    #[test]
    fn destroy_never_comes_without_cleanup() {
        use Step::{Cleanup, Converge, Create, Destroy};
        let destroy = Destroy.alone();
        assert_eq!(destroy, [Step::Dependency, Cleanup, Destroy]);
        assert_eq!(Step::by_hand(&[Destroy]), [Cleanup, Destroy]);
        assert_eq!(
            Step::by_hand(&[Destroy, Create, Converge, Cleanup, Destroy]),
            [Cleanup, Destroy, Create, Converge, Cleanup, Destroy]
        );
    }

    #[test]
    fn a_test_ends_as_it_began() {
        let all = whole_test();
        assert_eq!(all.last(), Some(&Step::Destroy));
        let position = |step| all.iter().position(|s| *s == step);
        assert!(position(Step::Idempotence) < position(Step::Predict));
        assert!(position(Step::Predict) < position(Step::SideEffect));
    }
}
