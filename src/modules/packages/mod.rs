//! Packages: apt, package, dnf, apk, pacman, zypper, dpkg_selections.

mod apt;
mod apt_repository;
mod dpkg_selections;
mod others;
mod package;
mod simple;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<apt::Apt>(),
    Entry::of::<apt_repository::AptRepository>(),
    Entry::of::<package::Package>(),
    Entry::of::<dpkg_selections::DpkgSelections>(),
    Entry::of::<others::Dnf>(),
    Entry::of::<others::Apk>(),
    Entry::of::<others::Pacman>(),
    Entry::of::<others::Zypper>(),
];
