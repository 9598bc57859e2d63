//! The modules of package managers other than apt.

use super::simple::{Manager, PackageArgs};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;

macro_rules! module {
    ($name:ident, $word:literal, $aliases:expr, $collection:literal, $doc:literal, $pick:expr) => {
        #[doc = $doc]
        pub struct $name;

        impl Module for $name {
            const NAME: &'static str = $word;
            const ALIASES: &'static [&'static str] = $aliases;
            const COLLECTION: &'static str = $collection;
            const DOC: &'static str = $doc;
            type Args = PackageArgs;

            fn plan<'a>(args: &'a PackageArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
                let pick: fn(&Sys) -> Manager = $pick;
                pick(sys).plan(args, sys)
            }
        }
    };
}

module!(
    Apk,
    "apk",
    &[],
    "community.general",
    "Install, upgrade and remove packages of Alpine Linux.",
    |_| Manager::Apk
);
module!(
    Pacman,
    "pacman",
    &[],
    "community.general",
    "Install, upgrade and remove packages of Arch Linux.",
    |_| Manager::Pacman
);
module!(
    Zypper,
    "zypper",
    &[],
    "community.general",
    "Install, upgrade and remove packages of openSUSE.",
    |_| Manager::Zypper
);
